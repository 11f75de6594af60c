// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// rate=: when the next bytes may go. They are paid for in advance, so that
// nothing goes at once at the start, and a stall earns a twentieth of a
// second and no more. Times are CLOCK_MONOTONIC; whoever waits sleeps by
// itself.

#pragma once

#include <stdint.h>

struct pace {
	uint64_t rate;     // bytes a second, > 0
	uint64_t since_ns; // from here on ...
	uint64_t bytes;    // ... so many have gone, or may go
};

// A twentieth of a second, at least a byte: what should go at a time.
static inline uint64_t
pace_piece(uint64_t rate)
{
	return rate < 20 ? 1 : rate / 20;
}

void pace_init(struct pace *pace, uint64_t rate, uint64_t now_ns);

// How long until len bytes may go; 0: now.
uint64_t pace_wait_ns(const struct pace *pace, uint64_t len, uint64_t now_ns);

// They go.
void pace_take(struct pace *pace, uint64_t len, uint64_t now_ns);
