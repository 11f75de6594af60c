// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "nbd_engine.h"

#ifdef HAVE_LIBNBD
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "fd.h"
#include "job.h"
#include "nbd_conn.h"
#include "nbd_library.h"
#include "thread.h"
#include "unflushed.h"

struct conn {
	struct nbd_engine *of;
	struct nbd_conn nbd; // of the thread; it is woken for the queue
	pthread_t thread;
	bool is_started;

	// Under the lock.
	struct job_list queue;
	unsigned nr_out; // in the queue or on the way
	bool is_lost;
};

struct nbd_engine {
	struct engine engine;
	const struct nbd_library *lib;
	struct nbd_engine_export export;
	pthread_mutex_t lock;
	pthread_cond_t changed; // for those who wait in a call

	// Under the lock.
	struct job_list ended;
	bool is_ending;
	bool is_closed; // whoever waits in a call waits in vain
	unsigned nr_awaited;
	struct unflushed unflushed;
	struct job flush; // our own
	bool is_flushing; // which is under way

	unsigned nr;
	struct conn conns[NBD_ENGINE_CONNS];
};

static bool
is_flush(const struct job *job)
{
	return job->iocb.aio_lio_opcode == IO_CMD_FSYNC ||
	       job->iocb.aio_lio_opcode == IO_CMD_FDSYNC;
}

static bool
is_change(const struct job *job)
{
	return job->iocb.aio_lio_opcode == IO_CMD_PWRITE ||
	       job->iocb.aio_lio_opcode == NBD_CMD_ZERO;
}

static struct nbd_engine *
nbd_of(struct engine *engine)
{
	return container_of(engine, struct nbd_engine, engine);
}

/* The thread of one connection */

static void put(struct nbd_engine *nbd, struct job *job);

// The server has it, and may forget it.
static void
note_change(struct nbd_engine *nbd, const struct job *job)
{
	const uint64_t now = clock_ns();

	if (job->res <= 0 || nbd->export.is_durable)
		return;
	unflushed_add(&nbd->unflushed, (uint64_t)job->iocb.u.c.offset,
		      (uint64_t)job->res, now);
	if (!nbd->export.is_flushed || nbd->is_flushing ||
	    !unflushed_is_due(&nbd->unflushed, now))
		return;
	nbd->flush.iocb = (struct iocb){.aio_fildes = -1,
					.aio_lio_opcode = IO_CMD_FDSYNC};
	nbd->is_flushing = true;
	put(nbd, &nbd->flush);
}

static void
note_flush(struct nbd_engine *nbd, struct job *job)
{
	job->res = unflushed_end_flush(&nbd->unflushed, (int)job->res);
	nbd->is_flushing &= job != &nbd->flush;
}

// To whoever waits for them.
static void
conn_hand_over(struct conn *c)
{
	struct nbd_engine *nbd = c->of;
	struct job *job;
	unsigned nr = 0;

	if (c->nbd.ended.first == NULL)
		return;
	// Who learns that it is lost gives it nothing more.
	const bool is_lost = !nbd_conn_is_up(&c->nbd);
	pthread_mutex_lock(&nbd->lock);
	c->is_lost = is_lost;
	while ((job = job_list_take(&c->nbd.ended)) != NULL) {
		c->nr_out--;
		if (is_change(job))
			note_change(nbd, job);
		if (is_flush(job))
			note_flush(nbd, job);
		if (job == &nbd->flush)
			continue;
		if (job->is_awaited) {
			job->is_awaited = false;
			pthread_cond_broadcast(&nbd->changed);
			continue;
		}
		job_list_put(&nbd->ended, job);
		nr++;
	}
	if (nr > 0)
		(void)eventfd_write(nbd->engine.news_fd, nr);
	pthread_mutex_unlock(&nbd->lock);
}

