// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"
#include "beside.h"
#include "event.h"
#include "fd.h"
#include "hooks.h"

// What a description of our own takes over from the one that was given.
#define KEPT_FLAGS (O_SYNC | O_DSYNC | O_NOATIME)
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

static int
open_flags_of(unsigned flags)
{
	int open_flag = 0;

	for (size_t i = 0; i < ARRAY_LEN(open_flags); i++)
		if (flags & open_flags[i].flag)
			open_flag |= open_flags[i].open_flag;
	return open_flag;
}

static int
endpoint_tell(const struct endpoint *ep, const struct hooks *h,
	      enum event_kind kind, int error)
{
	return hooks_tell(
		h,
		(struct event){.kind = kind, .error = error, .name = ep->name});
}

// The description of from goes on as to. 0 or -errno; from is closed.
static int
move_fd(int from, int to)
{
	const int r = dup2(from, to) < 0 ? -errno : 0;

	(void)close(from); // its description lives on in to
	return r;
}

// Open path and put it on descriptor fd, whatever number the kernel gave.
static int
open_on(int fd, const char *path, int flags)
{
	const int got = open(path, flags, 0666);

	if (got < 0)
		return -errno;
	return got == fd ? 0 : move_fd(got, fd);
}

// A FIFO sleeps in open until the other end comes: serve signals there.
static int
open_on_wait(int fd, const char *path, int flags, const struct hooks *h)
{
	int r;

	do {
		if (h->must_stop(h->ctx))
			return -ECANCELED;
		r = open_on(fd, path, flags);
	} while (r == -EINTR);
	return r;
}

// A description of our own of what fd names.
static int
reopen(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fd_move_up(open(path, flags | O_CLOEXEC));
}

bool
endpoint_allows(const struct endpoint *ep, int access)
{
	const int old = fcntl(ep->fd, F_GETFL);

	return old >= 0 && ((old & O_ACCMODE) == O_RDWR ||
			    (old & O_ACCMODE) == access);
}

// access: O_RDONLY or O_WRONLY, which the given descriptor must allow: the
// path in /proc would allow more.
static int
endpoint_reopen(const struct endpoint *ep, int access, int add)
{
	const int old = fcntl(ep->fd, F_GETFL);

	if (old < 0)
		return -errno;
	if (!endpoint_allows(ep, access))
		return -EBADF;
	return reopen(ep->fd, access | add | (old & KEPT_FLAGS));
}

