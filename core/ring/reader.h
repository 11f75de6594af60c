// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Stage 1: FREE jobs are read, in file order, and handed on when full. A
// short read is continued; one that gives nothing is the end of the file.
// Holes of the source are not read; the zeroer gets those that the destination
// makes.

#pragma once

#include <stdint.h>

#include "aio.h"
#include "extent.h"
#include "event.h"
#include "plan.h"
#include "ring.h"
#include "side.h"

struct env;
struct zeroer;

struct reader {
	const struct env *env; // hooks are told of the holes, pace is kept
	struct aio *aio;
	struct ring *ring;
	struct event *failure;
	const struct side *side;
	uint32_t align;       // of aligned requests, which go around the page
	                      // cache; 0: all others, inline
	uint64_t base;        // file offset of the stretch
	enum plan_holes holes;
	struct zeroer *zeroer; // of holes that the destination makes
	uint64_t reached;     // the end of the furthest job that was read
	uint64_t read_end;    // the same in the file, without what is known
	unsigned nr_reading;  // jobs
	struct extent extent; // of data, with holes to be left out
	// A job holds what it will get; error: why not all, 0: the side ends.
	// NULL: the ring is told, and where a read has failed it ends.
	void (*on_read)(struct job *job, int error);
};

// Start reading into every free job whose time has come.
void reader_start(struct reader *reader);

// Read into this one, of ring_take_at.
void reader_read(struct reader *reader, struct job *job);

// Milliseconds until the time of the next job comes. -1: it is something else
// that is waited for.
int reader_wait_ms(const struct reader *reader);

// The read-completion callback (io_callback_t).
void reader_on_done(io_context_t ctx, struct iocb *iocb, long res, long res2);
