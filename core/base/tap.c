// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fd.h"

int
tap_init(struct tap *tap, int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	*tap = (struct tap){
		.fd = fd,
		.wake_fd = fd_move_up(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
		.is_nonblock = (flags & O_NONBLOCK) != 0,
	};
	return tap->wake_fd < 0 ? tap->wake_fd : 0;
}

void
tap_done(struct tap *tap)
{
	(void)close(tap->wake_fd); // only counts
}

// 0: there is something, if nobody else takes it.
static int
tap_wait(const struct tap *tap)
{
	struct pollfd fds[] = {{.fd = tap->fd, .events = POLLIN},
			       {.fd = tap->wake_fd, .events = POLLIN}};

	if (poll(fds, 2, -1) < 0)
		return -errno;
	return fds[1].revents != 0 ? -ECANCELED : 0;
}

ssize_t
tap_now(int fd, void *buf, size_t len)
{
	const struct iovec piece = {buf, len};
	const ssize_t n = preadv2(fd, &piece, 1, -1, RWF_NOWAIT);

	if (n < 0 && (errno == EINVAL || errno == ENOSYS))
		return -EOPNOTSUPP;
	return n < 0 ? -errno : n;
}

// What is there is taken first: to poll before each read costs more.
static ssize_t
tap_read(void *ctx, void *buf, size_t len)
{
	const struct tap *tap = ctx;
	ssize_t n = -EOPNOTSUPP;

	while (!tap->is_nonblock) {
		n = tap_now(tap->fd, buf, len);
		if (n != -EAGAIN && n != -EOPNOTSUPP)
			return n;
		const int r = tap_wait(tap);
		if (r < 0)
			return r;
		if (n == -EOPNOTSUPP)
			break;
	}
	n = read(tap->fd, buf, len);
	return n < 0 ? -errno : n;
}

static void
tap_stop(void *ctx)
{
	const struct tap *tap = ctx;

	(void)eventfd_write(tap->wake_fd, 1); // far from its limit
}

struct fill
tap_fill(struct tap *tap)
{
	return (struct fill){tap_read, tap_stop, tap};
}
