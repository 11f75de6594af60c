// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "sync.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "aio.h"
#include "base.h"
#include "helper.h"
#include "hooks.h"

static int
sync_here(const struct job_io *io, const struct hooks *h)
{
	int r;

	do {
		if (io->op == JOB_CALL)
			r = (int)io->call->make(io->call, 0, 0);
		else
			r = (io->op == JOB_FSYNC ? fsync : fdatasync)(io->fd) <
					    0
				    ? -errno
				    : 0;
	} while (r == -EINTR && !h->must_stop(h->ctx));
	return r == -EINTR ? -ECANCELED : r;
}

// A sync in a thread of its own. On the heap, because the run may end by a
// signal while it sleeps.
struct syncing {
	struct aio aio;
	struct job job;
	struct job_io io;
	bool is_done;
	int result;
};

static void
syncing_on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	struct job *job = container_of(iocb, struct job, iocb);
	struct syncing *s = container_of(job, struct syncing, job);

	(void)ctx;
	(void)res2; // always 0
	s->result = (int)res;
	// Not by a signal, which the thread has none of: a server may say so.
	if (res == -EINTR)
		aio_queue(&s->aio, job, &s->io);
	else
		s->is_done = true;
}

static struct syncing *
syncing_new(const struct job_io *io)
{
	struct engine *engine = helper_new();
	struct syncing *s = engine != NULL ? calloc(1, sizeof(*s)) : NULL;

	if (s == NULL) {
		engine_free(engine);
		return NULL;
	}
	s->io = *io;
	s->io.route = JOB_BY_AIO;
	s->io.on_done = syncing_on_done;
	aio_init(&s->aio, engine);
	aio_queue(&s->aio, &s->job, &s->io);
	return s;
}

// fsync sleeps without hearing signals, for as long as the disk needs.
static int
sync_wait(const struct job_io *io, const struct hooks *h)
{
	const struct timespec look = {.tv_nsec = 1000 * 1000};
	struct syncing *s = syncing_new(io);
	int r;

	if (s == NULL)
		return sync_here(io, h);
	while (!s->is_done) {
		aio_submit(&s->aio);
		r = hooks_wait(h, aio_news_fd(&s->aio, AIO_ASYNC));
		if (r == -ECANCELED)
			return r; // the process ends
		if (r < 0)
			(void)nanosleep(&look, NULL); // nor is there a poll
		(void)aio_reap(&s->aio); // a thread loses nothing
	}
	r = s->result;
	aio_done(&s->aio);
	free(s);
	return r;
}

int
sync_side(const struct side *side, bool is_data_only, const struct hooks *h)
{
	const struct job_io io = {.op = is_data_only ? JOB_FDSYNC : JOB_FSYNC,
				  .fd = side->fd};

	return (side->is_dd ? sync_here : sync_wait)(&io, h);
}

int
sync_descriptor(int fd, const struct hooks *h)
{
	return sync_wait(&(struct job_io){.op = JOB_FSYNC, .fd = fd}, h);
}

int
sync_call(struct job_call *call, const struct hooks *h)
{
	return sync_wait(&(struct job_io){.op = JOB_CALL, .call = call}, h);
}
