// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "bare.h"
#include "cache.h"
#include "cut.h"
#include "extent.h"
#include "fd.h"
#include "null.h"
#include "probe.h"
#include "stream.h"
#include "sync.h"

static const struct side_ops *const ops_of[] = {
	[FACTS_STREAM] = &file_ops, [FACTS_FILE] = &file_ops,
	[FACTS_BLOCK] = &file_ops,  [FACTS_NULL] = &null_ops,
	[FACTS_ZERO] = &null_ops,
};

void
file_init(struct side *side, int fd, const char *name, bool is_dd)
{
	*side = (struct side){.ops = &file_ops,
			      .fd = fd,
			      .direct_fd = -1,
			      .buffered_fd = -1,
			      .clear_fd = -1,
			      .is_dd = is_dd,
			      .name = name};
}

void
file_set_facts(struct side *side, const struct facts *facts)
{
	side->facts = *facts;
	side->ops = ops_of[facts->kind];
}

static void
file_probe(struct side *side, int message_fd)
{
	struct facts facts;

	probe_descriptor(side->fd, &facts);
	if (message_fd >= 0)
		probe_messages(&facts, message_fd);
	file_set_facts(side, &facts);
}

static int
open_direct(const struct side *side, int access)
{
	int fd = -EINVAL;

	// A block that is written in part is read first.
	if (facts_is_device(&side->facts) && access == O_WRONLY)
		fd = side_reopen(side, O_RDWR | O_DIRECT);
	return fd < 0 ? side_reopen(side, access | O_DIRECT) : fd;
}

static int
open_buffered(const struct side *side, int access)
{
	const int old = fcntl(side->fd, F_GETFL);

	if (old < 0)
		return -errno;
	if (!side_allows(side, access))
		return -EBADF;
	return old & O_DIRECT ? side_reopen(side, access) : side->fd;
}

static int
file_open(struct side *side, int access, enum side_way way)
{
	int *const ret = way == SIDE_DIRECT ? &side->direct_fd
					    : &side->buffered_fd;
	const int fd = way == SIDE_DIRECT ? open_direct(side, access)
					  : open_buffered(side, access);

	if (fd < 0)
		return fd;
	*ret = fd;
	return 0;
}

static int
file_open_back(const struct side *side, struct side *ret)
{
	const int old = fcntl(side->fd, F_GETFL);
	const int access = O_RDONLY | (old >= 0 ? old & O_NOATIME : 0);
	int fd = fd_reopen(side->fd, access);

	// No /proc, or a mode that forbids it.
	if (fd < 0 && old >= 0 && (old & (O_ACCMODE | O_DIRECT)) == O_RDWR) {
		fd = fcntl(side->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (fd < 0)
			fd = -errno;
	}
	*ret = *side;
	ret->direct_fd = -1;
	ret->buffered_fd = fd < 0 ? -1 : fd;
	if (fd < 0)
		return fd;
	// Later its mode may forbid that.
	if (side->facts.dio_align > 0)
		fd = fd_reopen(side->fd, access | O_DIRECT);
	if (side->facts.dio_align > 0 && fd >= 0)
		ret->direct_fd = fd;
	else
		ret->facts.dio_align = 0;
	return 0;
}

// Before a stretch, and behind it, there is only the one that was given.
static int
buffered_fd(const struct side *side)
{
	return side->buffered_fd >= 0 ? side->buffered_fd : side->fd;
}

// On a description of our own if there is one: its offset is moved.
static void
file_find_data(const struct side *side, uint64_t pos, struct extent *extent)
{
	extent_find(side->direct_fd >= 0 ? side->direct_fd : buffered_fd(side),
		    pos, extent);
}
static int
fd_of(const struct side *side, enum side_way way)
{
	return way == SIDE_BUFFERED ? buffered_fd(side) : side_fd(side, way);
}

static ssize_t
file_read_at(const struct side *side, enum side_way way, void *buf, size_t len,
	     uint64_t off)
{
	const ssize_t n = pread(fd_of(side, way), buf, len, (off_t)off);

	return n < 0 ? -errno : n;
}

static ssize_t
file_write_at(const struct side *side, enum side_way way, const void *buf,
	      size_t len, uint64_t off)
{
	const ssize_t n = pwrite(fd_of(side, way), buf, len, (off_t)off);

	return n < 0 ? -errno : n;
}

static int
file_punch(const struct side *side, uint64_t off, uint64_t len)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	return fallocate(side_fd(side, SIDE_CLEAR), mode, (off_t)off,
			 (off_t)len) < 0
		       ? -errno
		       : 0;
}

// Without O_DIRECT, which wants aligned memory: that may have been set on the
// descriptor that was given.
static ssize_t
file_write_last(const struct side *side, const void *buf, size_t len,
		uint64_t off)
{
	const int fd = buffered_fd(side), flags = fcntl(fd, F_GETFL);

	if (flags < 0 ||
	    ((flags & O_DIRECT) && fcntl(fd, F_SETFL, flags & ~O_DIRECT) < 0))
		return -errno;
	const ssize_t n = pwrite(fd, buf, len, (off_t)off);
	return n < 0 ? -errno : n;
}

static int
file_drop_cache(const struct side *side, uint64_t off, uint64_t len)
{
	return cache_drop(buffered_fd(side), off, len);
}

static int
file_write_out(const struct side *side, uint64_t off, uint64_t len)
{
	return cache_write_out(side->buffered_fd, off, len);
}

const struct side_ops file_ops = {
	.probe = file_probe,
	.open = file_open,
	.open_back = file_open_back,
	.feed = stream_feed,
	.read = bare_read,
	.write = bare_write,
	.seek = bare_seek,
	.find_data = file_find_data,
	.read_at = file_read_at,
	.write_at = file_write_at,
	.write_last = file_write_last,
	.punch = file_punch,
	.drop_cache = file_drop_cache,
	.write_out = file_write_out,
	.get_size = bare_get_size,
	.set_size = bare_set_size,
	.cut = cut_dst,
	.sync = sync_side,
	.close = stream_close,
};
