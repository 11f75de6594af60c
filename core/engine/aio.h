// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The dispatcher. Requests are queued one by one and handed over once a step,
// each to the engine of its route; their ends come back through the callback
// that the job put into iocb.data, fired here, and nowhere else, as
// callback(ctx, obj, res, res2).
//
// There are up to three engines of our own: one that goes on by itself, which
// is kernel AIO if the copy has any, the inline one, which makes plain calls,
// and a helper, if somebody wants one. A side that has no descriptor brings
// another.

#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "aio_kernel.h"
#include "engine.h"
#include "inline.h"
#include "job.h"

enum aio_lane_nr {
	AIO_ASYNC,
	AIO_HELPER,
	AIO_OWN,                  // one for each side that has its own
	AIO_INLINE = AIO_OWN + 2,
	AIO_NR_LANES,
};

struct aio {
	struct aio_lane {
		struct engine *engine;   // NULL: there is none
		struct job_list waiting; // for aio_submit
	} lanes[AIO_NR_LANES];
	struct inline_engine inl;
	struct aio_counters counters;

	struct engine *leaving;          // in a thread; NULL: none is
	pthread_t thread;
};

// engine: for JOB_BY_AIO; it is freed by aio_done. NULL: inline only. aio stays
// where it is until then.
void aio_init(struct aio *aio, struct engine *engine);

// With kernel AIO, or with inline only if kernel is NULL or refuses. 0, or the
// -errno with which it does: aio can be used all the same.
int aio_open(struct aio *aio, const struct aio_kernel *kernel, unsigned depth);

// Have a helper for JOB_BY_HELPER. Without one, or where no thread can be had,
// those are inline.
void aio_add_helper(struct aio *aio);
// Besides, what comes with this engine as its own goes there; the engine stays
// its owner's. NULL, or one that is abandoned: nothing does.
void aio_serve(struct aio *aio, struct engine *engine);

// Plain calls are made by a thread of their own from now on, if one can be had:
// one that sleeps keeps nobody waiting.
void aio_set_aside(struct aio *aio);

// Nothing is under way any more, and nothing more will be queued: give the
// engines back meanwhile. io_destroy sleeps, and a sync can as well.
void aio_start_done(struct aio *aio);

// Waits for that; or does it, if it has not been begun. The counters stay to
// be read, and are complete only now. {0} is done already.
void aio_done(struct aio *aio);

// Of a side with this alignment for O_DIRECT, 0: none.
enum job_route aio_first_route(const struct aio *aio, uint32_t align);

void aio_queue(struct aio *aio, struct job *job, const struct job_io *io);

// Hand over what is queued: first what goes on by itself, so that it works
// while the inline calls are made.
void aio_submit(struct aio *aio);

// Fire the callbacks of what has ended. What they queue is not handed over.
// -errno: completions are lost, and all requests have ended, with results
// unknown; nothing more may be queued.
int aio_reap(struct aio *aio);

// Wait until no buffer is touched any more, without learning how each request
// ended.
void aio_abandon(struct aio *aio);

// Something is queued, or has ended, that nobody needs to wait for.
bool aio_has_work(const struct aio *aio);

// Requests that were handed over, and have not come back.
uint64_t aio_nr_out(const struct aio *aio);

// Requests that have come back, of those that were handed over.
uint64_t aio_nr_taken(const struct aio *aio);

// Readable when aio_reap would fire something of that lane; -1: there is none,
// or only aio_has_work tells.
int aio_news_fd(const struct aio *aio, unsigned lane);
