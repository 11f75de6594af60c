// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "rescue.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "clock.h"
#include "hooks.h"
#include "mapkeep.h"
#include "pace.h"
#include "stats.h"
#include "written.h"

#define SAVE_NS (30 * SECOND_NS)
#define SAVE_WAITING_NS SECOND_NS
#define LOOK_MS 200 // how often it is looked for what is overdue

static_assert(PLAN_MAPPED_SPARE == CHASE_OVERDUE_MAX,
	      "each that is overdue has a job of its own");

static void rescue_on_read(struct job *job, int error);

static struct rescue_reading *
reading_of(struct rescue *r, const struct job *job)
{
	return &r->readings[job - r->ring.jobs];
}

static void
init_stages(struct rescue *r, const struct rescue_parts *parts)
{
	const struct plan *plan = parts->plan;

	r->reader = (struct reader){.env = r->env,
				    .aio = r->aio,
				    .ring = &r->ring,
				    .failure = &r->failure,
				    .side = parts->src,
				    .align = plan->src.align,
				    .base = plan->src_off,
				    .on_read = rescue_on_read};
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
	for (unsigned i = 0; i < r->ring.depth; i++) {
		r->ring.jobs[i].reader = &r->reader;
		r->ring.jobs[i].writer = &r->writer;
	}
}

static void
note_saved(struct rescue *r)
{
	r->saved_ns = clock_ns();
	memcpy(r->saved, r->map->totals, sizeof(r->saved));
	r->saved_unwritten = r->ring.map.totals[MAP_TODO];
	r->saved_phase = chase_status(&r->chase).phase;
}

static bool
is_saved(const struct rescue *r)
{
	return r->saved_ns > 0 &&
	       memcmp(r->saved, r->map->totals, sizeof(r->saved)) == 0 &&
	       r->saved_unwritten == r->ring.map.totals[MAP_TODO] &&
	       r->saved_phase == chase_status(&r->chase).phase;
}

int
rescue_init(struct rescue *r, const struct rescue_parts *parts)
{
	const struct plan *plan = parts->plan;
	const struct chase_setup setup = {
		.map = parts->map,
		.off = plan->src_off,
		.len = plan->len,
		.sector = parts->sector,
		.most = plan->job_size,
		.nr_parallel = plan->depth > PLAN_MAPPED_SPARE
				       ? plan->depth - PLAN_MAPPED_SPARE
				       : 1,
		.nr_retries = (unsigned)min_u64(parts->env->asked->retries,
						UINT_MAX),
		.status = *parts->status,
	};

	*r = (struct rescue){.env = parts->env,
			     .aio = parts->aio,
			     .map = parts->map,
			     .base = plan->src_off,
			     .checkpoint.fd = -1,
			     .is_beginning = true};
	pulse_init(&r->pulse);
	const struct map_span *done = map_find(r->map, r->base, MAP_DONE);
	if (done != NULL && done->off < r->base + plan->len)
		pulse_remember(&r->pulse, max_u64(done->off, r->base));
	watch_init(&r->watch);
	aio_serve(r->aio, parts->src->engine);
	aio_serve(r->aio, parts->dst->engine);
	int err = chase_init(&r->chase, &setup);
	if (err == 0)
		err = ring_init(&r->ring, plan, RING_POOL);
	r->readings = calloc(plan->depth, sizeof(*r->readings));
	if (err == 0 && r->readings == NULL)
		err = -ENOMEM;
	if (err == 0)
		err = written_init(&r->ring.map, r->base, r->map, r->outside);
	if (err == 0)
		err = checkpoint_init(&r->checkpoint, r->aio, parts->keep,
				      parts->env->manifest, parts->dst);
	if (err == 0)
		init_stages(r, parts);
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
	chase_done(&r->chase);
	ring_done(&r->ring);
	free(r->readings);
	r->readings = NULL;
}

/* The source */

// It will be asked again after the next failure.
static void
forget_probe(struct rescue *r)
{
	r->is_probing = false;
	r->pulse.next_probe = r->pulse.nr_failed + 1;
}

static void
find_overdue(struct rescue *r)
{
	const uint64_t now = clock_ns();

	for (unsigned i = 0; i < r->ring.depth; i++) {
		struct rescue_reading *reading = &r->readings[i];
		const uint64_t age = now - reading->since_ns;

		if (!reading->is_out || reading->is_overdue ||
		    age < SECOND_NS || age < pulse_overdue_ns(&r->pulse))
			continue;
		reading->is_overdue = true;
		r->nr_overdue++;
		// Whether the source is still there, this one will not say.
		if (reading->is_probe)
			forget_probe(r);
		else
			chase_overdue(&r->chase, &reading->read);
	}
}

static void
note_gone(struct rescue *r, int error)
{
	r->is_gone = true;
	r->gone_error = error;
	pulse_take_back(&r->pulse, r->map);
}

