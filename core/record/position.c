// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "position.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "side.h"
#include "event.h"
#include "request.h"
#include "serial.h"
#include "serial_read.h"
#include "serial_write.h"

// The length of the next block of an extent, 0: that was all of it.
static size_t
next_len(const struct request_amount *left, uint64_t size)
{
	return (size_t)(left->blocks > 0 ? size : left->bytes);
}

static void
pass_block(struct request_amount *left)
{
	if (left->blocks > 0)
		left->blocks--;
	else
		left->bytes = 0;
}

// Move a descriptor by the extent. 0, 1 if that cannot be done but reading
// can, or -errno, told: past what the file or device can ever hold.
static int
move_by(const struct serial *serial, const struct side *side,
	const struct request_amount *extent, uint64_t size, int *ret_error)
{
	int64_t off, now;

	*ret_error = 0;
	if (!__builtin_mul_overflow(extent->blocks, size, &off) &&
	    !__builtin_add_overflow(off, extent->bytes, &off)) {
		now = side->ops->seek(side, off, SEEK_CUR);
		if (now >= 0)
			return 0;
		*ret_error = (int)-now;
	}
	if (side->ops->seek(side, 0, SEEK_END) < 0)
		return 1;
	const int error = *ret_error != 0 ? *ret_error : EOVERFLOW;
	if (side == serial->src)
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
position_skip(struct serial *serial)
{
	const struct request *q = serial->request;
	const struct side *src = serial->src;
	uint64_t size;
	int error;
	int r = move_by(serial, src, &q->skip, q->ibs, &error);

	if (r != 0)
		return r;
	const int64_t now = side_where(src);
	serial->src_off = now < 0 ? 0 : (uint64_t)now;
	r = src->ops->get_size(src, &size);
	if (r < 0)
		return serial_tell_src(serial, FAILURE_STAT, -r);
	if (size > 0 && serial->src_off > size) {
		serial->src_off = size; // as dd counts it
		return warn_past_end(serial);
	}
	return 0;
}

int
position_skip_reading(struct serial *serial, unsigned char *block)
{
	const struct request *q = serial->request;
	struct request_amount left = q->skip;
	uint64_t wanted = left.blocks * q->ibs + left.bytes;
	size_t len;

	while ((len = next_len(&left, q->ibs)) > 0) {
		const ssize_t n = serial_read(serial, block, len);

		if (n == -ECANCELED)
			return -ECANCELED;
		if (n < 0) {
			serial_tell_src(serial, FAILURE_READ, (int)-n);
			if (q->conv & CONV_NOERROR)
				serial_tell_src(serial, NOTICE_COUNTS, 0);
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
position_seek(struct serial *serial)
{
	const struct request *q = serial->request;

	return move_by(serial, serial->dst, &q->seek, q->obs,
		       &serial->dst_seek_error);
}

// Read up to where the seek ends, as far as there is something to read.
static int
seek_reading(struct serial *serial, unsigned char *block,
	     struct request_amount *left)
{
	size_t len;

	while ((len = next_len(left, serial->request->obs)) > 0) {
		const ssize_t n = serial_read_dst(serial, block, len);

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
position_seek_writing(struct serial *serial, unsigned char *block)
{
	const uint64_t obs = serial->request->obs;
	struct request_amount left = serial->request->seek;
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

bool
position_pass_bad(struct serial *serial, uint64_t len)
{
	const struct side *src = serial->src;
	int64_t wanted, now;

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
	now = side_where(src);
	if (now >= 0) {
		const int64_t missing = wanted - now;

		if (missing == 0)
			return true;
		if (missing < 0 || (uint64_t)missing > len)
			serial_tell_src(serial, NOTICE_BAD_OFFSET, 0);
		now = src->ops->seek(src, missing, SEEK_CUR);
		if (now >= 0)
			return true;
	}
	serial_tell_src(serial, FAILURE_SEEK, (int)-now);
	return false;
}
