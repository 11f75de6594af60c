// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is left of a copy: all behind one number. What the user asked for stays
// as it was asked; both engines go on from here.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "request.h"

struct rest {
	uint64_t done;   // bytes from where the copy began that are through
	uint64_t counted; // ... and those that once were: what of them comes
	                 // again was counted then
	bool is_placed;  // both descriptors stand behind them: skip= and
	                 // seek= are over
	bool is_within;  // a record, of which more is to come
};

// Where a side goes on that began at start, UINT64_MAX: nowhere.
static inline uint64_t
rest_off(const struct rest *rest, uint64_t start)
{
	return start == UINT64_MAX ? start : start + rest->done;
}

// The most bytes that count= allows still, UINT64_MAX: all.
static inline uint64_t
rest_count_len(const struct rest *rest, const struct request *q)
{
	const uint64_t len = request_count_len(q);

	if (len == UINT64_MAX)
		return len;
	return len > rest->done ? len - rest->done : 0;
}
