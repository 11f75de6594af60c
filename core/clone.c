// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "clone.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

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
