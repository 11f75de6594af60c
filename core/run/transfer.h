// SPDX-License-Identifier: GPL-3.0-or-later
//
// A whole run: open, probe, what can be copied in bulk, the rest record by
// record, finish.

#pragma once

#include "bulk.h"
#include "change.h"
#include "commit.h"
#include "side.h"
#include "env.h"
#include "pace.h"
#include "request.h"
#include "safety.h"
#include "stats.h"

struct writeback;

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
	struct request request;  // what is left of it, while it runs
	struct env env;          // borrowed, but for pace and hasher

	struct side src;
	struct side dst;
	struct side back;    // dst to be read, of verify=
	struct safety safety;    // claims a block device while it is written
	struct change change;    // of the source
	uint64_t src_start;      // offsets where the copy begins
	uint64_t dst_start;
	struct bulk bulk;
	struct commit commit;    // of commit=rename
	struct pace pace;        // of rate=
	struct writeback *writeback; // of a page cache that is synced
	bool is_copied;          // to its end, but for what is held back
	bool is_synced;          // all that was written is durable
	bool is_closed;          // and no error came late
};

// hooks and stats are borrowed.
void transfer_init(struct transfer *transfer, const struct request *q,
		   const struct hooks *hooks, struct stats *stats);

// The digests of a run that copied all stay in transfer->env.hasher.
enum transfer_verdict transfer_run(struct transfer *transfer);

void transfer_done(struct transfer *transfer);

// The hasher, and that it can be had. 0 or -errno, told.
int transfer_open_digest(struct transfer *transfer);
// Whether the destination, of which the facts are known, can be written, and
// read back if verify= asks for it; if not, that is told.
bool transfer_can_write(const struct transfer *transfer);
bool transfer_can_verify(const struct transfer *transfer);
// Open it once more, to be read then. 0 or -errno, told.
int transfer_open_back(struct transfer *transfer);

// A safety check has found something: tells it.
enum transfer_verdict transfer_refused(const struct transfer *transfer);
// None has, but not all could be seen: tells that.
void transfer_warn_unchecked(const struct transfer *transfer);
