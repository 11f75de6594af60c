// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "conduct.h"

#include <errno.h>

#include "base.h"
#include "clock.h"
#include "course.h"
#include "event.h"
#include "finish.h"
#include "hooks.h"
#include "judge.h"
#include "legs.h"
#include "opening.h"
#include "overlap.h"
#include "packed.h"
#include "tee.h"

// What is there, from the disk.
static void
prepare_compare(struct transfer *t)
{
	const struct side *dst = &t->out.side, *back = &t->out.back;

	t->bulk.refused.compare = !output_has_old(&t->out);
	if (request_writes(t->env.asked))
		return;
	t->env.stats->is_comparison = true;
	t->differ = (struct differ){.env = &t->env,
				    .kind = FAILURE_OTHER,
				    .name = dst->name,
				    .dst_off = t->out.start,
				    .src_off = t->src_start};
	t->bulk.differ = &t->differ;
	// What others have just written has to be there, to be read from there.
	if (back->ops->write_out(back, 0, dst->facts.size) < 0 ||
	    back->ops->drop_cache(back, 0, dst->facts.size) < 0)
		side_tell(dst, t->env.hooks, NOTICE_CACHE_KEPT, 0);
}

static int
begin_manifest(struct transfer *t)
{
	const struct side *dst = &t->out.side;
	const uint64_t reach = overlap_reach(t->env.asked, &t->src.facts,
					     &dst->facts);

	return vouch_begin(&t->vouch, &t->src, dst,
			   min_u64(reach, facts_is_device(&dst->facts)
						  ? dst->facts.size
						  : UINT64_MAX));
}

static int
prepare_manifest(struct transfer *t)
{
	const struct request *q = t->env.asked;

	if (t->vouch.path == NULL)
		return 0;
	int r = vouch_check(&t->vouch, &t->out.side, &t->out.back);
	if (r == 0 && request_writes(q))
		r = begin_manifest(t);
	// Where nothing is written it is only asked.
	const bool is_asked = request_writes(q) ? t->vouch.path != NULL
						: vouch_is_kept(&t->vouch);
	if (r == 0 && is_asked)
		t->env.manifest = &t->vouch.manifest;
	return r;
}

static int
prepare(struct transfer *t)
{
	t->env.stats->start_ns = clock_ns();
	prepare_compare(t);
	transfer_set_pace(t);
	int r = outline_begin(&t->outline, &t->env, &t->src, t->src_start);
	if (r == 0)
		r = prepare_manifest(t);
	return r < 0 ? r : output_prepare(&t->out, &t->src.facts);
}

// All that can be had, in bulk as far as that goes. 0 or -errno, told;
// -ECANCELED: a signal.
static int
move(struct transfer *t, struct course *course)
{
	struct stats *stats = t->env.stats;
	const int r = course_run(course, &t->bulk);

	course_done(course);
	t->is_copied = r == 0;
	if (r == 0) // now it is known
		stats->bytes_total = stats->bytes;
	else if (t->bulk.differ != NULL) // nobody judges what was found
		differ_finish(t->bulk.differ);
	return r == 0 ? output_cut_rest(&t->out) : r;
}

static int
sync_dst(struct transfer *t, const struct serial *serial)
{
	unsigned conv = output_syncs(&t->out);

	// As dd does where it has turned O_DIRECT off.
	if (serial->is_direct_off || t->bulk.needs_fsync)
		conv |= CONV_FSYNC;
	return output_sync(&t->out, conv);
}

static int
drop_cache(struct serial *serial, const struct record *record)
{
	return serial_drop_cache(serial, record->intake.is_at_eof
						 ? NOCACHE_TO_EOF
						 : NOCACHE_PENDING);
}

// A medium that gives back other bytes than it was given has no digests.
static enum transfer_verdict
end_manifest(struct transfer *t, enum transfer_verdict verdict)
{
	struct vouch *v = &t->vouch;
	int r = 0;

	if (!request_writes(t->env.asked))
		return verdict;
	if (verdict == TRANSFER_DIFFERS)
		r = vouch_forget(v, &t->src, &t->out.side);
	else if (verdict == TRANSFER_OK && t->env.asked->map == NULL)
		r = vouch_end(v, &t->src, &t->out.side,
			      t->out.start + t->env.stats->bytes);
	return r < 0 && verdict == TRANSFER_OK ? TRANSFER_FAILED : verdict;
}

static enum transfer_verdict
judge_all(struct transfer *t, struct judge *judge, bool has_changed)
{
	judge->verify.len = t->env.asked->map != NULL ? t->bulk.plan.len
						      : t->env.stats->bytes;
	judge->packed_len = packed_state(&t->src).in;
	judge->is_synced = t->out.is_synced;
	const int r = judge_copy(judge, has_changed);
	outline_end(&t->outline, t->env.stats->bytes);
	// The block that was held back is there now, or something is wrong.
	t->out.is_synced = judge->is_synced;
	return end_manifest(t, transfer_judged(r));
}

