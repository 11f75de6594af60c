// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "reader.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base.h"
#include "clock.h"
#include "env.h"
#include "hooks.h"
#include "pace.h"
#include "ranges.h"
#include "zeroer.h"

static bool
can_go_direct(const struct reader *reader, const struct job *job)
{
	return reader->align > 0 && job->route != JOB_BY_CACHE &&
	       (reader->base + job->off + job->len) % reader->align == 0 &&
	       job->len % reader->align == 0;
}

// Ask for what is missing. A direct request is for whole blocks, also
// where the file ends within one: the kernel gives what there is.
static void
reader_request(struct reader *reader, struct job *job)
{
	const bool is_direct = can_go_direct(reader, job);
	const size_t missing = job->want - job->len;
	const struct job_io io = {
		.op = JOB_READ,
		.route = is_direct ? job->route : JOB_BY_CACHE,
		.own = reader->side->engine,
		.fd = side_fd(reader->side,
			      is_direct ? SIDE_DIRECT : SIDE_BUFFERED),
		.pos = reader->base + job->off + job->len,
		.from = job->len,
		.len = is_direct ? (size_t)round_up(missing, reader->align)
				 : missing,
		.on_done = reader_on_done,
	};

	assert(io.len <= reader->ring->job_size - io.from);
	aio_queue(reader->aio, job, &io);
}

// The job holds all that it will get. Somebody else may know what comes of it.
static void
reader_finish(struct reader *reader, struct job *job, int error)
{
	reader->nr_reading--;
	if (reader->on_read != NULL) {
		reader->on_read(job, error);
		return;
	}
	if (error != 0)
		event_keep_first(reader->failure,
				 &(struct event){.kind = FAILURE_READ,
						 .error = error,
						 .name = reader->side->name,
						 .off = job->off + job->len,
						 .len = job->want - job->len});
	if (job->len > 0)
		reader->reached = max_u64(reader->reached, job->off + job->len);
	if (job->len < job->want)
		ring_cut(reader->ring, job->off + job->len, job->skipped);
	// Where it begins or ends between two blocks there may be anything.
	if (reader->side->ranges != NULL)
		ranges_blank(reader->side->ranges, reader->base + job->off,
			     job->buf, job->len);
	if (job->len == 0)
		ring_put(reader->ring, job);
	else
		ring_fill(reader->ring, job);
}

void
reader_on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	struct job *job = container_of(iocb, struct job, iocb);
	struct reader *reader = job->reader;

	(void)ctx;
	(void)res2; // always 0 for a read
	if (res == -EINTR || job_reroute(job, res)) {
		reader_request(reader, job);
	} else if (res < 0) {
		reader_finish(reader, job, (int)-res);
	} else if (res == 0) {
		reader_finish(reader, job, 0);
	} else {
		job->len = (size_t)min_u64(job->len + (uint64_t)res, job->want);
		reader->read_end = max_u64(reader->read_end,
					   reader->base + job->off + job->len);
		if (job->len < job->want)
			reader_request(reader, job);
		else
			reader_finish(reader, job, 0);
	}
}

// Nothing to read: the bytes are known to be zeros.
static void
reader_give_zeros(struct reader *reader, struct job *job)
{
	if (!reader->side->ops->is_void) // there they are zeros, and stay so
		memset(job->buf, 0, job->want);
	job->len = job->want;
	job->is_zeros = true;
	reader_finish(reader, job, 0);
}

// Offset in the stretch of the first byte of data, or a little before it, so
// that a job can begin there, and of the end of it.
static uint64_t
reader_find_data(struct reader *reader, uint64_t *ret_end)
{
	struct extent *extent = &reader->extent;
	const uint64_t pos = reader->base + reader->ring->next;

	if (reader->side->ops->is_void)
		return *ret_end = reader->ring->end;

	side_find_data(reader->side, pos, extent);
	// A file that shrank: what was read before stays.
	if (extent->end <= pos)
		ring_cut(reader->ring, reader->ring->next,
			 reader->ring->skipped);
	*ret_end = max_u64(extent->end, pos) - reader->base;
	return ring_floor(reader->ring,
			  max_u64(extent->start, pos) - reader->base);
}

