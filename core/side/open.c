// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "cut.h"
#include "event.h"
#include "fd.h"
#include "file.h"
#include "hooks.h"
#include "request.h"
#include "side.h"

// What only open can set, and what can be set later: refused by a file system
// that has no O_DIRECT, open leaves the file that it has made.
#define OPEN_FLAGS (O_SYNC | O_DSYNC)
#define SET_FLAGS (O_DIRECT | O_NOATIME | O_NONBLOCK)

static const struct {
	unsigned flag;
	int open_flag;
} open_flags[] = {
	{FLAG_APPEND, O_APPEND},     {FLAG_DIRECT, O_DIRECT},
	{FLAG_DIRECTORY, O_DIRECTORY}, {FLAG_DSYNC, O_DSYNC},
	{FLAG_NOATIME, O_NOATIME},   {FLAG_NOCTTY, O_NOCTTY},
	{FLAG_NOFOLLOW, O_NOFOLLOW}, {FLAG_NONBLOCK, O_NONBLOCK},
	{FLAG_SYNC, O_SYNC},
};

#define FLAG_BYTES (FLAG_COUNT_BYTES | FLAG_SKIP_BYTES | FLAG_SEEK_BYTES)

int
open_flags_of(unsigned flags)
{
	int open_flag = 0;

	for (size_t i = 0; i < ARRAY_LEN(open_flags); i++)
		if (flags & open_flags[i].flag)
			open_flag |= open_flags[i].open_flag;
	return open_flag;
}

void
open_init_src(struct side *side, const struct request *q)
{
	file_init(side, STDIN_FILENO,
		  q->src != NULL ? q->src : "standard input", q->is_dd);
}

void
open_init_dst(struct side *side, const struct request *q)
{
	file_init(side, q->is_tee ? -1 : STDOUT_FILENO,
		  q->dst != NULL ? q->dst : "standard output", q->is_dd);
}

// Open path and put it on the descriptor of the side, whatever number the
// kernel gave; where it has none, that is above the three.
static int
open_on(struct side *side, const char *path, int flags)
{
	const int got = open(path, side->fd < 0 ? flags | O_CLOEXEC : flags,
			     0666);

	if (got < 0)
		return -errno;
	if (side->fd >= 0)
		return got == side->fd ? 0 : fd_move(got, side->fd);
	side->fd = fd_move_up(got);
	return side->fd < 0 ? side->fd : 0;
}

// A FIFO sleeps in open until the other end comes: serve signals there.
static int
open_on_wait(struct side *side, const char *path, int flags,
	     const struct hooks *h)
{
	int r;

	do {
		if (h->must_stop(h->ctx))
			return -ECANCELED;
		r = open_on(side, path, flags);
	} while (r == -EINTR);
	return r;
}

