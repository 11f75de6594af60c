// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "record.h"

#include <errno.h>

#include "base.h"
#include "env.h"
#include "event.h"
#include "hasher.h"
#include "hooks.h"
#include "position.h"
#include "ranges.h"
#include "serial_holes.h"
#include "serial_write.h"

static int
record_write_full(void *ctx, const unsigned char *block, size_t len);

void
record_init(struct record *record, struct serial *serial)
{
	const struct env *env = serial->env;
	const struct request *q = serial->request;

	*record = (struct record){.serial = serial, .env = env, .request = q};
	intake_init(&record->intake, serial);
	filter_init(&record->filter, q->conv);
	record->reblock = (struct reblock){
		.obs = q->obs,
		.cbs = q->cbs,
		.conv = q->conv,
		.newline = record->filter.newline,
		.space = record->filter.space,
		.stats = env->stats,
		.write = record_write_full,
		.ctx = record,
	};
}

void
record_done(struct record *record)
{
	blocks_done(&record->blocks);
	intake_done(&record->intake);
}

static int
tell_memory(struct record *record, enum event_kind kind, uint64_t len)
{
	record->is_out_of_memory = true;
	hooks_tell(record->env->hooks,
		   (struct event){.kind = kind, .len = len});
	return -ENOMEM;
}

static int
take_src(struct record *record)
{
	return blocks_take_src(&record->blocks, record->request) < 0
		       ? tell_memory(record, FAILURE_SRC_MEMORY,
				     record->request->ibs)
		       : 0;
}

// The one block of both is that of the source, in dd's words as well.
static int
take_dst(struct record *record)
{
	const int r = record->request->is_single_buffer ? take_src(record) : 0;

	if (r < 0)
		return r;
	if (blocks_take_dst(&record->blocks, record->request) < 0)
		return tell_memory(record, FAILURE_DST_MEMORY,
				   record->request->obs);
	record->reblock.block = record->blocks.dst;
	return 0;
}

// The bytes of the source's ranges and what is between them are written each by
// itself, so that of the latter nothing need be.
static size_t
put_pieces(struct serial *serial, uint64_t off, const unsigned char *buf,
	   size_t len, int *ret_error)
{
	const struct ranges *ranges = serial->src->ranges;
	size_t done = 0, piece, n;
	bool is_in;

	if (ranges == NULL)
		return serial_write(serial, buf, len, ret_error);
	do {
		piece = (size_t)ranges_run(ranges, off + done, len - done,
					   &is_in);
		serial->is_gap = !is_in && serial->leaves_gaps;
		n = serial_write(serial, buf + done, piece, ret_error);
		done += n;
	} while (done < len && n == piece && *ret_error == 0);
	serial->is_gap = false;
	return done;
}

// Write a record of output, count it, and tell the failure in the words dd
// has for this kind of record.
static int
put_record(struct record *record, const unsigned char *buf, size_t len,
	   uint64_t *count, enum event_kind kind)
{
	const uint64_t before = record->env->stats->bytes;
	const size_t there = (size_t)min_u64(record->there_out, len);
	int error;
	const size_t n = put_pieces(record->serial, before + there, buf + there,
				    len - there, &error);
	const size_t done = there + n;

	record->there_out -= there;

	// dd dies within the record, and has not counted it.
	if (error == -ECANCELED && record->request->is_dd)
		return error;
	if (record->env->hasher != NULL)
		hasher_update(record->env->hasher, before + there, buf + there,
			      n);
	record->env->stats->bytes = before + done;
	if (done == len)
		++*count;
	else if (done > 0)
		record->env->stats->out_partial++;
	if (!request_writes(record->request))
		kind = FAILURE_READ;
	if (error < 0 && error != -ECANCELED)
		serial_tell_dst(record->serial, kind, -error);
	return error;
}

static int
quit(struct record *record, int r)
{
	record->has_quit |= r < 0;
	return r;
}

static int
record_write_full(void *ctx, const unsigned char *block, size_t len)
{
	struct record *record = ctx;

	return quit(record, put_record(record, block, len,
				       &record->env->stats->out_full,
				       FAILURE_WRITE_TO));
}

static int
record_put(struct record *record, unsigned char *buf, size_t len)
{
	const struct request *q = record->request;
	struct stats *stats = record->env->stats;
	size_t changed;

	if (q->is_single_buffer)
		return put_record(record, buf, len,
				  len == q->ibs ? &stats->out_full
						: &stats->out_partial,
				  FAILURE_WRITE);
	buf = filter_apply(&record->filter, buf, len, &changed);
	return reblock_put(&record->reblock, buf, changed);
}

