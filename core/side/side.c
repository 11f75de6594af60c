// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "side.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base.h"
#include "extent.h"
#include "fd.h"
#include "hooks.h"
#include "ranges.h"

// What a description of our own takes over from the one that was given.
#define KEPT_FLAGS (O_SYNC | O_DSYNC | O_NOATIME)

int
side_tell(const struct side *side, const struct hooks *h,
	  enum event_kind kind, int error)
{
	return hooks_tell(h, (struct event){.kind = kind,
					    .error = error,
					    .name = side->name});
}

void
side_end(struct side *side)
{
	if (side->own != NULL)
		(void)side->ops->close(side); // nobody counts on it any more
}

int64_t
side_where(const struct side *side)
{
	return side->ops->seek(side, 0, SEEK_CUR);
}

int
side_put(const struct side *side, uint64_t off)
{
	// It is everywhere, or where it has been read to.
	if (side->ops->is_void || facts_is_stream(&side->facts))
		return 0;
	const int64_t now = side->ops->seek(side, (int64_t)off, SEEK_SET);
	return now < 0 ? (int)now : 0;
}

ssize_t
side_read_all(const struct side *side, enum side_way way, void *buf, size_t len,
	      uint64_t off, const struct hooks *h)
{
	size_t got = 0;

	while (got < len) {
		if (h != NULL && h->must_stop(h->ctx))
			return -ECANCELED;
		const ssize_t n = side->ops->read_at(
			side, way, (char *)buf + got, len - got, off + got);
		if (n == 0)
			break;
		if (n < 0 && n != -EINTR)
			return n;
		got += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)got;
}

int
side_read_whole(const struct side *side, enum side_way way, void *buf,
		size_t len, uint64_t off, const struct hooks *h)
{
	const ssize_t n = side_read_all(side, way, buf, len, off, h);

	if (n >= 0 && (size_t)n < len)
		return -EIO; // it has become shorter
	return n < 0 ? (int)n : 0;
}

void
side_find_data(const struct side *side, uint64_t pos, struct extent *extent)
{
	const struct ranges *r = side->ranges;

	if (r == NULL) {
		side->ops->find_data(side, pos, extent);
		return;
	}
	if (pos >= extent->start && pos < extent->end)
		return;
	const size_t i = ranges_find(r, pos);
	extent->start = i < r->nr ? max_u64(r->all[i].off, pos) : r->size;
	extent->end = i < r->nr ? r->all[i].off + r->all[i].len : r->size;
}

int
side_set_size(const struct side *side, uint64_t size)
{
	int r;

	do {
		r = side->ops->set_size(side, size);
	} while (r == -EINTR);
	return r;
}

bool
side_allows(const struct side *side, int access)
{
	const int old = fcntl(side->fd, F_GETFL);

	return old >= 0 && ((old & O_ACCMODE) == O_RDWR ||
			    (old & O_ACCMODE) == (access & O_ACCMODE));
}

int
side_reopen(const struct side *side, int access)
{
	const int old = fcntl(side->fd, F_GETFL);

	if (old < 0)
		return -errno;
	if (!side_allows(side, access))
		return -EBADF;
	return fd_reopen(side->fd, access | (old & KEPT_FLAGS));
}

// A server that takes the data at the close may refuse it there. One that is
// interrupted has told nothing; dd closes again, and is content with a
// descriptor that is closed already.
static void
close_one(struct side *side, int fd)
{
	int r = close(fd) < 0 ? -errno : 0;

	while (r == -EINTR && side->is_dd)
		r = close(fd) < 0 && errno != EBADF ? -errno : 0;
	if (r < 0 && side->close_error == 0)
		side->close_error = r;
}

void
side_close_extra(struct side *side)
{
	if (side->direct_fd >= 0)
		close_one(side, side->direct_fd);
	if (side->buffered_fd >= 0 && side->buffered_fd != side->fd)
		close_one(side, side->buffered_fd);
	side->direct_fd = -1;
	side->buffered_fd = -1;
}

int
side_close(struct side *side)
{
	close_one(side, side->fd);
	return side->close_error;
}
