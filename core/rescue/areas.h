// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// How many areas of a map are bad, counted while it is marked: a map of a
// source that is dying has too many spans to be counted for each read.

#pragma once

#include <stddef.h>

#include "map.h"
#include "range.h"

struct areas {
	struct map *map;      // borrowed; marked by areas_mark alone
	struct range domain;  // what lies outside does not count
	size_t nr;
};

// Counts those that are there.
void areas_init(struct areas *a, struct map *map, struct range domain);

// As map_mark, for which there is memory for two marks; the range may be empty.
void areas_mark(struct areas *a, struct range range, enum map_state state);
