// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The few things every module may use. Nothing here knows of copying.

#pragma once

#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static inline uint64_t
min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t
max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

// To the multiple of unit at or below n. unit > 0, any value.
static inline uint64_t
round_down(uint64_t n, uint64_t unit)
{
	return n - n % unit;
}

// To the multiple of unit at or above n. The caller keeps n + unit in range.
static inline uint64_t
round_up(uint64_t n, uint64_t unit)
{
	return round_down(n + unit - 1, unit);
}
