// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "mapped.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base.h"
#include "env.h"
#include "event.h"
#include "growth.h"
#include "hooks.h"
#include "rescue.h"
#include "stretch.h"

#define FILL_LEN (256 * KIB)

int
mapped_check(struct mapped *m)
{
	struct bulk *b = m->bulk;

	bulk_plan(b);
	if (b->plan.way == PLAN_BULK)
		return 0;
	hooks_tell(b->env->hooks,
		   (struct event){.kind = FAILURE_MAP,
				  .name = b->request->map,
				  .fault = facts_is_same(&b->src->facts,
							 &b->dst->facts)
						   ? MAPKEEP_SAME_SIDES
						   : MAPKEEP_DST_STREAM});
	return -EINVAL;
}

// What the domain has of the spans of the map from *i on, one by one.
static bool
next_span(const struct mapped *m, size_t *i, struct map_span *ret)
{
	const struct plan *plan = &m->bulk->plan;

	return map_next(&m->keep->mapfile.map, i, plan->src_off,
			plan->src_off + plan->len, ret);
}

static void
tell_span(const struct mapped *m, const struct map_span *span)
{
	static const enum hooks_span words[MAP_NR_STATES] = {
		[MAP_TODO] = HOOKS_UNTRIED,
		[MAP_DONE] = HOOKS_SAME,
		[MAP_NONTRIMMED] = HOOKS_FAILED,
		[MAP_NONSCRAPED] = HOOKS_FAILED,
		[MAP_BAD] = HOOKS_BAD,
	};
	const struct plan *plan = &m->bulk->plan;

	hooks_tell_span(m->bulk->env->hooks, words[span->state],
			span->off - plan->src_off + plan->dst_off, span->len);
}

struct stats_rescue
mapped_measure(const struct mapped *m)
{
	uint64_t totals[MAP_NR_STATES] = {0};
	struct map_span span;

	for (size_t i = 0; next_span(m, &i, &span);)
		totals[span.state] += span.len;
	return (struct stats_rescue){
		.len = m->bulk->plan.len,
		.before = totals[MAP_DONE],
		.untried = totals[MAP_TODO],
		.failed = totals[MAP_NONTRIMMED] + totals[MAP_NONSCRAPED],
		.bad = totals[MAP_BAD],
	};
}

static void
expect(const struct mapped *m)
{
	struct stats *stats = m->bulk->env->stats;
	struct map_span span;

	for (size_t i = 0; next_span(m, &i, &span);)
		if (span.state == MAP_DONE)
			tell_span(m, &span);
	stats->rescue = mapped_measure(m);
	stats->bytes_total = stats->rescue.len - stats->rescue.before;
}

// Without O_DIRECT a page is what cannot be read.
static uint32_t
sector_of(const struct plan *plan)
{
	return plan->src.align > 0 ? plan->src.align : PLAN_ALIGN;
}

// Told. 0: it has come to its end.
static int
settle(const struct mapped *m, const struct rescue *r)
{
	const struct bulk *b = m->bulk;
	struct event failure = r->failure;

	if (failure.kind != EVENT_NONE) {
		if (failure.kind == FAILURE_WRITE)
			failure.off += b->plan.dst_off;
		hooks_tell(b->env->hooks, failure);
		return -EIO;
	}
	if (r->reads.is_gone)
		return hooks_tell(b->env->hooks,
				  (struct event){.kind = FAILURE_SRC_GONE,
						 .error = r->reads.gone_error,
						 .name = b->src->name});
	return r->is_stopped ? -ECANCELED : 0;
}

// A sync of which the end is not known may have failed, and would not say so
// again.
static int
settle_lost(const struct mapped *m, struct rescue *r)
{
	if (r->failure.kind == EVENT_NONE && !r->checkpoint.is_out)
		return -EAGAIN;
	if (r->failure.kind == EVENT_NONE)
		r->failure = (struct event){.kind = FAILURE_FDATASYNC,
					    .error = EIO,
					    .name = m->bulk->dst->name};
	return settle(m, r);
}

static int
tell_start(const struct bulk *b, int r)
{
	if (r == -ENOMEM)
		hooks_tell(b->env->hooks,
			   (struct event){.kind = FAILURE_SRC_MEMORY,
					  .len = b->plan.job_size});
	else
		side_tell(b->dst, b->env->hooks, FAILURE_OPEN, -r);
	return -EIO;
}

// -EAGAIN: the kernel gives no completions out any more.
static int
run_once(struct mapped *m)
{
	struct bulk *b = m->bulk;
	struct mapfile *file = &m->keep->mapfile;
	const struct rescue_parts parts = {.env = b->env,
					   .plan = &b->plan,
					   .aio = &b->aio,
					   .src = b->src,
					   .dst = b->dst,
					   .keep = m->keep,
					   .map = &file->map,
					   .status = &file->status,
					   .sector = sector_of(&b->plan)};
	struct rescue rescue;
	int r = rescue_init(&rescue, &parts);

	if (r < 0)
		return tell_start(b, r);
	r = rescue_open_loop(&rescue);
	if (r < 0)
		r = tell_start(b, r);
	else
		r = rescue_run(&rescue) == RESCUE_LOST ? settle_lost(m, &rescue)
						       : settle(m, &rescue);
	rescue_done(&rescue);
	return r;
}

