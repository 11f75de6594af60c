// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "rescue.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "base.h"
#include "clock.h"
#include "hooks.h"
#include "mapkeep.h"
#include "stats.h"
#include "written.h"

#define SAVE_NS (30 * SECOND_NS)
#define SAVE_WAITING_NS SECOND_NS
#define LOOK_MS 200 // how often it is looked for what is overdue

static_assert(PLAN_MAPPED_SPARE == CHASE_OVERDUE_MAX,
	      "each that is overdue has a job of its own");

static void
init_writer(struct rescue *r, const struct rescue_parts *parts)
{
	const struct plan *plan = parts->plan;

	r->writer = (struct writer){.env = r->env,
				    .aio = r->aio,
				    .ring = &r->ring,
				    .failure = &r->failure,
				    .side = parts->dst,
				    .align = plan->dst.align,
				    .base = plan->dst_off,
				    .sieve = {.env = r->env,
					      .ring = &r->ring,
					      .base = plan->dst_off}};
	for (unsigned i = 0; i < r->ring.depth; i++)
		r->ring.jobs[i].writer = &r->writer;
}

static int
init_reads(struct rescue *r, const struct rescue_parts *parts)
{
	const struct plan *plan = parts->plan;
	const struct reads_parts of = {
		.env = r->env,
		.aio = r->aio,
		.src = parts->src,
		.align = plan->src.align,
		.ring = &r->ring,
		.failure = &r->failure,
		.chase = {.map = parts->map,
			  .off = plan->src_off,
			  .len = plan->len,
			  .sector = parts->sector,
			  .most = plan->job_size,
			  .nr_parallel = plan->depth > PLAN_MAPPED_SPARE
						 ? plan->depth -
							   PLAN_MAPPED_SPARE
						 : 1,
			  .nr_retries = (unsigned)min_u64(
				  r->env->asked->retries, UINT_MAX),
			  .status = *parts->status},
	};

	return reads_init(&r->reads, &of);
}

static void
note_saved(struct rescue *r)
{
	r->saved_ns = clock_ns();
	memcpy(r->saved, r->map->totals, sizeof(r->saved));
	r->saved_unwritten = r->ring.map.totals[MAP_TODO];
	r->saved_phase = chase_status(&r->reads.chase).phase;
}

static bool
is_saved(const struct rescue *r)
{
	return r->saved_ns > 0 &&
	       memcmp(r->saved, r->map->totals, sizeof(r->saved)) == 0 &&
	       r->saved_unwritten == r->ring.map.totals[MAP_TODO] &&
	       r->saved_phase == chase_status(&r->reads.chase).phase;
}

int
rescue_init(struct rescue *r, const struct rescue_parts *parts)
{
	*r = (struct rescue){.env = parts->env,
			     .aio = parts->aio,
			     .map = parts->map,
			     .base = parts->plan->src_off,
			     .checkpoint.fd = -1,
			     .is_beginning = true};
	watch_init(&r->watch);
	aio_serve(r->aio, parts->src->engine);
	aio_serve(r->aio, parts->dst->engine);
	int err = ring_init(&r->ring, parts->plan, RING_POOL);
	if (err == 0)
		err = written_init(&r->ring.map, r->base, r->map, r->outside);
	if (err == 0)
		err = init_reads(r, parts);
	if (err == 0)
		err = checkpoint_init(&r->checkpoint, r->aio, parts->keep,
				      parts->env->manifest, parts->dst);
	if (err == 0)
		init_writer(r, parts);
	else
		rescue_done(r);
	return err;
}

int
rescue_open_loop(struct rescue *r)
{
	return watch_open(&r->watch, r->env->hooks, r->aio);
}

void
rescue_done(struct rescue *r)
{
	watch_done(&r->watch);
	// Memory for less than what is in the map is not refused.
	if (r->ring.jobs != NULL)
		(void)written_take_back(&r->ring.map, r->base, r->map);
	checkpoint_done(&r->checkpoint);
	reads_done(&r->reads);
	ring_done(&r->ring);
}

// Nothing new is begun.
static bool
is_ending(const struct rescue *r)
{
	return r->reads.is_ended || r->is_stopped || r->reads.is_gone ||
	       r->failure.kind != EVENT_NONE;
}

// Nothing is written before it is clear that the map can be.
static bool
can_read(const struct rescue *r)
{
	return !r->is_stopped && r->saved_ns > 0 &&
	       !(r->is_beginning && r->checkpoint.is_out);
}

static void
fail_memory(struct rescue *r)
{
	event_keep_first(&r->failure,
			 &(struct event){.kind = FAILURE_SRC_MEMORY,
					 .len = r->ring.job_size});
}

/* The map */

static bool
is_drained(const struct rescue *r)
{
	return r->ring.nr_free + r->reads.nr_overdue == r->ring.depth;
}