// A pipe that others share: we do not sleep in our own description of it.
// Without a reader it is written to as it is, and breaks.
static int
take_nonblock(const struct endpoint *ep, int access)
{
	struct stat st;

	if (fstat(ep->fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return 0;
	const int fd = endpoint_reopen(ep, access, O_NONBLOCK);
	if (fd < 0)
		return fd == -ENXIO ? 0 : fd;
	return move_fd(fd, ep->fd);
}

// dd ORs the flags into the description it was given, where others see
// them. Under our own name we leave out the two that would change what
// the others read: a pipe with O_DIRECT becomes a packet pipe and loses
// bytes, and O_NONBLOCK breaks whoever shares it.
static int
set_inherited_flags(const struct endpoint *ep, unsigned flags,
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
	const int old = fcntl(ep->fd, F_GETFL);
	if (old < 0)
		return -errno;
	if (add & O_DIRECTORY) {
		if (fstat(ep->fd, &st) < 0)
			return -errno;
		if (!S_ISDIR(st.st_mode))
			return -ENOTDIR;
		add &= ~O_DIRECTORY;
	}
	if ((old | add) != old && !q->plan_only &&
	    fcntl(ep->fd, F_SETFL, old | add) < 0)
		return -errno;
	return 0;
}

static int
take_inherited(struct endpoint *ep, const char *name, unsigned flags,
	       const struct request *q, const struct hooks *h)
{
	const bool is_src = ep->fd == STDIN_FILENO;
	int r = 0;

	ep->name = name;
	if ((flags & FLAG_NONBLOCK) && !q->is_dd && !q->plan_only)
		r = take_nonblock(ep, is_src ? O_RDONLY : O_WRONLY);
	if (r == 0)
		r = set_inherited_flags(ep, flags, q);
	if (r < 0)
		return endpoint_tell(ep, h, FAILURE_SET_FLAGS, -r);
	return 0;
}

static void
endpoint_init(struct endpoint *ep, int fd, const struct request *q)
{
	*ep = (struct endpoint){.fd = fd,
				.is_dd = q->is_dd,
				.direct_fd = -1,
				.buffered_fd = -1};
}

static int
tell_unreadable(const struct endpoint *ep, const struct request *q,
		const struct hooks *h, int error)
{
	const bool is_read = q->count.blocks > 0 || q->count.bytes > 0;

	return error != 0 && is_read
		       ? endpoint_tell(ep, h, FAILURE_READ, error)
		       : 0;
}

// What the first read would meet. One that we have opened can be read from.
static int
find_unreadable(int fd, bool is_inherited)
{
	const int flags = is_inherited ? fcntl(fd, F_GETFL) : O_RDONLY;
	struct stat st;

	if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY || fstat(fd, &st) < 0)
		return EBADF;
	return S_ISDIR(st.st_mode) ? EISDIR : 0;
}

int
endpoint_open_src(struct endpoint *ep, const struct request *q,
		  const struct hooks *h)
{
	int r;

	endpoint_init(ep, STDIN_FILENO, q);
	if (q->src == NULL) {
		r = take_inherited(ep, "standard input", q->iflags, q, h);
	} else {
		ep->name = q->src;
		r = open_on_wait(ep->fd, q->src,
				 O_RDONLY | open_flags_of(q->iflags), h);
		if (r < 0 && r != -ECANCELED)
			endpoint_tell(ep, h, FAILURE_OPEN, -r);
	}
	if (r < 0 || q->is_dd)
		return r;
	// Before the destination loses what it has.
	return tell_unreadable(ep, q, h,
			       find_unreadable(ep->fd, q->src == NULL));
}

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
truncate_wait(const struct endpoint *ep, uint64_t size, const struct hooks *h)
{
	int r;

	do {
		if (h->must_stop(h->ctx))
			return -ECANCELED;
		r = ftruncate(ep->fd, (off_t)size) < 0 ? -errno : 0;
	} while (r == -EINTR);
	return r;
}

// seek= cuts the file to where the copy begins, so that what follows is
// the copy. Devices and pipes cannot be cut, and need not.
static int
truncate_to_seek(struct endpoint *ep, uint64_t size, const struct hooks *h)
{
	struct stat st;
	const int r = truncate_wait(ep, size, h);

	if (r == 0 || r == -ECANCELED)
		return r;
	if (raw_fstat(ep->fd, &st) < 0)
		return endpoint_tell(ep, h, FAILURE_STAT, errno);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	hooks_tell(h, (struct event){.kind = FAILURE_TRUNCATE,
				     .error = -r,
				     .name = ep->name,
				     .off = size});
	return r;
}

static int
dst_open_flags(const struct request *q)
{
	int flags = open_flags_of(q->oflags);

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
	return q->verify ? O_RDWR : O_WRONLY;
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
	const bool is_unreadable =
		q->verify && error == EACCES &&
		faccessat(AT_FDCWD, q->dst, W_OK, AT_EACCESS) == 0;

	return is_unreadable ? FAILURE_NOT_VERIFIABLE : FAILURE_OPEN;
}

// Where the destination is cut. false: it is no offset.
static bool
has_seek_size(const struct request *q, int64_t *ret)
{
	return !__builtin_mul_overflow(q->seek.blocks, q->obs, ret) &&
	       !__builtin_add_overflow(*ret, q->seek.bytes, ret);
}

// What open does with O_TRUNC, which is not always what ftruncate does: files
// of tracefs are emptied by it alone, and some file systems know only one.
static int
open_cut(const struct endpoint *ep)
{
	const int old = fcntl(ep->fd, F_GETFL);
	const int fd = old < 0 ? -errno
			       : reopen(ep->fd, old | O_TRUNC);

	if (fd < 0)
		return fd;
	return move_fd(fd, ep->fd);
}

static int
cut_all(struct endpoint *ep, const struct hooks *h)
{
	const bool is_file = ep->facts.kind == FACTS_FILE;
	struct stat st;

	if (fstat(ep->fd, &st) < 0)
		return endpoint_tell(ep, h, FAILURE_STAT, errno);
	// Some file systems cut nothing, and need not where nothing is.
	if (!S_ISREG(st.st_mode) || (is_file && st.st_size == 0))
		return 0;
	int r = is_file ? truncate_wait(ep, 0, h) : open_cut(ep);
	if (r == -ECANCELED)
		return r;
	if (is_file && r < 0)
		r = open_cut(ep);
	else if (r == -ENOENT) // there is no /proc
		r = truncate_wait(ep, 0, h);
	return r < 0 ? endpoint_tell(ep, h, FAILURE_OPEN, -r) : 0;
}

bool
endpoint_is_cut(const struct request *q)
{
	return q->dst != NULL && !q->is_dd && !(q->conv & CONV_NOTRUNC);
}

int
endpoint_cut_dst(struct endpoint *ep, const struct request *q,
		 const struct hooks *h)
{
	int64_t size;

	if (q->seek.blocks > 0 && has_seek_size(q, &size))
		return truncate_to_seek(ep, (uint64_t)size, h);
	return cut_all(ep, h);
}

static int
tell_seek(const struct request *q, const struct hooks *h)
{
	hooks_tell(h, (struct event){.kind = FAILURE_SEEK_TOO_LARGE,
				     .off = q->seek.blocks,
				     .len = q->obs});
	return -EOVERFLOW;
}

int
endpoint_open_dst(struct endpoint *ep, const struct request *q,
		  const struct hooks *h)
{
	int64_t size = 0;
	int r = -EINVAL;

	endpoint_init(ep, STDOUT_FILENO, q);
	if (q->dst == NULL)
		return take_inherited(ep, "standard output", q->oflags, q, h);

	ep->name = q->dst;
	const bool is_cut = !(q->conv & CONV_NOTRUNC);
	if (is_cut && !has_seek_size(q, &size))
		return tell_seek(q, h);
	// A tape or FIFO is read to get to where the seek ends.
	const int flags = dst_open_flags(q);
	if (q->seek.blocks > 0)
		r = open_on_wait(ep->fd, q->dst, O_RDWR | flags, h);
	if (r < 0 && r != -ECANCELED)
		r = open_on_wait(ep->fd, q->dst, dst_access(q) | flags, h);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		return endpoint_tell(ep, h, open_kind(q, -r), -r);
	if (q->is_dd && q->seek.blocks > 0 && is_cut)
		return truncate_to_seek(ep, (uint64_t)size, h);
	return 0;
}

// What open would say of what is there. access: of faccessat. Devices and
// pipes can do something when they are opened, and are not.
static int
look(const char *path, int flags, int access)
{
	const int kept = O_DIRECT | O_NOATIME;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) &&
	    (flags & O_NOFOLLOW))
		return -ELOOP;
	if (stat(path, &st) < 0)
		return -errno;
	if ((flags & O_DIRECTORY) && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (S_ISDIR(st.st_mode) && (access & W_OK))
		return -EISDIR;
	if (faccessat(AT_FDCWD, path, access, AT_EACCESS) < 0)
		return -errno;
	if (S_ISSOCK(st.st_mode))
		return -ENXIO;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return 0;
	// For reading, as a lease or a drive is not waited for.
	const int fd = fd_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC |
					     (flags & kept), 0);
	if (fd >= 0)
		(void)close(fd); // only looked at
	return fd < 0 && (fd != -EACCES || (access & R_OK)) ? fd : 0;
}

