// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "serial_holes.h"

#include <errno.h>
#include <unistd.h>

#include "base.h"
#include "clear.h"
#include "env.h"
#include "hooks.h"
#include "serial.h"
#include "stats.h"
#include "zero.h"

static int64_t
write_zeros(const struct serial *serial, uint64_t pos, uint64_t len)
{
	static const unsigned char zeros[16 * 1024]
		__attribute__((aligned(4096)));
	const struct side *dst = serial->dst;
	const ssize_t n = dst->ops->write_at(
		dst, SIDE_BUFFERED, zeros, (size_t)min_u64(len, sizeof(zeros)),
		pos);

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
serial_holes_clear(struct serial *serial)
{
	const int r = serial->zeros_len > 0 ? clear_passed(serial) : 0;

	return r < 0 ? serial_tell_dst(serial, FAILURE_WRITE, -r) : 0;
}

// False: it must be written.
static bool
pass_over(struct serial *serial, const unsigned char *buf, size_t len)
{
	if (!serial->is_gap && (!serial->is_sparse || !zero_is_all(buf, len)))
		return false;
	const struct side *dst = serial->dst;

	throttle_flush(&serial->throttle, dst->fd);
	const int64_t end = dst->ops->seek(dst, (int64_t)len, SEEK_CUR);
	if (end < 0) {
		serial->is_sparse = serial->leaves_gaps = false;
		return false;
	}
	hooks_tell_span(serial->env->hooks, HOOKS_HOLE, (uint64_t)end - len,
			len);
	if (serial->clear != NULL)
		serial->zeros_len += len;
	else
		serial->env->stats->zeros.skipped += len;
	return true;
}

// Before other bytes follow, and before they become too many.
static bool
must_clear(const struct serial *serial)
{
	return serial->zeros_len > 0 &&
	       (!serial->ended_in_hole || serial->zeros_len >= CLEAR_PIECE);
}

int
serial_holes_leave(struct serial *serial, const unsigned char *buf, size_t len)
{
	serial->ended_in_hole = pass_over(serial, buf, len);
	return must_clear(serial) ? clear_passed(serial) : 0;
}

int
serial_holes_end(struct serial *serial)
{
	const struct side *dst = serial->dst;
	uint64_t size;
	int r;

	if (serial_holes_clear(serial) < 0)
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
