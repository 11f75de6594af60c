// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "helper.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base.h"
#include "fd.h"
#include "inline.h"
#include "job.h"
#include "thread.h"

struct helper {
	struct engine engine;
	struct helper_work work;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	// Under the lock. A request that is carried out is in neither.
	struct job_list queue;
	struct job_list ended;
	bool is_ending;
};

static struct helper *
helper_of(struct engine *engine)
{
	return container_of(engine, struct helper, engine);
}

static void *
helper_main(void *ctx)
{
	struct helper *h = ctx;
	struct job *job;

	pthread_mutex_lock(&h->lock);
	while (!h->is_ending) {
		job = job_list_take(&h->queue);
		if (job == NULL) {
			pthread_cond_wait(&h->changed, &h->lock);
			continue;
		}
		pthread_mutex_unlock(&h->lock);
		job->res = h->work.make(h->work.ctx, &job->iocb);
		pthread_mutex_lock(&h->lock);
		job_list_put(&h->ended, job);
		// After it is in the list: who is woken finds it there.
		(void)eventfd_write(h->engine.news_fd, 1); // far from its limit
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static void
helper_queue(struct engine *engine, struct iocb **iocbs, unsigned nr)
{
	struct helper *h = helper_of(engine);

	pthread_mutex_lock(&h->lock);
	for (unsigned i = 0; i < nr; i++)
		job_list_put(&h->queue,
			     container_of(iocbs[i], struct job, iocb));
	pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

static int
helper_take(struct engine *engine, struct io_event *events, unsigned max)
{
	struct helper *h = helper_of(engine);
	eventfd_t count;

	pthread_mutex_lock(&h->lock);
	const unsigned nr = job_list_take_events(&h->ended, events, max);
	// A count that is left would wake for nothing, one too few never.
	if (h->ended.first == NULL)
		(void)eventfd_read(engine->news_fd, &count);
	pthread_mutex_unlock(&h->lock);
	return (int)nr;
}

static void
helper_stop(struct engine *engine)
{
	const struct helper_work *work = &helper_of(engine)->work;

	if (work->stop != NULL)
		work->stop(work->ctx);
}

static void
helper_abandon(struct engine *engine)
{
	struct helper *h = helper_of(engine);

	helper_stop(engine);
	pthread_mutex_lock(&h->lock);
	h->is_ending = true;
	pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
}

static void
helper_destroy(struct helper *h)
{
	if (h->engine.news_fd >= 0)
		(void)close(h->engine.news_fd); // only counts
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

static void
helper_free(struct engine *engine)
{
	const struct helper_work work = helper_of(engine)->work;

	if (!engine->is_abandoned)
		helper_abandon(engine);
	helper_destroy(helper_of(engine));
	if (work.free != NULL)
		work.free(work.ctx);
}

static const struct engine_ops helper_ops = {
	.queue = helper_queue,
	.take = helper_take,
	.stop = helper_stop,
	.abandon = helper_abandon,
	.free = helper_free,
};

struct engine *
helper_new_for(const struct helper_work *work)
{
	struct helper *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->engine.ops = &helper_ops;
	h->work = *work;
	h->engine.news_fd = fd_move_up(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	if (h->engine.news_fd >= 0 &&
	    thread_start(&h->thread, helper_main, h) == 0)
		return &h->engine;
	helper_destroy(h);
	return NULL;
}

static long
make_call(void *ctx, const struct iocb *iocb)
{
	(void)ctx;
	return inline_call(iocb);
}

struct engine *
helper_new(void)
{
	return helper_new_for(&(struct helper_work){.make = make_call});
}
