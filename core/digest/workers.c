// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "workers.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base.h"
#include "fd.h"
#include "hooks.h"
#include "thread.h"

int
workers_init(struct workers *workers)
{
	*workers = (struct workers){.nr = 0};
	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->changed, NULL);
	pthread_cond_init(&workers->done, NULL);
	workers->fd = fd_move_up(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	return workers->fd < 0 ? workers->fd : 0;
}

static void *
worker_main(void *ctx)
{
	struct worker *w = ctx;
	struct workers *workers = w->workers;

	pthread_mutex_lock(&workers->lock);
	for (;;) {
		while (w->nr_done == workers->nr_put && !workers->is_ending)
			pthread_cond_wait(&workers->changed, &workers->lock);
		if (w->nr_done == workers->nr_put)
			break;
		const struct workers_part part =
			workers->parts[w->nr_done % WORKERS_QUEUE];

		pthread_mutex_unlock(&workers->lock);
		if (part.is_end)
			hash_end(&w->hash, part.off);
		else
			hash_take(&w->hash, part.off, part.buf, part.len);
		pthread_mutex_lock(&workers->lock);
		w->nr_done++;
		pthread_cond_signal(&workers->done);
		(void)eventfd_write(workers->fd, 1); // far from its limit
	}
	pthread_mutex_unlock(&workers->lock);
	return NULL;
}

struct hash *
workers_add(struct workers *workers)
{
	struct worker *w = &workers->all[workers->nr++];

	w->workers = workers;
	return &w->hash;
}

int
workers_start(struct workers *workers, int r)
{
	struct worker *w = &workers->all[workers->nr - 1];

	if (r == 0)
		r = thread_start(&w->thread, worker_main, w);
	w->has_thread = r == 0;
	return r;
}

void
workers_put(struct workers *workers, struct workers_part part)
{
	pthread_mutex_lock(&workers->lock);
	workers->parts[workers->nr_put % WORKERS_QUEUE] = part;
	workers->nr_put++;
	pthread_cond_broadcast(&workers->changed);
	pthread_mutex_unlock(&workers->lock);
}

// The lock is held.
static uint64_t
nr_done(const struct workers *workers)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < workers->nr; i++)
		least = min_u64(least, workers->all[i].nr_done);
	return least;
}

uint64_t
workers_nr_done(struct workers *workers)
{
	pthread_mutex_lock(&workers->lock);
	const uint64_t nr = nr_done(workers);
	pthread_mutex_unlock(&workers->lock);
	return nr;
}

void
workers_wait(struct workers *workers, uint64_t nr)
{
	pthread_mutex_lock(&workers->lock);
	while (nr_done(workers) < nr)
		pthread_cond_wait(&workers->done, &workers->lock);
	pthread_mutex_unlock(&workers->lock);
}

int
workers_serve(struct workers *workers, const struct hooks *hooks)
{
	const uint64_t nr = workers->nr_put;
	eventfd_t count;
	int r = 0;

	while (hooks != NULL && r == 0 && workers_nr_done(workers) < nr) {
		r = hooks_wait(hooks, workers->fd);
		(void)eventfd_read(workers->fd, &count); // a reason to look
	}
	if (r == -ECANCELED)
		return r;
	workers_wait(workers, nr); // also where it cannot be served
	return 0;
}

void
workers_cancel(struct workers *workers)
{
	workers->is_cancelled = true;
}

void
workers_end(struct workers *workers)
{
	pthread_mutex_lock(&workers->lock);
	workers->is_ending = true;
	pthread_cond_broadcast(&workers->changed);
	pthread_mutex_unlock(&workers->lock);
	for (unsigned i = 0; i < workers->nr; i++) {
		struct worker *w = &workers->all[i];

		if (w->has_thread)
			pthread_join(w->thread, NULL);
		w->has_thread = false;
	}
}

void
workers_done(struct workers *workers)
{
	workers_cancel(workers);
	workers_end(workers);
	for (unsigned i = 0; i < workers->nr; i++)
		hash_done(&workers->all[i].hash);
	if (workers->fd >= 0)
		(void)close(workers->fd); // only counts
	pthread_cond_destroy(&workers->changed);
	pthread_cond_destroy(&workers->done);
	pthread_mutex_destroy(&workers->lock);
}