// What could not be saved ends it: a copy that goes on would not be resumed.
static void
note_checkpoint(struct rescue *r)
{
	struct checkpoint *cp = &r->checkpoint;

	if (!cp->is_out && r->saved_ns > 0)
		r->is_beginning = false;
	if (cp->is_out || cp->error == 0 || r->failure.kind != EVENT_NONE)
		return;
	r->failure = cp->is_synced
			     ? (struct event){.kind = FAILURE_MAP,
					      .error = cp->error,
					      .name = r->env->asked->map,
					      .fault = MAPKEEP_UNSAVED}
			     : (struct event){.kind = FAILURE_FDATASYNC,
					      .error = cp->error,
					      .name = r->writer.side->name};
	ring_cut(&r->ring, 0, 0);
}

static void
save(struct rescue *r)
{
	const struct mapfile_status status = chase_status(&r->reads.chase);
	struct map map;

	if (map_copy(&map, r->map) < 0) {
		fail_memory(r);
		return;
	}
	if (written_take_back(&r->ring.map, r->base, &map) < 0) {
		map_done(&map);
		fail_memory(r);
		return;
	}
	note_saved(r);
	checkpoint_start(&r->checkpoint, &map, &status);
}

// Now and then, and before it is waited for what is overdue: that can be long.
static bool
is_save_due(const struct rescue *r)
{
	const uint64_t age = clock_ns() - r->saved_ns;

	if (r->saved_ns == 0 || age >= SAVE_NS)
		return true;
	return is_drained(r) && (is_ending(r) || (r->reads.is_waiting &&
						  age >= SAVE_WAITING_NS));
}

static void
save_if_due(struct rescue *r)
{
	if (r->checkpoint.is_out || r->checkpoint.error != 0 || is_saved(r))
		return;
	if (is_save_due(r))
		save(r);
}

/* All of it */

static void
count(struct rescue *r)
{
	struct stats *stats = r->env->stats;
	const struct request *asked = r->env->asked;
	const uint64_t *totals = r->map->totals, *outside = r->outside;
	const uint64_t todo = r->ring.map.totals[MAP_TODO];

	stats_count(stats, stats->bytes_total - todo, asked->ibs, asked->obs);
	stats->rescue.failed = totals[MAP_NONTRIMMED] -
			       outside[MAP_NONTRIMMED] +
			       totals[MAP_NONSCRAPED] - outside[MAP_NONSCRAPED];
	stats->rescue.bad = totals[MAP_BAD] - outside[MAP_BAD];
	const bool has_failed = r->checkpoint.is_out ||
				r->checkpoint.error != 0;
	stats->rescue.is_unsaved = has_failed || !is_saved(r);
	if (r->saved_ns > 0 && !has_failed)
		stats->rescue.saved = stats->bytes_total - r->saved_unwritten;
	// With what is read, and not written.
	stats->rescue.untried = todo - min_u64(todo, stats->rescue.failed +
							     stats->rescue.bad);
	stats->rescue.nr_areas = chase_areas(&r->reads.chase);
	stats->rescue.phase = chase_status(&r->reads.chase).phase;
	stats->rescue.pass = chase_status(&r->reads.chase).pass;
	stats->rescue.nr_overdue = r->reads.nr_overdue;
}

static enum rescue_verdict
verdict(const struct rescue *r)
{
	const struct ring *ring = &r->ring;

	ring_check(ring);
	if (is_ending(r) && ring_is_drained(ring) && !r->checkpoint.is_out &&
	    (is_saved(r) || r->checkpoint.error != 0))
		return RESCUE_DONE;
	if (aio_has_work(r->aio) || writer_can_start(&r->writer))
		return RESCUE_RUN;
	return RESCUE_WAIT;
}

enum rescue_verdict
rescue_step(struct rescue *r)
{
	if (aio_reap(r->aio) < 0)
		return RESCUE_LOST;
	reads_find_overdue(&r->reads);
	writer_start(&r->writer);
	note_checkpoint(r);
	if (can_read(r))
		reads_start(&r->reads);
	// They may have found the end.
	save_if_due(r);
	aio_submit(r->aio);
	return verdict(r);
}

static int
wait_ms(const struct rescue *r, enum rescue_verdict verdict)
{
	if (verdict == RESCUE_RUN)
		return 0;
	const uint64_t ns = can_read(r) && reads_can_start(&r->reads)
				    ? reads_pace_ns(&r->reads)
				    : 0;
	return (int)(ns > 0 ? min_u64(LOOK_MS, ns / 1000000 + 1) : LOOK_MS);
}

enum rescue_verdict
rescue_run(struct rescue *r)
{
	const struct hooks *hooks = r->env->hooks;
	enum rescue_verdict verdict;

	while ((verdict = rescue_step(r)) < RESCUE_DONE) {
		count(r);
		if (loop_wait(&r->watch.loop, wait_ms(r, verdict)) < 0) {
			aio_abandon(r->aio);
			verdict = RESCUE_LOST;
			break;
		}
		r->is_stopped |= hooks->must_stop(hooks->ctx);
	}
	count(r);
	return verdict;
}
