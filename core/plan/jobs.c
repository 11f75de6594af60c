// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "jobs.h"

#include <assert.h>

#include "base.h"
#include "lcm.h"
#include "pace.h"
#include "plan.h"
#include "request.h"

// Two direct requests should not meet within a page or a block of the file
// system, which lets in one at a time then: that of the destination, or where
// only the source is direct, its own. Records of zeros begin with the copy.
static size_t
skew_of(const struct plan *plan, const struct request *q)
{
	const bool is_dst = plan->dst.align > 0 || q->manifest != NULL;
	const uint64_t off = is_dst ? plan->dst_off : plan->src_off;
	const size_t skew = (size_t)(off % plan->step);

	if ((plan->src.align == 0 && !is_dst) ||
	    plan->sparse_unit > 0 ||
	    skew % max_u64(plan->src.align, 1) != 0)
		return 0;
	return skew;
}

// How long a request is to be, and why.
static uint64_t
choose_size(struct plan *plan, const struct request *q)
{
	const bool is_served = plan->src.method == PLAN_NBD ||
			       plan->dst.method == PLAN_NBD;
	const bool is_direct = is_served || plan_is_direct(&plan->src) ||
			       plan_is_direct(&plan->dst);
	uint64_t size = is_direct ? PLAN_JOB_SIZE : PLAN_CACHE_SIZE;

	plan->job_reason = is_served   ? "suits a server"
			   : is_direct ? "suits direct I/O"
				       : "suits the page cache";
	if (q->iosize > 0) {
		size = q->iosize;
		plan->job_reason = "iosize=";
	}
	if (q->rate > 0 && size > pace_piece(q->rate)) {
		size = pace_piece(q->rate);
		plan->job_reason = "1/20 second of data at rate=";
	}
	if (plan->job_most > 0 && size > plan->job_most) {
		size = plan->job_most;
		plan->job_reason = "the server takes no more at a time";
	}
	return size;
}

void
jobs_plan(struct plan *plan, const struct request *q)
{
	const bool is_aio = plan_overlaps(plan);
	const uint64_t size = choose_size(plan, q);

	plan->step = plan->sparse_unit > 0
			     ? (size_t)lcm(plan->sparse_unit, PLAN_ALIGN)
			     : PLAN_ALIGN;
	// Whole ranges of the manifest, if they are not made smaller.
	if (q->manifest != NULL && size >= PLAN_CACHE_SIZE)
		plan->step = (size_t)lcm(plan->step, PLAN_CACHE_SIZE);
	// A direct request is for whole sectors, and must fit the buffer.
	plan->step = (size_t)lcm(plan->step, max_u64(plan->src.align, 1));
	plan->step = (size_t)lcm(plan->step, max_u64(plan->dst.align, 1));
	plan->job_size = (size_t)round_up(size, plan->step);
	if (plan->job_most > 0 && plan->job_size > plan->job_most)
		plan->job_size = (size_t)max_u64(
			round_down(plan->job_most, plan->step), plan->step);
	assert(plan->job_size > 0);
	plan->skew = skew_of(plan, q);
	plan->resume_unit = lcm(plan->unit, plan->step);
	if (plan->resume_unit > PLAN_UNIT_MAX)
		plan->resume_unit = plan->unit;

	plan->depth = is_aio ? PLAN_DEPTH : 1;
	plan->depth_reason = is_aio ? "keeps the device busy"
				    : "no overlap without kernel AIO";
	if (!is_aio && q->nr_tees > 0) {
		plan->depth = PLAN_DEPTH;
		plan->depth_reason = "keeps all destinations busy";
	} else if (!is_aio && plan->src.method == PLAN_FEED) {
		plan->depth = PLAN_FEED_DEPTH;
		plan->depth_reason = "reading overlaps the copy";
	} else if (!is_aio && request_is_hashed(q)) {
		plan->depth = PLAN_DIGEST_DEPTH;
		plan->depth_reason = "hashing overlaps the copy";
	}
	if (q->depth > 0) {
		plan->depth = (unsigned)q->depth;
		plan->depth_reason = "depth=";
	}
	if (plan->depth > PLAN_RING_MAX / plan_job_room(plan)) {
		plan->depth = (unsigned)max_u64(1, PLAN_RING_MAX /
							   plan_job_room(plan));
		plan->depth_reason = "buffers are limited to 1 GiB";
	}
	const uint64_t burst = q->rate / 5 / plan->job_size;
	if (q->rate > 0 && plan->depth > max_u64(burst, 2)) {
		plan->depth = (unsigned)max_u64(burst, 2);
		plan->depth_reason = "1/5 second of data at rate=";
	}
	const uint64_t nr_jobs = (plan->len - 1) / plan->job_size + 1;
	if (nr_jobs < plan->depth) {
		plan->depth = (unsigned)nr_jobs;
		plan->depth_reason = "enough for the whole copy";
	}
}
