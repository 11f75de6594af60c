// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "writer.h"

#include <errno.h>

#include "base.h"
#include "filter.h"
#include "hold.h"
#include "hooks.h"
#include "plan.h"
#include "writeback.h"

static bool
is_hole_at(const struct writer *writer, const struct job *job, size_t from)
{
	const size_t left = job->len - from;

	return filter_is_zero(job->buf + from,
			      (size_t)min_u64(left, writer->sparse_unit));
}

// Leave out the records of zeros before job->done, and say how many bytes
// follow up to the next one. 0: nothing is left of the job.
static size_t
writer_next_run(const struct writer *writer, struct job *job)
{
	const size_t unit = writer->sparse_unit, from = job->done;
	size_t end;

	if (unit == 0)
		return job->len - job->done;
	// Within a record, of which something was written.
	if (from % unit != 0)
		return (size_t)min_u64(round_up(from, unit), job->len) - from;
	while (job->done < job->len && is_hole_at(writer, job, job->done))
		job->done = (size_t)min_u64(job->done + unit, job->len);
	hooks_hole(writer->hooks, writer->base + job->off + from,
		   job->done - from);
	for (end = job->done; end < job->len; end += unit)
		if (end > job->done && is_hole_at(writer, job, end))
			break;
	return (size_t)min_u64(end, job->len) - job->done;
}

static void
writer_finish(struct writer *writer, struct job *job)
{
	writer->nr_writing--;
	ring_put(writer->ring, job);
}

// Whole blocks go direct; what is left, the tail of the copy, goes through
// the page cache.
static size_t
direct_len(const struct writer *writer, const struct job *job, size_t len)
{
	const uint64_t pos = writer->base + job->off + job->done;

	if (writer->align == 0 || job->is_direct_refused ||
	    pos % writer->align != 0 || job->done % writer->align != 0)
		return 0;
	return (size_t)round_down(len, writer->align);
}

// The next bytes to write. What is held back of them is done.
static size_t
writer_next_len(const struct writer *writer, struct job *job)
{
	size_t len, held = 0;

	do {
		len = writer_next_run(writer, job);
		if (writer->hold != NULL)
			held = hold_take(writer->hold,
					 writer->base + job->off + job->done,
					 job->buf + job->done, len);
		job->done += held;
	} while (held > 0 && held == len);
	return len - held;
}

static void
writer_request(struct writer *writer, struct job *job)
{
	const size_t len = writer_next_len(writer, job);
	const size_t direct = direct_len(writer, job, len);
	const size_t cached = (size_t)min_u64(len, PLAN_CACHE_SIZE);
	const struct job_io io = {
		.op = JOB_WRITE,
		.fd = direct > 0 ? writer->direct_fd : writer->buffered_fd,
		.pos = writer->base + job->off + job->done,
		.from = job->done,
		.len = direct > 0 ? direct : cached,
		.on_done = writer_on_done,
		.eventfd = direct > 0 ? writer->aio->eventfd : -1,
	};

	if (len == 0) {
		writer_finish(writer, job);
		return;
	}
	job_prep(job, &io);
	if (direct > 0)
		aio_queue(writer->aio, &job->iocb);
	else
		aio_queue_inline(writer->aio, &job->iocb);
}

// off: of the first byte that may not be there.
static void
writer_fail(struct writer *writer, struct job *job, int error, uint64_t off)
{
	failure_record(writer->failure,
		       &(struct failure){.phase = FAILURE_WRITE,
					 .error = error,
					 .name = writer->name,
					 .off = off,
					 .len = job->len - job->done});
	ring_cut(writer->ring, job->off + job->done);
	writer_finish(writer, job);
}

// The device has refused what was accepted before.
static void
writer_fail_late(struct writer *writer, struct job *job, int error)
{
	const uint64_t end = writeback_reached(writer->writeback);

	writer_fail(writer, job, error,
		    end > writer->base ? end - writer->base : 0);
}

// len bytes are accepted. 0, or the -errno of those before.
static int
writer_pass(struct writer *writer, struct job *job, size_t len)
{
	const uint64_t off = writer->base + job->off + job->done;

	job->done += len;
	if (job->is_inline)
		writer->nr_cached += len;
	return writer->writeback != NULL
		       ? writeback_pass(writer->writeback, off, len)
		       : 0;
}

void
writer_on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	struct job *job = container_of(iocb, struct job, iocb);
	struct writer *writer = job->writer;
	int r;

	(void)ctx;
	(void)res2; // always 0 for a write
	if ((res == -EINVAL || res == -EAGAIN) && !job->is_inline) {
		job->is_direct_refused = true;
		writer_request(writer, job);
	} else if (res == -EINTR) {
		writer_request(writer, job);
	} else if (res <= 0) {
		// A device that takes nothing and says nothing is full.
		writer_fail(writer, job, res < 0 ? (int)-res : ENOSPC,
			    job->off + job->done);
	} else if (job->off >= writer->ring->end) {
		writer_finish(writer, job); // behind a failure meanwhile
	} else if ((r = writer_pass(writer, job, (size_t)res)) < 0) {
		writer_fail_late(writer, job, -r);
	} else {
		writer_request(writer, job);
	}
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
	job->is_direct_refused = false;
	job_move(job, JOB_WRITING);
	writer->nr_writing++;
	if (writer->is_null)
		job->done = job->len;
	writer_request(writer, job);
}

// The oldest job that may be written now, or NULL.
static struct job *
writer_next(const struct writer *writer)
{
	const struct ring *ring = writer->ring;

	if (writer->is_one_by_one && writer->nr_writing > 0)
		return NULL;
	if (writer->writeback != NULL && writeback_is_full(writer->writeback))
		return NULL;
	for (uint64_t n = ring->tail; n < ring->head; n++)
		if (ring_job(ring, n)->state == JOB_READY)
			return ring_job(ring, n);
	return NULL;
}

bool
writer_can_start(const struct writer *writer)
{
	return writer_next(writer) != NULL;
}

void
writer_start(struct writer *writer)
{
	struct job *job;

	while ((job = writer_next(writer)) != NULL)
		writer_take(writer, job);
}
