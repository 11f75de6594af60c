// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "stretch.h"

#include <fcntl.h>

#include "base.h"
#include "bulk.h"
#include "copy.h"
#include "env.h"
#include "growth.h"
#include "offload.h"
#include "output.h"
#include "request.h"
#include "settle.h"

// The descriptors that the plan counts on for one side. False: one of them
// cannot be had, which is noted, and the plan is to be made again.
static bool
prepare_side(struct side *side, const struct plan_side *plan, int access,
	     struct plan_refused_side *refused)
{
	if (side->ops->open(side, access, SIDE_BUFFERED) < 0) {
		refused->offsets = true;
		return false;
	}
	if (plan_is_direct(plan) &&
	    side->ops->open(side, access, SIDE_DIRECT) < 0) {
		refused->direct = true;
		return false;
	}
	return true;
}

// What is only compared is read by descriptions of its own.
static int
dst_access(const struct bulk *b)
{
	return request_writes(b->request) ? O_WRONLY : O_RDONLY;
}

// One stretch goes on where another has not begun.
static bool
feed_src(struct bulk *b)
{
	struct side *src = b->src;

	if (src->engine != NULL || src->ops->feed(src, b->plan.src_off) == 0)
		return true;
	b->refused.src.offsets = true;
	return false;
}

bool
stretch_open_src(struct bulk *b)
{
	const struct plan_side *plan = &b->plan.src;

	return plan->method == PLAN_FEED
		       ? feed_src(b)
		       : prepare_side(b->src, plan, O_RDONLY, &b->refused.src);
}

bool
stretch_open_dst(struct bulk *b)
{
	return prepare_side(b->dst, &b->plan.dst, dst_access(b),
			    &b->refused.dst);
}

bool
stretch_open(struct bulk *b)
{
	return stretch_open_src(b) && stretch_open_dst(b);
}

static bool
prepare(struct bulk *b)
{
	if (!stretch_open(b))
		return false;
	// Through the page cache the file grows as it is written.
	if (growth_begin(b) < 0) {
		b->refused.dst.direct = true;
		return false;
	}
	return true;
}

// From some place on zeros were written: the plan says so, and why.
static void
note_refused(struct bulk *b)
{
	if (!plan_clears(&b->plan) || b->clear->refused == NULL)
		return;
	b->plan.zeros = PLAN_ZEROS_WRITE;
	b->plan.zeros_reason = b->clear->refused;
	bulk_tell_plan(b);
}

static enum bulk_verdict
take_through_ring(struct bulk *b)
{
	struct clear *clear = b->clear;
	const struct copy_parts parts = {
		.env = b->env,
		.plan = &b->plan,
		.aio = &b->aio,
		.src = b->src,
		.dst = b->dst,
		.back = &b->out->back,
		.differ = b->differ,
		.hold = b->out->hold,
		.writeback = b->out->writeback,
		.clear = plan_clears(&b->plan) && clear->side != NULL ? clear
								      : NULL,
		.base = b->rest.done,
		.counted = b->rest.counted};
	struct copy copy;
	enum bulk_verdict verdict;

	if (copy_init(&copy, &parts) < 0)
		return settle_nothing(b);
	if (copy_open_loop(&copy) == 0) {
		b->ring = &copy.ring;
		b->ring_base = b->rest.done;
		b->writer = &copy.writer;
		const enum copy_verdict end = copy_run(&copy);
		note_refused(b);
		verdict = settle_copy(b, &copy, end);
		b->nr_direct = bulk_direct(b);
		b->ring = NULL;
		b->writer = NULL;
	} else {
		verdict = settle_nothing(b);
	}
	copy_done(&copy);
	return verdict;
}

// BULK_AGAIN also where something was refused that the plan had counted on.
static enum bulk_verdict
run_ring(struct bulk *b)
{
	const enum bulk_verdict verdict = prepare(b) ? take_through_ring(b)
						     : BULK_AGAIN;

	aio_start_done(&b->aio); // while others go on: bulk_done
	side_close_extra(b->src);
	side_close_extra(b->dst);
	return verdict;
}

static bool
is_in_ring(const struct bulk *b)
{
	return b->plan.way == PLAN_BULK && b->plan.src.method != PLAN_KERNEL;
}

// The next one, as it is planned now.
static enum bulk_verdict
run_next(struct bulk *b, bool is_told)
{
	bulk_plan(b);
	if (is_in_ring(b))
		bulk_open_aio(b); // or plan without
	if (is_told)
		bulk_tell_plan(b);
	bulk_caution(b);
	if (b->plan.way != PLAN_BULK)
		return BULK_RECORDS;
	return is_in_ring(b) ? run_ring(b) : offload_copy(b);
}

enum bulk_verdict
stretch_run(struct bulk *b)
{
	enum bulk_verdict verdict;

	bulk_plan(b);
	bulk_expect(b);
	verdict = offload_clone(b);
	while (verdict == BULK_AGAIN)
		verdict = run_next(b, true);
	return verdict;
}

enum bulk_verdict
stretch_resume(struct bulk *b)
{
	// It goes on as it was told.
	enum bulk_verdict verdict = run_next(b, false);

	while (verdict == BULK_AGAIN)
		verdict = run_next(b, true);
	return verdict;
}
