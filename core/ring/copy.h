// SPDX-License-Identifier: GPL-3.0-or-later
//
// The conductor of the ring: takes the stretch of the plan from one side to
// the other. copy_step() is the whole of it; copy_run() repeats it and
// sleeps in the loop in between, where an eventfd announces completions, a
// timerfd the next look at the progress, a signalfd signals.

#pragma once

#include <signal.h>

#include "aio.h"
#include "side.h"
#include "event.h"
#include "loop.h"
#include "plan.h"
#include "reader.h"
#include "ring.h"
#include "stats.h"
#include "writer.h"

struct hasher;
struct hooks;

enum copy_verdict {
	COPY_RUN,     // step again at once
	COPY_WAIT,    // only a completion, time or the device can help
	COPY_DONE,    // all jobs are FREE: to the ring's end
	COPY_LOST,    // the kernel gives no completions out any more
};

struct copy {
	struct aio *aio;
	struct ring ring;
	struct reader reader;
	struct writer writer;
	struct event failure;   // the first in the file, if any
	bool is_stopped;          // by a signal

	const struct hooks *hooks;
	const struct request *request;
	struct stats *stats;      // kept current for the hooks
	uint64_t stats_base;      // bytes that went before this stretch
	uint64_t skipped_base;    // of them, those that were not moved
	bool is_reading_back;     // counts as verified
	const struct side *src; // to stand where the copy is; NULL: they
	const struct side *dst; // need not

	struct hasher *hasher;    // NULL: nobody wants any
	uint64_t digest_base;     // parts it had taken before this stretch
	uint64_t nr_digested;     // jobs handed to it

	struct loop loop;
	uint64_t looked_ns;       // into it, last
	struct loop_source ended;
	struct loop_source digested;
	struct loop_source written_out;
	struct loop_source signalled;
	struct loop_source ticked;
	sigset_t old_mask;
};

// Everything that is needed until copy_done. aio, hooks, request and stats
// are borrowed. -errno: nothing is held, nothing was copied.
int copy_init(struct copy *copy, const struct plan *plan, struct aio *aio,
	      const struct side *src, const struct side *dst);
// Before the first step: the bytes go through hasher on their way.
void copy_set_hasher(struct copy *copy, struct hasher *hasher);
// The loop around it: separate, so that a test can step by hand.
int copy_open_loop(struct copy *copy, const struct hooks *hooks);
void copy_done(struct copy *copy);

enum copy_verdict copy_step(struct copy *copy);

// Until all is copied, or cut by the end of the file, a failure or a
// signal. COPY_DONE or COPY_LOST; ring_prefix says how far it came.
enum copy_verdict copy_run(struct copy *copy);