// A pipe that others share: we do not sleep in our own description of it.
// Without a reader it is written to as it is, and breaks.
static int
take_nonblock(const struct side *side, int access)
{
	struct stat st;

	if (fstat(side->fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return 0;
	const int fd = side_reopen(side, access | O_NONBLOCK);
	if (fd < 0)
		return fd == -ENXIO ? 0 : fd;
	return fd_move(fd, side->fd);
}

// dd ORs the flags into the description it was given, where others see
// them. Under our own name we leave out the two that would change what
// the others read: a pipe with O_DIRECT becomes a packet pipe and loses
// bytes, and O_NONBLOCK breaks whoever shares it.
static int
set_inherited_flags(const struct side *side, unsigned flags,
		    const struct request *q)
{
	struct stat st;
	int add = open_flags_of(flags) & ~(O_NOCTTY | O_NOFOLLOW);

	if (!q->is_dd)
		add &= ~(O_DIRECT | O_NONBLOCK);
	// dd looks at the descriptor for its own flags of bytes as well, and
	// so finds it closed.
	if (add == 0 && !(flags & FLAG_BYTES))
		return 0;
	const int old = fcntl(side->fd, F_GETFL);
	if (old < 0)
		return -errno;
	if (add & O_DIRECTORY) {
		if (fstat(side->fd, &st) < 0)
			return -errno;
		if (!S_ISDIR(st.st_mode))
			return -ENOTDIR;
		add &= ~O_DIRECTORY;
	}
	if ((old | add) != old && !q->plan_only &&
	    fcntl(side->fd, F_SETFL, old | add) < 0)
		return -errno;
	return 0;
}

int
open_inherited(struct side *side, unsigned flags, const struct request *q,
	       const struct hooks *h)
{
	const bool is_src = side->fd == STDIN_FILENO;
	int r = 0;

	if ((flags & FLAG_NONBLOCK) && !q->is_dd && !q->plan_only)
		r = take_nonblock(side, is_src ? O_RDONLY : O_WRONLY);
	if (r == 0)
		r = set_inherited_flags(side, flags, q);
	if (r < 0)
		return side_tell(side, h, FAILURE_SET_FLAGS, -r);
	return 0;
}

int
open_tell_unreadable(const struct side *side, const struct request *q,
		     const struct hooks *h, int error)
{
	const bool is_read = q->count.blocks > 0 || q->count.bytes > 0;

	return error != 0 && is_read
		       ? side_tell(side, h, FAILURE_READ, error)
		       : 0;
}

// One that we have opened can be read from.
int
open_find_unreadable(int fd, bool is_inherited)
{
	const int flags = is_inherited ? fcntl(fd, F_GETFL) : O_RDONLY;
	struct stat st;

	if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY || fstat(fd, &st) < 0)
		return EBADF;
	return S_ISDIR(st.st_mode) ? EISDIR : 0;
}

int
open_src(struct side *side, const struct request *q, const struct hooks *h)
{
	int r;

	open_init_src(side, q);
	if (q->src == NULL) {
		r = open_inherited(side, q->iflags, q, h);
	} else {
		r = open_on_wait(side, q->src,
				 O_RDONLY | open_flags_of(q->iflags), h);
		if (r < 0 && r != -ECANCELED)
			side_tell(side, h, FAILURE_OPEN, -r);
	}
	if (r < 0 || q->is_dd)
		return r;
	// Before the destination loses what it has.
	return open_tell_unreadable(
		side, q, h, open_find_unreadable(side->fd, q->src == NULL));
}

int
open_dst_flags(const struct request *q)
{
	int flags = open_flags_of(q->oflags);

	if (!request_writes(q))
		return flags;
	if (!(q->conv & CONV_NOCREAT))
		flags |= O_CREAT;
	if (q->conv & CONV_EXCL)
		flags |= O_EXCL;
	if (q->is_dd && q->seek.blocks == 0 && !(q->conv & CONV_NOTRUNC))
		flags |= O_TRUNC;
	return flags;
}

// verify= reads what it has written, also by a mode that forbids that.
static int
dst_access(const struct request *q)
{
	if (!request_writes(q))
		return O_RDONLY;
	return request_reads_dst(q) ? O_RDWR : O_WRONLY;
}

static bool
is_write_protected(const char *path)
{
	struct stat st;
	int is_read_only = 0;

	if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
		return false;
	const int fd = fd_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (ioctl(fd, BLKROGET, &is_read_only) < 0)
		is_read_only = 0;
	(void)close(fd); // only looked at
	return is_read_only != 0;
}

// Some drivers call a write-protected device one that we may not write to.
// Refused to be opened for both it may be one that we could write.
static enum event_kind
open_kind(const struct request *q, int error)
{
	if (!q->is_dd &&
	    (error == EROFS || error == EACCES || error == EPERM) &&
	    is_write_protected(q->dst))
		return FAILURE_WRITE_PROTECTED;
	const bool is_unreadable = request_reads_dst(q) && error == EACCES &&
				   request_writes(q) &&
				   faccessat(AT_FDCWD, q->dst, W_OK,
					     AT_EACCESS) == 0;

	return is_unreadable ? FAILURE_NOT_VERIFIABLE : FAILURE_OPEN;
}

int
open_tell_dst(const struct side *side, const struct request *q,
	      const struct hooks *h, int error)
{
	return side_tell(side, h, open_kind(q, error), error);
}

int
open_dst(struct side *side, const struct request *q, const struct hooks *h)
{
	int r = -EINVAL;

	open_init_dst(side, q);
	if (q->dst == NULL)
		return open_inherited(side, q->oflags, q, h);
	if (cut_check(q, h) < 0)
		return -EOVERFLOW;
	// A tape or FIFO is read to get to where the seek ends.
	const int flags = open_dst_flags(q);
	if (q->seek.blocks > 0 && request_writes(q))
		r = open_on_wait(side, q->dst, O_RDWR | flags, h);
	if (r < 0 && r != -ECANCELED)
		r = open_on_wait(side, q->dst, dst_access(q) | flags, h);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		return open_tell_dst(side, q, h, -r);
	if (q->is_dd && q->seek.blocks > 0 && !(q->conv & CONV_NOTRUNC))
		return cut_dst(side, q, h);
	return 0;
}

int
open_make_flags(const struct request *q)
{
	return dst_access(q) | (open_flags_of(q->oflags) & OPEN_FLAGS);
}

int
open_take_dst(struct side *side, int fd, const struct request *q,
		  const struct hooks *h)
{
	const int old = fcntl(fd, F_GETFL);
	const int add = open_flags_of(q->oflags) & SET_FLAGS;

	open_init_dst(side, q);
	if (old < 0 || fcntl(fd, F_SETFL, old | add) < 0)
		return side_tell(side, h, FAILURE_OPEN, errno);
	const int got = side->fd < 0
				? fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
				: dup2(fd, side->fd);
	if (got < 0)
		return side_tell(side, h, FAILURE_OPEN, errno);
	side->fd = got;
	return 0;
}
