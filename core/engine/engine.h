// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Who carries requests out: kernel AIO, plain calls, a thread, a script of a
// test. libaio's own types are the interface. A request is the iocb of a job,
// and whoever carries it out hands back a struct io_event with what libaio
// would have put there; iocb.data, with the callback, is not for an engine to
// look at. aio_reap() alone fires callbacks, so that the rules hold for all of
// them, and neither the stages nor their tests know who did the work.

#pragma once

#include <libaio.h>
#include <stdbool.h>
#include <stdint.h>

struct engine;

struct engine_ops {
	// Returns at once, and what may sleep does so in a thread; but for the
	// inline engine. A request that is refused ends like any other, with
	// the reason.
	void (*queue)(struct engine *engine, struct iocb **iocbs, unsigned nr);

	// What has ended, each request once, without waiting. Fewer than max:
	// there is no more now. -errno: completions cannot be had any more,
	// and abandon comes next.
	int (*take)(struct engine *engine, struct io_event *events,
		    unsigned max);

	// Nobody wants what is asked for still: a request that waits for
	// somebody else, not for a device, ends at once, with what it has or
	// -ECANCELED, and so do those behind it. NULL: none waits so.
	void (*stop)(struct engine *engine);

	// On return no buffer is touched any more. How the requests ended that
	// were not taken, nobody will know. Then only free comes.
	void (*abandon)(struct engine *engine);

	// All that was queued has been taken, or it is abandoned.
	void (*free)(struct engine *engine);
};

struct engine {
	const struct engine_ops *ops;
	int news_fd;         // readable when take has something: only take
			     // reads it. -1: what is queued has ended when
			     // queue returns
	io_context_t ctx;    // for the callbacks; NULL without kernel AIO
	unsigned most;       // requests out at a time that gain something; more
			     // would only wait. 0: any number

	// Kept by the functions below, which are all that calls the ops.
	uint64_t queued;
	uint64_t taken;
	bool is_stopped;
	bool is_abandoned;
};

// What a copy has done, whoever did it, for status=engine.
struct aio_counters {
	uint64_t submitted;   // taken by io_submit
	uint64_t announced;   // counted by the eventfd
	uint64_t reaped;      // got from io_getevents
	uint64_t inlined;     // carried out by pread or pwrite
	uint64_t stalls;      // the loop was away longer than 20 ms at submit
	uint64_t longest_ns;  // the longest it was
};

void engine_queue(struct engine *engine, struct iocb **iocbs, unsigned nr);
int engine_take(struct engine *engine, struct io_event *events, unsigned max);
// NULL: nothing.
void engine_stop(struct engine *engine);
void engine_abandon(struct engine *engine);

// Asserts that all that was queued has been taken, unless it is abandoned.
// NULL: nothing.
void engine_free(struct engine *engine);

// Requests whose buffers are not ours now.
uint64_t engine_nr_out(const struct engine *engine);