// A signal has ended it, or the map.
static enum transfer_verdict
stop_verdict(const struct transfer *t, const struct record *record)
{
	const struct bulk *b = &t->bulk;
	const bool is_longer = record->is_too_long || b->is_longer;

	if (is_longer || b->is_shorter)
		guide_tell_size(&t->guide, &t->src,
				is_longer ? EVENT_MORE : EVENT_FEWER);
	return is_longer || b->is_shorter || guide_has_bad(&t->guide, &t->src)
		       ? TRANSFER_UNEXPECTED
		       : TRANSFER_STOPPED;
}

static enum transfer_verdict
copy(struct transfer *t)
{
	struct judge judge = transfer_judge(t, &t->out, &t->env);
	struct course course;
	const int copied = move(t, &course);
	const struct record *record = &course.record;

	if (record->is_out_of_memory)
		return TRANSFER_UNCOUNTED;
	if (copied == -ECANCELED)
		return stop_verdict(t, record);
	// Told before the sync, which can take long.
	const bool has_changed = judge_has_changed(&judge);
	const int synced = sync_dst(t, &course.serial);
	if (synced == -ECANCELED)
		return TRANSFER_STOPPED;
	// Where dd quits, a failing sync leaves no time for statistics.
	if (record->has_quit)
		return synced < 0 ? TRANSFER_UNCOUNTED : TRANSFER_FAILED;
	if (drop_cache(&course.serial, record) < 0 || copied < 0 || synced < 0)
		return TRANSFER_FAILED;
	// It is told when the others are closed: not all of it has arrived.
	if (t->out.side.close_error < 0)
		return TRANSFER_FAILED;
	return judge_all(t, &judge, has_changed);
}

// What could be read, and what is to be true of it.
static enum transfer_verdict
copy_mapped(struct transfer *t)
{
	struct judge judge = transfer_judge(t, &t->out, &t->env);

	judge.verify.map = &t->keep.mapfile.map;
	judge.verify.manifest = t->env.manifest;
	const int copied = mapped_run(&t->mapped);

	if (copied == -ECANCELED)
		return TRANSFER_STOPPED;
	t->is_copied = copied == 0;
	const bool has_changed = judge_has_changed(&judge);
	const int synced = output_sync(&t->out, output_syncs(&t->out));
	if (synced == -ECANCELED)
		return TRANSFER_STOPPED;
	if (copied < 0 || synced < 0 || t->out.side.close_error < 0)
		return TRANSFER_FAILED;
	const enum transfer_verdict verdict = judge_all(t, &judge, has_changed);
	// What is not there was taken out of the map.
	t->keep.mapfile.status = (struct mapfile_status){.phase = '?',
							 .pass = 1};
	return verdict == TRANSFER_DIFFERS && mapped_save(&t->mapped) < 0
		       ? TRANSFER_FAILED
		       : verdict;
}

static enum transfer_verdict
close_sides(struct transfer *t, enum transfer_verdict verdict)
{
	struct output *out = &t->out;

	// What gives kernel AIO back had the time of the sync for it.
	bulk_done(&t->bulk);
	if (request_reads_dst(t->env.asked))
		side_close_extra(&out->back);
	if (verdict == TRANSFER_OK || verdict == TRANSFER_INCOMPLETE)
		output_read_table(out);
	safety_done(&out->safety);
	// dd leaves the rest to its end.
	if (verdict == TRANSFER_UNCOUNTED)
		return verdict;
	if (finish_close(&t->src, &out->side, t->env.hooks) < 0)
		return TRANSFER_UNCOUNTED;
	out->is_closed = true;
	return verdict;
}

static enum transfer_verdict
run_opened(struct transfer *t)
{
	const enum transfer_verdict verdict = opening_check(t);
	if (verdict != TRANSFER_OK)
		return verdict;
	const int r = prepare(t);
	if (r < 0)
		return transfer_not_begun(r);
	if (t->legs != NULL)
		return tee_run(t);
	return close_sides(t, t->env.asked->map != NULL ? copy_mapped(t)
							: copy(t));
}

static enum transfer_verdict
rename_dst(struct transfer *t)
{
	const int r = output_rename(&t->out);

	if (r == -ECANCELED)
		return TRANSFER_STOPPED;
	return r < 0 ? TRANSFER_FAILED : TRANSFER_OK;
}

enum transfer_verdict
conduct_run(struct transfer *t)
{
	enum transfer_verdict verdict = opening_open(t);

	if (verdict == TRANSFER_OK)
		verdict = run_opened(t);
	if (verdict == TRANSFER_OK && t->legs == NULL)
		verdict = rename_dst(t);
	commit_done(&t->out.commit);
	return verdict;
}
