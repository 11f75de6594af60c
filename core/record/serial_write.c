// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "serial_write.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base.h"
#include "env.h"
#include "hold.h"
#include "hooks.h"
#include "manifest.h"
#include "serial.h"
#include "serial_holes.h"
#include "stats.h"

#define PIECE_ALIGN 4096

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
		if (serial_must_stop(serial))
			return -ECANCELED;
		const ssize_t n = dst->ops->write(dst, buf + *done,
						  len - *done);
		if (n < 0 && n != -EINTR) // SIGPIPE and SIGXFSZ come with one
			return serial_must_stop(serial) ? -ECANCELED : (int)n;
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

	*ret_error = m != NULL
			     ? manifest_touch(m,
					      (uint64_t)side_where(serial->dst),
					      len)
			     : 0;
	if (*ret_error < 0)
		return 0;
	if (must_turn_direct_off(serial, len))
		turn_direct_off(serial);
	*ret_error = serial_holes_leave(serial, buf, len);
	if (*ret_error < 0)
		return 0;
	do {
		*ret_error = write_piece(
			serial, buf + done,
			throttle_len(&serial->throttle, len - done, unit), &n);
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
	if (len == 0)
		return 0;
	// A file or disk can be positioned.
	const int64_t end = serial->dst->ops->seek(serial->dst, (int64_t)len,
						   SEEK_CUR);
	if (serial->recheck.differ == NULL) {
		serial->env->stats->same += len;
		hooks_tell_span(serial->env->hooks, HOOKS_SAME,
				(uint64_t)end - len, len);
	}
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
	if (done == len && *ret_error == 0 && serial->recheck.differ == NULL)
		manifest_put(m, pos, len, buf);
	return done;
}
