// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "nbd_engine.h"

#ifdef HAVE_LIBNBD
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base.h"
#include "fd.h"
#include "job.h"
#include "nbd_library.h"
#include "thread.h"

struct conn {
	struct nbd_engine *of;
	struct nbd_handle *handle;
	int wake_fd; // something is in the queue
	pthread_t thread;
	bool is_started;

	// Under the lock.
	struct job_list queue;
	unsigned nr_out; // in the queue or on the way
	bool is_lost;

	// Of the thread: what its callbacks have put there.
	struct job_list ended;
};

struct nbd_engine {
	struct engine engine;
	const struct nbd_library *lib;
	uint64_t size;
	uint32_t write_flags;
	pthread_mutex_t lock;
	pthread_cond_t changed; // for those who wait in a call

	// Under the lock.
	struct job_list ended;
	bool is_ending;
	bool is_closed; // whoever waits in a call waits in vain
	unsigned nr_awaited;

	unsigned nr;
	struct conn conns[];
};

static struct nbd_engine *
nbd_of(struct engine *engine)
{
	return container_of(engine, struct nbd_engine, engine);
}

/* The requests of one connection, in its thread */

// Within a call on the handle: nothing may be called on it.
static int
conn_on_ended(void *ctx, int *error)
{
	struct job *job = ctx;
	struct conn *c = job->with;

	if (*error != 0)
		job->res = -*error;
	job_list_put(&c->ended, job);
	return 1;
}

static int
conn_on_extent(void *ctx, const char *meta, uint64_t off, uint32_t *entries,
	       size_t nr, int *error)
{
	struct nbd_engine_extents *extents = ctx;

	(void)meta; // there is no other
	(void)off;
	(void)error;
	for (size_t i = 0; i + 1 < nr; i += 2)
		extents->on_span(extents, entries[i],
				 entries[i + 1] & LIBNBD_STATE_ZERO);
	return 0;
}

// A cookie, or -1.
static int64_t
conn_begin(struct conn *c, struct job *job)
{
	const struct nbd_library *lib = c->of->lib;
	const struct iocb *iocb = &job->iocb;
	const uint64_t off = (uint64_t)iocb->u.c.offset;
	const size_t len = (size_t)job->res;
	const nbd_completion_callback done = {.callback = conn_on_ended,
					      .user_data = job};

	switch (iocb->aio_lio_opcode) {
	case IO_CMD_PREAD:
		return lib->aio_pread(c->handle, iocb->u.c.buf, len, off, done,
				      0);
	case IO_CMD_PWRITE:
		return lib->aio_pwrite(c->handle, iocb->u.c.buf, len, off, done,
				       c->of->write_flags);
	case NBD_CMD_ZERO:
		return lib->aio_zero(c->handle, len, off, done,
				     c->of->write_flags);
	case NBD_CMD_EXTENTS:
		return lib->aio_block_status(
			c->handle, len, off,
			(nbd_extent_callback){.callback = conn_on_extent,
					      .user_data = iocb->u.c.buf},
			done, 0);
	default:
		return lib->aio_flush(c->handle, done, 0);
	}
}

static bool
conn_is_up(const struct conn *c)
{
	const struct nbd_library *lib = c->of->lib;

	return lib->aio_is_ready(c->handle) > 0 ||
	       lib->aio_is_processing(c->handle) > 0;
}

// Reads of whole blocks may reach behind the end.
static long
conn_len(const struct conn *c, const struct iocb *iocb)
{
	const uint64_t off = (uint64_t)iocb->u.c.offset;

	if (iocb->aio_lio_opcode != IO_CMD_PREAD)
		return (long)iocb->u.c.nbytes;
	return (long)min_u64(iocb->u.c.nbytes,
			     c->of->size - min_u64(off, c->of->size));
}

static void
conn_start(struct conn *c, struct job *job)
{
	job->with = c;
	job->res = conn_len(c, &job->iocb);
	if (job->res == 0 && job->iocb.aio_lio_opcode == IO_CMD_PREAD) {
		job_list_put(&c->ended, job);
	} else if (!conn_is_up(c)) {
		job->res = -ENOTCONN;
		job_list_put(&c->ended, job);
	} else if (conn_begin(c, job) < 0) {
		// No callback has come, nor will.
		const int error = c->of->lib->get_errno();

		job->res = error > 0 ? -error : -EIO;
		job_list_put(&c->ended, job);
	}
}

