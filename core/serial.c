// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "filter.h"
#include "hold.h"
#include "hooks.h"
#include "pace.h"
#include "writeback.h"

#define NAP_NS (100 * 1000 * 1000) // a signal may come just before it
#define PIECE_ALIGN 4096
#define TELL_STEP MIB // each time costs a system call

static int
tell(const struct serial *serial, struct failure failure)
{
	serial->hooks->notice(serial->hooks->ctx, &failure);
	return -failure.error;
}

void
serial_init(struct serial *serial, const struct request *q,
	    const struct endpoint *src, const struct endpoint *dst,
	    const struct hooks *hooks)
{
	*serial = (struct serial){
		.request = q,
		.src = src,
		.dst = dst,
		.hooks = hooks,
		.is_sparse = (q->conv & CONV_SPARSE) != 0,
		.src_nocache.fd = src->fd,
		.dst_nocache.fd = dst->fd,
	};
	const off_t pos = lseek(src->fd, 0, SEEK_CUR);
	serial->src_seek_error = pos < 0 ? errno : 0;
	serial->src_off = pos < 0 ? 0 : (uint64_t)pos;
	serial->is_warning_partial =
		q->is_single_buffer && !(q->iflags & FLAG_FULLBLOCK) &&
		(q->skip.blocks > 0 ||
		 (q->count.blocks > 0 && request_has_count(q)) ||
		 ((q->iflags | q->oflags) & FLAG_DIRECT));
}

int
serial_tell_src(const struct serial *serial, enum failure_phase phase,
		int error)
{
	return tell(serial, (struct failure){.phase = phase,
					     .error = error,
					     .name = serial->src->name,
					     .off = serial->src_off});
}

int
serial_tell_dst(const struct serial *serial, enum failure_phase phase,
		int error)
{
	const off_t now = lseek(serial->dst->fd, 0, SEEK_CUR);
	const uint64_t off = now < 0 ? 0 : (uint64_t)now;

	return tell(serial, (struct failure){.phase = phase,
					     .error = error,
					     .name = serial->dst->name,
					     .off = off});
}

static bool
must_stop(const struct serial *serial)
{
	return serial->hooks->must_stop(serial->hooks->ctx);
}

// One read(2), with dd's idea of what a short one means.
static ssize_t
read_once(struct serial *serial, int fd, unsigned char *buf, size_t len)
{
	const size_t last = serial->last_read;
	const bool was_short = last > 0 && last < len;
	ssize_t n;

	do {
		if (must_stop(serial))
			return -ECANCELED;
		n = read(fd, buf, len);
		// A file that ended within a sector: the next direct read is
		// misaligned.
		if (n < 0 && errno == EINVAL && was_short &&
		    (serial->request->iflags & FLAG_DIRECT))
			n = 0;
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		serial->last_read = 0;
		return -errno;
	}
	if (n > 0 && was_short && serial->is_warning_partial) {
		tell(serial, (struct failure){.phase = NOTICE_PARTIAL_READ,
					      .len = last});
		serial->is_warning_partial = false;
	}
	serial->last_read = (size_t)n;
	return n;
}

