// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which piece of a map comes next, there or back: of parts in one state of
// which nothing is out, from any of their ends, or only from one that lies
// beside something good.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "map.h"
#include "outs.h"
#include "range.h"

enum pick_edges {
	PICK_ANY,                // from the end that is met
	PICK_GOOD,               // only if that is a good one
	PICK_BOTH_GOOD,          // or the other one is
};

struct pick {
	// Where from.
	struct map *map;
	const struct map *suspects; // MAP_BAD: to be read by suspect_unit
	const struct outs *outs;
	struct range domain;     // what is not in it is good

	// How: the way of one step.
	enum map_state state;
	enum pick_edges edges;
	bool is_back;
	bool is_once;            // no part of it is picked again, read or not
	uint64_t unit;           // pieces end at its multiples
	uint64_t suspect_unit;

	// How far.
	uint64_t cursor;
	uint64_t landing;        // an end there is a good one
};

// 1: *ret. 0: there is none, but what is out may give one. -ENOMEM. With
// PICK_BOTH_GOOD a part that has no good end, and whose neighbours were tried,
// becomes MAP_NONSCRAPED.
int pick_next(struct pick *p, struct range *ret);
