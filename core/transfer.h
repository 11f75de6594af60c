// SPDX-License-Identifier: GPL-3.0-or-later
//
// A whole run: open, probe, plan, the stretch through the ring, the rest
// record by record, finish.
//
// The ring takes what it can copy by offset. Whatever it meets that is not
// plain (a read error, a full disk, a source that shrank or grew) ends the
// stretch at a record boundary, and the record engine goes on from there as
// dd would have: it makes the same calls, gets the same answers, and tells
// them in the same words.

#pragma once

#include "aio.h"
#include "endpoint.h"
#include "plan.h"
#include "request.h"
#include "stats.h"

struct hooks;

enum transfer_verdict {
	TRANSFER_OK,
	TRANSFER_FAILED,      // told; the statistics count what was done
	TRANSFER_UNCOUNTED,   // told; failed where dd prints no statistics
	TRANSFER_STOPPED,     // by a signal
};

struct transfer {
	struct request request;  // what is left of it, while it runs
	const struct hooks *hooks;
	struct stats *stats;

	struct endpoint src;
	struct endpoint dst;
	struct plan plan;
	struct aio aio;
	int aio_error;           // why kernel AIO is not used, 0: it may be
	uint64_t base;           // bytes of stretches that are through
	bool needs_fsync;        // O_DIRECT was asked for, the tail had none
	struct aio_counters counters; // of all stretches
};

// hooks and stats are borrowed.
void transfer_init(struct transfer *transfer, const struct request *q,
		   const struct hooks *hooks, struct stats *stats);

// Decide all, touch nothing. The plan is in transfer->plan.
enum transfer_verdict transfer_preview(struct transfer *transfer);

enum transfer_verdict transfer_run(struct transfer *transfer);
