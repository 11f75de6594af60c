// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "reader.h"

#include <errno.h>

#include "base.h"

static bool
can_go_direct(const struct reader *reader, const struct job *job)
{
	return reader->align > 0 && !job->is_direct_refused &&
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
		.fd = is_direct ? reader->direct_fd : reader->buffered_fd,
		.pos = reader->base + job->off + job->len,
		.from = job->len,
		.len = is_direct ? (size_t)round_up(missing, reader->align)
				 : missing,
		.on_done = reader_on_done,
		.eventfd = is_direct ? reader->aio->eventfd : -1,
	};

	job_prep(job, &io);
	if (is_direct)
		aio_queue(reader->aio, &job->iocb);
	else
		aio_queue_inline(reader->aio, &job->iocb);
}

// The job holds all that it will get.
static void
reader_finish(struct reader *reader, struct job *job)
{
	if (job->len < job->want)
		ring_cut(reader->ring, job->off + job->len);
	if (job->len == 0)
		ring_put(reader->ring, job);
	else
		ring_fill(reader->ring, job);
}

static void
reader_fail(struct reader *reader, struct job *job, int error)
{
	failure_record(reader->failure,
		       &(struct failure){.phase = FAILURE_READ,
					 .error = error,
					 .name = reader->name,
					 .off = job->off + job->len,
					 .len = job->want - job->len});
	reader_finish(reader, job);
}

void
reader_on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	struct job *job = container_of(iocb, struct job, iocb);
	struct reader *reader = job->reader;

	(void)ctx;
	(void)res2; // always 0 for a read
	if ((res == -EINVAL || res == -EAGAIN) && !job->is_inline) {
		job->is_direct_refused = true;
		reader_request(reader, job);
	} else if (res == -EINTR) {
		reader_request(reader, job);
	} else if (res < 0) {
		reader_fail(reader, job, (int)-res);
	} else if (res == 0) {
		reader_finish(reader, job);
	} else {
		job->len = (size_t)min_u64(job->len + (uint64_t)res, job->want);
		if (job->len < job->want)
			reader_request(reader, job);
		else
			reader_finish(reader, job);
	}
}

void
reader_start(struct reader *reader)
{
	struct ring *ring = reader->ring;

	while (ring_has_free(ring) && ring->next < ring->end) {
		struct job *job = ring_take(ring);

		job_move(job, JOB_READING);
		if (reader->is_zero_source) {
			job->len = job->want;
			reader_finish(reader, job);
		} else {
			reader_request(reader, job);
		}
	}
}
