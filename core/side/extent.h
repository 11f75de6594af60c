// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where a sparse source has data: SEEK_DATA and SEEK_HOLE, asked lazily,
// one extent ahead of the reader. Not FIEMAP, which shows dirty data in a
// preallocated range as unwritten.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct extent {
	uint64_t start;    // the extent of data last found, in the file
	uint64_t end;
};

// The extent of data at or after pos: sets start (>= pos) and end. When
// only a hole follows, both are the size of the file, which may be less
// than pos. Where the file system cannot tell, all is data. Moves the offset
// of fd.
void extent_find(int fd, uint64_t pos, struct extent *extent);
