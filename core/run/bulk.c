// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "bulk.h"

#include "base.h"
#include "caution.h"
#include "clear.h"
#include "env.h"
#include "event.h"
#include "hooks.h"
#include "manifest.h"
#include "map.h"
#include "memory.h"
#include "planner.h"
#include "ranges.h"
#include "ring.h"
#include "writer.h"

void
bulk_plan(struct bulk *b)
{
	// As a copy finds out.
	b->refused.zeros = b->clear->refused;
	if (b->request->map != NULL)
		planner_make_mapped(&b->plan, b->request, &b->src->facts,
				    &b->dst->facts, &b->refused);
	else
		planner_make(&b->plan, b->request, &b->rest, &b->src->facts,
			     &b->dst->facts, &b->refused);
	if (!plan_is_large(&b->plan))
		return;
	if (b->memory == 0)
		b->memory = memory_allowed();
	plan_fit(&b->plan, b->memory);
}

static void
add_counters(struct aio_counters *sum, const struct aio_counters *add)
{
	sum->submitted += add->submitted;
	sum->announced += add->announced;
	sum->reaped += add->reaped;
	sum->inlined += add->inlined;
	sum->stalls += add->stalls;
	sum->longest_ns = max_u64(sum->longest_ns, add->longest_ns);
}

void
bulk_add_counters(struct bulk *b, const struct aio_counters *more)
{
	add_counters(&b->counters, more);
}

void
bulk_done(struct bulk *b)
{
	aio_done(&b->aio);
	add_counters(&b->counters, &b->aio.counters);
	b->aio.counters = (struct aio_counters){0};
}

void
bulk_open_aio(struct bulk *b)
{
	const bool is_wanted = plan_uses_aio(&b->plan);

	bulk_done(b); // with the stretch before
	const int r = aio_open(&b->aio, is_wanted ? b->env->kernel : NULL,
			       b->plan.depth);
	if (r == 0)
		return;
	b->refused.aio_error = r;
	bulk_plan(b);
}

void
bulk_tell_plan(const struct bulk *b)
{
	hooks_tell(b->env->hooks, (struct event){.kind = NOTICE_PLANNED});
}

void
bulk_caution(struct bulk *b)
{
	if (!b->is_cautioned && request_writes(b->request))
		caution_tell(b->request, &b->plan, b->src, b->dst,
			     b->env->hooks);
	b->is_cautioned = true;
}

void
bulk_expect(struct bulk *b)
{
	const uint64_t count_len = b->plan.count_len;

	if (b->plan.holes >= PLAN_HOLES_KEEP &&
	    !facts_is_endless(&b->src->facts))
		b->env->stats->moved_total = min_u64(b->plan.len,
						     b->src->facts.allocated);
	if (b->src->ranges != NULL)
		b->env->stats->bytes_total = b->src->ranges->size;
	else if (!facts_is_stream(&b->src->facts))
		b->env->stats->bytes_total = b->plan.len;
	else if (b->src->facts.unpacked != 0 && b->src->facts.size > 0 &&
		 !b->src->facts.is_at_least)
		b->env->stats->bytes_total = min_u64(
			b->src->facts.size -
				min_u64(b->plan.src_off, b->src->facts.size),
			count_len);
	else if ((b->request->iflags & FLAG_FULLBLOCK) &&
		 count_len != UINT64_MAX)
		b->env->stats->bytes_total = count_len; // or less
}

// Both descriptors stand behind the first n bytes of the stretch. 0 or
// -errno, told: who goes on would do so at the wrong place.
static int
bulk_put_offsets(struct bulk *b, uint64_t n)
{
	const struct plan *plan = &b->plan;
	enum event_kind kind = FAILURE_SKIP;
	const struct side *side = b->src;
	int r = side_put(side, plan->src_off + n);

	if (r == 0) {
		kind = FAILURE_SEEK;
		side = b->dst;
		r = side_put(side, plan->dst_off + n);
	}
	if (r == 0)
		return 0;
	return hooks_tell(
		b->env->hooks,
		(struct event){.kind = kind, .error = -r, .name = side->name});
}

// Only now, when it is known how far they count: what is behind that comes
// again. The bytes of all of them.
static uint64_t
bulk_tell_spans(const struct bulk *b, uint64_t n, enum map_state state,
		enum hooks_span what)
{
	const struct map *map = &b->ring->map;
	const struct map_span *span;
	uint64_t off = 0, sum = 0;

	while (off < n && (span = map_find(map, off, state)) != NULL &&
	       span->off < n) {
		const uint64_t len = min_u64(span->len, n - span->off);

		hooks_tell_span(b->env->hooks, what,
				b->plan.dst_off + span->off, len);
		if (what == HOOKS_HOLE && b->env->manifest != NULL)
			manifest_put_hole(b->env->manifest,
					  b->plan.dst_off + span->off, len,
					  span->off + len == n);
		off = span->off + span->len;
		sum += len;
	}
	return sum;
}

// What was only compared is all the same, or bad.
static void
bulk_tell_map(const struct bulk *b, uint64_t n)
{
	const uint64_t holes = bulk_tell_spans(b, n, MAP_HOLE, HOOKS_HOLE);

	if (!plan_clears(&b->plan))
		b->env->stats->zeros.skipped += holes;
	if (b->differ == NULL)
		bulk_tell_spans(b, n, MAP_SAME, HOOKS_SAME);
}

// What was found to be the same behind n comes again, and is counted then.
static void
bulk_take_back_same(const struct bulk *b, uint64_t n)
{
	const struct map *map = &b->ring->map;
	const struct map_span *span;
	uint64_t off = n = max_u64(
		n, b->rest.counted - min_u64(b->rest.counted, b->ring_base));

	while ((span = map_find(map, off, MAP_SAME)) != NULL) {
		const uint64_t end = span->off + span->len;

		b->env->stats->same -= end - max_u64(span->off, n);
		off = end;
	}
}

enum bulk_verdict
bulk_advance(struct bulk *b, uint64_t n, enum bulk_verdict verdict)
{
	const struct request *q = b->request;
	const bool is_put = bulk_put_offsets(b, n) == 0;

	if (b->ring != NULL) {
		bulk_tell_map(b, n);
		bulk_take_back_same(b, n);
	}
	b->rest.done += n;
	b->rest.is_placed = true;
	// dd syncs where it turned O_DIRECT off; we never had it on.
	if ((q->oflags & FLAG_DIRECT) && !b->dst->ops->is_void &&
	    b->plan.dst.align == 0)
		b->needs_fsync = true;
	stats_count(b->env->stats, b->rest.done, q->ibs, q->obs);
	b->env->stats->skipped = min_u64(b->env->stats->skipped, b->rest.done);
	return is_put || verdict == BULK_STOPPED ? verdict : BULK_FAILED;
}

static uint64_t
copy_direct(const struct bulk *b)
{
	const uint64_t n = ring_prefix(b->ring);

	if (b->writer->align == 0 || n < b->writer->nr_cached)
		return 0;
	return n - b->writer->nr_cached;
}

uint64_t
bulk_direct(const struct bulk *b)
{
	return b->nr_direct + (b->ring != NULL ? copy_direct(b) : 0);
}

void
bulk_preview(struct bulk *b)
{
	bulk_plan(b);
	if (b->plan.way == PLAN_BULK)
		bulk_open_aio(b);
	bulk_done(b);
	bulk_expect(b);
	bulk_tell_plan(b);
}
