// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base.h"
#include "clear.h"
#include "env.h"
#include "hold.h"
#include "hooks.h"
#include "manifest.h"
#include "stats.h"
#include "zero.h"

#define PIECE_ALIGN 4096

void
serial_init(struct serial *serial, const struct env *env,
	    const struct request *q, const struct side *src,
	    const struct side *dst)
{
	*serial = (struct serial){
		.env = env,
		.request = q,
		.src = src,
		.dst = dst,
		.throttle.env = env,
		.is_sparse = (q->conv & CONV_SPARSE) != 0,
		.src_nocache.fd = src->fd,
		.dst_nocache.fd = dst->fd,
	};
	serial_go_on(serial);
	serial->is_warning_partial =
		q->is_single_buffer && !(q->iflags & FLAG_FULLBLOCK) &&
		(q->skip.blocks > 0 ||
		 (q->count.blocks > 0 && request_has_count(q)) ||
		 ((q->iflags | q->oflags) & FLAG_DIRECT));
}

void
serial_go_on(struct serial *serial)
{
	const int64_t pos = side_where(serial->src);

	serial->src_seek_error = pos < 0 ? (int)-pos : 0;
	serial->src_off = pos < 0 ? 0 : (uint64_t)pos;
}

int
serial_tell_src(const struct serial *serial, enum event_kind kind, int error)
{
	return hooks_tell(serial->env->hooks,
			  (struct event){.kind = kind,
					 .error = error,
					 .name = serial->src->name,
					 .off = serial->src_off});
}

int
serial_tell_dst(const struct serial *serial, enum event_kind kind, int error)
{
	const int64_t now = side_where(serial->dst);
	const uint64_t off = now < 0 ? 0 : (uint64_t)now;

	return hooks_tell(serial->env->hooks,
			  (struct event){.kind = kind,
					 .error = error,
					 .name = serial->dst->name,
					 .off = off});
}

static bool
must_stop(const struct serial *serial)
{
	return serial->env->hooks->must_stop(serial->env->hooks->ctx);
}

// A stream can be silent for long: whoever shows the time is called meanwhile.
// Who asks for O_NONBLOCK does not want to wait.
static bool
is_shown(const struct serial *serial)
{
	const struct hooks *h = serial->env->hooks;

	return !serial->request->is_dd && h->tick != NULL && h->tick_ms > 0 &&
	       facts_is_stream(&serial->src->facts) && serial->src->fd >= 0 &&
	       !(serial->request->iflags & FLAG_NONBLOCK);
}

// As its read, but the wait is ours. What is there is taken first: a poll
// before each read makes small records slower by two fifths. What cannot be
// read so, or goes wrong, is left to read itself.
static ssize_t
read_shown(const struct serial *serial, const struct side *side,
	   unsigned char *buf, size_t len)
{
	const struct iovec piece = {buf, len};
	const ssize_t n = preadv2(side->fd, &piece, 1, -1, RWF_NOWAIT);

	if (n >= 0 || errno == EINTR)
		return n < 0 ? -EINTR : n;
	// Where there is no such sleep, the read does it.
	if (hooks_wait(serial->env->hooks, side->fd) == -ECANCELED)
		return -EINTR; // the caller looks why
	return side->ops->read(side, buf, len);
}

// One read, with dd's idea of what a short one means.
static ssize_t
read_once(struct serial *serial, const struct side *side, unsigned char *buf,
	  size_t len)
{
	const size_t last = serial->last_read;
	const bool was_short = last > 0 && last < len;
	ssize_t n;

	do {
		if (must_stop(serial))
			return -ECANCELED;
		n = is_shown(serial) ? read_shown(serial, side, buf, len)
				     : side->ops->read(side, buf, len);
		// A file that ended within a sector: the next direct read is
		// misaligned.
		if (n == -EINVAL && was_short &&
		    (serial->request->iflags & FLAG_DIRECT))
			n = 0;
	} while (n == -EINTR);
	if (n < 0) {
		serial->last_read = 0;
		return n;
	}
	if (n > 0 && was_short && serial->is_warning_partial) {
		hooks_tell(serial->env->hooks,
			   (struct event){.kind = NOTICE_PARTIAL_READ,
					  .len = last});
		serial->is_warning_partial = false;
	}
	serial->last_read = (size_t)n;
	return n;
}

