// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The reads that are out. No two of them have a byte in common.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "range.h"

struct out {
	struct range range;
	bool is_overdue;         // it is not waited for
	bool is_skipped;         // what lies behind it
};

struct outs {
	struct out *outs;        // in no order
	unsigned nr;
	unsigned nr_overdue;
	unsigned room;
};

// For so many. 0 or -ENOMEM.
int outs_init(struct outs *o, unsigned room);
void outs_done(struct outs *o);

// There is room.
void outs_add(struct outs *o, struct range range);
// The one that begins at off.
struct out *outs_find(const struct outs *o, uint64_t off);
void outs_set_overdue(struct outs *o, struct out *out);
// It is out no more.
struct out outs_take(struct outs *o, uint64_t off);

// The one that is met first within the part, or NULL.
const struct out *outs_meet(const struct outs *o, struct range part,
			    bool is_back);
