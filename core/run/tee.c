// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "tee.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "copy.h"
#include "event.h"
#include "fan.h"
#include "finish.h"
#include "hooks.h"
#include "join.h"
#include "judge.h"
#include "legs.h"
#include "memory.h"
#include "null.h"
#include "settle.h"
#include "stretch.h"

#define MANY round_down((uint64_t)INT64_MAX / 4, PLAN_ALIGN)

struct tee {
	struct transfer *t;
	struct legs *legs;
	struct fan fan;
	struct fan_branch *branches;
	struct plan plan; // of what is read
	struct aio aio;	  // likewise
};

static struct leg *
leg_of(struct tee *tee, unsigned i)
{
	return &tee->legs->all[i];
}

static void
set_all(struct tee *tee, enum transfer_verdict verdict)
{
	for (unsigned i = 0; i < tee->legs->nr; i++)
		if (leg_of(tee, i)->verdict == TRANSFER_OK)
			leg_of(tee, i)->verdict = verdict;
}

/* Planning */

// 0 or -errno, told.
static int
plan_leg(struct leg *leg)
{
	struct bulk *b = leg->bulk;

	do {
		side_close_extra(b->dst);
		bulk_plan(b);
		if (b->plan.way != PLAN_BULK) {
			hooks_tell(leg->env.hooks,
				   (struct event){.kind = FAILURE_NOT_TEED,
						  .name = b->dst->name,
						  .word = b->plan.way_reason});
			return -EINVAL;
		}
	} while (!stretch_open_dst(b));
	return 0;
}

// How far there is something to read; what is behind the end of a destination
// tells that it is full.
static uint64_t
reach(const struct tee *tee)
{
	const struct plan *plan = &tee->plan;
	const struct facts *src = &tee->t->src.facts;

	if (!facts_has_offsets(src))
		return min_u64(plan->count_len, MANY);
	return min_u64(plan->count_len, src->size - plan->src_off);
}

static uint64_t
room_of(const struct leg *leg)
{
	const struct facts *dst = &leg->bulk->dst->facts;
	const uint64_t off = leg->bulk->plan.dst_off;

	if (!facts_is_device(dst))
		return UINT64_MAX;
	return dst->size > off ? dst->size - off : 0;
}

static void
join(struct tee *tee)
{
	struct plan *plans[REQUEST_TEES_MAX + 1];

	for (unsigned i = 0; i < tee->legs->nr; i++)
		plans[i] = &leg_of(tee, i)->bulk->plan;
	join_plans(plans, tee->legs->nr, memory_allowed(), &tee->plan);
	tee->plan.len = reach(tee);
	for (unsigned i = 0; i < tee->legs->nr; i++)
		plans[i]->len = min_u64(tee->plan.len, room_of(leg_of(tee, i)));
}

// True: there is no kernel AIO for somebody who counts on it.
static bool
open_engines(struct tee *tee)
{
	const struct aio_kernel *kernel = tee->t->env.kernel;
	bool is_refused = false;

	for (unsigned i = 0; i < tee->legs->nr; i++) {
		struct bulk *b = leg_of(tee, i)->bulk;
		const bool is_aio = b->plan.dst.method == PLAN_AIO;

		bulk_done(b);
		const int r = aio_open(&b->aio, is_aio ? kernel : NULL,
				       b->plan.depth);
		if (r < 0)
			b->refused.aio_error = r;
		is_refused = is_refused || r < 0;
		aio_set_aside(&b->aio);
	}
	aio_done(&tee->aio);
	const int r = aio_open(&tee->aio,
			       tee->plan.src.method == PLAN_AIO ? kernel : NULL,
			       tee->plan.depth);
	for (unsigned i = 0; r < 0 && i < tee->legs->nr; i++)
		leg_of(tee, i)->bulk->refused.aio_error = r;
	return is_refused || r < 0;
}

// What skip= leaves out of a stream the feeder reads, and drops.
static bool
open_src(struct tee *tee)
{
	struct side *src = &tee->t->src;

	if (tee->plan.src.method == PLAN_FEED && src->engine == NULL &&
	    src->ops->feed(src, 0) < 0) {
		leg_of(tee, 0)->bulk->refused.src.offsets = true;
		return false;
	}
	return stretch_open_src(leg_of(tee, 0)->bulk);
}