// What open would say that is to make it.
static int
look_new(const char *path)
{
	struct beside beside;
	int r = beside_find(&beside, path, O_PATH);

	if (r == 0)
		r = beside_look(&beside);
	beside_done(&beside);
	return r;
}

static int
look_dst(const struct request *q)
{
	const int flags = dst_open_flags(q);
	struct stat st;
	const bool is_there = lstat(q->dst, &st) == 0;

	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return -EINVAL;
	if (is_there && (flags & O_EXCL))
		return -EEXIST;
	const int r = look(q->dst, flags, q->verify ? R_OK | W_OK : W_OK);
	return r == -ENOENT && (flags & O_CREAT) ? look_new(q->dst) : r;
}

int
endpoint_look_src(struct endpoint *ep, const struct request *q,
		  const struct hooks *h)
{
	struct stat st;
	int error;

	endpoint_init(ep, STDIN_FILENO, q);
	if (q->src == NULL) {
		const int r = take_inherited(ep, "standard input", q->iflags,
					     q, h);

		if (r < 0)
			return r;
		error = find_unreadable(ep->fd, true);
	} else {
		ep->name = q->src;
		const int r = look(q->src, open_flags_of(q->iflags), R_OK);

		if (r < 0)
			return endpoint_tell(ep, h, FAILURE_OPEN, -r);
		if (stat(q->src, &st) < 0)
			error = errno;
		else
			error = S_ISDIR(st.st_mode) ? EISDIR : 0;
	}
	return tell_unreadable(ep, q, h, error);
}

