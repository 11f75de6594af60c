// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "clone.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

int64_t
clone_copy(const struct clone *clone)
{
	off_t src_off = (off_t)clone->src_off;
	off_t dst_off = (off_t)clone->dst_off;
	const ssize_t n = copy_file_range(clone->src_fd, &src_off,
					  clone->dst_fd, &dst_off,
					  (size_t)clone->len, 0);

	return n < 0 ? -errno : n;
}

int
clone_extents(const struct clone *clone)
{
	const struct file_clone_range range = {
		.src_fd = clone->src_fd,
		.src_offset = clone->src_off,
		.src_length = clone->len,
		.dest_offset = clone->dst_off,
	};

	return ioctl(clone->dst_fd, FICLONERANGE, &range) < 0 ? -errno : 0;
}