// One record: one read, or as many as fill it with fullblock. An error
// loses what was read before it, as in dd.
static ssize_t
read_record(struct serial *serial, const struct side *side, unsigned char *buf,
	    size_t len)
{
	size_t got = 0;
	ssize_t n;

	if (!(serial->request->iflags & FLAG_FULLBLOCK))
		return read_once(serial, side, buf, len);
	while (got < len) {
		n = read_once(serial, side, buf + got, len - got);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

void
serial_pass_src(struct serial *serial, uint64_t len)
{
	serial->src_off += len;
	if (serial->request->iflags & FLAG_NOCACHE)
		nocache_pass(&serial->src_nocache, serial->src_off, len);
}

ssize_t
serial_read_dst(struct serial *serial, unsigned char *buf, size_t len)
{
	return read_record(serial, serial->dst, buf, len);
}

ssize_t
serial_read(struct serial *serial, unsigned char *buf, size_t len)
{
	const ssize_t n = read_record(serial, serial->src, buf, len);

	if (n > 0)
		serial_pass_src(serial, (uint64_t)n);
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

// Nor can any by a description that somebody else has opened without it, of
// which we leave the flags alone.
static bool
must_turn_direct_off(const struct serial *serial, size_t len)
{
	const struct facts *dst = &serial->dst->facts;
	const bool is_cached = facts_has_offsets(dst) && !dst->is_direct;

	return (serial->request->oflags & FLAG_DIRECT) &&
	       !serial->is_direct_off &&
	       (len < serial->request->obs || is_cached);
}

static int64_t
write_zeros(const struct serial *serial, uint64_t pos, uint64_t len)
{
	static const unsigned char zeros[16 * 1024]
		__attribute__((aligned(4096)));
	const struct side *dst = serial->dst;
	const ssize_t n = dst->ops->write_at(
		dst, SIDE_BUFFERED, zeros,
		(size_t)min_u64(len, sizeof(zeros)), pos);

	if (n < 0)
		return n == -EINTR ? 0 : n;
	serial->clear->nr_written += (uint64_t)n;
	return n == 0 ? -ENOSPC : n;
}

// What was passed over before the place where the destination stands. They
// are few, and a signal waits for them, for they are counted already.
static int
clear_passed(struct serial *serial)
{
	struct clear *clear = serial->clear;
	uint64_t len = serial->zeros_len, n;
	// A file or disk can be positioned.
	uint64_t pos = (uint64_t)side_where(serial->dst) - len;
	int64_t r = 0;

	serial->zeros_len = 0; // a failure is met once
	while (r >= 0 && len > 0) {
		const enum clear_way way = clear_next(clear, pos, len, &n);

		if (pos < clear->from)
			r = (int64_t)min_u64(len, clear->from - pos);
		else if (way == CLEAR_SKIP)
			r = (int64_t)n;
		else if (way == CLEAR_MAKE)
			r = clear_some(clear, pos, n);
		else
			r = write_zeros(serial, pos, n);
		pos += r > 0 ? (uint64_t)r : 0;
		len -= r > 0 ? (uint64_t)r : 0;
	}
	while (r >= 0 && clear->is_owing)
		r = clear_some(clear, pos, 0);
	clear_count(clear, serial->env->stats);
	return r < 0 ? (int)r : 0;
}

int
serial_clear(struct serial *serial)
{
	const int r = serial->zeros_len > 0 ? clear_passed(serial) : 0;

	return r < 0 ? serial_tell_dst(serial, FAILURE_WRITE, -r) : 0;
}

// conv=sparse: step over a record of zeros. False: it must be written.
static bool
leave_hole(struct serial *serial, const unsigned char *buf, size_t len)
{
	if (!serial->is_sparse || !zero_is_all(buf, len))
		return false;
	const struct side *dst = serial->dst;

	throttle_flush(&serial->throttle, dst->fd);
	const int64_t end = dst->ops->seek(dst, (int64_t)len, SEEK_CUR);
	if (end < 0) {
		serial->is_sparse = false;
		return false;
	}
	hooks_hole(serial->env->hooks, (uint64_t)end - len, len);
	if (serial->clear != NULL)
		serial->zeros_len += len;
	else
		serial->env->stats->zeros.skipped += len;
	return true;
}

// The bytes of the block that is written last: they are passed over.
static size_t
hold_back(const struct serial *serial, const unsigned char *buf, size_t len)
{
	const struct side *dst = serial->dst;

	if (serial->hold == NULL)
		return 0;
	// A disk can be positioned.
	const uint64_t pos = (uint64_t)side_where(dst);
	const size_t held = hold_take(serial->hold, pos, buf, len);
	if (held > 0)
		(void)dst->ops->seek(dst, (int64_t)held, SEEK_CUR);
	return held;
}

// As many writes as it takes. Returns 0, -errno or -ECANCELED.
static int
write_all(struct serial *serial, const unsigned char *buf, size_t len,
	  size_t *done)
{
	const struct side *dst = serial->dst;

	*done = hold_back(serial, buf, len);
	while (*done < len) {
		if (must_stop(serial))
			return -ECANCELED;
		const ssize_t n = dst->ops->write(dst, buf + *done,
						  len - *done);
		if (n < 0 && n != -EINTR) // SIGPIPE and SIGXFSZ come with one
			return must_stop(serial) ? -ECANCELED : (int)n;
		if (n == 0)
			return -ENOSPC; // takes nothing and says nothing
		if (n > 0)
			*done += (size_t)n;
	}
	return 0;
}

// The record, or with rate= the next piece of it.
static int
write_piece(struct serial *serial, const unsigned char *buf, size_t len,
	    size_t *done)
{
	struct throttle *throttle = &serial->throttle;
	int r = throttle_wait(throttle, len);

	*done = 0;
	if (r < 0)
		return r;
	if (serial->ended_in_hole)
		*done = len;
	else
		r = write_all(serial, buf, len, done);
	if (r == 0 && !serial->ended_in_hole)
		r = throttle_pass(throttle, serial->dst->fd, *done);
	if (throttle->env->pace != NULL && serial->live_bytes != NULL)
		*serial->live_bytes += *done;
	return r;
}

static void
pass_dst(struct serial *serial, size_t len)
{
	struct nocache *nocache = &serial->dst_nocache;

	if (serial->request->oflags & FLAG_NOCACHE)
		nocache_pass(nocache, (uint64_t)side_where(serial->dst), len);
	else if (serial->is_direct_off)
		nocache->pending += len;
}

// Before other bytes follow, and before they become too many.
static bool
must_clear(const struct serial *serial)
{
	return serial->zeros_len > 0 && (!serial->ended_in_hole ||
					 serial->zeros_len >= CLEAR_PIECE);
}

static size_t
write_run(struct serial *serial, const unsigned char *buf, size_t len,
	  int *ret_error)
{
	const struct facts *dst = &serial->dst->facts;
	// What follows on a file or disk begins at a whole page.
	const uint64_t unit = facts_is_stream(dst)
				      ? 1
				      : max_u64(PIECE_ALIGN, dst->dio_align);
	struct manifest *m = serial->env->manifest;
	size_t done = 0, n;

	*ret_error = m != NULL ? manifest_touch(m, (uint64_t)side_where(
							   serial->dst),
						len)
			       : 0;
	if (*ret_error < 0)
		return 0;
	if (must_turn_direct_off(serial, len))
		turn_direct_off(serial);
	serial->ended_in_hole = leave_hole(serial, buf, len);
	if (must_clear(serial) && (*ret_error = clear_passed(serial)) < 0)
		return 0;
	do {
		*ret_error = write_piece(serial, buf + done,
					 throttle_len(&serial->throttle,
						      len - done, unit),
					 &n);
		done += n;
	} while (*ret_error == 0 && done < len);
	if (done > 0)
		pass_dst(serial, done);
	return done;
}

// What is there already.
static size_t
step_over(struct serial *serial, size_t len)
{
	if (len > 0)
		(void)serial->dst->ops->seek(serial->dst, (int64_t)len,
					     SEEK_CUR);
	serial->env->stats->same += len;
	return len;
}

static size_t
write_changes(struct serial *serial, const unsigned char *buf, size_t len,
	      int *ret_error)
{
	const struct same *same = &serial->recheck.same;
	size_t done = hold_back(serial, buf, len), run, n;

	if (done > 0 && same_skip(same, 0) >= done)
		serial->env->stats->same += done;
	*ret_error = 0;
	do {
		done += step_over(serial, same_skip(same, done));
		run = same_run(same, done);
		n = run > 0 ? write_run(serial, buf + done, run, ret_error) : 0;
		done += n;
	} while (done < len && n == run && *ret_error == 0);
	return done;
}

// All of it counts as done.
static size_t
compare_record(struct serial *serial, size_t len, int r, int *ret_error)
{
	*ret_error = r;
	if (r < 0)
		return 0;
	differ_tell(serial->recheck.differ, &serial->recheck.same);
	(void)serial->dst->ops->seek(serial->dst, (int64_t)len, SEEK_CUR);
	return len;
}

static size_t
write_record(struct serial *serial, const unsigned char *buf, size_t len,
	     int *ret_error)
{
	struct recheck *recheck = &serial->recheck;

	if (recheck->back == NULL)
		return write_run(serial, buf, len, ret_error);
	const uint64_t pos = (uint64_t)serial->dst->ops->seek(serial->dst, 0,
							      SEEK_CUR);
	const int r = recheck_read(recheck, buf, len, pos);
	if (recheck->differ != NULL)
		return compare_record(serial, len, r, ret_error);
	if (r < 0)
		serial->env->stats->unchecked += len;
	return write_changes(serial, buf, len, ret_error);
}

size_t
serial_write(struct serial *serial, const unsigned char *buf, size_t len,
	     int *ret_error)
{
	struct manifest *m = serial->env->manifest;

	if (m == NULL)
		return write_record(serial, buf, len, ret_error);
	const uint64_t pos = (uint64_t)side_where(serial->dst);
	if (serial->recheck.back != NULL &&
	    manifest_ask(m, pos, len, buf) == MANIFEST_SAME) {
		serial->env->stats->known += len;
		*ret_error = 0;
		return step_over(serial, len);
	}
	const size_t done = write_record(serial, buf, len, ret_error);
	if (done == len && *ret_error == 0)
		manifest_put(m, pos, len, buf);
	return done;
}

int
serial_end_hole(struct serial *serial)
{
	const struct side *dst = serial->dst;
	uint64_t size;
	int r;

	if (serial_clear(serial) < 0)
		return -EIO;
	if (!serial->ended_in_hole)
		return 0;
	serial->ended_in_hole = false; // a failure is told once
	r = dst->ops->get_size(dst, &size);
	if (r < 0)
		return serial_tell_dst(serial, FAILURE_STAT, -r);
	const int64_t end = side_where(dst);
	if (end < 0 || size >= (uint64_t)end)
		return 0;
	r = side_set_size(dst, (uint64_t)end);
	return r < 0 ? serial_tell_dst(serial, FAILURE_TRUNCATE, -r) : 0;
}

// Who copies nothing came for the cache alone: all of the file.
static bool
is_only_cache(const struct request *q)
{
	return q->count.blocks == 0 && q->count.bytes == 0;
}

static int
drop_rest(const struct serial *serial, const struct side *side,
	  struct nocache *nocache, enum nocache_rest rest)
{
	const int64_t end = side_where(side);
	const int r = end < 0 ? (int)end
			      : nocache_finish(nocache, (uint64_t)end, rest);

	if (r == 0 || !is_only_cache(serial->request))
		return 0;
	hooks_tell(serial->env->hooks,
		   (struct event){.kind = FAILURE_DISCARD_CACHE,
				  .error = -r,
				  .name = side->name});
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