// The source gives data, or says that it cannot.
static void
on_answered(struct rescue *r, struct job *job,
	    const struct rescue_reading *reading, int error)
{
	const uint64_t ns = clock_ns() - reading->since_ns;

	if (error == 0 && job->len == job->want)
		pulse_good(&r->pulse, reading->read.off, ns);
	else if (!r->is_gone && pulse_is_gone(error))
		note_gone(r, error);
	else if (!r->is_gone)
		pulse_failed(&r->pulse,
			     (struct map_span){reading->read.off + job->len,
					       reading->read.len - job->len,
					       reading->was});
	if (r->is_gone && job->len < job->want) {
		// It is as if it had not been tried.
		ring_put(&r->ring, job);
		return;
	}
	chase_tell(&r->chase, &reading->read, job->len, error, ns);
	if (job->len > 0)
		ring_fill(&r->ring, job);
	else
		ring_put(&r->ring, job);
}

static void
rescue_on_read(struct job *job, int error)
{
	struct rescue *r = container_of(job->reader, struct rescue, reader);
	struct rescue_reading *reading = reading_of(r, job);

	// A disk that is gone has no size any more.
	if (error == 0 && job->len < job->want &&
	    facts_is_device(&r->reader.side->facts))
		error = ENODEV;
	r->nr_overdue -= reading->is_overdue;
	reading->is_out = false;
	reading->is_overdue = false;
	if (reading->is_probe) {
		r->is_probing = false;
		if (error != 0)
			note_gone(r, error);
		else
			pulse_probed(&r->pulse);
		ring_put(&r->ring, job);
	} else {
		on_answered(r, job, reading, error);
	}
}

static void
fail_memory(struct rescue *r)
{
	event_keep_first(&r->failure,
			 &(struct event){.kind = FAILURE_SRC_MEMORY,
					 .len = r->ring.job_size});
}

static void
start_read(struct rescue *r, struct rescue_reading reading)
{
	struct job *job = ring_take_at(&r->ring, reading.read.off - r->base,
				       reading.read.len);

	if (job == NULL) {
		fail_memory(r);
		return;
	}
	reading.is_out = true;
	reading.since_ns = clock_ns();
	*reading_of(r, job) = reading;
	reader_read(&r->reader, job);
}

// Nothing new is begun.
static bool
is_ending(const struct rescue *r)
{
	return r->is_ended || r->is_stopped || r->is_gone ||
	       r->failure.kind != EVENT_NONE;
}

static uint64_t
pace_ns(const struct rescue *r)
{
	return r->env->pace == NULL
		       ? 0
		       : pace_wait_ns(r->env->pace, r->ring.job_size,
				      clock_ns());
}

// Nothing is written before it is clear that the map can be.
static bool
has_begun(const struct rescue *r)
{
	return r->saved_ns > 0 && !(r->is_beginning && r->checkpoint.is_out);
}

static bool
can_read(const struct rescue *r)
{
	return !is_ending(r) && !r->is_probing && has_begun(r) &&
	       r->nr_overdue < CHASE_OVERDUE_MAX && ring_has_free(&r->ring);
}

static bool
start_probe(struct rescue *r)
{
	const uint64_t off = r->pulse.good_off;

	if (r->is_probing || !pulse_wants_probe(&r->pulse))
		return false;
	r->is_probing = true;
	// From the disk, not from memory.
	(void)r->reader.side->ops->drop_cache(r->reader.side, off,
					      r->chase.setup.sector);
	start_read(r,
		   (struct rescue_reading){
			   .read = {off, (size_t)min_u64(r->chase.setup.sector,
							 r->base + r->ring.end -
								 off)},
			   .is_probe = true});
	return true;
}

static void
start_reads(struct rescue *r)
{
	struct rescue_reading reading = {.is_out = true};

	r->is_waiting = false;
	while (can_read(r) && pace_ns(r) == 0 && !start_probe(r)) {
		switch (chase_next(&r->chase, &reading.read)) {
		case CHASE_READ:
			reading.was = map_at(r->map, reading.read.off)->state;
			start_read(r, reading);
			break;
		case CHASE_WAIT:
			r->is_waiting = true;
			return;
		case CHASE_END:
			r->is_ended = true;
			break;
		default:
			fail_memory(r);
		}
	}
}

/* The map */

static bool
is_drained(const struct rescue *r)
{
	return r->ring.nr_free + r->nr_overdue == r->ring.depth;
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
	const struct mapfile_status status = chase_status(&r->chase);
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
	return is_drained(r) &&
	       (is_ending(r) || (r->is_waiting && age >= SAVE_WAITING_NS));
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
	stats->rescue.nr_areas = chase_areas(&r->chase);
	stats->rescue.phase = chase_status(&r->chase).phase;
	stats->rescue.pass = chase_status(&r->chase).pass;
	stats->rescue.nr_overdue = r->nr_overdue;
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
	find_overdue(r);
	writer_start(&r->writer);
	note_checkpoint(r);
	start_reads(r);
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
	const uint64_t ns = can_read(r) ? pace_ns(r) : 0;
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
