// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "reads.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "clock.h"
#include "pace.h"

static void on_read(struct job *job, int error);

static struct reads_one *
one_of(const struct reads *r, const struct job *job)
{
	return &r->ones[job - r->ring->jobs];
}

int
reads_init(struct reads *r, const struct reads_parts *parts)
{
	struct ring *ring = parts->ring;
	const struct chase_setup *setup = &parts->chase;
	const struct map_span *done = map_find(setup->map, setup->off,
					       MAP_DONE);

	*r = (struct reads){.env = parts->env,
			    .ring = ring,
			    .failure = parts->failure,
			    .reader = {.env = parts->env,
				       .aio = parts->aio,
				       .ring = ring,
				       .failure = parts->failure,
				       .side = parts->src,
				       .align = parts->align,
				       .base = setup->off,
				       .on_read = on_read}};
	pulse_init(&r->pulse);
	if (done != NULL && done->off < setup->off + setup->len)
		pulse_remember(&r->pulse, max_u64(done->off, setup->off));
	assert(ring->depth > 0);
	for (unsigned i = 0; i < ring->depth; i++)
		ring->jobs[i].reader = &r->reader;
	r->ones = calloc(ring->depth, sizeof(*r->ones));
	return r->ones == NULL ? -ENOMEM : chase_init(&r->chase, setup);
}

void
reads_done(struct reads *r)
{
	chase_done(&r->chase);
	free(r->ones);
	r->ones = NULL;
}

// It will be asked again after the next failure.
static void
forget_probe(struct reads *r)
{
	r->is_probing = false;
	r->pulse.next_probe = r->pulse.nr_failed + 1;
}

void
reads_find_overdue(struct reads *r)
{
	const uint64_t now = clock_ns();

	for (unsigned i = 0; i < r->ring->depth; i++) {
		struct reads_one *one = &r->ones[i];
		const uint64_t age = now - one->since_ns;

		if (!one->is_out || one->is_overdue || age < SECOND_NS ||
		    age < pulse_overdue_ns(&r->pulse))
			continue;
		one->is_overdue = true;
		r->nr_overdue++;
		// Whether the source is still there, this one will not say.
		if (one->is_probe)
			forget_probe(r);
		else
			chase_overdue(&r->chase, &one->read);
	}
}

static void
note_gone(struct reads *r, int error)
{
	r->is_gone = true;
	r->gone_error = error;
	pulse_take_back(&r->pulse, r->chase.setup.map);
}

// The source gives data, or says that it cannot.
static void
on_answered(struct reads *r, struct job *job, const struct reads_one *one,
	    int error)
{
	const uint64_t ns = clock_ns() - one->since_ns;

	if (error == 0 && job->len == job->want)
		pulse_good(&r->pulse, one->read.off, ns);
	else if (!r->is_gone && pulse_is_gone(error))
		note_gone(r, error);
	else if (!r->is_gone)
		pulse_failed(&r->pulse,
			     (struct map_span){one->read.off + job->len,
					       one->read.len - job->len,
					       one->was});
	if (r->is_gone && job->len < job->want) {
		// It is as if it had not been tried.
		ring_put(r->ring, job);
		return;
	}
	chase_tell(&r->chase, &one->read, job->len, error, ns);
	if (job->len > 0)
		ring_fill(r->ring, job);
	else
		ring_put(r->ring, job);
}

static void
on_read(struct job *job, int error)
{
	struct reads *r = container_of(job->reader, struct reads, reader);
	struct reads_one *one = one_of(r, job);

	// A disk that is gone has no size any more.
	if (error == 0 && job->len < job->want &&
	    facts_is_device(&r->reader.side->facts))
		error = ENODEV;
	r->nr_overdue -= one->is_overdue;
	one->is_out = false;
	one->is_overdue = false;
	if (one->is_probe) {
		r->is_probing = false;
		if (error != 0)
			note_gone(r, error);
		else
			pulse_probed(&r->pulse);
		ring_put(r->ring, job);
	} else {
		on_answered(r, job, one, error);
	}
}

static void
fail_memory(struct reads *r)
{
	event_keep_first(r->failure, &(struct event){.kind = FAILURE_SRC_MEMORY,
						     .len = r->ring->job_size});
}

static void
start_read(struct reads *r, struct reads_one one)
{
	struct job *job = ring_take_at(
		r->ring, one.read.off - r->chase.setup.off, one.read.len);

	if (job == NULL) {
		fail_memory(r);
		return;
	}
	one.is_out = true;
	one.since_ns = clock_ns();
	*one_of(r, job) = one;
	reader_read(&r->reader, job);
}

bool
reads_can_start(const struct reads *r)
{
	return !r->is_ended && !r->is_gone && !r->is_probing &&
	       r->failure->kind == EVENT_NONE &&
	       r->nr_overdue < CHASE_OVERDUE_MAX && ring_has_free(r->ring);
}

uint64_t
reads_pace_ns(const struct reads *r)
{
	return r->env->pace == NULL
		       ? 0
		       : pace_wait_ns(r->env->pace, r->ring->job_size,
				      clock_ns());
}

static bool
start_probe(struct reads *r)
{
	const struct chase_setup *setup = &r->chase.setup;
	const uint64_t off = r->pulse.good_off;
	const uint64_t left = setup->off + r->ring->end - off;

	if (r->is_probing || !pulse_wants_probe(&r->pulse))
		return false;
	r->is_probing = true;
	// From the disk, not from memory.
	(void)r->reader.side->ops->drop_cache(r->reader.side, off,
					      setup->sector);
	start_read(r,
		   (struct reads_one){
			   .read = {off, (size_t)min_u64(setup->sector, left)},
			   .is_probe = true});
	return true;
}

void
reads_start(struct reads *r)
{
	struct reads_one one = {.is_out = true};

	r->is_waiting = false;
	while (reads_can_start(r) && reads_pace_ns(r) == 0 && !start_probe(r)) {
		switch (chase_next(&r->chase, &one.read)) {
		case CHASE_READ:
			one.was =
				map_at(r->chase.setup.map, one.read.off)->state;
			start_read(r, one);
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