// As the plan wants them, or planned anew.
// 0 or -errno, told.
static int
prepare(struct mapped *m)
{
	struct bulk *b = m->bulk;

	bulk_open_aio(b);
	while (!stretch_open(b)) {
		if (mapped_check(m) < 0)
			return -EINVAL;
		bulk_open_aio(b);
	}
	const int r = growth_begin(b);
	return r < 0 ? hooks_tell(b->env->hooks,
				  (struct event){.kind = FAILURE_TRUNCATE,
						 .error = -r,
						 .name = b->dst->name,
						 .off = b->plan.final_size})
		     : 0;
}

// What could not be read, with conv=sync: zeros, whatever was there.
static int
fill_span(const struct bulk *b, const void *zeros, uint64_t off, uint64_t len)
{
	const struct side *dst = b->dst;
	const struct hooks *h = b->env->hooks;

	while (len > 0) {
		if (h->must_stop(h->ctx))
			return -ECANCELED;
		const ssize_t n = dst->ops->write_at(
			dst, SIDE_BUFFERED, zeros,
			(size_t)min_u64(len, FILL_LEN), off);
		if (n <= 0 && n != -EINTR)
			return hooks_tell(
				h, (struct event){.kind = FAILURE_WRITE,
						  .error = n < 0 ? (int)-n
								 : ENOSPC,
						  .name = dst->name,
						  .off = off});
		off += n > 0 ? (uint64_t)n : 0;
		len -= n > 0 ? (uint64_t)n : 0;
	}
	return 0;
}

static int
fill(const struct mapped *m)
{
	const struct bulk *b = m->bulk;
	const struct plan *plan = &b->plan;
	struct map_span span;
	void *zeros = calloc(1, FILL_LEN);
	int r = zeros != NULL ? 0 : -ENOMEM;

	if (r < 0)
		hooks_tell(b->env->hooks,
			   (struct event){.kind = FAILURE_DST_MEMORY,
					  .len = FILL_LEN});
	// What was written around the page cache is not what is in it.
	if (r == 0)
		(void)b->dst->ops->drop_cache(b->dst, plan->dst_off, plan->len);
	for (size_t i = 0; r == 0 && next_span(m, &i, &span);)
		if (span.state != MAP_DONE)
			r = fill_span(b, zeros,
				      span.off - plan->src_off + plan->dst_off,
				      span.len);
	free(zeros);
	return r;
}

// Areas that touch are one, whatever is known of them. What was not tried could
// not be read only where that is all there is.
static void
count_unread(const struct mapped *m, bool is_ended)
{
	struct stats *stats = m->bulk->env->stats;
	struct map_span span;

	for (size_t i = 0; next_span(m, &i, &span);) {
		if (span.state == MAP_DONE)
			continue;
		tell_span(m, &span);
		if (is_ended || span.state != MAP_TODO)
			stats_pass_over(stats, span.off, span.len);
	}
}

// A device that is too small, with force=size: what fits is there.
static int
check_end(const struct mapped *m)
{
	const struct bulk *b = m->bulk;
	const struct plan *plan = &b->plan;
	const uint64_t size = b->src->facts.size;
	const uint64_t want = min_u64(size - min_u64(size, plan->src_off),
				      request_count_len(b->request));

	if (plan->len >= want)
		return 0;
	return hooks_tell(b->env->hooks,
			  (struct event){.kind = FAILURE_WRITE,
					 .error = ENOSPC,
					 .name = b->dst->name,
					 .off = plan->dst_off + plan->len});
}

int
mapped_save(struct mapped *m)
{
	const struct mapfile *file = &m->keep->mapfile;
	struct mapfile_status status = file->status;

	if (m->keep->is_new)
		status = (struct mapfile_status){.phase = '?', .pass = 1};
	const int r = mapkeep_save(m->keep, &file->map, &status);
	return r < 0 ? mapkeep_tell_unsaved(m->keep, r) : 0;
}

int
mapped_run(struct mapped *m)
{
	struct bulk *b = m->bulk;
	int r;

	// The destination is cut since.
	if (mapped_check(m) < 0)
		return -EINVAL;
	if (b->plan.len == 0)
		return check_end(m);
	expect(m);
	bulk_caution(b);
	do {
		r = prepare(m);
		if (r < 0)
			break;
		bulk_tell_plan(b);
		r = run_once(m);
		b->refused.aio_error = -EPERM;
	} while (r == -EAGAIN && mapped_check(m) == 0);
	count_unread(m, r == 0);
	if (r == 0 && b->env->stats->unread > 0 &&
	    (b->request->conv & CONV_SYNC))
		r = fill(m);
	if (r == 0)
		r = check_end(m);
	aio_start_done(&b->aio);
	side_close_extra(b->src);
	side_close_extra(b->dst);
	return r;
}
