// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "offload.h"

#include <errno.h>

#include "base.h"
#include "bulk.h"
#include "clock.h"
#include "clone.h"
#include "env.h"
#include "event.h"
#include "hooks.h"

// Of copy_file_range: as much as is through in KERNEL_NS, for signals and the
// progress wait for it.
#define KERNEL_STEP_MIN MIB
#define KERNEL_STEP_MAX (16 * MIB)
#define KERNEL_NS (5 * 1000 * 1000)

// All of the stretch is through.
static enum bulk_verdict
complete(struct bulk *b)
{
	const struct plan *plan = &b->plan;

	return bulk_advance(b, plan->len,
			    plan->len == plan->count_len ? BULK_DONE
							 : BULK_RECORDS);
}

// From page cache to page cache, in steps that signals and progress can wait
// for. Where the kernel will not go on, the ring does.
enum bulk_verdict
offload_copy(struct bulk *b)
{
	const struct plan *plan = &b->plan;
	const struct hooks *h = b->env->hooks;
	struct clone clone = {.src_fd = b->src->fd, .dst_fd = b->dst->fd};
	uint64_t n = 0, step = KERNEL_STEP_MIN;
	int64_t got = 1;

	while (n < plan->len && (got > 0 || got == -EINTR)) {
		const uint64_t start_ns = clock_ns();

		clone.src_off = plan->src_off + n;
		clone.dst_off = plan->dst_off + n;
		clone.len = min_u64(plan->len - n, step);
		got = clone_copy(&clone);
		n += got > 0 ? (uint64_t)got : 0;
		if (clock_ns() - start_ns > KERNEL_NS)
			step = max_u64(step / 2, KERNEL_STEP_MIN);
		else
			step = min_u64(step * 2, KERNEL_STEP_MAX);
		stats_count(b->env->stats, b->rest.done + n, b->request->ibs,
			    b->request->obs);
		(void)side_put(b->src, plan->src_off + n);
		(void)side_put(b->dst, plan->dst_off + n);
		if (h->tick != NULL)
			h->tick(h->ctx);
		if (h->must_stop(h->ctx))
			return bulk_advance(b, n, BULK_STOPPED);
	}
	if (n == plan->len)
		return complete(b);
	b->refused.kernel_copy = true;
	return bulk_advance(b, round_down(n, plan->unit), BULK_AGAIN);
}

// BULK_AGAIN: it may be copied as well.
static enum bulk_verdict
not_cloned(const struct bulk *b, int r)
{
	const bool is_empty = facts_is_file(&b->src->facts) &&
			      b->src->facts.size == 0;

	if (b->request->clone != REQUEST_CLONE_ALWAYS || is_empty)
		return BULK_AGAIN;
	hooks_tell(b->env->hooks, (struct event){.kind = FAILURE_CLONE,
						 .error = -r,
						 .name = b->src->name});
	return BULK_FAILED;
}

enum bulk_verdict
offload_clone(struct bulk *b)
{
	const struct plan *plan = &b->plan;
	const struct clone clone = {.src_fd = b->src->fd,
				    .dst_fd = b->dst->fd,
				    .src_off = plan->src_off,
				    .dst_off = plan->dst_off,
				    .len = plan->len};
	const struct hooks *h = b->env->hooks;
	int r = -EOPNOTSUPP;

	if (plan->is_clone) {
		bulk_tell_plan(b);
		do {
			r = clone_extents(&clone);
		} while (r == -EINTR && !h->must_stop(h->ctx));
	}
	if (r == 0) {
		b->env->stats->skipped = plan->len;
		b->env->stats->moved_total = 0; // data, too, is not moved
		return complete(b);
	}
	if (r == -EINTR)
		return BULK_STOPPED;
	return not_cloned(b, r);
}

bool
offload_can_clone(const struct bulk *b)
{
	return b->plan.is_clone || not_cloned(b, -EOPNOTSUPP) != BULK_FAILED;
}
