// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What others get of the journal: the objects of status=json while it is
// written, and the file of report= at its end.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "exit_codes.h"
#include "export.h"

struct journal;
struct options;
struct progress;
struct stats;
struct transfer;

struct publish {
	struct journal *journal;   // NULL: nobody asked
	struct export export;
	bool is_json;
	bool is_started;           // the first object is out
	bool is_mute;              // what is said now is not printed
	uint64_t shown_ns;         // when the progress object before was
};

// All is borrowed. 0 or -errno, told. If there is a journal, messages go
// through it from now on, publish_end is due, and it is the caller's to free.
int publish_open(struct publish *p, const struct options *options,
		 const struct transfer *t, const struct stats *stats,
		 char *const *argv);

// An object of status=json: the one before all others; one of progress.
void publish_start(struct publish *p);
void publish_progress(struct publish *p, struct progress *progress);

// Time goes by.
void publish_tick(struct publish *p, struct progress *progress,
		  uint64_t now_ns);

// The last of it. Returns the exit status that it makes of code.
enum exit_code publish_end(struct publish *p, enum exit_code code, int signo);