// False: it is to end.
static bool
conn_take_queue(struct conn *c, struct job_list *ret)
{
	const bool is_lost = !nbd_conn_is_up(&c->nbd);

	pthread_mutex_lock(&c->of->lock);
	const bool is_ending = c->of->is_ending;
	c->is_lost = is_lost;
	*ret = c->queue;
	c->queue = (struct job_list){0};
	pthread_mutex_unlock(&c->of->lock);
	return !is_ending;
}

static void *
conn_main(void *ctx)
{
	struct conn *c = ctx;
	struct job_list queue;
	struct job *job;

	while (conn_take_queue(c, &queue)) {
		while ((job = job_list_take(&queue)) != NULL)
			nbd_conn_start(&c->nbd, job);
		conn_hand_over(c);
		nbd_conn_wait(&c->nbd);
		conn_hand_over(c);
	}
	return NULL;
}

/* The engine */

// Under the lock.
static void
put(struct nbd_engine *nbd, struct job *job)
{
	struct conn *best = &nbd->conns[0];

	for (struct conn *c = best; c < nbd->conns + nbd->nr; c++)
		if (c->is_lost != best->is_lost ? best->is_lost
						: c->nr_out < best->nr_out)
			best = c;
	if (is_flush(job))
		unflushed_begin_flush(&nbd->unflushed);
	best->nr_out++;
	if (best->queue.first == NULL)
		nbd_conn_wake(&best->nbd);
	job_list_put(&best->queue, job);
}

static void
nbd_queue(struct engine *engine, struct iocb **iocbs, unsigned nr)
{
	struct nbd_engine *nbd = nbd_of(engine);

	pthread_mutex_lock(&nbd->lock);
	for (unsigned i = 0; i < nr; i++)
		put(nbd, container_of(iocbs[i], struct job, iocb));
	pthread_mutex_unlock(&nbd->lock);
}

static int
nbd_take(struct engine *engine, struct io_event *events, unsigned max)
{
	struct nbd_engine *nbd = nbd_of(engine);
	eventfd_t count;

	pthread_mutex_lock(&nbd->lock);
	const unsigned nr = job_list_take_events(&nbd->ended, events, max);
	// A count that is left would wake for nothing, one too few never.
	if (nbd->ended.first == NULL)
		(void)eventfd_read(engine->news_fd, &count);
	pthread_mutex_unlock(&nbd->lock);
	return (int)nr;
}

long
nbd_engine_call(struct engine *engine, int command, void *buf, uint64_t len,
		uint64_t off)
{
	struct nbd_engine *nbd = nbd_of(engine);
	struct job job = {
		.iocb = {.aio_fildes = -1, .aio_lio_opcode = (short)command},
		.is_awaited = true};

	job.iocb.u.c.buf = buf;
	job.iocb.u.c.nbytes = len;
	job.iocb.u.c.offset = (long long)off;
	pthread_mutex_lock(&nbd->lock);
	if (nbd->is_ending) {
		job.is_awaited = false;
		job.res = -ENOTCONN;
	} else {
		put(nbd, &job);
	}
	nbd->nr_awaited++;
	while (job.is_awaited && !nbd->is_closed)
		pthread_cond_wait(&nbd->changed, &nbd->lock);
	const long res = job.is_awaited ? -ENOTCONN : job.res;
	if (--nbd->nr_awaited == 0)
		pthread_cond_broadcast(&nbd->changed);
	pthread_mutex_unlock(&nbd->lock);
	return res;
}

static void
end_threads(struct nbd_engine *nbd)
{
	pthread_mutex_lock(&nbd->lock);
	nbd->is_ending = true;
	pthread_mutex_unlock(&nbd->lock);
	for (unsigned i = 0; i < nbd->nr; i++) {
		struct conn *c = &nbd->conns[i];

		if (!c->is_started)
			continue;
		nbd_conn_wake(&c->nbd);
		pthread_join(c->thread, NULL);
		c->is_started = false;
	}
}

