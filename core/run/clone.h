// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Copies that the kernel makes by itself: extents shared by two files
// (FICLONERANGE), or a copy of the bytes within the page cache
// (copy_file_range). No byte passes through us.

#pragma once

#include <stdint.h>

struct clone {
	int src_fd;
	int dst_fd;
	uint64_t src_off;
	uint64_t dst_off;
	uint64_t len;
};

// Let the kernel copy from page cache to page cache: once, where read and
// write copy twice. Returns the bytes copied, which may be less than len, 0
// at the end of the source, or -errno. Holes become zeros on the file
// systems it is meant for; others share extents, or keep holes.
int64_t clone_copy(const struct clone *clone);

// Share the extents. 0, or -errno: nothing was changed, and the copy is to
// be made in another way. EOPNOTSUPP, EXDEV and EINVAL (unaligned) are the
// plain "cannot".
int clone_extents(const struct clone *clone);