// As it is planned, with all that it counts on. 0 or -errno, told.
static int
prepare(struct tee *tee)
{
	struct bulk *first = tee->t->legs->all[0].bulk;
	bool is_again;

	do {
		side_close_extra(&tee->t->src);
		for (unsigned i = 0; i < tee->legs->nr; i++) {
			const int r = plan_leg(leg_of(tee, i));

			if (r < 0)
				return r;
		}
		join(tee);
		is_again = open_engines(tee) || !open_src(tee);
		for (unsigned i = 1; i < tee->legs->nr; i++)
			leg_of(tee, i)->bulk->refused.src = first->refused.src;
	} while (is_again);
	for (unsigned i = 0; i < tee->legs->nr; i++) {
		struct leg *leg = leg_of(tee, i);

		if (settle_grow(leg->bulk) < 0) {
			leg->bulk->refused.dst.direct = true;
			return prepare(tee);
		}
	}
	return 0;
}

/* The ring */

static void
init_branch(struct fan_branch *branch, struct leg *leg)
{
	struct bulk *b = leg->bulk;
	struct output *out = leg->out;
	const bool clears = plan_clears(&b->plan) && out->clear.side != NULL;

	*branch = (struct fan_branch){.env = &leg->env,
				      .plan = &b->plan,
				      .aio = &b->aio,
				      .side = b->dst,
				      .hold = out->hold,
				      .writeback = out->writeback,
				      .clear = clears ? &out->clear : NULL};
	b->ring = &branch->ring;
	b->writer = &branch->writer;
}

static int
init_fan(struct tee *tee)
{
	const unsigned nr = tee->legs->nr;

	tee->branches = calloc(nr, sizeof(*tee->branches));
	if (tee->branches == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < nr; i++)
		init_branch(&tee->branches[i], leg_of(tee, i));
	return fan_init(&tee->fan, tee->branches, nr);
}

// What there is of one of them when the ring has ended.
static void
settle_leg(struct tee *tee, unsigned i, const struct copy *copy)
{
	struct leg *leg = leg_of(tee, i);
	struct fan_branch *branch = &tee->branches[i];
	struct bulk *b = leg->bulk;
	const uint64_t n = min_u64(ring_prefix(&branch->ring), copy->ring.end);
	const struct request *q = &leg->asked;

	leg->is_stalled = branch->is_stalled;
	if (leg->is_stalled) {
		stats_count(&leg->stats, n, q->ibs, q->obs);
		leg->verdict = TRANSFER_FAILED;
		return;
	}
	b->nr_direct = bulk_direct(b);
	if (settle_branch(b, n, min_u64(copy->ring.next, b->plan.len)) ==
		    BULK_FAILED ||
	    branch->failure.kind != EVENT_NONE)
		leg->verdict = TRANSFER_FAILED;
	b->ring = NULL;
	b->writer = NULL;
	side_close_extra(b->dst);
	aio_start_done(&b->aio);
}

static void
tell_src(const struct tee *tee, const struct copy *copy,
	 enum copy_verdict verdict)
{
	struct event failure = copy->failure;

	if (verdict == COPY_LOST)
		failure = (struct event){.kind = FAILURE_READ,
					 .error = EIO,
					 .name = tee->t->src.name,
					 .off = ring_prefix(&copy->ring)};
	if (failure.kind == EVENT_NONE)
		return;
	failure.off += tee->plan.src_off;
	hooks_tell(tee->t->env.hooks, failure);
}

static void
settle(struct tee *tee, const struct copy *copy, enum copy_verdict verdict)
{
	const struct request *q = tee->t->env.asked;
	const bool is_bad = verdict == COPY_LOST ||
			    copy->failure.kind != EVENT_NONE;
	uint64_t best = 0;

	for (unsigned i = 0; verdict == COPY_LOST && i < tee->legs->nr; i++)
		if (!tee->branches[i].is_stalled)
			aio_abandon(tee->branches[i].aio);
	for (unsigned i = 0; i < tee->legs->nr; i++) {
		settle_leg(tee, i, copy);
		best = max_u64(best, leg_of(tee, i)->stats.bytes);
	}
	stats_count(tee->t->env.stats, best, q->ibs, q->obs);
	tell_src(tee, copy, verdict);
	if (is_bad)
		set_all(tee, TRANSFER_FAILED);
	if (copy->is_stopped && !fan_is_out(&tee->fan))
		set_all(tee, TRANSFER_STOPPED);
	tee->t->is_copied = legs_verdict(tee->legs) == TRANSFER_OK;
}

