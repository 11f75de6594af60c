// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "bare.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t
bare_read(const struct side *side, void *buf, size_t len)
{
	const ssize_t n = read(side->fd, buf, len);

	return n < 0 ? -errno : n;
}

ssize_t
bare_write(const struct side *side, const void *buf, size_t len)
{
	const ssize_t n = write(side->fd, buf, len);

	return n < 0 ? -errno : n;
}

int64_t
bare_seek(const struct side *side, int64_t off, int whence)
{
	const off_t now = lseek(side->fd, off, whence);

	return now < 0 ? -errno : now;
}

int
bare_get_size(const struct side *side, uint64_t *ret)
{
	struct stat st;

	if (fstat(side->fd, &st) < 0)
		return -errno;
	*ret = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : SIDE_NO_SIZE;
	return 0;
}

int
bare_set_size(const struct side *side, uint64_t size)
{
	return ftruncate(side->fd, (off_t)size) < 0 ? -errno : 0;
}