// One record: one read, or as many as fill it with fullblock. An error
// loses what was read before it, as in dd.
static ssize_t
read_record(struct serial *serial, int fd, unsigned char *buf, size_t len)
{
	size_t got = 0;
	ssize_t n;

	if (!(serial->request->iflags & FLAG_FULLBLOCK))
		return read_once(serial, fd, buf, len);
	while (got < len) {
		n = read_once(serial, fd, buf + got, len - got);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static void
pass_src(struct serial *serial, uint64_t len)
{
	serial->src_off += len;
	if (serial->request->iflags & FLAG_NOCACHE)
		nocache_pass(&serial->src_nocache, serial->src_off, len);
}

ssize_t
serial_read(struct serial *serial, unsigned char *buf, size_t len)
{
	const ssize_t n = read_record(serial, serial->src->fd, buf, len);

	if (n > 0)
		pass_src(serial, (uint64_t)n);
	return n;
}

// A block shorter than obs cannot be written with O_DIRECT: dd turns it off
// for good, and makes up for it with fsync and by dropping the pages.
static void
turn_direct_off(struct serial *serial)
{
	const int fd = serial->dst->fd;
	const int old = fcntl(fd, F_GETFL);

	serial->is_direct_off = true;
	if (fcntl(fd, F_SETFL, old & ~O_DIRECT) < 0)
		serial_tell_dst(serial, NOTICE_DIRECT_OFF, errno);
}

// conv=sparse: step over a record of zeros. False: it must be written.
static bool
leave_hole(struct serial *serial, const unsigned char *buf, size_t len)
{
	if (!serial->is_sparse || !filter_is_zero(buf, len))
		return false;
	const off_t end = lseek(serial->dst->fd, (off_t)len, SEEK_CUR);
	if (end < 0) {
		serial->is_sparse = false;
		return false;
	}
	hooks_hole(serial->hooks, (uint64_t)end - len, len);
	return true;
}

// The bytes of the block that is written last: they are passed over.
static size_t
hold_back(const struct serial *serial, const unsigned char *buf, size_t len)
{
	const int fd = serial->dst->fd;

	if (serial->hold == NULL)
		return 0;
	// A disk can be positioned.
	const uint64_t pos = (uint64_t)lseek(fd, 0, SEEK_CUR);
	const size_t held = hold_take(serial->hold, pos, buf, len);
	if (held > 0)
		(void)lseek(fd, (off_t)held, SEEK_CUR);
	return held;
}

// As many write(2) as it takes. Returns 0, -errno or -ECANCELED.
static int
write_all(struct serial *serial, const unsigned char *buf, size_t len,
	  size_t *done)
{
	*done = hold_back(serial, buf, len);
	while (*done < len) {
		if (must_stop(serial))
			return -ECANCELED;
		const ssize_t n = write(serial->dst->fd, buf + *done,
					len - *done);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ENOSPC; // takes nothing and says nothing
		if (n > 0)
			*done += (size_t)n;
	}
	return 0;
}

// How much of a record is written at a time. What follows on a file or disk
// begins at a whole page.
static size_t
piece_len(const struct serial *serial, size_t left)
{
	const struct facts *dst = &serial->dst->facts;
	const uint64_t unit = dst->kind == FACTS_STREAM
				      ? 1
				      : max_u64(PIECE_ALIGN, dst->dio_align);

	if (serial->pace == NULL)
		return left;
	return (size_t)min_u64(
		left, round_up(pace_piece(serial->pace->rate), unit));
}

// Sleep so long at most, or until there is something to read from fd, if it
// is not -1. 0 or -ECANCELED.
static int
rest(const struct serial *serial, int fd, uint64_t ns)
{
	const struct hooks *h = serial->hooks;
	const struct timespec nap = {.tv_nsec = (long)min_u64(ns, NAP_NS)};
	struct pollfd news = {.fd = fd, .events = POLLIN};
	uint64_t count;

	if (must_stop(serial))
		return -ECANCELED;
	// Whether it is over is seen by other means.
	if (ppoll(&news, 1, &nap, NULL) > 0)
		(void)!read(fd, &count, sizeof(count));
	if (h->tick != NULL)
		h->tick(h->ctx);
	return 0;
}

// Sleep until so many bytes may go. 0 or -ECANCELED.
static int
wait_turn(const struct serial *serial, size_t len)
{
	uint64_t ns;
	int r = 0;

	if (serial->pace == NULL)
		return 0;
	while ((ns = pace_wait_ns(serial->pace, len, clock_ns())) > 0 && r == 0)
		r = rest(serial, -1, ns);
	if (r == 0)
		pace_take(serial->pace, len, clock_ns());
	return r;
}

// len bytes are in the page cache. 0, -ECANCELED, or the -errno with which
// the device has refused some of it.
static int
pass_writeback(struct serial *serial, size_t len)
{
	struct writeback *wb = serial->writeback;

	if (wb == NULL)
		return 0;
	serial->untold += len;
	if (serial->untold < TELL_STEP)
		return 0;
	// A file or disk can be positioned.
	const uint64_t end = (uint64_t)lseek(serial->dst->fd, 0, SEEK_CUR);
	int r = writeback_pass(wb, end - serial->untold, serial->untold);
	serial->untold = 0;
	while (r == 0 && writeback_is_full(wb))
		r = rest(serial, writeback_fd(wb), NAP_NS);
	return r;
}

// The record, or with rate= the next piece of it.
static int
write_piece(struct serial *serial, const unsigned char *buf, size_t len,
	    size_t *done)
{
	int r = wait_turn(serial, len);

	*done = 0;
	if (r < 0)
		return r;
	if (serial->ended_in_hole)
		*done = len;
	else
		r = write_all(serial, buf, len, done);
	if (r == 0 && !serial->ended_in_hole)
		r = pass_writeback(serial, *done);
	if (serial->pace != NULL && serial->live_bytes != NULL)
		*serial->live_bytes += *done;
	return r;
}

static void
pass_dst(struct serial *serial, size_t len)
{
	struct nocache *nocache = &serial->dst_nocache;

	if (serial->request->oflags & FLAG_NOCACHE)
		nocache_pass(nocache,
			     (uint64_t)lseek(serial->dst->fd, 0, SEEK_CUR),
			     len);
	else if (serial->is_direct_off)
		nocache->pending += len;
}

size_t
serial_write(struct serial *serial, const unsigned char *buf, size_t len,
	     int *ret_error)
{
	size_t done = 0, n;

	if ((serial->request->oflags & FLAG_DIRECT) &&
	    len < serial->request->obs && !serial->is_direct_off)
		turn_direct_off(serial);
	serial->ended_in_hole = leave_hole(serial, buf, len);
	do {
		*ret_error = write_piece(serial, buf + done,
					 piece_len(serial, len - done), &n);
		done += n;
	} while (*ret_error == 0 && done < len);
	if (done > 0)
		pass_dst(serial, done);
	return done;
}

bool
serial_pass_bad(struct serial *serial, uint64_t len)
{
	const int fd = serial->src->fd;
	int64_t wanted;

	if (serial->src_seek_error != 0) {
		if (serial->src_seek_error == ESPIPE)
			return true;
		serial_tell_src(serial, FAILURE_SEEK, serial->src_seek_error);
		serial->src_seek_error = ESPIPE;
		return false;
	}
	if (__builtin_add_overflow(serial->src_off, len, &wanted)) {
		serial_tell_src(serial, FAILURE_OFFSET_OVERFLOW, 0);
		return false;
	}
	serial->src_off = (uint64_t)wanted;
	const off_t now = lseek(fd, 0, SEEK_CUR);
	if (now >= 0) {
		const off_t missing = wanted - now;

		if (missing == 0)
			return true;
		if (missing < 0 || (uint64_t)missing > len)
			serial_tell_src(serial, NOTICE_BAD_OFFSET, 0);
		if (lseek(fd, missing, SEEK_CUR) >= 0)
			return true;
	}
	serial_tell_src(serial, FAILURE_SEEK, errno);
	return false;
}

// The length of the next block of an extent, 0: that was all of it.
static size_t
next_len(const struct request_extent *left, uint64_t size)
{
	return (size_t)(left->blocks > 0 ? size : left->bytes);
}

static void
pass_block(struct request_extent *left)
{
	if (left->blocks > 0)
		left->blocks--;
	else
		left->bytes = 0;
}

// Move a descriptor by the extent. 0, 1 if that cannot be done but reading
// can, or -errno, told: past what the file or device can ever hold.
static int
move_by(const struct serial *serial, const struct endpoint *ep,
	const struct request_extent *extent, uint64_t size, int *ret_error)
{
	int64_t off;

	*ret_error = 0;
	if (!__builtin_mul_overflow(extent->blocks, size, &off) &&
	    !__builtin_add_overflow(off, extent->bytes, &off)) {
		if (lseek(ep->fd, off, SEEK_CUR) >= 0)
			return 0;
		*ret_error = errno;
	}
	if (lseek(ep->fd, 0, SEEK_END) < 0)
		return 1;
	const int error = *ret_error != 0 ? *ret_error : EOVERFLOW;
	if (ep == serial->src)
		return serial_tell_src(serial, FAILURE_SKIP, error);
	return serial_tell_dst(serial, FAILURE_SEEK, error);
}

static int
warn_past_end(const struct serial *serial)
{
	serial_tell_src(serial, NOTICE_SKIP_PAST_END, 0);
	return 0;
}

int
serial_skip(struct serial *serial)
{
	const struct request *q = serial->request;
	struct stat st;
	int error;
	const int r = move_by(serial, serial->src, &q->skip, q->ibs, &error);

	if (r != 0)
		return r;
	const off_t now = lseek(serial->src->fd, 0, SEEK_CUR);
	serial->src_off = now < 0 ? 0 : (uint64_t)now;
	if (fstat(serial->src->fd, &st) < 0)
		return serial_tell_src(serial, FAILURE_STAT, errno);
	if (S_ISREG(st.st_mode) && st.st_size > 0 && now > st.st_size)
		return warn_past_end(serial);
	return 0;
}

int
serial_skip_reading(struct serial *serial, unsigned char *block)
{
	const struct request *q = serial->request;
	struct request_extent left = q->skip;
	uint64_t wanted = left.blocks * q->ibs + left.bytes;
	size_t len;

	while ((len = next_len(&left, q->ibs)) > 0) {
		const ssize_t n = serial_read(serial, block, len);

		if (n == -ECANCELED)
			return -ECANCELED;
		if (n < 0) {
			serial_tell_src(serial, FAILURE_READ, (int)-n);
			if (q->conv & CONV_NOERROR)
				tell(serial, (struct failure){
						     .phase = NOTICE_COUNTS});
			return (int)n;
		}
		if (n == 0)
			break;
		wanted -= (uint64_t)n;
		pass_block(&left);
	}
	return left.blocks > 0 || wanted > 0 ? warn_past_end(serial) : 0;
}

int
serial_seek(struct serial *serial)
{
	const struct request *q = serial->request;

	return move_by(serial, serial->dst, &q->seek, q->obs,
		       &serial->dst_seek_error);
}

// Read up to where the seek ends, as far as there is something to read.
static int
seek_reading(struct serial *serial, unsigned char *block,
	     struct request_extent *left)
{
	size_t len;

	while ((len = next_len(left, serial->request->obs)) > 0) {
		const ssize_t n = read_record(serial, serial->dst->fd, block,
					      len);

		if (n == -ECANCELED)
			return -ECANCELED;
		if (n < 0) {
			serial_tell_dst(serial, FAILURE_SEEK,
					serial->dst_seek_error);
			return (int)n;
		}
		if (n == 0)
			return 0;
		pass_block(left);
	}
	return 0;
}

int
serial_seek_writing(struct serial *serial, unsigned char *block)
{
	const uint64_t obs = serial->request->obs;
	struct request_extent left = serial->request->seek;
	int r = seek_reading(serial, block, &left);
	size_t len;

	memset(block, 0, next_len(&left, obs));
	while (r == 0 && (len = next_len(&left, obs)) > 0) {
		serial_write(serial, block, len, &r);
		pass_block(&left);
		if (r < 0 && r != -ECANCELED)
			serial_tell_dst(serial, FAILURE_WRITE_TO, -r);
	}
	return r;
}

int
serial_end_hole(struct serial *serial)
{
	const int fd = serial->dst->fd;
	struct stat st;

	if (!serial->ended_in_hole)
		return 0;
	if (fstat(fd, &st) < 0)
		return serial_tell_dst(serial, FAILURE_STAT, errno);
	const off_t end = lseek(fd, 0, SEEK_CUR);
	if (!S_ISREG(st.st_mode) || st.st_size >= end)
		return 0;
	if (ftruncate(fd, end) < 0)
		return serial_tell_dst(serial, FAILURE_TRUNCATE, errno);
	return 0;
}

// Who copies nothing came for the cache alone: all of the file.
static bool
is_only_cache(const struct request *q)
{
	return q->count.blocks == 0 && q->count.bytes == 0;
}

static int
drop_rest(const struct serial *serial, const struct endpoint *ep,
	  struct nocache *nocache, enum nocache_rest rest)
{
	const off_t end = lseek(ep->fd, 0, SEEK_CUR);
	const int r = end < 0 ? -errno
			      : nocache_finish(nocache, (uint64_t)end, rest);

	if (r == 0 || !is_only_cache(serial->request))
		return 0;
	tell(serial, (struct failure){.phase = FAILURE_DISCARD_CACHE,
				      .error = -r,
				      .name = ep->name});
	return r;
}

int
serial_drop_cache(struct serial *serial, enum nocache_rest rest)
{
	const struct request *q = serial->request;
	int src = 0, dst = 0;

	if (is_only_cache(q))
		rest = NOCACHE_TO_EOF;
	if (q->iflags & FLAG_NOCACHE)
		src = drop_rest(serial, serial->src, &serial->src_nocache,
				rest);
	if (serial->is_direct_off)
		rest = NOCACHE_TO_EOF;
	else if ((q->conv & CONV_NOTRUNC) && !is_only_cache(q))
		rest = NOCACHE_PENDING;
	if ((q->oflags & FLAG_NOCACHE) || serial->is_direct_off)
		dst = drop_rest(serial, serial->dst, &serial->dst_nocache,
				rest);
	return src < 0 ? src : dst;
}
