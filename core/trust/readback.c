// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "readback.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "copy.h"
#include "env.h"
#include "event.h"
#include "hasher.h"
#include "hooks.h"
#include "loop.h"
#include "memory.h"
#include "null.h"
#include "plan.h"
#include "planner.h"
#include "side.h"
#include "stats.h"

static int
tell(const struct readback *b, enum event_kind kind, uint64_t off, int r)
{
	return hooks_tell(b->env->hooks, (struct event){.kind = kind,
							.error = -r,
							.name = b->dst->name,
							.off = off});
}

// What the page cache holds proves nothing. Its pages are clean by now, so
// that they can be dropped; O_DIRECT, where there is any, goes around it.
static void
drop_cache(const struct readback *b, uint64_t len)
{
	if (b->dst->ops->drop_cache(b->dst, b->off, len) < 0)
		tell(b, NOTICE_CACHE_KEPT, b->off, 0);
}

static int
copy_back(struct readback *b, struct copy *copy)
{
	const enum copy_verdict verdict = copy_run(copy);

	b->got = copy->base + ring_prefix(&copy->ring);
	if (copy->is_stopped)
		return -ECANCELED;
	if (verdict == COPY_LOST)
		return tell(b, FAILURE_VERIFY, b->off, -EIO);
	if (copy->failure.kind != EVENT_NONE)
		return tell(b, FAILURE_VERIFY,
			    b->off + copy->base + copy->failure.off,
			    -copy->failure.error);
	return 0;
}

static void
count(const struct readback *b)
{
	const struct request *q = b->env->asked;

	if (!b->is_attesting)
		b->env->stats->verified = b->got;
	else
		stats_count(b->env->stats, b->got - b->env->stats->left_out,
			    q->ibs, q->obs);
}

// Bytes to be read next, behind what is in no range.
static size_t
next_len(struct readback *b)
{
	struct extent extent = {0};
	uint64_t most = HASH_RANGE_LEN;

	if (b->back->ranges != NULL) {
		side_find_data(b->back, b->off + b->got, &extent);
		const uint64_t gap = extent.start - b->off - b->got;

		b->env->stats->left_out += gap;
		b->got += gap;
		most = min_u64(most, extent.end - extent.start);
	}
	return (size_t)min_u64(most, b->len - b->got);
}

// Where nothing can be waited for: one read after the other.
static int
read_plainly(struct readback *b, struct hasher *hasher)
{
	const struct hooks *h = b->env->hooks;
	unsigned char *buf = malloc(HASH_RANGE_LEN);
	int r = buf != NULL ? 0 : -ENOMEM;

	while (r == 0 && b->got < b->len) {
		const size_t len = next_len(b);
		const uint64_t nr = hasher_nr_done(hasher) + 1;

		r = side_read_whole(b->back, SIDE_BUFFERED, buf, len,
				    b->off + b->got, h);
		if (r < 0)
			break;
		hasher_put(hasher, b->got, buf, len);
		hasher_wait(hasher, nr);
		b->got += len;
		count(b);
		if (h->tick != NULL)
			h->tick(h->ctx);
	}
	free(buf);
	return r < 0 && r != -ECANCELED
		       ? tell(b, FAILURE_VERIFY, b->off + b->got, r)
		       : r;
}

// Into nothing but the digest.
static int
init_copy(struct readback *b, struct copy *copy, const struct env *env,
	  struct plan *plan)
{
	const struct copy_parts parts = {.env = env,
					 .plan = plan,
					 .aio = &b->aio,
					 .src = b->back,
					 .dst = &null_side,
					 .base = b->got,
					 .is_reading_back = !b->is_attesting};
	int r = copy_init(copy, &parts);

	if (r == -ENOMEM) {
		plan->depth = 1;
		plan->job_size = (size_t)round_up(PLAN_CACHE_SIZE, plan->step);
		r = copy_init(copy, &parts);
	}
	return r;
}

static int
read_back(struct readback *b, struct hasher *hasher)
{
	struct env env = *b->env;
	struct plan plan;
	struct copy copy;
	bool has_loop = true;

	if (b->got == b->len)
		return 0;
	env.hasher = hasher;
	env.manifest = NULL;
	planner_make_back(&plan, b->env->asked, &b->back->facts,
			  b->off + b->got, b->len - b->got);
	if (plan_is_large(&plan))
		plan_fit(&plan, memory_allowed());
	// Where it is refused, by calls.
	(void)aio_open(&b->aio, plan_uses_aio(&plan) ? b->env->kernel : NULL,
		       plan.depth);
	int r = init_copy(b, &copy, &env, &plan);
	if (r < 0) {
		tell(b, FAILURE_VERIFY, b->off, r);
	} else {
		has_loop = copy_open_loop(&copy) == 0 &&
			   loop_wait(&copy.watch.loop, 0) == 0;
		if (has_loop)
			r = copy_back(b, &copy);
		copy_done(&copy);
	}
	aio_start_done(&b->aio); // while what was read is compared
	return has_loop ? r : read_plainly(b, hasher);
}

// Around the page cache where that can be done.
static int
read_block(const struct readback *b, unsigned char *buf, size_t len)
{
	const uint32_t align = b->back->facts.dio_align;
	const bool is_direct = align > 0 && b->off % align == 0;
	const struct hooks *h = b->env->hooks;
	int r = -EINVAL;

	if (is_direct)
		r = side_read_whole(b->back, SIDE_DIRECT, buf,
				    (size_t)round_up(len, align), b->off, h);
	if (r == -EINVAL)
		r = side_read_whole(b->back, SIDE_BUFFERED, buf, len, b->off,
				    h);
	return r;
}

int
readback_run(struct readback *b, struct hasher *hasher)
{
	drop_cache(b, b->len);
	int r = read_back(b, hasher);
	if (r < 0)
		return r;
	r = hasher_finish(hasher, b->got, b->env->hooks);
	return r < 0 && r != -ECANCELED ? tell(b, FAILURE_VERIFY, b->off, r)
					: r;
}

int
readback_block(struct readback *b, unsigned char *buf, size_t len)
{
	drop_cache(b, len);
	const int r = read_block(b, buf, len);
	if (r < 0)
		return r != -ECANCELED ? tell(b, FAILURE_VERIFY, b->off, r) : r;
	b->env->stats->verified += len;
	return 0;
}

void
readback_done(struct readback *b)
{
	aio_done(&b->aio);
}
