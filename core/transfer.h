// SPDX-License-Identifier: GPL-3.0-or-later
//
// A whole run: open, probe, what can be copied in bulk, the rest record by
// record, finish.

#pragma once

#include "bulk.h"
#include "endpoint.h"
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
	struct bulk bulk;
};

// hooks and stats are borrowed.
void transfer_init(struct transfer *transfer, const struct request *q,
		   const struct hooks *hooks, struct stats *stats);

// Decide all, touch nothing. The plan is in transfer->bulk.plan.
enum transfer_verdict transfer_preview(struct transfer *transfer);

enum transfer_verdict transfer_run(struct transfer *transfer);
