// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What has become of each byte of a copy, and what is left to do: spans with
// states, which lie side by side from 0 to the length of the map. Two that
// touch have different states, so a plain copy has two spans, or one.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum map_state {
	MAP_TODO,
	MAP_DONE,              // the destination has accepted it
	MAP_HOLE,              // left out: the destination reads as zeros there
	MAP_SAME,              // there already
	MAP_BAD,               // the source could not be read
	MAP_NONTRIMMED,        // a read of it failed, its edges are not known
	MAP_NONSCRAPED,        // its edges failed, its inside was not tried
	MAP_NR_STATES,
};

struct map_span {
	uint64_t off;
	uint64_t len;          // > 0
	enum map_state state;
};

struct map {
	struct map_span *spans; // in order; those from gap on lie at the end
	size_t nr;
	size_t room;
	size_t gap;             // index
	size_t first_todo;      // index, nr: there is none
	uint64_t len;           // bytes in all
	uint64_t totals[MAP_NR_STATES]; // bytes in each state
};

// Span number i. Valid until the next change.
static inline struct map_span *
map_nth(const struct map *map, size_t i)
{
	return &map->spans[i < map->gap ? i : map->room - map->nr + i];
}

// All of it is to be done. 0, or -ENOMEM: nothing was taken.
int map_init(struct map *map, uint64_t len);
void map_done(struct map *map);

// Memory for so many calls of map_mark, which then cannot fail. 0 or -ENOMEM.
int map_reserve(struct map *map, size_t nr_marks);

// From now on these bytes, within the map, have this state. 0, or -ENOMEM:
// nothing has changed.
int map_mark(struct map *map, uint64_t off, uint64_t len,
	     enum map_state state);

// A copy of its own. 0 or -ENOMEM: nothing was taken.
int map_copy(struct map *ret, const struct map *map);

// The map ends at len, if it was longer.
void map_cut(struct map *map, uint64_t len);
// Or if it was shorter: what is new is to be done. 0, or -ENOMEM: nothing has
// changed.
int map_extend(struct map *map, uint64_t len);

// Bytes from the start that are not MAP_TODO.
uint64_t map_prefix(const struct map *map);

// The span that has the byte at off, which is within the map. Valid until the
// next change.
const struct map_span *map_at(const struct map *map, uint64_t off);

// What the spans from number *i on have between from and to, one by one: *i
// goes on to the next. False: no more is there.
bool map_next(const struct map *map, size_t *i, uint64_t from, uint64_t to,
	      struct map_span *ret);

// The first span in this state that ends behind off, or NULL: there is none.
// Valid until the next change.
const struct map_span *map_find(const struct map *map, uint64_t off,
				enum map_state state);
// The last one that begins before off.
const struct map_span *map_find_back(const struct map *map, uint64_t off,
				     enum map_state state);
