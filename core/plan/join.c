// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "join.h"

#include "base.h"
#include "lcm.h"
#include "plan.h"

// What is said of the one that decides is said of all.
static void
join_one(struct plan *all, const struct plan *plan)
{
	all->step = (size_t)lcm(all->step, plan->step);
	if (plan->job_size > all->job_size) {
		all->job_size = plan->job_size;
		all->job_reason = plan->job_reason;
	}
	if (plan->job_most > 0 &&
	    (all->job_most == 0 || plan->job_most < all->job_most)) {
		all->job_most = plan->job_most;
		all->job_reason = plan->job_reason;
	}
	if (plan->depth > all->depth) {
		all->depth = plan->depth;
		all->depth_reason = plan->depth_reason;
	}
	if (plan->skew > 0)
		all->skew = (size_t)((plan->dst.align > 0 ? plan->dst_off
							  : plan->src_off) %
				     all->step);
	if (plan->holes != PLAN_HOLES_READ)
		all->holes = PLAN_HOLES_ZERO;
	all->len = max_u64(all->len, plan->len);
	all->is_any_order = all->is_any_order && plan->is_any_order;
}

void
join_plans(struct plan *const *plans, unsigned nr, uint64_t memory,
	   struct plan *ret)
{
	struct plan all = *plans[0];

	for (unsigned i = 0; i < nr; i++)
		join_one(&all, plans[i]);
	all.job_size = (size_t)round_up(all.job_size, all.step);
	if (all.job_most > 0 && all.job_size > all.job_most)
		all.job_size = (size_t)max_u64(
			round_down(all.job_most, all.step), all.step);
	plan_fit(&all, memory);
	for (unsigned i = 0; i < nr; i++) {
		plans[i]->step = all.step;
		plans[i]->skew = all.skew;
		plans[i]->job_size = all.job_size;
		plans[i]->job_reason = all.job_reason;
		plans[i]->depth = all.depth;
		plans[i]->depth_reason = all.depth_reason;
	}
	*ret = all;
}
