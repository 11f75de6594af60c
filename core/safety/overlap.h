// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// How far a copy reaches, and whether two sides have bytes in common: as the
// same file, as a device and what is built upon it.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct disk_stack;
struct facts;
struct request;

// Bytes from the start of the destination to where the copy ends; 0 if that
// cannot be known.
uint64_t overlap_reach(const struct request *q, const struct facts *src,
		       const struct facts *dst);

// What the copy writes, or cuts off, it may still have to read: both sides have
// bytes in common, and it is no file that is converted in place. With the
// devices over each of them; nr is 0 where there are none.
bool overlap_is_harmful(const struct request *q, const struct facts *src,
			const struct disk_stack *over_src,
			const struct facts *dst,
			const struct disk_stack *over_dst);

// Two that are to be written have bytes in common; sysfs is asked for what is
// built upon a device.
bool overlap_is_any(const struct facts *a, const struct facts *b);
