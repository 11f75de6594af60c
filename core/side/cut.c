// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "cut.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "event.h"
#include "fd.h"
#include "hooks.h"
#include "request.h"
#include "side.h"

// The call itself: glibc 2.33 to 2.38 make another one of it, and who watches
// dd with strace waits for this one.
static int
raw_fstat(int fd, struct stat *ret)
{
#if defined(SYS_fstat) && defined(__LP64__)
	return (int)syscall(SYS_fstat, fd, ret);
#else
	return fstat(fd, ret);
#endif
}

static int
truncate_wait(const struct side *side, uint64_t size, const struct hooks *h)
{
	int r;

	do {
		if (h->must_stop(h->ctx))
			return -ECANCELED;
		r = side->ops->set_size(side, size);
	} while (r == -EINTR);
	return r;
}

// seek= cuts the file to where the copy begins, so that what follows is
// the copy. Devices and pipes cannot be cut, and need not.
static int
truncate_to_seek(struct side *side, uint64_t size, const struct hooks *h)
{
	struct stat st;
	const int r = truncate_wait(side, size, h);

	if (r == 0 || r == -ECANCELED)
		return r;
	if (raw_fstat(side->fd, &st) < 0)
		return side_tell(side, h, FAILURE_STAT, errno);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	hooks_tell(h, (struct event){.kind = FAILURE_TRUNCATE,
				     .error = -r,
				     .name = side->name,
				     .off = size});
	return r;
}

// Where the destination is cut. false: it is no offset.
static bool
has_seek_size(const struct request *q, int64_t *ret)
{
	return !__builtin_mul_overflow(q->seek.blocks, q->obs, ret) &&
	       !__builtin_add_overflow(*ret, q->seek.bytes, ret);
}

int
cut_check(const struct request *q, const struct hooks *h)
{
	int64_t size;

	if ((q->conv & CONV_NOTRUNC) || has_seek_size(q, &size))
		return 0;
	hooks_tell(h, (struct event){.kind = FAILURE_SEEK_TOO_LARGE,
				     .off = q->seek.blocks,
				     .len = q->obs});
	return -EOVERFLOW;
}

// What open does with O_TRUNC, which is not always what ftruncate does: files
// of tracefs are emptied by it alone, and some file systems know only one.
static int
open_cut(const struct side *side)
{
	const int old = fcntl(side->fd, F_GETFL);
	const int fd = old < 0 ? -errno
			       : fd_reopen(side->fd, old | O_TRUNC);

	if (fd < 0)
		return fd;
	return fd_move(fd, side->fd);
}

static int
cut_all(struct side *side, const struct hooks *h)
{
	const bool is_file = facts_is_file(&side->facts);
	struct stat st;

	if (fstat(side->fd, &st) < 0)
		return side_tell(side, h, FAILURE_STAT, errno);
	// Some file systems cut nothing, and need not where nothing is.
	if (!S_ISREG(st.st_mode) || (is_file && st.st_size == 0))
		return 0;
	int r = is_file ? truncate_wait(side, 0, h) : open_cut(side);
	if (r == -ECANCELED)
		return r;
	if (is_file && r < 0)
		r = open_cut(side);
	else if (r == -ENOENT) // there is no /proc
		r = truncate_wait(side, 0, h);
	return r < 0 ? side_tell(side, h, FAILURE_OPEN, -r) : 0;
}

// An update leaves what it does not write, and is cut at its end. But a seek=
// of less than a block keeps nothing, as in dd: there is nothing to update.
static bool
is_cut_late(const struct request *q)
{
	const bool keeps_nothing = q->seek.blocks == 0 && q->seek.bytes > 0;

	return !request_writes(q) ||
	       (q->compare == REQUEST_COMPARE_UPDATE && !keeps_nothing);
}

bool
cut_is_due(const struct request *q)
{
	return q->dst != NULL && !q->is_dd && !(q->conv & CONV_NOTRUNC) &&
	       !is_cut_late(q);
}

int
cut_dst(struct side *side, const struct request *q, const struct hooks *h)
{
	int64_t size;

	if (q->seek.blocks > 0 && has_seek_size(q, &size))
		return truncate_to_seek(side, (uint64_t)size, h);
	return cut_all(side, h);
}