int
endpoint_look_dst(struct endpoint *ep, const struct request *q,
		  const struct hooks *h)
{
	int64_t size;

	endpoint_init(ep, STDOUT_FILENO, q);
	if (q->dst == NULL)
		return take_inherited(ep, "standard output", q->oflags, q, h);
	ep->name = q->dst;
	if (!(q->conv & CONV_NOTRUNC) && !has_seek_size(q, &size))
		return tell_seek(q, h);
	const int r = look_dst(q);
	return r < 0 ? endpoint_tell(ep, h, open_kind(q, -r), -r) : 0;
}

int
endpoint_make_flags(const struct request *q)
{
	return dst_access(q) | (open_flags_of(q->oflags) & OPEN_FLAGS);
}

int
endpoint_take_dst(struct endpoint *ep, int fd, const struct request *q,
		  const struct hooks *h)
{
	const int old = fcntl(fd, F_GETFL);
	const int add = open_flags_of(q->oflags) & SET_FLAGS;

	endpoint_init(ep, STDOUT_FILENO, q);
	ep->name = q->dst;
	if (old < 0 || fcntl(fd, F_SETFL, old | add) < 0 ||
	    dup2(fd, ep->fd) < 0)
		return endpoint_tell(ep, h, FAILURE_OPEN, errno);
	return 0;
}

int
endpoint_put(const struct endpoint *ep, uint64_t off)
{
	if (ep->facts.kind == FACTS_NULL)
		return 0;
	return lseek(ep->fd, (off_t)off, SEEK_SET) < 0 ? -errno : 0;
}

int
endpoint_open_direct(struct endpoint *ep, int access)
{
	int fd = -EINVAL;

	// A block that is written in part is read first.
	if (ep->facts.kind == FACTS_BLOCK && access == O_WRONLY)
		fd = endpoint_reopen(ep, O_RDWR, O_DIRECT);
	if (fd < 0)
		fd = endpoint_reopen(ep, access, O_DIRECT);
	if (fd < 0)
		return fd;
	ep->direct_fd = fd;
	return 0;
}

int
endpoint_open_buffered(struct endpoint *ep, int access)
{
	const int old = fcntl(ep->fd, F_GETFL);

	if (old < 0)
		return -errno;
	if (!(old & O_DIRECT)) {
		ep->buffered_fd = ep->fd;
		return 0;
	}
	const int fd = endpoint_reopen(ep, access, 0);
	if (fd < 0)
		return fd;
	ep->buffered_fd = fd;
	return 0;
}

int
endpoint_open_again(const struct endpoint *ep, int access)
{
	return endpoint_reopen(ep, access & O_ACCMODE, access & O_DIRECT);
}

int
endpoint_open_back(const struct endpoint *dst, struct endpoint *ret)
{
	const int old = fcntl(dst->fd, F_GETFL);

	*ret = *dst;
	ret->direct_fd = -1;
	ret->buffered_fd = reopen(dst->fd, O_RDONLY);
	// No /proc, or a mode that forbids it.
	if (ret->buffered_fd < 0 && old >= 0 &&
	    (old & (O_ACCMODE | O_DIRECT)) == O_RDWR)
		ret->buffered_fd = fcntl(dst->fd, F_DUPFD_CLOEXEC,
					 STDERR_FILENO + 1);
	if (ret->buffered_fd < 0)
		return -errno;
	if (dst->facts.dio_align > 0) {
		ret->direct_fd = reopen(dst->fd, O_RDONLY | O_DIRECT);
		if (ret->direct_fd < 0)
			ret->facts.dio_align = 0;
	}
	return 0;
}

// A server that takes the data at the close may refuse it there. One that is
// interrupted has told nothing; dd closes again, and is content with a
// descriptor that is closed already.
static void
close_extra(struct endpoint *ep, int fd)
{
	int r = close(fd) < 0 ? -errno : 0;

	while (r == -EINTR && ep->is_dd)
		r = close(fd) < 0 && errno != EBADF ? -errno : 0;
	if (r < 0 && ep->close_error == 0)
		ep->close_error = r;
}

void
endpoint_close_extra(struct endpoint *ep)
{
	if (ep->direct_fd >= 0)
		close_extra(ep, ep->direct_fd);
	if (ep->buffered_fd >= 0 && ep->buffered_fd != ep->fd)
		close_extra(ep, ep->buffered_fd);
	ep->direct_fd = -1;
	ep->buffered_fd = -1;
}

int
endpoint_close(struct endpoint *ep)
{
	close_extra(ep, ep->fd);
	return ep->close_error;
}
