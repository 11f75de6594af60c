// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// One run of the command: what the engine asks for while it copies, and what
// is said at its end.

#pragma once

#include "exit_codes.h"
#include "hooks.h"
#include "options.h"
#include "progress.h"
#include "publish.h"
#include "stats.h"
#include "sums.h"
#include "transfer.h"

struct run {
	struct options options;
	struct stats stats;
	struct progress progress;
	struct hooks hooks;
	struct transfer transfer;
	struct sums sums;
	struct export obmap;
	bool is_skip_told;         // skip= ends behind the source
	bool is_before_told;       // what map= has from earlier runs
	uint64_t nr_differ[1 + REQUEST_TEES_MAX]; // ranges of each destination
	                                          // that differ, told or not
	struct publish publish;    // of status=json and report=
};

// The options are parsed, the signals are caught. 0 or -errno, told: what was
// asked for cannot be had, and nothing was opened. run_end in any case.
int run_open(struct run *run, char *const *argv);

// All is copied, or not: what there is to say. It can still fail.
enum transfer_verdict run_tell(struct run *run, enum transfer_verdict verdict);

// The exit status, or death from the signal that has come.
enum exit_code run_end(struct run *run, enum transfer_verdict verdict);
