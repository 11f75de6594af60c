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
#include "judge.h"
#include "legs.h"
#include "null.h"
#include "settle.h"
#include "tee_plan.h"

struct tee {
	struct transfer *t;
	struct legs *legs;
	struct fan fan;
	struct fan_branch *branches;
	struct tee_plan read;
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

	leg->is_stalled = leg->out->is_stalled = branch->is_stalled;
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
	failure.off += tee->read.plan.src_off;
	hooks_tell(tee->t->env.hooks, failure);
}

static void
add_zeros(struct stats_zeros *to, const struct stats_zeros *part)
{
	to->offloaded += part->offloaded;
	to->punched += part->punched;
	to->written += part->written;
	to->made_up += part->made_up;
	to->skipped += part->skipped;
}

static void
settle(struct tee *tee, const struct copy *copy, enum copy_verdict verdict)
{
	const struct request *q = tee->t->env.asked;
	// A read that was only waited for is taken back when nobody waits.
	const bool is_bad = verdict == COPY_LOST ||
			    (copy->failure.kind != EVENT_NONE &&
			     copy->failure.error != ECANCELED);
	uint64_t best = 0;

	for (unsigned i = 0; verdict == COPY_LOST && i < tee->legs->nr; i++)
		if (!tee->branches[i].is_stalled)
			aio_abandon(tee->branches[i].aio);
	for (unsigned i = 0; i < tee->legs->nr; i++) {
		settle_leg(tee, i, copy);
		best = max_u64(best, leg_of(tee, i)->stats.bytes);
		add_zeros(&tee->t->env.stats->zeros,
			  &leg_of(tee, i)->stats.zeros);
	}
	stats_count(tee->t->env.stats, best, q->ibs, q->obs);
	if (is_bad) {
		tell_src(tee, copy, verdict);
		set_all(tee, TRANSFER_FAILED);
	}
	if (copy->is_stopped && !fan_is_out(&tee->fan))
		set_all(tee, TRANSFER_STOPPED);
	tee->t->is_copied = legs_verdict(tee->legs) == TRANSFER_OK;
	for (unsigned i = 0; i < tee->legs->nr; i++)
		leg_of(tee, i)->is_copied = leg_of(tee, i)->verdict ==
					    TRANSFER_OK;
}

static int
run_ring(struct tee *tee)
{
	struct transfer *t = tee->t;
	const struct copy_parts parts = {.env = &t->env,
					 .plan = &tee->read.plan,
					 .aio = &tee->read.aio,
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
		return hooks_tell(
			t->env.hooks,
			(struct event){.kind = FAILURE_DST_MEMORY,
				       .error = -r,
				       .len = tee->read.plan.job_size *
					      tee->read.plan.depth});
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
		stats->bytes_total = tee->read.plan.len;
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
		for (unsigned i = 0; i < tee->legs->nr; i++) {
			leg_of(tee, i)->stats.start_ns = t->env.stats->start_ns;
			leg_of(tee, i)->is_copied = true;
		}
		return 0;
	}
	r = tee_plan_make(&tee->read);
	if (r < 0)
		return r;
	expect(tee);
	r = run_ring(tee);
	side_close_extra(&t->src);
	aio_start_done(&tee->read.aio);
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
	struct stats *stats = t->env.stats;

	if (leg->verdict != TRANSFER_OK)
		return;
	leg->verdict = transfer_judged(judge_dst(&judge));
	verify_done(&judge.verify);
	leg->out->is_synced = judge.is_synced;
	leg->stats.verified = stats->verified;
	stats->verified_others += stats->verified;
	stats->verified = 0;
}

static void
judge_all(struct tee *tee, bool has_changed)
{
	struct transfer *t = tee->t;
	struct judge judge = judge_of(t, leg_of(tee, 0));
	const int r = judge_src(&judge, has_changed);

	outline_end(&t->outline, t->env.stats->bytes);
	set_all(tee, transfer_judged(r));
	uint64_t verified = UINT64_MAX;
	for (unsigned i = 0; i < tee->legs->nr; i++) {
		struct leg *leg = leg_of(tee, i);

		judge_leg(t, leg);
		t->env.stats->differing += leg->stats.differing;
		t->env.stats->nr_differing += leg->stats.nr_differing;
		verified = min_u64(verified, leg->stats.verified);
	}
	t->env.stats->verified = verified;
	t->env.stats->verified_others -= verified;
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
	aio_done(&tee->read.aio);
	bulk_add_counters(&t->bulk, &tee->read.aio.counters);
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

// Nothing was read: no file stays at a size that would be taken for a copy.
static void
give_up(struct tee *tee, enum transfer_verdict verdict)
{
	aio_done(&tee->read.aio);
	for (unsigned i = 0; i < tee->legs->nr; i++) {
		struct bulk *b = leg_of(tee, i)->bulk;

		b->ring = NULL;
		b->writer = NULL;
		(void)settle_nothing(b); // it tells
		bulk_done(b);
	}
	set_all(tee, verdict);
	free(tee->branches);
}

enum transfer_verdict
tee_run(struct transfer *t)
{
	struct tee tee = {.t = t, .legs = t->legs, .read.t = t};
	const int r = move(&tee);

	// Whatever has come of it: what was there before was cut.
	t->legs->is_begun = true;
	if (r < 0) {
		give_up(&tee, r == -ECANCELED ? TRANSFER_STOPPED
					      : TRANSFER_FAILED);
		return transfer_not_begun(r);
	}
	finish(&tee);
	if (!tee.fan.is_stalled)
		free(tee.branches);
	return legs_verdict(t->legs);
}
