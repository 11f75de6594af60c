// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

#define GROWTH_MAX 2 // one mark within a span makes three of it

static uint64_t
end_of(const struct map_span *span)
{
	return span->off + span->len;
}

int
map_init(struct map *map, uint64_t len)
{
	*map = (struct map){.len = len};
	if (map_reserve(map, 1) < 0)
		return -ENOMEM;
	if (len > 0) {
		map->spans[0] = (struct map_span){0, len, MAP_TODO};
		map->nr = map->gap = 1;
	}
	map->totals[MAP_TODO] = len;
	return 0;
}

void
map_done(struct map *map)
{
	free(map->spans);
	*map = (struct map){0};
}

static struct map_span *
behind_gap(const struct map *map)
{
	return map->spans + map->room - (map->nr - map->gap);
}

int
map_reserve(struct map *map, size_t nr_marks)
{
	const size_t want = map->nr + nr_marks * GROWTH_MAX + 1;

	if (want <= map->room)
		return 0;
	// By halves more, so that many marks cost few copies of the map.
	const size_t room = want + want / 2;
	struct map_span *spans = reallocarray(map->spans, room,
					      sizeof(*spans));
	if (spans == NULL)
		return -ENOMEM;
	map->spans = spans;
	const struct map_span *behind = behind_gap(map);
	map->room = room;
	memmove(behind_gap(map), behind, (map->nr - map->gap) * sizeof(*spans));
	return 0;
}

// Of the span that has the byte at off.
static size_t
index_of(const struct map *map, uint64_t off)
{
	size_t from = 0, to = map->nr;

	while (to - from > 1) {
		const size_t half = from + (to - from) / 2;

		if (map_nth(map, half)->off <= off)
			from = half;
		else
			to = half;
	}
	return from;
}

// Up to three spans that take the place of others.
struct patch {
	struct map_span spans[GROWTH_MAX + 1];
	size_t nr;
};

static void
patch_add(struct patch *patch, struct map_span span)
{
	const size_t nr = patch->nr;

	if (nr > 0 && patch->spans[nr - 1].state == span.state)
		patch->spans[nr - 1].len += span.len;
	else if (span.len > 0)
		patch->spans[patch->nr++] = span;
}

static void
count_spans(struct map *map, size_t from, size_t to, bool is_added)
{
	for (size_t i = from; i < to; i++) {
		const struct map_span *span = map_nth(map, i);

		map->totals[span->state] += is_added ? span->len : -span->len;
	}
}

// The first that is to be done is one of these, or that one.
static void
find_todo(struct map *map, size_t from, size_t to, size_t otherwise)
{
	while (from < to && map_nth(map, from)->state != MAP_TODO)
		from++;
	map->first_todo = from < to ? from : otherwise;
}

// Marks are near each other, mostly, and so are their costs.
static void
move_gap(struct map *map, size_t to)
{
	struct map_span *spans = map->spans, *behind = behind_gap(map);
	const size_t gap = map->gap;

	if (to < gap)
		memmove(behind - (gap - to), spans + to,
			(gap - to) * sizeof(*spans));
	else
		memmove(spans + gap, behind, (to - gap) * sizeof(*spans));
	map->gap = to;
}

static void
replace(struct map *map, size_t from, size_t to, const struct patch *patch)
{
	count_spans(map, from, to, false);
	move_gap(map, from);
	map->nr -= to - from; // those behind the gap
	memcpy(map->spans + from, patch->spans,
	       patch->nr * sizeof(*patch->spans));
	map->gap += patch->nr;
	map->nr += patch->nr;
	count_spans(map, from, map->gap, true);
	if (map->first_todo >= to)
		find_todo(map, from, from + patch->nr,
			  map->first_todo - (to - from) + patch->nr);
	else if (map->first_todo >= from)
		find_todo(map, from, map->nr, map->nr);
}

