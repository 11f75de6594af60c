// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#pragma once

#include <stdint.h>

// The least common multiple, or UINT64_MAX if it does not fit. a, b > 0.
static inline uint64_t
lcm(uint64_t a, uint64_t b)
{
	uint64_t x = a, y = b, product;

	while (y > 0) {
		const uint64_t rest = x % y;

		x = y;
		y = rest;
	}
	return __builtin_mul_overflow(a / x, b, &product) ? UINT64_MAX
							  : product;
}
