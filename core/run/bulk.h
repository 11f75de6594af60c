// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The part of a run that is copied by offset, in stretches: what it knows of
// both sides, the plan of the stretch in hand, and how far it has come. The
// other modules of this room work on it: stretch runs the stretches, offload
// those that the kernel copies by itself, settle takes what the ring has left
// behind, course lets the record engine have what is not plain.

#pragma once

#include "aio.h"
#include "side.h"
#include "plan.h"
#include "request.h"
#include "rest.h"
#include "stats.h"

struct clear;
struct differ;
struct env;
struct output;
struct ring;
struct writer;

enum bulk_verdict {
	BULK_DONE,      // count= is reached
	BULK_RECORDS,   // the record engine goes on, to the end
	BULK_OBSTACLE,  // the record engine goes round it: conv=noerror
	BULK_AGAIN,     // another stretch at once, planned anew
	// Nobody goes on.
	BULK_FAILED,    // told
	BULK_STOPPED,   // by a signal
};

struct bulk {
	// Borrowed.
	const struct request *request;
	const struct env *env;
	struct side *src;
	struct side *dst;
	const struct output *out; // of which dst is the side
	struct differ *differ;    // of verify=only, or NULL
	struct clear *clear;      // of it

	struct rest rest;
	struct plan plan;
	struct aio aio;
	struct plan_refused refused; // so far
	uint64_t memory;         // that is allowed, 0: not looked at yet
	bool is_longer;          // a stream goes on behind its ranges, or has
	bool is_shorter;         // ended before
	uint64_t nr_direct;      // bytes that went around the page cache
	const struct ring *ring; // of the copy that is under way, or NULL
	uint64_t ring_base;      // rest.done when it began
	const struct writer *writer; // of it
	bool is_cautioned;       // the user is
	bool needs_fsync;        // O_DIRECT was asked for, and not all had it
	bool is_grown;           // by us, before the first write
	uint64_t grown_from;     // the size before that
	bool tells_holes;        // the destination's file system
	struct aio_counters counters; // of all stretches
};

// Plan what is left.
void bulk_plan(struct bulk *bulk);
// Where the plan counts on kernel AIO, see whether there is any, and if not
// plan without.
void bulk_open_aio(struct bulk *bulk);
// After a run, in which kernel AIO is given back by a thread: waits for that,
// and the counters are complete.
void bulk_done(struct bulk *bulk);

// As if it were its own.
void bulk_add_counters(struct bulk *bulk, const struct aio_counters *more);

void bulk_tell_plan(const struct bulk *bulk);
// Tells, once, what there is to warn of in carrying it out.
void bulk_caution(struct bulk *bulk);
// The statistics get to know how much there is to copy, 0: only the end of the
// source will tell.
void bulk_expect(struct bulk *bulk);

// The first n bytes of the stretch are through: counts them, and puts both
// descriptors behind them. The verdict, or BULK_FAILED.
enum bulk_verdict bulk_advance(struct bulk *bulk, uint64_t n,
			       enum bulk_verdict verdict);

// The plan as it would be carried out, after a look whether the kernel
// takes part.
void bulk_preview(struct bulk *bulk);

// Bytes written so far that never were in the page cache.
uint64_t bulk_direct(const struct bulk *bulk);
