// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "describe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "message.h"
#include "phrase.h"

static const char *const method_names[] = {
	[PLAN_AIO] = "aio",
	[PLAN_NBD] = "nbd",
	[PLAN_CALL] = "direct",
	[PLAN_KERNEL] = "kernel",
	[PLAN_INLINE] = "inline",
	[PLAN_FEED] = "feed",
	[PLAN_NOTHING] = "nothing",
};

static const char *const holes_names[] = {
	[PLAN_HOLES_READ] = "read",
	[PLAN_HOLES_ZERO] = "written as zeros",
	[PLAN_HOLES_KEEP] = "kept",
	[PLAN_HOLES_MAKE] = "made by the destination",
};

static const char *const zeros_names[] = {
	[PLAN_ZEROS_WRITE] = "written",
	[PLAN_ZEROS_SKIP] = "left out",
	[PLAN_ZEROS_PUNCH] = "made by the file system",
	[PLAN_ZEROS_OFFLOAD] = "made by the device",
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
print_side(const char *which, const struct plan_side *side)
{
	static const char *const names[] = {
		[PLAN_AIO] = "kernel AIO",
		[PLAN_NBD] = "NBD",
		[PLAN_CALL] = "direct",
		[PLAN_KERNEL] = "by the kernel",
		[PLAN_INLINE] = "page cache",
		[PLAN_FEED] = "read ahead by a thread",
		[PLAN_NOTHING] = "nothing to do",
	};

	printf("%s method: %s (%s)\n", which, names[side->method],
	       side->reason);
}

static void
print_holes(const struct plan *plan)
{
	char size[PHRASE_SIZE_MAX];
	const bool has_zeros = plan->holes != PLAN_HOLES_READ ||
			       plan->sparse_unit > 0;

	if (plan->holes != PLAN_HOLES_READ)
		printf("holes: %s (%s)\n", holes_names[plan->holes],
		       plan->holes_reason);
	if (has_zeros && plan->zeros_reason != NULL)
		printf("zeros: %s (%s)\n", zeros_names[plan->zeros],
		       plan->zeros_reason);
	if (plan->sparse_unit > 0 && !plan_clears(plan))
		printf("sparse: each %s of zeros becomes a hole "
		       "(conv=sparse)\n",
		       phrase_size(size, plan->sparse_unit));
}

static void
print_bulk(const struct plan *plan)
{
	char size[PHRASE_SIZE_MAX];

	if (plan->src.method == PLAN_FEED)
		printf("range: the stream, destination offset %" PRIu64 "\n",
		       plan->dst_off);
	else
		printf("range: %" PRIu64 " bytes, source offset %" PRIu64
		       ", destination offset %" PRIu64 "\n",
		       plan->len, plan->src_off, plan->dst_off);
	printf("clone: %s (%s)\n", plan->is_clone ? "tried first" : "no",
	       plan->clone_reason);
	print_side("source", &plan->src);
	print_side("destination", &plan->dst);
	if (plan->src.method != PLAN_KERNEL) {
		printf("request size: %s (%s)\n",
		       phrase_exact(size, plan->job_size), plan->job_reason);
		printf("depth: %u (%s)\n", plan->depth, plan->depth_reason);
	}
	if (plan->final_size > 0)
		printf("file size: set first (%s)\n", plan->size_reason);
	print_holes(plan);
}

int
describe_plan(const struct plan *plan)
{
	static const char *const names[] = {
		[PLAN_RECORD] = "record by record",
		[PLAN_SPLICE] = "splice",
		[PLAN_BULK] = "bulk",
	};

	printf("method: %s (%s)\n", names[plan->way], plan->way_reason);
	if (plan->way == PLAN_BULK)
		print_bulk(plan);
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
