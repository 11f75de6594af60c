// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A model of a disk that is dying: what a read of it gives, and when. It knows
// no clock.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dying_kind {
	DYING_BAD,             // a read of any of it fails
	DYING_SLOW,            // it takes so much longer
	DYING_HANG,            // it fails, after minutes
	DYING_LATE,            // it is read, after minutes
	DYING_NR_KINDS,
};

// Ranges of one kind, in order and apart.
struct dying_ranges {
	struct dying_range {
		uint64_t from;
		uint64_t to;
	} *ranges;
	size_t nr;
};

struct dying {
	uint64_t len;          // reads behind it give nothing
	uint64_t ns_bad;       // of a read that fails, 0: half a second
	unsigned slower;       // times as long, 0: 25
	bool is_short;         // a read gives what is before its first bad byte
	unsigned gone_after;   // so many reads it is there, 0: all the time
	unsigned nr_reads;
	struct dying_ranges kinds[DYING_NR_KINDS];
};

struct dying_answer {
	size_t got;
	int error;
	uint64_t ns;
};

void dying_done(struct dying *d);

// Behind all of its kind that were added before.
void dying_add(struct dying *d, enum dying_kind kind, uint64_t from,
	       uint64_t to);

// 1 of nr_heads, in each of nr_zones: so a platter is written.
void dying_add_head(struct dying *d, unsigned nr_zones, unsigned nr_heads);

// The first byte of this kind in [from, to), or to: there is none.
uint64_t dying_first(const struct dying *d, enum dying_kind kind,
		     uint64_t from, uint64_t to);

struct dying_answer dying_read(struct dying *d, uint64_t off, size_t len);
