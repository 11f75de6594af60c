// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Between the stages: before a job is written, what is there is read into the
// second half of its buffer, and compared. It works for the writer, which
// hands it jobs in CHECKING, and gets them back in any order.
//
// Where nothing is to be written a job that differs waits until all before it
// are compared: what differs is told in the order of the file.

#pragma once

#include "aio.h"
#include "differ.h"
#include "event.h"
#include "ring.h"
#include "same.h"
#include "side.h"

struct env;

struct checker {
	const struct env *env;
	struct aio *aio;
	struct ring *ring;
	struct event *failure;
	const struct side *side; // the destination, open to be read
	uint32_t align;       // of aligned requests, which go around the page
	                      // cache; 0: all others, inline
	uint64_t base;        // file offset of the stretch
	uint64_t counted;     // in the stretch: what is before was there
	                      // already, or was not, when it came first
	size_t unit;          // of struct same
	struct differ *differ; // NULL: what differs is written
	void (*on_checked)(struct job *job); // of the writer: it goes on
};

// In CHECKING from now on.
void checker_start(struct checker *checker, struct job *job);

// Step over what is there already behind job->done, and say how many bytes
// are to be written then. 0: nothing is left of the job.
size_t checker_next_run(struct checker *checker, struct job *job);

// The first len bytes of a job are there already.
bool checker_is_same(const struct checker *checker, const struct job *job,
		     size_t len);
// They are, at off: that is counted.
void checker_count(const struct checker *checker, uint64_t off, size_t len);

// With differ: tell what of a job differs.
void checker_tell(struct checker *checker, const struct job *job);

// The read-completion callback (io_callback_t).
void checker_on_done(io_context_t ctx, struct iocb *iocb, long res, long res2);
