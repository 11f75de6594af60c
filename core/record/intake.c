// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "intake.h"

#include <errno.h>
#include <string.h>

#include "env.h"
#include "event.h"
#include "hooks.h"
#include "position.h"
#include "serial.h"
#include "serial_read.h"
#include "stats.h"

static bool
is_sync(const struct intake *in)
{
	return (in->request->conv & CONV_SYNC) != 0;
}

static bool
is_noerror(const struct intake *in)
{
	return (in->request->conv & CONV_NOERROR) != 0;
}

static int
pad_byte(const struct intake *in)
{
	return in->request->conv & (CONV_BLOCK | CONV_UNBLOCK) ? ' ' : 0;
}

void
intake_init(struct intake *in, struct serial *serial)
{
	const struct env *env = serial->env;
	const struct request *q = serial->request;

	*in = (struct intake){.serial = serial, .env = env, .request = q};
	in->is_salvaging = !q->is_dd && is_noerror(in) &&
			   facts_has_offsets(&serial->src->facts);
	salvage_init(&in->salvage, serial->src, env->hooks, env->stats);
	in->salvage.pad = pad_byte(in);
	in->salvage.leaves_out = !is_sync(in) &&
				 !facts_keeps_place(&serial->dst->facts);
}

void
intake_done(struct intake *in)
{
	salvage_done(&in->salvage);
}

// A record that could not be read: 1 to write a padded one in its place, 0
// to go on without it, -errno to end.
static int
skip_bad_record(struct intake *in, int error)
{
	if (!is_noerror(in)) {
		in->is_read_failed = true;
		return serial_tell_src(in->serial, FAILURE_READ, error);
	}
	const struct serial *serial = in->serial;
	const uint64_t len = in->request->ibs - in->short_record;

	hooks_tell(in->env->hooks, (struct event){.kind = NOTICE_READ_SKIPPED,
						  .error = error,
						  .name = serial->src->name,
						  .off = serial->src_off,
						  .len = len});
	stats_pass_over(in->env->stats, serial->src_off, len);
	if (!position_pass_bad(in->serial, len))
		in->is_failed = true;
	return is_sync(in) && in->short_record == 0;
}

// Count the n bytes that were read and pad them if asked to. Returns the
// length of the record.
static size_t
take_record(struct intake *in, unsigned char *block, size_t n)
{
	const size_t ibs = in->request->ibs;

	if (n == ibs) {
		in->env->stats->in_full++;
		in->short_record = 0;
		return n;
	}
	in->env->stats->in_partial++;
	in->short_record = n;
	if (!is_sync(in))
		return n;
	// With noerror the rest was cleared before the read, and may hold
	// what a failed read left there.
	if (!is_noerror(in))
		memset(block + n, pad_byte(in), ibs - n);
	return ibs;
}

// How much to read next, 0 when count= is reached.
static size_t
next_len(const struct intake *in)
{
	const struct request *q = in->request;
	const uint64_t nr = in->nr_records;

	if (nr < q->count.blocks)
		return q->ibs;
	return nr == q->count.blocks ? (size_t)q->count.bytes : 0;
}

// The same as take_record, where nothing shifts.
static size_t
take_salvaged(struct intake *in, unsigned char *block, uint64_t n)
{
	const struct salvage *salvage = &in->salvage;
	const size_t ibs = in->request->ibs;

	if (n == ibs && !salvage->has_bad)
		in->env->stats->in_full++;
	else
		in->env->stats->in_partial++;
	in->env->stats->in_marred += n == ibs && salvage->has_bad;
	if (!is_sync(in))
		return salvage->fill;
	memset(block + salvage->fill, salvage->pad, ibs - salvage->fill);
	return ibs;
}

static int
salvage_next(struct intake *in, unsigned char *block, size_t len,
	     size_t *ret_len)
{
	const size_t there = in->there;
	const int64_t n = salvage_record(&in->salvage, in->serial, block, there,
					 len);

	in->there = 0;
	if (n == -ECANCELED)
		return -ECANCELED;
	if (n < 0) {
		in->is_read_failed = true;
		return serial_tell_src(in->serial, FAILURE_READ, (int)-n);
	}
	in->is_at_eof = n == 0;
	if (n == 0)
		return 0;
	in->nr_records++;
	*ret_len = take_salvaged(in, block, (uint64_t)n);
	return 1;
}

static int
read_next(struct intake *in, unsigned char *block, size_t len, size_t *ret_len)
{
	if (is_sync(in) && is_noerror(in))
		memset(block, pad_byte(in), in->request->ibs);
	ssize_t n = serial_read(in->serial, block, len);
	if (n == -ECANCELED)
		return -ECANCELED;
	if (n < 0) {
		n = skip_bad_record(in, (int)-n);
		if (n <= 0)
			return n < 0 ? (int)n : 1;
		n = 0;
	} else if (n == 0) {
		in->is_at_eof = true;
		return 0;
	}
	in->nr_records++;
	*ret_len = take_record(in, block, (size_t)n);
	return 1;
}

bool
intake_has_next(const struct intake *in)
{
	return next_len(in) > 0;
}

int
intake_next(struct intake *in, unsigned char *block, size_t *ret_len)
{
	const size_t len = next_len(in);

	*ret_len = 0;
	if (len == 0)
		return 0;
	return in->is_salvaging ? salvage_next(in, block, len, ret_len)
				: read_next(in, block, len, ret_len);
}
