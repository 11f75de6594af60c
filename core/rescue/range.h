// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Bytes of a source, and from which side one comes upon them.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct range {
	uint64_t from;
	uint64_t to;
};

static inline uint64_t
range_near(struct range range, bool is_back)
{
	return is_back ? range.to : range.from;
}

static inline uint64_t
range_far(struct range range, bool is_back)
{
	return is_back ? range.from : range.to;
}
