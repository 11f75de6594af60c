// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "finish.h"

#include <errno.h>
#include <unistd.h>

#include "failure.h"
#include "hooks.h"

static int
tell(const struct hooks *h, enum failure_phase phase, const char *name, int r)
{
	h->notice(h->ctx, &(struct failure){.phase = phase,
					    .error = -r,
					    .name = name});
	return r;
}

static int
sync_wait(int (*sync)(int), int fd, const struct hooks *h)
{
	int r;

	do {
		r = sync(fd) < 0 ? -errno : 0;
	} while (r == -EINTR && !h->must_stop(h->ctx));
	return r == -EINTR ? -ECANCELED : r;
}

// The first error of a sync is the only one the kernel gives: it stands,
// whatever the next one says.
int
finish_sync(const struct endpoint *dst, unsigned conv, const struct hooks *h)
{
	int data = 0, all = 0;

	if (conv & CONV_FDATASYNC) {
		data = sync_wait(fdatasync, dst->fd, h);
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
		all = sync_wait(fsync, dst->fd, h);
		if (all < 0 && all != -ECANCELED)
			tell(h, FAILURE_FSYNC, dst->name, all);
	}
	return data < 0 ? data : all;
}

int
finish_close(struct endpoint *src, struct endpoint *dst,
	     const struct hooks *h)
{
	int r = endpoint_close(src);

	if (r < 0)
		return tell(h, FAILURE_CLOSE_SRC, src->name, r);
	r = endpoint_close(dst);
	if (r < 0)
		return tell(h, FAILURE_CLOSE_DST, dst->name, r);
	return 0;
}
