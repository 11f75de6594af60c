// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a copy is warned of before its first byte, and made nevertheless: the
// file system has not enough room, or the partition table will not be right on
// the destination. What cannot be known is no warning.

#pragma once

#include <stdint.h>

struct side;
struct facts;
struct hooks;
struct plan;
struct request;

// Less than this fails soon enough by itself.
#define CAUTION_SPACE_MIN (1024 * 1024)

// src need not be open where plan_only is asked for; called as dd nothing is
// told.
void caution_tell(const struct request *q, const struct plan *plan,
		  const struct side *src, const struct side *dst,
		  const struct hooks *h);

// Bytes that the copy will take from those that are free on the file system of
// the destination, which has been cut; 0: that is not known.
uint64_t caution_space(const struct request *q, const struct plan *plan,
		       const struct facts *src, const struct facts *dst);
