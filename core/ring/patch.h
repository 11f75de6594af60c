// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The last block of a copy onto a disk, of which only a part is ours: the
// buffer gets the rest of it from the disk, so that the block can be written
// direct. The page cache may have an older one, which somebody has mapped.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job;
struct side;

// The len bytes at job->done, which go to pos. False: they are no such block,
// or it cannot be read.
bool patch_last(const struct side *side, uint32_t align, struct job *job,
		uint64_t pos, size_t len);