static int
run_ring(struct tee *tee)
{
	struct transfer *t = tee->t;
	const struct copy_parts parts = {.env = &t->env,
					 .plan = &tee->plan,
					 .aio = &tee->aio,
					 .src = &t->src,
					 .dst = &null_side,
					 .fan = &tee->fan};
	struct copy copy;
	int r = init_fan(tee);

	if (r == 0) {
		r = copy_init(&copy, &parts);
		if (r < 0)
			fan_done(&tee->fan);
	}
	if (r < 0)
		return hooks_tell(t->env.hooks,
				  (struct event){.kind = FAILURE_DST_MEMORY,
						 .error = -r,
						 .len = tee->plan.job_size *
							tee->plan.depth});
	const enum copy_verdict verdict = copy_open_loop(&copy) == 0
						  ? copy_run(&copy)
						  : COPY_LOST;
	settle(tee, &copy, verdict);
	copy_done(&copy);
	fan_done(&tee->fan);
	return 0;
}

static void
expect(struct tee *tee)
{
	struct stats *stats = tee->t->env.stats;

	bulk_expect(leg_of(tee, 0)->bulk);
	stats->bytes_total = leg_of(tee, 0)->stats.bytes_total;
	if (facts_has_offsets(&tee->t->src.facts))
		stats->bytes_total = tee->plan.len;
	bulk_tell_plan(leg_of(tee, 0)->bulk);
	for (unsigned i = 0; i < tee->legs->nr; i++) {
		leg_of(tee, i)->stats.start_ns = stats->start_ns;
		bulk_caution(leg_of(tee, i)->bulk);
	}
}

// All that can be had. 0 or -errno, told.
static int
move(struct tee *tee)
{
	struct transfer *t = tee->t;
	int r;

	for (unsigned i = 1; i < tee->legs->nr; i++) {
		r = output_prepare(leg_of(tee, i)->out, &t->src.facts);
		if (r < 0)
			return r;
	}
	if (transfer_has_nothing(t)) {
		t->is_copied = true;
		bulk_plan(leg_of(tee, 0)->bulk);
		bulk_tell_plan(leg_of(tee, 0)->bulk);
		for (unsigned i = 0; i < tee->legs->nr; i++)
			leg_of(tee, i)->stats.start_ns = t->env.stats->start_ns;
		return 0;
	}
	r = prepare(tee);
	if (r < 0)
		return r;
	expect(tee);
	r = run_ring(tee);
	side_close_extra(&t->src);
	aio_start_done(&tee->aio);
	return r;
}

/* What follows */

static void
sync_leg(struct leg *leg)
{
	unsigned conv = output_syncs(leg->out);

	if (leg->verdict != TRANSFER_OK)
		return;
	if (leg->bulk->needs_fsync)
		conv |= CONV_FSYNC;
	const int r = output_sync(leg->out, conv);
	if (r == -ECANCELED)
		leg->verdict = TRANSFER_STOPPED;
	else if (r < 0 || leg->out->side.close_error < 0)
		leg->verdict = TRANSFER_FAILED;
}

static enum transfer_verdict
verdict_of(int r)
{
	switch (r) {
	case 0:
		return TRANSFER_OK;
	case -EBADMSG:
		return TRANSFER_DIFFERS;
	case -ESTALE:
		return TRANSFER_UNEXPECTED;
	case -ECANCELED:
		return TRANSFER_STOPPED;
	default:
		return TRANSFER_FAILED;
	}
}

static struct judge
judge_of(struct transfer *t, struct leg *leg)
{
	struct output *out = leg->out;

	return (struct judge){
		.verify = {.env = &t->env,
			   .src = &t->src,
			   .dst = &out->side,
			   .back = &out->back,
			   .hold = out->hold,
			   .differ = {.env = &leg->env,
				      .kind = FAILURE_DIFFERS,
				      .name = out->side.name,
				      .dst_off = out->start},
			   .src_off = t->src_start,
			   .dst_off = out->start,
			   .len = t->env.stats->bytes},
		.packed = t->src.facts.unpacked != 0 ? t->packed_hasher : NULL,
		.packed_len = packed_state(&t->src).in,
		.change = &t->change,
		.guide = &t->guide,
		.is_synced = out->is_synced};
}

