// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "writer.h"

#include <errno.h>

#include "base.h"
#include "checker.h"
#include "env.h"
#include "hooks.h"
#include "manifest.h"
#include "patch.h"
#include "plan.h"
#include "stats.h"
#include "writeback.h"

static void
writer_finish(struct writer *writer, struct job *job)
{
	writer->nr_writing--;
	ring_put(writer->ring, job);
}

bool
writer_can_retry(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EBADF: // dd has its own words for each kind of record
	case EFBIG:
	case EPERM: // of a sealed file: what fits goes in
	case EINVAL:
	case EOPNOTSUPP:
	case ENOMEM:
		return true;
	default:
		return false;
	}
}

// All of the job is written, if in pieces.
static void
writer_complete(struct writer *writer, struct job *job)
{
	const struct event notice = {.kind = NOTICE_WRITE_PIECES,
				     .error = job->error,
				     .name = writer->side->name,
				     .off = writer->base + job->off,
				     .len = job->len};

	if (writer->env->manifest != NULL && job->known < job->len)
		manifest_put(writer->env->manifest, writer->base + job->off,
			     job->len, job->buf);
	if (job->error != 0) {
		writer->nr_broken -= !writer_can_retry(job->error);
		if (writer->env->hooks != NULL)
			hooks_tell(writer->env->hooks, notice);
	}
	writer_finish(writer, job);
}

// Whole blocks go direct; what is left, the tail of the copy, goes through
// the page cache.
static size_t
direct_len(const struct writer *writer, const struct job *job, size_t len)
{
	const uint64_t pos = writer->base + job->off + job->done;

	if (writer->align == 0 || job->route == JOB_BY_CACHE ||
	    pos % writer->align != 0 || job->done % writer->align != 0)
		return 0;
	if (job->piece > 0)
		len = min_u64(len, job->piece);
	return (size_t)round_down(len, writer->align);
}

// Back into the queue, to go on when nothing else is out.
static void
writer_set_alone(struct writer *writer, struct job *job)
{
	job->is_alone = true;
	writer->nr_writing--;
	ring_return(writer->ring, job);
}

// Before more of the destination is in doubt than a crash should leave, what is
// written is made sure of. An error is that of the writes: the sync at the end
// would not have it again.
static int
writer_settle(struct writer *writer, struct manifest *m)
{
	const struct side *side = writer->side;
	const int r = m->is_dirty ? side->ops->sync(side, true,
						    writer->env->hooks)
				  : 0;

	return r < 0 ? r
		     : manifest_sync(m, writer->base +
						ring_prefix(writer->ring));
}

// The manifest, if there is one, hears of each write before.
static int
writer_touch(struct writer *writer, const struct job *job, size_t len)
{
	struct manifest *m = writer->env->manifest;
	const uint64_t pos = writer->base + job->off + job->done;
	int r = 0;

	if (m == NULL)
		return 0;
	// What is in the page cache takes long.
	if (manifest_is_beyond(m, pos, len) &&
	    (writer->align > 0 || !m->is_dirty))
		r = writer_settle(writer, m);
	return r < 0 ? r : manifest_touch(m, pos, len);
}

static void writer_fail(struct writer *writer, struct job *job, int error,
			uint64_t off);

static void
writer_queue(struct writer *writer, struct job *job, enum side_way way,
	     size_t len)
{
	const int r = writer_touch(writer, job, len);

	if (r < 0) {
		writer_fail(writer, job, -r, job->off + job->done);
		return;
	}
	const struct job_io io = {
		.op = JOB_WRITE,
		.route = job->route,
		.own = writer->side->engine,
		.fd = side_fd(writer->side, way),
		.pos = writer->base + job->off + job->done,
		.from = job->done,
		.len = len,
		.on_done = writer_on_done,
	};

	aio_queue(writer->aio, job, &io);
}

// No direct write is out. A page that somebody has read since it was written
// to would bring the old bytes back.
static void
writer_queue_cached(struct writer *writer, struct job *job, size_t len)
{
	const struct side *side = writer->side;
	const uint64_t pos = writer->base + job->off + job->done;

	len = (size_t)min_u64(len, PLAN_CACHE_SIZE);
	if (writer->align > 0)
		(void)side->ops->drop_cache(side, pos, len);
	writer_queue(writer, job, SIDE_BUFFERED, len);
}

static void
writer_request(struct writer *writer, struct job *job)
{
	const size_t len = sieve_next(&writer->sieve, job);
	const size_t direct = direct_len(writer, job, len);
	const uint64_t pos = writer->base + job->off + job->done;

	if (len == 0) {
		writer_complete(writer, job);
	} else if (direct > 0) {
		writer_queue(writer, job, SIDE_DIRECT, direct);
	} else if (writer->align > 0 && !job->is_alone) {
		writer_set_alone(writer, job);
	} else if (patch_last(writer->side, writer->align, job, pos, len)) {
		job->route = JOB_BY_CALL;
		writer_queue(writer, job, SIDE_DIRECT, writer->align);
	} else {
		job->route = JOB_BY_CACHE;
		writer_queue_cached(writer, job, len);
	}
}

// off: of the first byte that may not be there.
static void
writer_fail(struct writer *writer, struct job *job, int error, uint64_t off)
{
	event_keep_first(writer->failure,
			 &(struct event){.kind = FAILURE_WRITE,
					 .error = error,
					 .name = writer->side->name,
					 .off = off,
					 .len = job->len - job->done});
	ring_cut(writer->ring, job->off + job->done, job->skipped);
	writer_finish(writer, job);
}

