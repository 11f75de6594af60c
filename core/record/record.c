// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "record.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "env.h"
#include "event.h"
#include "hasher.h"
#include "hooks.h"
#include "position.h"

static bool
is_sync(const struct record *record)
{
	return (record->request->conv & CONV_SYNC) != 0;
}

static bool
is_noerror(const struct record *record)
{
	return (record->request->conv & CONV_NOERROR) != 0;
}

static int
pad_byte(const struct record *record)
{
	return record->request->conv & (CONV_BLOCK | CONV_UNBLOCK) ? ' ' : 0;
}

static int
record_write_full(void *ctx, const unsigned char *block, size_t len);

void
record_init(struct record *record, struct serial *serial)
{
	const struct env *env = serial->env;
	const struct request *q = serial->request;

	*record = (struct record){.serial = serial, .env = env, .request = q};
	record->is_salvaging = !q->is_dd && is_noerror(record) &&
			       facts_has_offsets(&serial->src->facts);
	salvage_init(&record->salvage, serial->src, env->hooks, env->stats);
	record->salvage.pad = pad_byte(record);
	record->salvage.leaves_out = !is_sync(record) &&
				     !facts_keeps_place(&serial->dst->facts);
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
	salvage_done(&record->salvage);
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

// Write a record of output, count it, and tell the failure in the words dd
// has for this kind of record.
static int
put_record(struct record *record, const unsigned char *buf, size_t len,
	   uint64_t *count, enum event_kind kind)
{
	const uint64_t before = record->env->stats->bytes;
	const size_t there = (size_t)min_u64(record->there_out, len);
	int error;
	const size_t n = serial_write(record->serial, buf + there, len - there,
				      &error);
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

// A record that could not be read: 1 to write a padded one in its place, 0
// to go on without it, -errno to end.
static int
skip_bad_record(struct record *record, int error)
{
	if (!is_noerror(record)) {
		record->is_read_failed = true;
		return serial_tell_src(record->serial, FAILURE_READ, error);
	}
	const struct serial *serial = record->serial;
	const uint64_t len = record->request->ibs - record->short_record;

	hooks_tell(record->env->hooks,
		   (struct event){.kind = NOTICE_READ_SKIPPED,
				  .error = error,
				  .name = serial->src->name,
				  .off = serial->src_off,
				  .len = len});
	stats_pass_over(record->env->stats, serial->src_off, len);
	if (!position_pass_bad(record->serial, len))
		record->is_failed = true;
	return is_sync(record) && record->short_record == 0;
}

// Count the n bytes that were read and pad them if asked to. Returns the
// length of the record.
static size_t
take_record(struct record *record, size_t n)
{
	const size_t ibs = record->request->ibs;

	if (n == ibs) {
		record->env->stats->in_full++;
		record->short_record = 0;
		return n;
	}
	record->env->stats->in_partial++;
	record->short_record = n;
	if (!is_sync(record))
		return n;
	// With noerror the rest was cleared before the read, and may hold
	// what a failed read left there.
	if (!is_noerror(record))
		memset(record->blocks.src + n, pad_byte(record), ibs - n);
	return ibs;
}

// How much to read next, 0 when count= is reached.
static size_t
next_len(const struct record *record)
{
	const struct request *q = record->request;
	const uint64_t nr = record->nr_records;

	if (nr < q->count.blocks)
		return q->ibs;
	return nr == q->count.blocks ? (size_t)q->count.bytes : 0;
}

void
record_go_on(struct record *record, const struct rest *rest)
{
	const uint64_t ibs = record->request->ibs, obs = record->request->obs;
	struct stats *stats = record->env->stats;

	record->nr_records = rest->done / ibs;
	if (!rest->is_within) { // a short record is the last one
		record->nr_records += rest->done % ibs != 0;
		return;
	}
	const uint64_t start = round_down(rest->done, ibs);

	record->there_in = (size_t)(rest->done - start);
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
	return next_len(record) > 0;
}

// The same as take_record, where nothing shifts.
static size_t
take_salvaged(struct record *record, uint64_t n)
{
	const struct salvage *salvage = &record->salvage;
	const size_t ibs = record->request->ibs;

	if (n == ibs && !salvage->has_bad)
		record->env->stats->in_full++;
	else
		record->env->stats->in_partial++;
	record->env->stats->in_marred += n == ibs && salvage->has_bad;
	if (!is_sync(record))
		return salvage->fill;
	memset(record->blocks.src + salvage->fill, salvage->pad,
	       ibs - salvage->fill);
	return ibs;
}

static int
record_salvage(struct record *record, size_t len)
{
	const size_t there = record->there_in;
	const int64_t n = salvage_record(&record->salvage, record->serial,
					 record->blocks.src, there, len);

	record->there_in = 0;
	if (n == -ECANCELED)
		return -ECANCELED;
	if (n < 0) {
		record->is_read_failed = true;
		return serial_tell_src(record->serial, FAILURE_READ, (int)-n);
	}
	record->is_at_eof = n == 0;
	if (n == 0)
		return 0;
	record->nr_records++;
	const size_t filled = take_salvaged(record, (uint64_t)n);
	const int r = filled > 0
			      ? record_put(record, record->blocks.src, filled)
			      : 0;
	return r < 0 ? r : 1;
}

// 1: there may be more. 0: the end. -errno: told.
static int
record_step(struct record *record)
{
	unsigned char *buf = record->blocks.src;
	const size_t len = next_len(record);

	if (record->env->hooks->tick != NULL)
		record->env->hooks->tick(record->env->hooks->ctx);
	if (len == 0)
		return 0;
	if (record->is_salvaging)
		return record_salvage(record, len);
	if (is_sync(record) && is_noerror(record))
		memset(buf, pad_byte(record), record->request->ibs);
	ssize_t n = serial_read(record->serial, buf, len);
	if (n == -ECANCELED)
		return -ECANCELED;
	if (n < 0) {
		n = skip_bad_record(record, (int)-n);
		if (n <= 0)
			return n < 0 ? (int)n : 1;
		n = 0;
	} else if (n == 0) {
		record->is_at_eof = true;
		return 0;
	}
	record->nr_records++;
	const size_t filled = take_record(record, (size_t)n);
	const int r = record_put(record, buf, filled);
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
	const int r = serial_end_hole(record->serial);

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
	const int read_error = record->is_read_failed ? r : 0;
	struct stats *stats = record->env->stats;

	salvage_tell(&record->salvage);
	// What was read before the error still goes out.
	if (r == 0 || record->is_read_failed)
		r = record_flush(record);
	if (r == 0)
		r = record_finish(record);
	// What a stretch has left of a record stays what it was.
	if (record->there_out > 0)
		stats_count(stats, stats->bytes + record->there_out,
			    record->request->ibs, record->request->obs);
	if (r < 0)
		return r;
	return record->is_failed ? -EIO : read_error;
}

int
record_run_to(struct record *record, uint64_t nr_records)
{
	int r = begin(record);

	if (r < 0)
		return r;
	do {
		r = record_step(record);
	} while (r > 0 && record->nr_records < nr_records);
	return r > 0 ? r : end(record, r);
}

int
record_run(struct record *record)
{
	return record_run_to(record, UINT64_MAX);
}