static void
judge_leg(struct transfer *t, struct leg *leg)
{
	struct judge judge = judge_of(t, leg);

	if (leg->verdict != TRANSFER_OK)
		return;
	leg->verdict = verdict_of(judge_dst(&judge));
	verify_done(&judge.verify);
	leg->out->is_synced = judge.is_synced;
	leg->stats.verified = t->env.stats->verified;
}

static void
judge_all(struct tee *tee, bool has_changed)
{
	struct transfer *t = tee->t;
	struct judge judge = judge_of(t, leg_of(tee, 0));
	const int r = judge_src(&judge, has_changed);

	outline_end(&t->outline, t->env.stats->bytes);
	set_all(tee, verdict_of(r));
	for (unsigned i = 0; i < tee->legs->nr; i++) {
		struct leg *leg = leg_of(tee, i);

		judge_leg(t, leg);
		t->env.stats->differing += leg->stats.differing;
		t->env.stats->nr_differing += leg->stats.nr_differing;
	}
}

// It is there, or what is there is kept.
static void
close_leg(struct transfer *t, struct leg *leg)
{
	struct output *out = leg->out;

	if (leg->is_stalled)
		return;
	if (leg != &t->legs->all[0]) {
		bulk_done(leg->bulk);
		bulk_add_counters(&t->bulk, &leg->bulk->counters);
	}
	if (request_reads_dst(&leg->asked))
		side_close_extra(&out->back);
	if (leg->verdict == TRANSFER_OK)
		output_read_table(out);
	safety_done(&out->safety);
	const int r = out->side.ops->close(&out->side);
	if (r < 0) {
		side_tell(&out->side, t->env.hooks, FAILURE_CLOSE_DST, -r);
		leg->verdict = TRANSFER_FAILED;
	} else {
		out->is_closed = true;
	}
}

static void
rename_leg(struct leg *leg)
{
	if (leg->verdict == TRANSFER_OK) {
		const int r = output_rename(leg->out);

		if (r < 0)
			leg->verdict = r == -ECANCELED ? TRANSFER_STOPPED
						       : TRANSFER_FAILED;
	}
	commit_done(&leg->out->commit);
}

static void
close_all(struct tee *tee)
{
	struct transfer *t = tee->t;

	if (!leg_of(tee, 0)->is_stalled)
		bulk_done(&t->bulk);
	aio_done(&tee->aio);
	bulk_add_counters(&t->bulk, &tee->aio.counters);
	const int r = t->src.ops->close(&t->src);
	if (r < 0) {
		side_tell(&t->src, t->env.hooks, FAILURE_CLOSE_SRC, -r);
		set_all(tee, TRANSFER_FAILED);
	}
	for (unsigned i = 0; i < tee->legs->nr; i++) {
		close_leg(t, leg_of(tee, i));
		rename_leg(leg_of(tee, i));
	}
}

static void
finish(struct tee *tee)
{
	struct transfer *t = tee->t;
	const struct judge judge = judge_of(t, leg_of(tee, 0));
	// Told before the sync, which can take long.
	const bool has_changed = judge_has_changed(&judge);

	hooks_tell(t->env.hooks, (struct event){.kind = NOTICE_SYNCING});
	for (unsigned i = 0; i < tee->legs->nr; i++)
		sync_leg(leg_of(tee, i));
	judge_all(tee, has_changed);
	close_all(tee);
}

enum transfer_verdict
tee_run(struct transfer *t)
{
	struct tee tee = {.t = t, .legs = t->legs};
	const int r = move(&tee);

	if (r < 0) {
		aio_done(&tee.aio);
		for (unsigned i = 0; i < t->legs->nr; i++)
			bulk_done(t->legs->all[i].bulk);
		free(tee.branches);
		return TRANSFER_UNCOUNTED;
	}
	t->legs->is_begun = true;
	finish(&tee);
	if (!tee.fan.is_stalled)
		free(tee.branches);
	return legs_verdict(t->legs);
}
