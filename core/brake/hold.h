// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// commit=first-last: the first block of the copy is kept in memory, and
// reaches the disk after everything else. Both engines ask before they
// write; what is held counts as written.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The largest logical sector that Linux has.
#define HOLD_MAX ((size_t)64 * 1024)

struct side;

struct hold {
	uint64_t off;     // of the block on the destination
	size_t size;      // at most HOLD_MAX
	bool is_written;
	unsigned char block[]; // zeros where the copy left a hole
};

// The block that begins at off, of a disk with such sectors; to be freed.
// NULL: no memory.
struct hold *hold_new(uint64_t off, uint32_t sector);

// buf is to be written at pos. Keeps what of its beginning belongs to the
// block, and returns how many bytes that are: the caller writes the others.
size_t hold_take(struct hold *hold, uint64_t pos, const unsigned char *buf,
		 size_t len);

// Write the block of a copy of so many bytes. 0 or -errno.
int hold_write(struct hold *hold, const struct side *dst, uint64_t copied);
