// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where reads fail or are slow, how far away it is worth to try again: the
// longer it goes on, the farther.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "range.h"

struct skip {
	uint64_t least;
	uint64_t most;
	uint64_t gap;            // where it began; UINT64_MAX: it is good here
	uint64_t pace;           // ns a MiB, usually; 0: not known
};

// For a source of len bytes.
void skip_init(struct skip *s, uint64_t len);

// It begins anew.
static inline void
skip_reset(struct skip *s)
{
	s->gap = UINT64_MAX;
}

// This is bad. Where to go on, which may be behind the end.
uint64_t skip_over(struct skip *s, struct range bad, bool is_back);

// This was read alone. True: it was slow, and is no better than bad.
bool skip_is_slow(struct skip *s, struct range range, uint64_t ns);

// This is good, and ends the gap if it lies behind its begin.
void skip_end(struct skip *s, struct range good, bool is_back);