void
record_go_on(struct record *record, const struct rest *rest)
{
	const uint64_t ibs = record->request->ibs, obs = record->request->obs;
	struct stats *stats = record->env->stats;
	struct intake *in = &record->intake;

	in->nr_records = rest->done / ibs;
	if (!rest->is_within) { // a short record is the last one
		in->nr_records += rest->done % ibs != 0;
		return;
	}
	const uint64_t start = round_down(rest->done, ibs);

	in->there = (size_t)(rest->done - start);
	record->there_out = rest->done - round_down(start, obs);
	if (!record->request->is_single_buffer)
		record->reblock.fill = (size_t)(start % obs);
	// What is begun is counted when it is whole.
	stats_count(stats, start, ibs, obs);
	stats->out_partial = 0;
	stats->bytes = rest->done - record->there_out;
	stats->skipped = min_u64(stats->skipped, stats->bytes);
}

bool
record_has_next(const struct record *record)
{
	return intake_has_next(&record->intake);
}

// Nobody wants more of an image than its map has, nor what is behind a range
// that is not what the map says; and what is in no range is zeros.
static bool
take_image(struct record *record, unsigned char *block, size_t len)
{
	const struct env *env = record->env;
	const struct ranges *ranges = record->serial->src->ranges;
	const uint64_t off = env->stats->bytes + record->reblock.fill;

	if (ranges == NULL)
		return true;
	record->is_too_long = off + len > ranges->size;
	if (record->is_too_long ||
	    (env->hasher != NULL && hasher_bad(env->hasher) != NULL))
		return false;
	ranges_blank(ranges, off, block, len);
	return true;
}

// 1: there may be more. 0: the end. -errno: told.
static int
record_step(struct record *record)
{
	const struct hooks *h = record->env->hooks;
	unsigned char *block = record->blocks.src;
	size_t len;
	int r;

	if (h->tick != NULL)
		h->tick(h->ctx);
	r = intake_next(&record->intake, block, &len);
	if (r <= 0 || len == 0)
		return r;
	if (!take_image(record, block, len))
		return -ECANCELED;
	r = record_put(record, block, len);
	return r < 0 ? r : 1;
}

// What the conversions still hold, then the last short block.
static int
record_flush(struct record *record)
{
	struct reblock *reblock = &record->reblock;
	int r = 0;

	if (record->filter.has_odd)
		r = reblock_put(reblock, &record->filter.odd, 1);
	if (r == 0)
		r = reblock_finish(reblock);
	if (r < 0 || reblock->fill == 0)
		return r;
	return put_record(record, reblock->block, reblock->fill,
			  &record->env->stats->out_partial, FAILURE_WRITE);
}

int
record_skip(struct record *record)
{
	const struct request_amount *skip = &record->request->skip;
	int r;

	if (skip->blocks == 0 && skip->bytes == 0)
		return 0;
	r = position_skip(record->serial);
	if (r <= 0)
		return quit(record, r);
	r = take_src(record);
	if (r < 0)
		return r;
	return quit(record,
		    position_skip_reading(record->serial, record->blocks.src));
}

int
record_seek(struct record *record)
{
	const struct request_amount *seek = &record->request->seek;
	int r;

	if (seek->blocks == 0 && seek->bytes == 0)
		return 0;
	r = position_seek(record->serial);
	if (r <= 0)
		return quit(record, r);
	r = take_dst(record);
	if (r < 0)
		return r;
	return quit(record,
		    position_seek_writing(record->serial, record->blocks.dst));
}

int
record_finish(struct record *record)
{
	const int r = serial_holes_end(record->serial);

	if (r == 0)
		hooks_tell(record->env->hooks,
			   (struct event){.kind = NOTICE_SYNCING});
	return r;
}

static int
begin(struct record *record)
{
	int r = take_src(record);

	if (r == 0)
		r = take_dst(record);
	record->serial->live_bytes = &record->env->stats->bytes;
	return r;
}

// r: why no record comes any more.
static int
end(struct record *record, int r)
{
	const int read_error = record->intake.is_read_failed ? r : 0;
	struct stats *stats = record->env->stats;

	salvage_tell(&record->intake.salvage);
	// What was read before the error still goes out.
	if (r == 0 || record->intake.is_read_failed)
		r = record_flush(record);
	if (r == 0)
		r = record_finish(record);
	// What a stretch has left of a record stays what it was.
	if (record->there_out > 0)
		stats_count(stats, stats->bytes + record->there_out,
			    record->request->ibs, record->request->obs);
	if (r < 0)
		return r;
	return record->intake.is_failed ? -EIO : read_error;
}

int
record_run_to(struct record *record, uint64_t nr_records)
{
	int r = begin(record);

	if (r < 0)
		return r;
	do {
		r = record_step(record);
	} while (r > 0 && record->intake.nr_records < nr_records);
	return r > 0 ? r : end(record, r);
}

int
record_run(struct record *record)
{
	return record_run_to(record, UINT64_MAX);
}