// To whoever waits for them.
static void
conn_hand_over(struct conn *c)
{
	struct nbd_engine *nbd = c->of;
	struct job *job;
	unsigned nr = 0;

	if (c->ended.first == NULL)
		return;
	// Who learns that it is lost gives it nothing more.
	const bool is_lost = !conn_is_up(c);
	pthread_mutex_lock(&nbd->lock);
	c->is_lost = is_lost;
	while ((job = job_list_take(&c->ended)) != NULL) {
		c->nr_out--;
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

static void
conn_notify(struct conn *c, unsigned direction, short events)
{
	const struct nbd_library *lib = c->of->lib;

	// What is wrong with the connection shows in the state that it leaves.
	if ((direction & LIBNBD_AIO_DIRECTION_READ) && (events & ~POLLOUT))
		(void)lib->aio_notify_read(c->handle);
	else if ((direction & LIBNBD_AIO_DIRECTION_WRITE) && events != 0)
		(void)lib->aio_notify_write(c->handle);
}

static void
conn_wait(struct conn *c)
{
	const struct nbd_library *lib = c->of->lib;
	const bool is_up = conn_is_up(c);
	const unsigned direction = is_up ? lib->aio_get_direction(c->handle)
					 : 0;
	struct pollfd fds[] = {
		{.fd = c->wake_fd, .events = POLLIN},
		{.fd = is_up ? lib->aio_get_fd(c->handle) : -1},
	};
	eventfd_t count;

	if (direction & LIBNBD_AIO_DIRECTION_READ)
		fds[1].events |= POLLIN;
	if (direction & LIBNBD_AIO_DIRECTION_WRITE)
		fds[1].events |= POLLOUT;
	if (poll(fds, ARRAY_LEN(fds), -1) < 0)
		return;
	if (fds[0].revents != 0)
		(void)eventfd_read(c->wake_fd, &count);
	if (fds[1].revents != 0)
		conn_notify(c, direction, fds[1].revents);
}

// False: it is to end.
static bool
conn_take_queue(struct conn *c, struct job_list *ret)
{
	const bool is_lost = !conn_is_up(c);

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
			conn_start(c, job);
		conn_hand_over(c);
		conn_wait(c);
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
	best->nr_out++;
	if (best->queue.first == NULL)
		(void)eventfd_write(best->wake_fd, 1); // far from its limit
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
		(void)eventfd_write(c->wake_fd, 1);
		pthread_join(c->thread, NULL);
		c->is_started = false;
	}
}

// The server learns that it is no accident; the answer is not waited for. The
// first one is the last: where it has started the server, it waits for its end,
// and the server waits for the others.
static void
close_conns(struct nbd_engine *nbd)
{
	for (unsigned i = nbd->nr; i-- > 0;) {
		struct conn *c = &nbd->conns[i];

		if (c->handle == NULL)
			continue;
		if (conn_is_up(c))
			(void)nbd->lib->aio_disconnect(c->handle, 0);
		nbd->lib->close(c->handle);
		c->handle = NULL;
	}
	pthread_mutex_lock(&nbd->lock);
	nbd->is_closed = true;
	pthread_cond_broadcast(&nbd->changed);
	while (nbd->nr_awaited > 0)
		pthread_cond_wait(&nbd->changed, &nbd->lock);
	pthread_mutex_unlock(&nbd->lock);
}

static void
nbd_abandon(struct engine *engine)
{
	struct nbd_engine *nbd = nbd_of(engine);

	end_threads(nbd);
	close_conns(nbd);
	nbd->ended = (struct job_list){0};
}

static void
nbd_free(struct engine *engine)
{
	struct nbd_engine *nbd = nbd_of(engine);

	end_threads(nbd);
	close_conns(nbd);
	for (unsigned i = 0; i < nbd->nr; i++)
		if (nbd->conns[i].wake_fd >= 0)
			(void)close(nbd->conns[i].wake_fd); // only counts
	if (engine->news_fd >= 0)
		(void)close(engine->news_fd);
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
	c->wake_fd = fd_move_up(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	if (c->wake_fd < 0)
		return c->wake_fd;
	const int r = thread_start(&c->thread, conn_main, c);
	c->is_started = r == 0;
	return r;
}

int
nbd_engine_new(struct engine **ret, const struct nbd_library *lib,
	       struct nbd_handle **handles, unsigned nr, uint64_t size,
	       bool is_durable)
{
	struct nbd_engine *nbd = calloc(1, sizeof(*nbd) +
						   nr * sizeof(struct conn));
	int r = 0;

	if (nbd == NULL) {
		for (unsigned i = 0; i < nr; i++)
			lib->close(handles[i]);
		return -ENOMEM;
	}
	nbd->engine.ops = &nbd_ops;
	nbd->engine.news_fd = fd_move_up(
		eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	nbd->lib = lib;
	nbd->size = size;
	nbd->write_flags = is_durable ? LIBNBD_CMD_FLAG_FUA : 0;
	nbd->nr = nr;
	pthread_mutex_init(&nbd->lock, NULL);
	pthread_cond_init(&nbd->changed, NULL);
	for (unsigned i = 0; i < nr; i++)
		nbd->conns[i] = (struct conn){
			.of = nbd, .handle = handles[i], .wake_fd = -1};
	for (unsigned i = 0; r == 0 && i < nr; i++)
		r = start(&nbd->conns[i]);
	if (nbd->engine.news_fd < 0)
		r = nbd->engine.news_fd;
	if (r == 0)
		*ret = &nbd->engine;
	else
		nbd_free(&nbd->engine);
	return r;
}
#endif
