// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers as people write them, but dd does not: "4m", "4Mb", "4 MiB", "1.5G".

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct correct_bounds {
	uint64_t min, max;
	bool is_blocks;  // counts blocks unless there is a B in it
};

// How to write what was probably meant by text, and what that is: "4M is
// 4 MiB". Malloc'd; NULL: that cannot be said, or it would be refused, too.
char *correct_number(const char *text, const struct correct_bounds *bounds);

// The amount without rounding: "4 MiB", "1.5 GiB", "4000000 bytes". Malloc'd,
// NULL: memory is out.
char *correct_amount(uint64_t bytes);

// An amount that is given in blocks, for the same number of bytes: "20MiB" for
// "20M". Malloc'd, NULL: memory is out.
char *correct_to_bytes(const char *text);
