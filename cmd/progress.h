// SPDX-License-Identifier: GPL-3.0-or-later
//
// The line that shows how far the copy is: dd's, once a second, or a bar.
// Both count only what the destination has accepted.

#pragma once

#include <stdint.h>

#include "options.h"
#include "stats.h"

struct progress {
	enum options_progress kind;
	const struct stats *stats;
	uint64_t due_ns;       // of the next line, 0 before the first
	int shown;             // columns of the line that is open
	uint64_t shown_bytes;
	uint64_t last_ns;      // of the rate shown by the bar
	uint64_t last_bytes;
	bool is_syncing;       // all is accepted, not all durable
	double rate;           // bytes a second, smoothed
};

// A bar is drawn on a terminal only. stats is borrowed.
void progress_init(struct progress *progress, enum options_progress kind,
		   const struct stats *stats);

// How often progress_tick wants to be called; 0: never.
unsigned progress_interval_ms(const struct progress *progress);

// Draw if it is time.
void progress_tick(void *progress);

// Syncing begins, which may take long: show the final figure now.
void progress_syncing(struct progress *progress);

// The last look, equal to the totals.
void progress_done(struct progress *progress);
