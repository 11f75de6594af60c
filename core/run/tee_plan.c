// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "tee_plan.h"

#include <errno.h>

#include "base.h"
#include "event.h"
#include "growth.h"
#include "hooks.h"
#include "join.h"
#include "legs.h"
#include "memory.h"
#include "stretch.h"

#define MANY round_down((uint64_t)INT64_MAX / 4, PLAN_ALIGN)

static struct leg *
leg_of(struct tee_plan *p, unsigned i)
{
	return &p->t->legs->all[i];
}

// 0 or -errno, told.
static int
plan_leg(struct leg *leg)
{
	struct bulk *b = leg->bulk;

	do {
		side_close_extra(b->dst);
		bulk_plan(b);
		if (b->plan.way != PLAN_BULK) {
			hooks_tell(leg->env.hooks,
				   (struct event){.kind = FAILURE_NOT_TEED,
						  .name = b->dst->name,
						  .word = b->plan.way_reason});
			return -EINVAL;
		}
	} while (!stretch_open_dst(b));
	return 0;
}

// How far there is something to read; what is behind the end of a destination
// tells that it is full.
static uint64_t
reach(const struct tee_plan *p)
{
	const struct plan *plan = &p->plan;
	const struct facts *src = &p->t->src.facts;

	if (!facts_has_offsets(src))
		return min_u64(plan->count_len, MANY);
	return min_u64(plan->count_len, src->size - plan->src_off);
}

static uint64_t
room_of(const struct leg *leg)
{
	const struct facts *dst = &leg->bulk->dst->facts;
	const uint64_t off = leg->bulk->plan.dst_off;

	if (!facts_is_device(dst))
		return UINT64_MAX;
	return dst->size > off ? dst->size - off : 0;
}

static void
join(struct tee_plan *p)
{
	struct plan *plans[REQUEST_TEES_MAX + 1];

	for (unsigned i = 0; i < p->t->legs->nr; i++)
		plans[i] = &leg_of(p, i)->bulk->plan;
	join_plans(plans, p->t->legs->nr, memory_allowed(), &p->plan);
	p->plan.len = reach(p);
	for (unsigned i = 0; i < p->t->legs->nr; i++)
		plans[i]->len = min_u64(p->plan.len, room_of(leg_of(p, i)));
}

// True: there is no kernel AIO for somebody who counts on it.
static bool
open_engines(struct tee_plan *p)
{
	const struct aio_kernel *kernel = p->t->env.kernel;
	bool is_refused = false;

	for (unsigned i = 0; i < p->t->legs->nr; i++) {
		struct bulk *b = leg_of(p, i)->bulk;
		const bool is_aio = b->plan.dst.method == PLAN_AIO;

		bulk_done(b);
		const int r = aio_open(&b->aio, is_aio ? kernel : NULL,
				       b->plan.depth);
		if (r < 0)
			b->refused.aio_error = r;
		is_refused = is_refused || r < 0;
		aio_set_aside(&b->aio);
	}
	aio_done(&p->aio);
	const int r = aio_open(&p->aio,
			       p->plan.src.method == PLAN_AIO ? kernel : NULL,
			       p->plan.depth);
	for (unsigned i = 0; r < 0 && i < p->t->legs->nr; i++)
		leg_of(p, i)->bulk->refused.aio_error = r;
	return is_refused || r < 0;
}

// What skip= leaves out of a stream the feeder reads, and drops.
static bool
open_src(struct tee_plan *p)
{
	struct side *src = &p->t->src;

	if (p->plan.src.method == PLAN_FEED && src->engine == NULL &&
	    src->ops->feed(src, 0) < 0) {
		leg_of(p, 0)->bulk->refused.src.offsets = true;
		return false;
	}
	return stretch_open_src(leg_of(p, 0)->bulk);
}

int
tee_plan_make(struct tee_plan *p)
{
	struct bulk *first = p->t->legs->all[0].bulk;
	bool is_again;

	do {
		side_close_extra(&p->t->src);
		for (unsigned i = 0; i < p->t->legs->nr; i++) {
			const int r = plan_leg(leg_of(p, i));

			if (r < 0)
				return r;
		}
		join(p);
		is_again = open_engines(p) || !open_src(p);
		for (unsigned i = 1; i < p->t->legs->nr; i++)
			leg_of(p, i)->bulk->refused.src = first->refused.src;
	} while (is_again);
	for (unsigned i = 0; i < p->t->legs->nr; i++) {
		struct leg *leg = leg_of(p, i);

		if (growth_begin(leg->bulk) < 0) {
			leg->bulk->refused.dst.direct = true;
			return tee_plan_make(p);
		}
	}
	return 0;
}
