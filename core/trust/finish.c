// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "finish.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "event.h"
#include "hooks.h"

static int
tell(const struct hooks *h, enum event_kind kind, const char *name, int r)
{
	return hooks_tell(
		h, (struct event){.kind = kind, .error = -r, .name = name});
}

// The first error of a sync is the only one the kernel gives: it stands,
// whatever the next one says.
int
finish_sync(const struct side *dst, unsigned conv, const struct hooks *h)
{
	int data = 0, all = 0;

	if (conv & CONV_FDATASYNC) {
		data = dst->ops->sync(dst, true, h);
		if (data == -ENOSYS || data == -EINVAL)
			data = 0;
		else if (data < 0 && data != -ECANCELED)
			tell(h, FAILURE_FDATASYNC, dst->name, data);
		else if (data == 0)
			conv &= ~(unsigned)CONV_FDATASYNC;
	}
	if (data == -ECANCELED)
		return data;
	if (conv & (CONV_FSYNC | CONV_FDATASYNC)) {
		all = dst->ops->sync(dst, false, h);
		if (all < 0 && all != -ECANCELED)
			tell(h, FAILURE_FSYNC, dst->name, all);
	}
	return data < 0 ? data : all;
}

int
finish_partitions(int fd)
{
	const int r = ioctl(fd, BLKRRPART) < 0 ? -errno : 0;

	return r == -EINVAL ? 0 : r;
}

int
finish_close(struct side *src, struct side *dst,
	     const struct hooks *h)
{
	int r = src->ops->close(src);

	if (r < 0)
		return tell(h, FAILURE_CLOSE_SRC, src->name, r);
	r = dst->ops->close(dst);
	if (r < 0)
		return tell(h, FAILURE_CLOSE_DST, dst->name, r);
	return 0;
}
