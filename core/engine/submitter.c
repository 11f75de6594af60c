// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "submitter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base.h"
#include "thread.h"

// The answer to the batch. An error concerns the first of it only.
static void
take_answer(struct submitter *s, int r)
{
	const unsigned nr = r > 0 ? (unsigned)r : 1;

	if (r > 0) {
		s->submitted += nr;
	} else {
		s->refused[s->nr_refused++] = (struct io_event){
			.data = s->batch[0]->data,
			.obj = s->batch[0],
			.res = (unsigned long)(long)(r < 0 ? r : -EAGAIN),
		};
		s->all_refused++;
		(void)eventfd_write(s->refused_fd, 1); // far from its limit
	}
	s->nr_batch -= nr;
	memmove(s->batch, s->batch + nr, s->nr_batch * sizeof(s->batch[0]));
}

// What is submitted leaves the queue first: it may end, and come back into
// the queue for its next part, before io_submit has returned.
static void
take_batch(struct submitter *s)
{
	memcpy(s->batch + s->nr_batch, s->queue,
	       s->nr_queued * sizeof(s->batch[0]));
	s->nr_batch += s->nr_queued;
	s->nr_queued = 0;
}

// Under the lock, which io_submit is called without.
static void
submit_all(struct submitter *s)
{
	for (take_batch(s); s->nr_batch > 0; take_batch(s)) {
		pthread_mutex_unlock(&s->lock);
		const int r = s->kernel->submit(s->ctx, s->nr_batch, s->batch);
		pthread_mutex_lock(&s->lock);
		take_answer(s, r);
	}
}

static void *
submitter_main(void *ctx)
{
	struct submitter *s = ctx;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		submit_all(s);
		if (s->is_ending)
			break;
		pthread_cond_wait(&s->changed, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void
free_memory(struct submitter *s)
{
	free(s->queue);
	free(s->batch);
	free(s->refused);
	free(s);
}

struct submitter *
submitter_new(const struct aio_kernel *kernel, io_context_t ctx,
	      unsigned capacity, int refused_fd)
{
	struct submitter *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->kernel = kernel;
	s->ctx = ctx;
	s->refused_fd = refused_fd;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->queue = calloc(capacity, sizeof(s->queue[0]));
	s->batch = calloc(capacity, sizeof(s->batch[0]));
	s->refused = calloc(capacity, sizeof(s->refused[0]));
	if (s->queue != NULL && s->batch != NULL && s->refused != NULL)
		return s;
	free_memory(s);
	return NULL;
}

int
submitter_start(struct submitter *s)
{
	const int r = thread_start(&s->thread, submitter_main, s);

	s->has_thread = r == 0;
	return r;
}

static void
end_thread(struct submitter *s)
{
	pthread_mutex_lock(&s->lock);
	s->is_ending = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
}

uint64_t
submitter_free(struct submitter *s)
{
	if (s->has_thread)
		end_thread(s);

	// A request can have ended before the io_submit that took it
	// returned: only now is the count right.
	const uint64_t submitted = s->submitted;
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free_memory(s);
	return submitted;
}

void
submitter_queue(struct submitter *s, struct iocb **iocbs, unsigned nr)
{
	pthread_mutex_lock(&s->lock);
	memcpy(s->queue + s->nr_queued, iocbs, nr * sizeof(s->queue[0]));
	s->nr_queued += nr;
	if (s->has_thread)
		pthread_cond_signal(&s->changed);
	else
		submit_all(s);
	pthread_mutex_unlock(&s->lock);
}

unsigned
submitter_take_refused(struct submitter *s, struct io_event *events,
		       unsigned max, uint64_t *ret_all)
{
	pthread_mutex_lock(&s->lock);
	const unsigned nr = (unsigned)min_u64(s->nr_refused, max);
	memcpy(events, s->refused, nr * sizeof(events[0]));
	*ret_all = s->all_refused;
	s->nr_refused -= nr;
	memmove(s->refused, s->refused + nr, s->nr_refused * sizeof(events[0]));
	pthread_mutex_unlock(&s->lock);
	return nr;
}
