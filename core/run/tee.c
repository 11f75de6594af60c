// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "tee.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "copy.h"
#include "course.h"
#include "event.h"
#include "fan.h"
#include "hooks.h"
#include "legs.h"
#include "legs_close.h"
#include "null.h"
#include "settle.h"
#include "tee_plan.h"

struct tee {
	struct transfer *t;
	struct legs *legs;
	struct fan fan;
	struct fan_branch *branches;
	struct tee_plan read;
	bool is_through; // all was read, for one of them at least
};

static struct leg *
leg_of(struct tee *tee, unsigned i)
{
	return &tee->legs->all[i];
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
	leg->reached = n;
	leg->may_be_lost = fan_may_come_back(branch) ||
			   (branch->failure.kind == EVENT_NONE &&
			    b->dst->ops->reconnect != NULL);
	if (!leg->may_be_lost &&
	    (settle_branch(b, n, min_u64(copy->ring.next, b->plan.len)) ==
		     BULK_FAILED ||
	     branch->failure.kind != EVENT_NONE))
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
	// A read that was only waited for is taken back when nobody waits.
	const bool is_bad = verdict == COPY_LOST ||
			    (copy->failure.kind != EVENT_NONE &&
			     copy->failure.error != ECANCELED);

	for (unsigned i = 0; verdict == COPY_LOST && i < tee->legs->nr; i++)
		if (!tee->branches[i].is_stalled)
			aio_abandon(tee->branches[i].aio);
	for (unsigned i = 0; i < tee->legs->nr; i++)
		settle_leg(tee, i, copy);
	tee->is_through = !is_bad && !copy->is_stopped &&
			  !fan_is_out(&tee->fan);
	if (is_bad) {
		tell_src(tee, copy, verdict);
		legs_set_all(tee->legs, TRANSFER_FAILED);
	}
	if (copy->is_stopped && !fan_is_out(&tee->fan))
		legs_set_all(tee->legs, TRANSFER_STOPPED);
}

// The rest of one, in stretches and record by record.
static enum bulk_verdict
go_on(struct bulk *b)
{
	struct course course;
	const int r = course_run(&course, b);

	course_done(&course);
	if (r == 0)
		return BULK_DONE;
	return r == -ECANCELED ? BULK_STOPPED : BULK_FAILED;
}

// From where it is safe, the others having all of it. BULK_RECORDS: it does not
// come back.
static enum bulk_verdict
catch_up(const struct tee *tee, struct leg *leg, const struct event *failure)
{
	enum bulk_verdict verdict = BULK_RECORDS;

	if (tee->is_through && facts_has_offsets(&tee->t->src.facts) &&
	    leg->verdict == TRANSFER_OK)
		verdict = settle_regain(leg->bulk, failure, leg->reached);
	if (verdict == BULK_AGAIN)
		return go_on(leg->bulk);
	if (verdict == BULK_STOPPED)
		return verdict;
	return settle_branch(leg->bulk, leg->reached, leg->reached) == BULK_DONE
		       ? verdict
		       : BULK_FAILED;
}

// Each that was lost, or may forget what it has: that its flush fails is told
// when all are flushed.
static void
regain(struct tee *tee, unsigned i)
{
	struct leg *leg = leg_of(tee, i);
	struct event failure = tee->branches[i].failure;

	if (!leg->may_be_lost)
		return;
	const enum bulk_verdict verdict = catch_up(tee, leg, &failure);
	if (verdict == BULK_DONE ||
	    (verdict == BULK_RECORDS && failure.kind == EVENT_NONE))
		return;
	if (verdict == BULK_RECORDS) {
		failure.off += leg->out->start;
		hooks_tell(leg->env.hooks, failure);
	}
	if (leg->verdict == TRANSFER_OK)
		leg->verdict = verdict == BULK_STOPPED ? TRANSFER_STOPPED
						       : TRANSFER_FAILED;
}

static void
sum_up(struct tee *tee)
{
	struct stats *stats = tee->t->env.stats;
	const struct request *q = tee->t->env.asked;
	uint64_t best = 0;

	for (unsigned i = 0; i < tee->legs->nr; i++) {
		best = max_u64(best, leg_of(tee, i)->stats.bytes);
		add_zeros(&stats->zeros, &leg_of(tee, i)->stats.zeros);
	}
	stats_count(stats, best, q->ibs, q->obs);
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
	for (unsigned i = 0; r == 0 && i < tee->legs->nr; i++)
		regain(tee, i);
	if (r == 0)
		sum_up(tee);
	return r;
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
	legs_set_all(tee->legs, verdict);
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
	legs_close_all(t, &tee.read.aio);
	if (!tee.fan.is_stalled)
		free(tee.branches);
	return legs_verdict(t->legs);
}
