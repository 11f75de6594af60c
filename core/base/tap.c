// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "tap.h"

#include <errno.h>
#include <sys/uio.h>

ssize_t
tap_now(int fd, void *buf, size_t len)
{
	const struct iovec piece = {buf, len};
	const ssize_t n = preadv2(fd, &piece, 1, -1, RWF_NOWAIT);

	if (n < 0 && (errno == EINVAL || errno == ENOSYS))
		return -EOPNOTSUPP;
	return n < 0 ? -errno : n;
}
