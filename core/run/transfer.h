// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a run is made of: one source, one destination, and what goes on between
// them. conduct carries it out, preview only looks; the command reads how far
// it came, and from where to where, through the functions below.

#pragma once

#include "bulk.h"
#include "change.h"
#include "differ.h"
#include "env.h"
#include "guide.h"
#include "judge.h"
#include "mapped.h"
#include "outline.h"
#include "output.h"
#include "pace.h"
#include "packed.h"
#include "request.h"
#include "side.h"
#include "stats.h"
#include "vouch.h"

struct facts;
struct hooks;
struct legs;

enum transfer_verdict {
	TRANSFER_OK,
	TRANSFER_FAILED,      // told; the statistics count what was done
	TRANSFER_UNCOUNTED,   // told; failed where dd prints no statistics
	TRANSFER_INCOMPLETE,  // told; conv=noerror has passed something over
	TRANSFER_DIFFERS,     // told; copied, but what was written is not there
	TRANSFER_UNEXPECTED,  // told; copied, but the source has changed, or
	                      // is not what expect= says
	TRANSFER_REFUSED,     // told; by a safety check, nothing was written
	TRANSFER_STOPPED,     // by a signal
};

struct transfer {
	struct env env;          // borrowed, but for pace and hasher
	struct side src;
	uint64_t src_start;      // offset where the copy begins
	struct change change;    // of the source
	struct output out;
	struct bulk bulk;
	struct pace pace;        // of rate=
	struct differ differ;    // of verify=only
	struct guide guide;      // of bmap=
	struct outline outline;  // of obmap=
	struct vouch vouch;      // of manifest=
	struct mapkeep keep;     // of map=
	struct mapped mapped;    // likewise
	struct hasher *packed_hasher; // of what is unpacked, if it may be what
	                              // is expected; NULL: it is not
	struct legs *legs;       // of tee=: all destinations, of which out and
	                         // bulk are the first; NULL: there is one
	const struct transfer *before; // of a preview: one whose destination is
	                         // written as well, and was looked at before
	bool is_copied;          // to its end, but for what is held back
};

// All is borrowed until transfer_done.
void transfer_init(struct transfer *transfer, const struct request *q,
		   const struct hooks *hooks, struct stats *stats);
void transfer_done(struct transfer *transfer);
// Leave the servers of both sides, and end those that were started. The rest
// stays to be told.
void transfer_leave(struct transfer *transfer);

// One side, as it was probed before the first byte.
struct transfer_side {
	const char *name;        // for messages
	const struct facts *facts;
	uint64_t start;          // offset where the copy begins, UINT64_MAX:
	                         // that is none
};
struct transfer_side transfer_src(const struct transfer *transfer);
struct transfer_side transfer_dst(const struct transfer *transfer);

// As it was probed the source gives no byte, or none is wanted.
bool transfer_has_nothing(const struct transfer *transfer);

// The last one made.
const struct plan *transfer_plan(const struct transfer *transfer);
const struct aio_counters *transfer_counters(const struct transfer *transfer);
// With the results of a run that copied all. NULL: none was asked for.
const struct hasher *transfer_hasher(const struct transfer *transfer);
// Likewise, of a source that was unpacked.
const struct hasher *transfer_packed_hasher(const struct transfer *transfer);
struct packed_state transfer_packed(const struct transfer *transfer);

// The hashers, and that they can be had. 0 or -errno, told.
int transfer_open_digest(struct transfer *transfer);
// From now on rate= is kept.
void transfer_set_pace(struct transfer *transfer);
// A safety check has found something: tells it.
enum transfer_verdict transfer_refused(const struct transfer *transfer);
// r, -errno, where nothing was copied, and dd prints no statistics.
enum transfer_verdict transfer_not_begun(int r);
// Of the copy as it is now, to one of its destinations, in whose env the
// findings are told.
struct judge transfer_judge(struct transfer *transfer, struct output *out,
			    const struct env *env);
// What judge_src or judge_dst has said.
enum transfer_verdict transfer_judged(int r);
