// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The conductor of the ring: takes the stretch of the plan from one side to
// the other. copy_step() is the whole of it; copy_run() repeats it and
// sleeps in the loop in between, where an eventfd announces completions, a
// timerfd the next look at the progress, a signalfd signals.

#pragma once

#include "aio.h"
#include "checker.h"
#include "env.h"
#include "event.h"
#include "plan.h"
#include "reader.h"
#include "ring.h"
#include "side.h"
#include "watch.h"
#include "writer.h"
#include "zeroer.h"

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
	struct checker checker; // of a plan that is_compared
	struct writer writer;
	struct zeroer zeroer;
	struct event failure;   // the first in the file, if any
	struct fan *fan;        // or NULL: the writer writes
	bool is_stopped;        // by a signal, or nobody is left to write to

	const struct env *env;
	uint64_t base;            // bytes that went before this stretch
	uint64_t skipped_base;    // of them, those that were not moved
	bool is_reading_back;
	const struct side *src;
	const struct side *dst;

	uint64_t digest_base;     // parts the hasher had before this stretch
	uint64_t nr_hashed;       // jobs handed to it

	struct watch watch;
	uint64_t looked_ns;       // into it, last
	struct loop_source digested;
	struct loop_source written_out;
};

// What a stretch is copied with. All is borrowed, and but for the plan until
// copy_done.
struct copy_parts {
	const struct env *env;    // with hasher the bytes go through it, in
	                          // order; stats are kept current for hooks
	const struct plan *plan;
	struct aio *aio;
	const struct side *src; // both stand where the copy is, unless
	const struct side *dst; // it is_reading_back
	const struct side *back;  // of a plan that is_compared: dst, to be read
	struct differ *differ;    // NULL: what differs is written
	struct hold *hold;        // NULL: nothing is held back
	struct writeback *writeback; // NULL: the page cache takes all
	struct clear *clear;      // NULL: zeros are written, or left out
	struct fan *fan;          // that writes, in place of dst and all that
	                          // is its; NULL: dst is written
	uint64_t base;            // bytes that went before this stretch
	uint64_t counted;         // likewise, and those that come again
	bool is_reading_back;     // what was written: counts as verified
};

// -errno: nothing is held, nothing was copied.
int copy_init(struct copy *copy, const struct copy_parts *parts);
// The loop around it: separate, so that a test can step by hand.
int copy_open_loop(struct copy *copy);
void copy_done(struct copy *copy);

enum copy_verdict copy_step(struct copy *copy);

// Until all is copied, or cut by the end of the file, a failure or a
// signal. COPY_DONE or COPY_LOST; ring_prefix says how far it came.
enum copy_verdict copy_run(struct copy *copy);
