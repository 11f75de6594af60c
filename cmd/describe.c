// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "describe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "message.h"

static const char *const method_names[] = {
	[PLAN_AIO] = "aio",
	[PLAN_CALL] = "direct",
	[PLAN_KERNEL] = "kernel",
	[PLAN_INLINE] = "inline",
	[PLAN_NOTHING] = "nothing",
};

static const char *const holes_names[] = {
	[PLAN_HOLES_READ] = "read",
	[PLAN_HOLES_ZERO] = "written as zeros",
	[PLAN_HOLES_KEEP] = "kept",
};

const char *
describe_method(enum plan_method method)
{
	return method_names[method];
}

const char *
describe_way(enum plan_way way)
{
	static const char *const names[] = {
		[PLAN_RECORD] = "record",
		[PLAN_SPLICE] = "splice",
		[PLAN_BULK] = "bulk",
	};

	return names[way];
}

static void
describe_side(const char *which, const struct plan_side *side)
{
	printf("%s method: %s (%s)\n", which, method_names[side->method],
	       side->reason);
}

static void
describe_bulk(const struct plan *plan)
{
	printf("stretch: %" PRIu64 " bytes, source offset %" PRIu64
	       ", destination offset %" PRIu64 "\n",
	       plan->len, plan->src_off, plan->dst_off);
	printf("clone: %s (%s)\n", plan->is_clone ? "tried" : "no",
	       plan->clone_reason);
	describe_side("source", &plan->src);
	describe_side("destination", &plan->dst);
	printf("job size: %zu (%s)\n", plan->job_size, plan->job_reason);
	printf("depth: %u (%s)\n", plan->depth, plan->depth_reason);
	if (plan->final_size > 0)
		printf("size first: %" PRIu64 " (%s)\n", plan->final_size,
		       plan->size_reason);
	else
		printf("size first: no (%s)\n", plan->size_reason);
	printf("holes: %s (%s)\n", holes_names[plan->holes],
	       plan->holes_reason);
	if (plan->sparse_unit > 0)
		printf("new holes: %zu zero bytes (conv=sparse)\n",
		       plan->sparse_unit);
}

int
describe_plan(const struct plan *plan)
{
	printf("way: %s (%s)\n", describe_way(plan->way), plan->way_reason);
	if (plan->way == PLAN_BULK)
		describe_bulk(plan);
	if (plan->rate > 0)
		printf("rate: at most %" PRIu64 " bytes a second\n",
		       plan->rate);
	return describe_flush();
}

int
describe_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	const int error = errno;
	message_error(error, "write error");
	return -error;
}