int
map_mark(struct map *map, uint64_t off, uint64_t len, enum map_state state)
{
	struct patch patch = {.nr = 0};

	assert(off <= map->len && len <= map->len - off);
	if (len == 0)
		return 0;
	if (map_reserve(map, 1) < 0)
		return -ENOMEM;
	size_t first = index_of(map, off), last = index_of(map, off + len - 1);
	const struct map_span *left = map_nth(map, first);
	const struct map_span *right = map_nth(map, last);

	// With the neighbours, which may have the same state.
	if (left->off < off)
		patch_add(&patch, (struct map_span){left->off, off - left->off,
						    left->state});
	else if (first > 0)
		patch_add(&patch, *map_nth(map, --first));
	patch_add(&patch, (struct map_span){off, len, state});
	if (end_of(right) > off + len)
		patch_add(&patch,
			  (struct map_span){off + len,
					    end_of(right) - off - len,
					    right->state});
	else if (last + 1 < map->nr)
		patch_add(&patch, *map_nth(map, ++last));
	replace(map, first, last + 1, &patch);
	return 0;
}

int
map_copy(struct map *ret, const struct map *map)
{
	struct map_span *spans = calloc(map->nr + 1, sizeof(*spans));

	if (spans == NULL)
		return -ENOMEM;
	if (map->nr > 0) {
		memcpy(spans, map->spans, map->gap * sizeof(*spans));
		memcpy(spans + map->gap, behind_gap(map),
		       (map->nr - map->gap) * sizeof(*spans));
	}
	*ret = *map;
	ret->spans = spans;
	ret->room = map->nr + 1;
	ret->gap = map->nr;
	return 0;
}

void
map_cut(struct map *map, uint64_t len)
{
	struct patch patch = {.nr = 0};

	if (len >= map->len)
		return;
	const size_t last = index_of(map, len);
	const struct map_span *span = map_nth(map, last);

	patch_add(&patch, (struct map_span){span->off, len - span->off,
					    span->state});
	replace(map, last, map->nr, &patch);
	map->len = len;
}

int
map_extend(struct map *map, uint64_t len)
{
	struct patch patch = {.nr = 0};

	if (len <= map->len)
		return 0;
	if (map_reserve(map, 1) < 0)
		return -ENOMEM;
	const size_t last = map->nr > 0 ? map->nr - 1 : 0;
	if (map->nr > 0)
		patch_add(&patch, *map_nth(map, last));
	patch_add(&patch,
		  (struct map_span){map->len, len - map->len, MAP_TODO});
	replace(map, last, map->nr, &patch);
	map->len = len;
	return 0;
}

uint64_t
map_prefix(const struct map *map)
{
	return map->first_todo < map->nr ? map_nth(map, map->first_todo)->off
					 : map->len;
}

const struct map_span *
map_find(const struct map *map, uint64_t off, enum map_state state)
{
	for (size_t i = index_of(map, off); i < map->nr; i++) {
		const struct map_span *span = map_nth(map, i);

		if (span->state == state && end_of(span) > off)
			return span;
	}
	return NULL;
}

const struct map_span *
map_find_back(const struct map *map, uint64_t off, enum map_state state)
{
	for (size_t i = off > 0 ? index_of(map, off - 1) + 1 : 0; i-- > 0;)
		if (i < map->nr && map_nth(map, i)->state == state)
			return map_nth(map, i);
	return NULL;
}

bool
map_next(const struct map *map, size_t *i, uint64_t from, uint64_t to,
	 struct map_span *ret)
{
	while (*i < map->nr) {
		const struct map_span *span = map_nth(map, (*i)++);
		const uint64_t off = max_u64(span->off, from);
		const uint64_t end = min_u64(end_of(span), to);

		if (off >= end)
			continue;
		*ret = (struct map_span){off, end - off, span->state};
		return true;
	}
	return false;
}

const struct map_span *
map_at(const struct map *map, uint64_t off)
{
	assert(off < map->len);
	return map_nth(map, index_of(map, off));
}
