// SPDX-License-Identifier: GPL-3.0-or-later
//
// The stretches of a run that can be copied by offset: shared, copied by the
// kernel, or taken through the ring, as the plan says. Whatever is met that
// is not plain (a read error, a full disk, a source that shrank or grew) ends
// the stretch at a record boundary, and the record engine goes on from there
// as dd would have: it makes the same calls, gets the same answers, and tells
// them in the same words.

#pragma once

#include "aio.h"
#include "side.h"
#include "plan.h"
#include "request.h"
#include "stats.h"

struct copy;
struct env;
struct hold;
struct writeback;

enum bulk_verdict {
	BULK_DONE,      // count= is reached
	BULK_RECORDS,   // the record engine goes on
	BULK_AGAIN,     // within bulk_run: another stretch, planned anew
	// Nobody goes on.
	BULK_FAILED,    // told
	BULK_STOPPED,   // by a signal
};

struct bulk {
	// Borrowed. The request becomes what is left of it, and the
	// descriptors of both sides stand where that begins.
	struct request *request;
	const struct env *env;
	struct hold *hold;       // NULL: nothing is held back
	struct writeback *writeback; // NULL: the page cache takes all
	struct side *src;
	struct side *dst;

	struct plan plan;
	struct aio aio;
	struct plan_refused refused; // so far
	uint64_t memory;         // that is allowed, 0: not looked at yet
	uint64_t base;           // bytes of stretches that are through
	uint64_t nr_direct;      // of them, those that went around the cache
	const struct copy *copy; // the one that is under way, or NULL
	bool is_cautioned;       // the user is
	bool needs_fsync;        // O_DIRECT was asked for, and not all had it
	bool is_grown;           // by us, before the first write
	uint64_t grown_from;     // the size before that
	bool tells_holes;        // the destination's file system
	struct aio_counters counters; // of all stretches
};

// The plan as it would be carried out, after a look whether the kernel
// takes part.
void bulk_preview(struct bulk *bulk);
// Tells, once, what there is to warn of in carrying it out.
void bulk_caution(struct bulk *bulk);
// Of such a plan: clone=always may succeed, or is not asked for; if neither,
// that is told.
bool bulk_can_clone(const struct bulk *bulk);

// Both sides are open and probed.
enum bulk_verdict bulk_run(struct bulk *bulk);

// After a run, in which kernel AIO is given back by a thread: waits for that,
// and the counters are complete.
void bulk_done(struct bulk *bulk);

// Bytes written so far that never were in the page cache.
uint64_t bulk_direct(const struct bulk *bulk);