// The first one is the last: where it has started the server, it waits for its
// end, and the server waits for the others.
static void
close_conns(struct nbd_engine *nbd)
{
	for (unsigned i = nbd->nr; i-- > 0;)
		nbd_conn_done(&nbd->conns[i].nbd);
	pthread_mutex_lock(&nbd->lock);
	nbd->is_closed = true;
	pthread_cond_broadcast(&nbd->changed);
	while (nbd->nr_awaited > 0)
		pthread_cond_wait(&nbd->changed, &nbd->lock);
	pthread_mutex_unlock(&nbd->lock);
}

static void
leave(struct nbd_engine *nbd)
{
	end_threads(nbd);
	close_conns(nbd);
	nbd->nr = 0;
}

static void
nbd_abandon(struct engine *engine)
{
	struct nbd_engine *nbd = nbd_of(engine);

	leave(nbd);
	nbd->ended = (struct job_list){0};
}

static void
nbd_free(struct engine *engine)
{
	struct nbd_engine *nbd = nbd_of(engine);

	leave(nbd);
	if (engine->news_fd >= 0)
		(void)close(engine->news_fd); // only counts
	pthread_cond_destroy(&nbd->changed);
	pthread_mutex_destroy(&nbd->lock);
	free(nbd);
}

static const struct engine_ops nbd_ops = {
	.queue = nbd_queue,
	.take = nbd_take,
	.abandon = nbd_abandon,
	.free = nbd_free,
};

static int
start(struct conn *c)
{
	const int r = thread_start(&c->thread, conn_main, c);
	c->is_started = r == 0;
	return r;
}

// All are closed where that fails.
static int
take_conns(struct nbd_engine *nbd, struct nbd_handle **handles, unsigned nr)
{
	int r = 0;

	nbd->nr = nr;
	nbd->is_ending = nbd->is_closed = false;
	unflushed_restart(&nbd->unflushed);
	nbd->is_flushing = false;
	for (unsigned i = 0; i < nr; i++) {
		struct conn *c = &nbd->conns[i];

		*c = (struct conn){.of = nbd};
		const int e = nbd_conn_init(&c->nbd, nbd->lib, &nbd->export,
					    handles[i]);
		r = r < 0 ? r : e;
	}
	for (unsigned i = 0; r == 0 && i < nr; i++)
		r = start(&nbd->conns[i]);
	if (r < 0)
		leave(nbd);
	return r;
}

int
nbd_engine_new(struct engine **ret, const struct nbd_library *lib,
	       struct nbd_handle **handles, unsigned nr,
	       const struct nbd_engine_export *export)
{
	struct nbd_engine *nbd = calloc(1, sizeof(*nbd));

	if (nbd == NULL) {
		for (unsigned i = 0; i < nr; i++)
			lib->close(handles[i]);
		return -ENOMEM;
	}
	nbd->engine.ops = &nbd_ops;
	nbd->lib = lib;
	nbd->export = *export;
	pthread_mutex_init(&nbd->lock, NULL);
	pthread_cond_init(&nbd->changed, NULL);
	nbd->engine.news_fd = fd_move_up(
		eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	int r = take_conns(nbd, handles, nr);
	if (nbd->engine.news_fd < 0)
		r = nbd->engine.news_fd;
	if (r == 0)
		*ret = &nbd->engine;
	else
		nbd_free(&nbd->engine);
	return r;
}

int
nbd_engine_renew(struct engine *engine, struct nbd_handle **handles,
		 unsigned nr)
{
	struct nbd_engine *nbd = nbd_of(engine);

	leave(nbd);
	return take_conns(nbd, handles, nr);
}

uint64_t
nbd_engine_unflushed(struct engine *engine)
{
	struct nbd_engine *nbd = nbd_of(engine);

	pthread_mutex_lock(&nbd->lock);
	const uint64_t off = unflushed_first(&nbd->unflushed);
	pthread_mutex_unlock(&nbd->lock);
	return off;
}
#endif
