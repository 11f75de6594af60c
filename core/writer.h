// SPDX-License-Identifier: GPL-3.0-or-later
//
// Stage 2: READY jobs are written, a short write is continued, and the job
// is FREE again. The same iocb and buffer that were read are resubmitted:
// nothing is copied in between.

#pragma once

#include <stdint.h>

#include "aio.h"
#include "failure.h"
#include "ring.h"

struct hold;
struct hooks;
struct writeback;

struct writer {
	struct aio *aio;
	struct ring *ring;
	struct failure *failure;
	const char *name;
	int direct_fd;        // for aligned requests through kernel AIO
	int buffered_fd;      // for all others, inline
	uint32_t align;       // of direct_fd; 0: all requests go inline
	bool is_null;         // /dev/null: nothing to call
	bool is_one_by_one;   // one write at a time: the file has no gaps
	size_t sparse_unit;   // records of zeros of this size are left out
	uint64_t base;        // file offset of the stretch
	struct hold *hold;    // NULL: nothing is held back
	struct writeback *writeback; // inline: NULL: the cache takes all
	const struct hooks *hooks; // told of the holes, NULL: nobody is
	unsigned nr_writing;
	uint64_t nr_cached;   // bytes that went through the page cache
};

// Start writing every job that is ready, as far as is_one_by_one and the page
// cache allow. Jobs at or after the ring's end are dropped.
void writer_start(struct writer *writer);

// There is a job that writer_start would start.
bool writer_can_start(const struct writer *writer);

// The write-completion callback (io_callback_t).
void writer_on_done(io_context_t ctx, struct iocb *iocb, long res, long res2);
