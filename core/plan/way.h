// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which way a copy goes: in bulk, by records, or by splice; and how much of it
// can go in bulk.

#pragma once

#include <stdbool.h>

struct plan;
struct plan_sides;
struct request;

// A record of zeros is a hole, or O_DIRECT takes no part of a sector.
bool way_is_whole(const struct request *q);

// Nobody needs to see the bytes, nor to count their records as they come.
bool way_can_splice(const struct plan_sides *sides);

// A stream from which whole records are read, so that it may be read ahead,
// and whose bytes go around the page cache.
bool way_can_feed(const struct plan_sides *sides);

// Why dd's own order is needed, NULL: it is not. The plan has its offsets.
const char *way_record_reason(const struct plan_sides *sides,
			      const struct plan *plan);

// The offsets and the length of what can be copied by offset. NULL, or why
// that is too little.
const char *way_measure(struct plan *plan, const struct plan_sides *sides);
