// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which bytes of a buffer are to be written where others lie already. They are
// compared by units of the file, as a device takes them: a whole one is the
// same, or it is not.

#pragma once

#include <stddef.h>
#include <stdint.h>

#define SAME_UNIT ((size_t)4096) // at least: a page, a block
// Less than this between two runs is written as well: one request is cheaper
// than two.
#define SAME_GAP ((size_t)(32 * 1024))

struct same {
	const unsigned char *bytes; // that are to be there
	const unsigned char *found;
	size_t len;
	size_t nr_found;            // of len: the file ends behind them
	uint64_t pos;               // of both in the file
	size_t unit;
};

// Of what is behind `from`: bytes at the beginning that need not be written,
// and the length of the run that starts with the first that must, 0: there is
// none.
size_t same_skip(const struct same *same, size_t from);
size_t same_run(const struct same *same, size_t from);
