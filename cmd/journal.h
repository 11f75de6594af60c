// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is kept of a run, for those who want more than its messages: both
// sides, the plan, what happened when, and a map of the destination. It is of
// fixed size: samples are thinned out and the cells of the map grow as the run
// gets longer, and of very many events or bad ranges the last are only
// counted.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "cells.h"
#include "disk_identify.h"
#include "facts.h"
#include "event.h"
#include "hooks.h"
#include "plan.h"
#include "request.h"
#include "stats.h"

struct transfer;

enum {
	JOURNAL_EVENTS_MAX = 1000,
	JOURNAL_BAD_MAX = 1000,
	JOURNAL_CONCLUSIONS_MAX = 8,
	JOURNAL_SAMPLES_MAX = 600,
};

// Times are nanoseconds since the copy began, 0 before.
struct journal_event {
	uint64_t ns;
	bool is_warning;         // the copy went on
	const char *phase;       // NULL: of none
	const char *check;       // of force=, that refused
	const char *name;        // may be NULL
	const char *text;        // as it is printed, without our name
	int error;               // positive errno or 0
	bool has_range;
	uint64_t off;
	uint64_t len;            // 0: not known
};

// The last of a phase is at its very end.
struct journal_sample {
	uint64_t ns;
	enum stats_phase phase;
	uint64_t bytes;
	uint64_t moved;          // also back, by verify=
	uint64_t on_device;
};

// Bytes of the destination that are not those of the source.
struct journal_bad {
	unsigned dst;            // which of tee=, 0: that of of=
	bool is_unread;          // passed over by conv=noerror or map=; else
	uint64_t off;            // verify= found other bytes there
	uint64_t len;
	int wrote, found;        // the first byte; -1: not known
	const char *state;       // what map= knows of it, or NULL
};

struct journal_side {
	struct facts facts;      // when the copy began
	uint64_t off;            // where it began, UINT64_MAX: nowhere
	struct disk_identity disk;
};

struct journal {
	// Borrowed.
	const struct request *request;
	const struct transfer *transfer;
	const struct stats *stats;
	char *const *argv;

	time_t time;             // when the run began
	bool is_probed;
	struct journal_side src;
	struct journal_side dst;
	bool is_planned;
	struct plan plan;        // the last one made

	enum stats_phase phase;
	uint64_t began_ns[STATS_NR_PHASES]; // those up to now

	const struct event *about;   // being told, or NULL
	struct journal_event events[JOURNAL_EVENTS_MAX]; // own their texts
	size_t nr_events;
	uint64_t nr_events_lost;

	bool is_concluding;
	char *conclusions[JOURNAL_CONCLUSIONS_MAX]; // owned
	size_t nr_conclusions;

	struct journal_bad bad[JOURNAL_BAD_MAX];
	size_t nr_bad;
	uint64_t nr_bad_lost;

	struct journal_sample samples[JOURNAL_SAMPLES_MAX];
	size_t nr_samples;
	uint64_t sample_ns;      // between two of them
	uint64_t due_ns;

	struct cells *maps;      // of the copy; with tee= of each destination
	unsigned nr_maps;        // behind it

	// Since journal_end.
	bool is_ended;
	uint64_t end_ns;
	int status;              // to exit with
	int signo;               // to die of, 0: none
};

// All is borrowed; the transfer need not have begun. NULL: no memory.
struct journal *journal_new(const struct request *request,
			    const struct transfer *transfer,
			    const struct stats *stats, char *const *argv);
void journal_free(struct journal *j);

// now_ns is CLOCK_MONOTONIC, here and below.
uint64_t journal_time(const struct journal *j, uint64_t now_ns);

// How often journal_sample wants to be called.
enum { JOURNAL_TICK_MS = 50 };
void journal_sample(struct journal *j, uint64_t now_ns);

// What the engine tells.
void journal_note(struct journal *j, const struct event *f,
		  uint64_t now_ns);
void journal_span(struct journal *j, unsigned dst, enum hooks_span what,
		  uint64_t off, uint64_t len);

// What the messages up to the next call are about; NULL: nothing known.
void journal_about(struct journal *j, const struct event *f);

// The messages from now on say what is missing, and what became of the copy.
void journal_conclude(struct journal *j);

// A message: *ret is the event, which borrows text.
void journal_hear(struct journal *j, const char *text, uint64_t now_ns,
		  struct journal_event *ret);

// The last of it. Again: the status is another one after all.
void journal_end(struct journal *j, int status, int signo, uint64_t now_ns);

// How long a phase took; false: it never began.
bool journal_phase_ns(const struct journal *j, enum stats_phase phase,
		      uint64_t *ret);

// Bytes that a sync has made sure of.
uint64_t journal_durable(const struct journal *j);

// Bytes that the destination has accepted.
uint64_t journal_bytes(const struct journal *j);

// Bytes of the whole copy: what the plan expects, or more; with map= also what
// was there before.
uint64_t journal_total(const struct journal *j);

// How far maps[0] is true, in bytes from where the copy begins; with map= that
// is all of it.
uint64_t journal_reached(const struct journal *j);
