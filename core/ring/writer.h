// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Stage 2: READY jobs are written, a short write is continued, and the job
// is FREE again. The same iocb and buffer that were read are resubmitted:
// nothing is copied in between.
//
// Where what is there is compared first, a job comes back from the checker
// before it is written, and only what differs is.
//
// Some jobs are written alone: nothing else is out until they are done.
// - What does not go direct (the tail that is no whole block, what O_DIRECT
//   is refused for) goes through the page cache: a page of it may have bytes
//   of a direct write beside it, and would bring back what was there before.
// - What failed is written again in smaller pieces, to find the first block
//   that the device refuses. The first in the file is the first to go.

#pragma once

#include <stdint.h>

#include "aio.h"
#include "event.h"
#include "ring.h"
#include "side.h"
#include "sieve.h"

struct env;
struct writeback;

struct writer {
	const struct env *env; // hooks are told of the holes
	struct aio *aio;
	struct ring *ring;
	struct event *failure;
	const struct side *side;
	uint32_t align;       // of aligned requests, which go around the page
	                      // cache; 0: all others, inline
	bool is_one_by_one;   // one write at a time: the file has no gaps
	bool has_alone;       // a job that is written alone is out
	uint64_t base;        // file offset of the stretch
	struct sieve sieve;   // what is written of a job
	struct writeback *writeback; // inline: NULL: the cache takes all
	unsigned nr_writing;  // or being compared
	uint64_t nr_cached;   // bytes that went through the page cache
	unsigned nr_broken;   // jobs that the device refused, and not for
	                      // an error that writer_can_retry
};

// Start writing every job that is ready, as far as those that are written
// alone and the page cache allow. Jobs at or after the ring's end are dropped.
void writer_start(struct writer *writer);

// There is a job that writer_start would start.
bool writer_can_start(const struct writer *writer);

// Errors that the record engine can make less of, by smaller requests or
// without O_DIRECT. The others are final: the page cache must not swallow a
// write error that the device has reported.
bool writer_can_retry(int error);

// A job comes back from the checker.
void writer_on_checked(struct job *job);

// The write-completion callback (io_callback_t).
void writer_on_done(io_context_t ctx, struct iocb *iocb, long res, long res2);