static void
reader_begin(struct reader *reader, struct job *job)
{
	if (reader->env->pace != NULL)
		pace_take(reader->env->pace, job->want, clock_ns());
	job->route = aio_first_route(reader->aio, reader->align);
	job_move(job, JOB_READING);
	reader->nr_reading++;
}

static struct job *
reader_take(struct reader *reader, uint64_t most)
{
	struct job *job = ring_take(reader->ring, most);

	reader_begin(reader, job);
	return job;
}

void
reader_read(struct reader *reader, struct job *job)
{
	reader_begin(reader, job);
	reader_request(reader, job);
}

// Start the next job. A kept hole takes none, and a job ends where one
// begins; a hole that is written as zeros takes jobs without a read.
static void
reader_start_sparse(struct reader *reader)
{
	struct ring *ring = reader->ring;
	uint64_t end;
	const uint64_t data = reader_find_data(reader, &end);
	struct job *job;

	if (reader->holes == PLAN_HOLES_KEEP)
		ring_skip(ring, data);
	if (ring->next >= ring->end)
		return;
	if (reader->holes == PLAN_HOLES_KEEP)
		job = reader_take(reader, ring_ceil(ring, end) - ring->next);
	else
		job = reader_take(reader, ring->job_size);
	if (job->off + job->want <= data)
		reader_give_zeros(reader, job);
	else
		reader_request(reader, job);
}

// Zeros up to data, and then up to end what is to be read. The destination may
// make most of the zeros: those before and behind that take jobs.
static void
reader_start_clear(struct reader *reader)
{
	struct ring *ring = reader->ring;
	uint64_t end, len;
	const uint64_t data = min_u64(reader_find_data(reader, &end),
				      ring->end);
	// Who makes all of it would otherwise seem to go very fast.
	const bool is_skipped = !reader->side->ops->is_void;

	if (ring->next >= ring->end)
		return;
	if (ring->next >= data) {
		reader_request(reader,
			       reader_take(reader,
					   ring_ceil(ring, end) - ring->next));
		return;
	}
	const enum clear_way way = zeroer_next(reader->zeroer, ring->next,
					       data - ring->next, &len);
	if (way == CLEAR_WRITE) {
		reader_give_zeros(reader, reader_take(reader, len));
	} else if (way == CLEAR_SKIP) {
		ring_skip(ring, ring->next + len);
	} else {
		zeroer_put(reader->zeroer,
			   (struct zeroer_span){.off = ring->next,
						.len = len,
						.skipped = ring->skipped,
						.is_skipped = is_skipped});
		ring_pass(ring, ring->next + len, is_skipped);
	}
}

static void
reader_start_plain(struct reader *reader)
{
	struct job *job = reader_take(reader, reader->ring->job_size);

	if (reader->side->ops->is_void)
		reader_give_zeros(reader, job);
	else
		reader_request(reader, job);
}

// More requests would only tie up buffers that nobody fills yet, and new memory
// takes longer to touch than one that was used already takes to be free again.
static bool
reader_is_ahead(const struct reader *reader)
{
	const struct engine *own = reader->side->engine;

	return own != NULL && own->most > 0 && reader->nr_reading >= own->most;
}

// There is a buffer for it, and something to read.
static bool
reader_has_next(const struct reader *reader)
{
	const struct ring *ring = reader->ring;

	return ring_has_free(ring) && ring->next < ring->end &&
	       !reader_is_ahead(reader) && !zeroer_is_behind(reader->zeroer);
}

static uint64_t
reader_wait_ns(const struct reader *reader)
{
	const struct ring *ring = reader->ring;

	if (reader->env->pace == NULL)
		return 0;
	return pace_wait_ns(reader->env->pace,
			    min_u64(ring->job_size, ring->end - ring->next),
			    clock_ns());
}

int
reader_wait_ms(const struct reader *reader)
{
	if (reader->env->pace == NULL || !reader_has_next(reader))
		return -1;
	const uint64_t ms = (reader_wait_ns(reader) + 999999) / 1000000;
	return (int)min_u64(ms, INT_MAX);
}

void
reader_start(struct reader *reader)
{
	while (reader_has_next(reader) && reader_wait_ns(reader) == 0) {
		if (reader->holes == PLAN_HOLES_READ)
			reader_start_plain(reader);
		else if (reader->holes == PLAN_HOLES_MAKE)
			reader_start_clear(reader);
		else
			reader_start_sparse(reader);
	}
}
