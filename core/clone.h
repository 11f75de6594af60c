// SPDX-License-Identifier: GPL-3.0-or-later
//
// Copies that the file system makes by itself: shared extents (FICLONE), or
// a copy on the server's side. No byte passes through us.

#pragma once

#include <stdint.h>

struct clone {
	int src_fd;
	int dst_fd;
	uint64_t src_off;
	uint64_t dst_off;
	uint64_t len;
};

// Share the extents. 0, or -errno: nothing was changed, and the copy is to
// be made in another way. EOPNOTSUPP, EXDEV and EINVAL (unaligned) are the
// plain "cannot".
int clone_extents(const struct clone *clone);
