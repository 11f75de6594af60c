// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Calls that a signal can cut short are made again: who has to look at signals
// in between does not call them from here.
//
// Descriptors 0, 1 and 2 are the user's, also where they are closed: what
// is opened first would take their numbers, and be replaced by the source or
// the destination, or receive the messages.

#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

// A descriptor or -errno. mode: of a new file.
static inline int
fd_open_at(int dir, const char *path, int flags, mode_t mode)
{
	int fd;

	do {
		fd = openat(dir, path, flags, mode);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

static inline int
fd_open(const char *path, int flags, mode_t mode)
{
	return fd_open_at(AT_FDCWD, path, flags, mode);
}

// 0 or -errno.
static inline int
fd_truncate(int fd, off_t size)
{
	int r;

	do {
		r = ftruncate(fd, size);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

// The same description above the three. fd is closed if it was one of them.
// -errno, also for a negative fd.
static inline int
fd_move_up(int fd)
{
	if (fd < 0)
		return -errno;
	if (fd > STDERR_FILENO)
		return fd;
	const int up = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	const int r = up < 0 ? -errno : up;
	(void)close(fd); // its description lives on in up
	return r;
}

// The description of from goes on as to. 0 or -errno; from is closed.
static inline int
fd_move(int from, int to)
{
	const int r = dup2(from, to) < 0 ? -errno : 0;

	(void)close(from); // its description lives on in to
	return r;
}

// A description of our own of what fd names, above the three. -errno.
static inline int
fd_reopen(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fd_move_up(open(path, flags | O_CLOEXEC));
}

// All of it, or up to the end of the file: bytes or -errno.
static inline ssize_t
fd_read_at(int fd, void *buf, size_t len, off_t off)
{
	size_t got = 0;

	while (got < len) {
		const ssize_t n = pread(fd, (char *)buf + got, len - got,
					off + (off_t)got);

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return -errno;
		got += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)got;
}

// All of it. 0 or -errno.
static inline int
fd_write_at(int fd, const void *buf, size_t len, off_t off)
{
	size_t put = 0;

	while (put < len) {
		const ssize_t n = pwrite(fd, (const char *)buf + put,
					 len - put, off + (off_t)put);

		if (n < 0 && errno != EINTR)
			return -errno;
		put += n > 0 ? (size_t)n : 0;
	}
	return 0;
}
