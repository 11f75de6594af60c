// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The line that shows how far the run is: dd's, once a second, or a bar. Both
// count what the destination has accepted; how much of that is on the device
// is a second number, and flushing and reading back are phases of their own.
// The rate of the bar is that of the phase, and of bytes that are moved: holes
// and shared blocks only bring the end nearer. A bar is drawn with
// '\r' and blanks alone, so that any terminal will do. Times are
// CLOCK_MONOTONIC.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bar.h"
#include "options.h"
#include "stats.h"

struct progress {
	enum options_progress kind;
	struct bar bar;        // on_device is the caller's
	uint64_t due_ns;       // of the next line, 0 before the first
	int shown;             // columns of the line that is open
	uint64_t shown_bytes;
	uint64_t phase_ns;     // when the phase began
	uint64_t last_ns;      // of the rate
	uint64_t last_moved;
};

// A bar is drawn on a terminal only, and only in its foreground. stats and
// name are borrowed; name is NULL for standard output.
void progress_init(struct progress *progress, enum options_progress kind,
		   const struct stats *stats, const char *name);

// How often progress_tick wants to be called; 0: never.
unsigned progress_interval_ms(const struct progress *progress);

// Draw if it is time.
void progress_tick(struct progress *progress, uint64_t now_ns);

// A phase begins. One that may take long with nothing to count is announced
// with the final figure.
void progress_enter(struct progress *progress, enum stats_phase phase,
		    uint64_t now_ns);

// Bytes a second: the mean of the last seconds of the phase. While it is
// flushed, of what is known to have reached the device.
uint64_t progress_rate(struct progress *progress, uint64_t now_ns);

// A signal ends the run: the line says so until what is on its way is through.
void progress_stop(struct progress *progress, uint64_t now_ns);

// The last look, equal to the totals.
void progress_done(struct progress *progress, uint64_t now_ns);
