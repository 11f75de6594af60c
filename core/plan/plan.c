// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "plan.h"

#include "base.h"

#define PLAN_FIT_DEPTH 4 // smaller jobs rather than fewer

bool
plan_is_direct(const struct plan_side *side)
{
	return side->method == PLAN_CALL || side->method == PLAN_AIO;
}

bool
plan_is_large(const struct plan *plan)
{
	return plan->way == PLAN_BULK && plan->job_size > 0 &&
	       plan->depth > PLAN_RING_SMALL / plan_job_room(plan);
}

void
plan_fit(struct plan *plan, uint64_t memory)
{
	const size_t buffers = plan_job_room(plan) / plan->job_size;
	const uint64_t most = max_u64(memory / PLAN_RING_SHARE,
				      PLAN_RING_SMALL) /
			      buffers;
	const uint64_t part = most / min_u64(plan->depth, PLAN_FIT_DEPTH);

	if (plan->depth <= most / plan->job_size)
		return;
	if (plan->job_size > part) {
		plan->job_size = (size_t)max_u64(round_down(part, plan->step),
						 plan->step);
		plan->job_reason = "memory is limited";
	}
	const uint64_t depth = max_u64(1, most / plan->job_size);
	if (depth >= plan->depth)
		return;
	plan->depth = (unsigned)depth;
	plan->depth_reason = "a quarter of the available memory";
}

bool
plan_clears(const struct plan *plan)
{
	return plan->zeros >= PLAN_ZEROS_PUNCH;
}

bool
plan_uses_aio(const struct plan *plan)
{
	return plan->src.method == PLAN_AIO || plan->dst.method == PLAN_AIO;
}

bool
plan_overlaps(const struct plan *plan)
{
	return plan_uses_aio(plan) || plan->src.method == PLAN_NBD ||
	       plan->dst.method == PLAN_NBD;
}
