// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "aio.h"

#include <assert.h>

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
	for (unsigned i = 0; i < AIO_NR_LANES; i++) {
		engine_free(aio->lanes[i].engine);
		aio->lanes[i] = (struct aio_lane){0};
	}
}

enum job_route
aio_first_route(const struct aio *aio, uint32_t align)
{
	if (align == 0)
		return JOB_BY_CACHE;
	return aio->lanes[AIO_ASYNC].engine == NULL ? JOB_BY_CALL : JOB_BY_AIO;
}

static struct aio_lane *
lane_of(struct aio *aio, enum job_route route)
{
	if (route == JOB_BY_AIO)
		return &aio->lanes[AIO_ASYNC];
	if (route == JOB_BY_HELPER && aio->lanes[AIO_HELPER].engine != NULL)
		return &aio->lanes[AIO_HELPER];
	return &aio->lanes[AIO_INLINE];
}

void
aio_queue(struct aio *aio, struct job *job, const struct job_io *io)
{
	struct aio_lane *lane = lane_of(aio, io->route);

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
	bool has_waiting = false;

	for (unsigned i = 0; i < AIO_NR_LANES; i++)
		has_waiting |= aio->lanes[i].waiting.first != NULL;
	return has_waiting || engine_nr_out(&aio->inl.engine) > 0;
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

static int
news_fd_of(const struct aio_lane *lane)
{
	return lane->engine != NULL ? lane->engine->news_fd : -1;
}

int
aio_news_fd(const struct aio *aio)
{
	return news_fd_of(&aio->lanes[AIO_ASYNC]);
}

int
aio_helper_fd(const struct aio *aio)
{
	return news_fd_of(&aio->lanes[AIO_HELPER]);
}
