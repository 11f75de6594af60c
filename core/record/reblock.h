// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Between input and output records where they differ: bytes are collected
// into blocks of obs, on the way conv=block makes lines into fixed records
// and conv=unblock the reverse.

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "request.h"
#include "stats.h"

struct reblock {
	unsigned char *block;    // obs bytes, page-aligned
	size_t obs;
	size_t fill;             // bytes in block
	uint64_t cbs;
	unsigned conv;           // CONV_BLOCK, CONV_UNBLOCK or neither
	unsigned char newline;
	unsigned char space;
	uint64_t column;         // in the line or record in hand
	uint64_t nr_spaces;      // conv=unblock: held back until one follows
	struct stats *stats;

	// Takes a full block; 0 or -errno, which ends the run.
	int (*write)(void *ctx, const unsigned char *block, size_t len);
	void *ctx;
};

// Feed len bytes. 0, or the -errno of write.
int reblock_put(struct reblock *reblock, const unsigned char *buf, size_t len);

// The source is at its end: complete the line in hand. The last partial
// block stays in block, for the caller to write.
int reblock_finish(struct reblock *reblock);
