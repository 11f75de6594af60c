// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// obmap=: the block map of what is copied. Its ranges are those in which the
// source has data when the copy begins, rounded out to whole blocks; the hasher
// gives them their digests.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ranges.h"

struct env;
struct side;

struct outline {
	struct ranges ranges;
};

// The source, which begins at start, was probed; nothing was copied yet.
// Without obmap= it does nothing. 0 or -errno, told. outline_done in any case,
// when the hasher is gone.
int outline_begin(struct outline *o, const struct env *env,
		  const struct side *src, uint64_t start);
// All was copied, len bytes, and the digests are finished.
void outline_end(struct outline *o, uint64_t len);
void outline_done(struct outline *o);
