// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "aio.h"

#include <assert.h>
#include <string.h>

#include "base.h"
#include "clock.h"
#include "helper.h"
#include "kaio.h"
#include "thread.h"

#define STALL_NS (20 * 1000 * 1000)
#define AIO_CHUNK 64 // requests in one call of an engine

void
aio_init(struct aio *aio, struct engine *engine)
{
	*aio = (struct aio){0};
	inline_init(&aio->inl, &aio->counters.inlined);
	aio->lanes[AIO_ASYNC].engine = engine;
	aio->lanes[AIO_INLINE].engine = &aio->inl.engine;
}

int
aio_open(struct aio *aio, const struct aio_kernel *kernel, unsigned depth)
{
	aio_init(aio, NULL);
	if (kernel == NULL)
		return 0;
	return kaio_open(&aio->lanes[AIO_ASYNC].engine, kernel, depth,
			 &aio->counters);
}

void
aio_add_helper(struct aio *aio)
{
	struct aio_lane *lane = &aio->lanes[AIO_HELPER];

	if (lane->engine == NULL)
		lane->engine = helper_new();
}

void
aio_serve(struct aio *aio, struct engine *engine)
{
	struct aio_lane *lane = &aio->lanes[AIO_OWN];

	if (engine == NULL || engine->is_abandoned)
		return;
	while (lane->engine != NULL && lane->engine != engine)
		lane++;
	assert(lane < &aio->lanes[AIO_INLINE]);
	lane->engine = engine;
}

void
aio_set_aside(struct aio *aio)
{
	struct aio_lane *lane = &aio->lanes[AIO_INLINE];
	struct engine *engine = helper_new();

	if (engine != NULL)
		lane->engine = engine;
}

static void *
aio_leave(void *engine)
{
	engine_free(engine);
	return NULL;
}

void
aio_start_done(struct aio *aio)
{
	struct aio_lane *lane = &aio->lanes[AIO_ASYNC];

	if (lane->engine == NULL)
		return;
	aio->leaving = lane->engine;
	lane->engine = NULL;
	if (thread_start(&aio->thread, aio_leave, aio->leaving) == 0)
		return;
	engine_free(aio->leaving);
	aio->leaving = NULL;
}

void
aio_done(struct aio *aio)
{
	if (aio->leaving != NULL)
		pthread_join(aio->thread, NULL);
	aio->leaving = NULL;
	engine_free(aio->lanes[AIO_ASYNC].engine);
	engine_free(aio->lanes[AIO_HELPER].engine);
	engine_free(aio->lanes[AIO_INLINE].engine);
	memset(aio->lanes, 0, sizeof(aio->lanes));
}

enum job_route
aio_first_route(const struct aio *aio, uint32_t align)
{
	if (align == 0)
		return JOB_BY_CACHE;
	return aio->lanes[AIO_ASYNC].engine == NULL ? JOB_BY_CALL : JOB_BY_AIO;
}

static struct aio_lane *
lane_of(struct aio *aio, const struct job_io *io)
{
	for (unsigned i = AIO_OWN; i < AIO_INLINE; i++)
		if (io->own != NULL && io->own == aio->lanes[i].engine)
			return &aio->lanes[i];
	if (io->route == JOB_BY_AIO)
		return &aio->lanes[AIO_ASYNC];
	if (io->route == JOB_BY_HELPER && aio->lanes[AIO_HELPER].engine != NULL)
		return &aio->lanes[AIO_HELPER];
	return &aio->lanes[AIO_INLINE];
}

void
aio_queue(struct aio *aio, struct job *job, const struct job_io *io)
{
	struct aio_lane *lane = lane_of(aio, io);

	job_prep(job, io, lane->engine->news_fd);
	job_list_put(&lane->waiting, job);
}

static void
lane_submit(struct aio_lane *lane)
{
	struct iocb *iocbs[AIO_CHUNK];
	unsigned nr = 0;
	struct job *job;

	while ((job = job_list_take(&lane->waiting)) != NULL) {
		iocbs[nr++] = &job->iocb;
		if (nr == AIO_CHUNK) {
			engine_queue(lane->engine, iocbs, nr);
			nr = 0;
		}
	}
	if (nr > 0)
		engine_queue(lane->engine, iocbs, nr);
}

void
aio_submit(struct aio *aio)
{
	const uint64_t start_ns = clock_ns();

	for (unsigned i = 0; i < AIO_NR_LANES; i++)
		lane_submit(&aio->lanes[i]);

	const uint64_t slept_ns = clock_ns() - start_ns;
	aio->counters.stalls += slept_ns > STALL_NS;
	aio->counters.longest_ns = max_u64(aio->counters.longest_ns, slept_ns);
}

static void
aio_fire(io_context_t ctx, const struct io_event *events, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		const io_callback_t callback = (io_callback_t)events[i].data;

		callback(ctx, events[i].obj, (long)events[i].res,
			 (long)events[i].res2);
	}
}

// Callbacks may queue and submit; what they do is for the next time, or one
// step would have no end.
static int
lane_reap(struct aio_lane *lane)
{
	struct engine *engine = lane->engine;
	struct io_event events[AIO_CHUNK];
	uint64_t left = engine != NULL ? engine_nr_out(engine) : 0;

	while (left > 0) {
		const unsigned max = (unsigned)min_u64(left, AIO_CHUNK);
		const int nr = engine_take(engine, events, max);

		if (nr < 0)
			return nr;
		aio_fire(engine->ctx, events, (unsigned)nr);
		left -= (unsigned)nr;
		if ((unsigned)nr < max)
			break;
	}
	return 0;
}

int
aio_reap(struct aio *aio)
{
	int r = 0;

	for (unsigned i = AIO_NR_LANES; r == 0 && i-- > 0;)
		r = lane_reap(&aio->lanes[i]);
	if (r < 0)
		aio_abandon(aio);
	return r;
}

void
aio_abandon(struct aio *aio)
{
	for (unsigned i = 0; i < AIO_NR_LANES; i++) {
		struct aio_lane *lane = &aio->lanes[i];

		lane->waiting = (struct job_list){0};
		if (lane->engine != NULL)
			engine_abandon(lane->engine);
	}
}

bool
aio_has_work(const struct aio *aio)
{
	for (unsigned i = 0; i < AIO_NR_LANES; i++)
		if (aio->lanes[i].waiting.first != NULL)
			return true;
	return engine_nr_out(&aio->inl.engine) > 0;
}

uint64_t
aio_nr_out(const struct aio *aio)
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < AIO_NR_LANES; i++)
		if (aio->lanes[i].engine != NULL)
			nr += engine_nr_out(aio->lanes[i].engine);
	return nr;
}

uint64_t
aio_nr_taken(const struct aio *aio)
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < AIO_NR_LANES; i++)
		if (aio->lanes[i].engine != NULL)
			nr += aio->lanes[i].engine->taken;
	return nr;
}

int
aio_news_fd(const struct aio *aio, unsigned lane)
{
	const struct engine *engine = aio->lanes[lane].engine;

	return engine != NULL ? engine->news_fd : -1;
}