// Look for the first block of the request that cannot be written: by halves,
// around the page cache, which would take all of it and say nothing. False:
// this is it.
static bool
writer_narrow(struct writer *writer, struct job *job, int error)
{
	const size_t len = job->iocb.u.c.nbytes;

	if (job->route == JOB_BY_CACHE || len <= writer->align)
		return false;
	job->piece = (size_t)max_u64(round_down(len / 2, writer->align),
				     writer->align);
	if (job->error == 0)
		job->error = error;
	if (job->is_alone)
		writer_request(writer, job);
	else
		writer_set_alone(writer, job);
	return true;
}

// Not all of a request was written.
static void
writer_refused(struct writer *writer, struct job *job, int error)
{
	writer->nr_broken += job->error == 0 && !writer_can_retry(error);
	if (!writer_narrow(writer, job, error))
		writer_fail(writer, job, error, job->off + job->done);
}

// The device has refused what was accepted before.
static void
writer_fail_late(struct writer *writer, struct job *job, int error)
{
	const uint64_t end = writer->writeback != NULL
				     ? writeback_reached(writer->writeback)
				     : writer->base + job->off + job->done;

	writer_fail(writer, job, error,
		    end > writer->base ? end - writer->base : 0);
}

// len bytes are accepted. 0, or the -errno of the device for what is in the
// page cache: of them where nothing else goes there, else of those before.
static int
writer_pass(struct writer *writer, struct job *job, size_t len)
{
	const struct side *side = writer->side;
	const uint64_t off = writer->base + job->off + job->done;
	int r = 0;

	if (job->route == JOB_BY_CACHE) {
		writer->nr_cached += len;
		if (writer->align > 0)
			r = side->ops->write_out(side, off, len);
		else if (writer->writeback != NULL)
			r = writeback_pass(writer->writeback, off, len);
	}
	if (job->is_zeros)
		writer->env->stats->zeros.written += len;
	if (r == 0 || writer->writeback != NULL)
		ring_mark(writer->ring, job, len, MAP_DONE);
	return r;
}

void
writer_on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	struct job *job = container_of(iocb, struct job, iocb);
	struct writer *writer = job->writer;
	int r;

	(void)ctx;
	(void)res2; // always 0 for a write
	if (res == -EINTR || job_reroute(job, res)) {
		writer_request(writer, job);
	} else if (res <= 0) {
		// A device that takes nothing and says nothing is full.
		writer_refused(writer, job, res < 0 ? (int)-res : ENOSPC);
	} else if (job->off >= writer->ring->end) {
		writer_finish(writer, job); // behind a failure meanwhile
	} else if ((r = writer_pass(writer, job,
				    (size_t)min_u64((uint64_t)res,
						    job->len - job->done))) <
		   0) {
		writer_fail_late(writer, job, -r);
	} else {
		writer_request(writer, job);
	}
}

static void
writer_begin(struct writer *writer, struct job *job)
{
	if (!job->is_alone) // it does not come back from the queue
		job->route = aio_first_route(writer->aio, writer->align);
	job_move(job, JOB_WRITING);
	writer_request(writer, job);
}

// The oldest ones, as far as they are compared.
static void
writer_tell(struct writer *writer)
{
	struct ring *ring = writer->ring;

	while (ring->tail < ring->head) {
		struct job *job = ring_job(ring, ring->tail);

		if (job->state != JOB_CHECKING || !job->is_checked)
			return;
		if (job->off < ring->end) {
			job->len = (size_t)min_u64(job->len,
						   ring->end - job->off);
			checker_tell(writer->sieve.checker, job);
			ring_mark(ring, job, job->len, MAP_DONE);
		}
		writer_finish(writer, job);
	}
}

void
writer_on_checked(struct job *job)
{
	struct writer *writer = job->writer;
	struct checker *checker = writer->sieve.checker;

	if (job->off >= writer->ring->end) {
		writer_finish(writer, job); // behind a failure meanwhile
	} else if (checker->differ == NULL) {
		writer_begin(writer, job);
	} else if (checker_is_same(checker, job, job->len)) {
		ring_mark(writer->ring, job, job->len, MAP_SAME);
		writer_finish(writer, job);
	}
	if (checker->differ != NULL)
		writer_tell(writer);
}

static void
writer_take(struct writer *writer, struct job *job)
{
	const uint64_t end = writer->ring->end;

	if (job->off >= end) {
		ring_put(writer->ring, job);
		return;
	}
	job->len = (size_t)min_u64(job->len, end - job->off);
	writer->has_alone = job->is_alone;
	writer->nr_writing++;
	if (writer->side->ops->is_void)
		ring_mark(writer->ring, job, job->len - job->done, MAP_DONE);
	if (writer->sieve.checker != NULL && !job->is_checked)
		checker_start(writer->sieve.checker, job);
	else
		writer_begin(writer, job);
}

bool
writer_can_start(const struct writer *writer)
{
	// The first in the file goes first: of several that have failed it is
	// the one that counts.
	const struct job *job = writer->ring->ready;

	if (job == NULL)
		return false;
	if (writer->nr_writing > 0 && (writer->is_one_by_one ||
				       writer->has_alone || job->is_alone))
		return false;
	return writer->writeback == NULL ||
	       !writeback_is_full(writer->writeback);
}

void
writer_start(struct writer *writer)
{
	while (writer_can_start(writer))
		writer_take(writer, ring_take_ready(writer->ring));
}
