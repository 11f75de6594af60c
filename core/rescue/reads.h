// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The reads of a rescue: chase says what is read next, a job of the ring is
// filled by it, and how it ends is told to chase again, and to pulse.
//
// A read that has been out much longer than others is overdue: the rest goes
// on without it. Its job stays the kernel's, which takes nothing back; late
// data counts, and the end waits for it.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "chase.h"
#include "env.h"
#include "event.h"
#include "pulse.h"
#include "reader.h"
#include "ring.h"

// A read that is out, beside the job that has it.
struct reads_one {
	struct chase_read read;
	uint64_t since_ns;
	enum map_state was;      // what the map had there
	bool is_out;
	bool is_overdue;
	bool is_probe;           // of what could be read before
};

struct reads {
	const struct env *env;
	struct ring *ring;       // its jobs are filled
	struct event *failure;   // no memory; with one nothing is begun
	struct reads_one *ones;  // by number of the job
	struct reader reader;
	struct chase chase;
	struct pulse pulse;      // of the source

	bool is_ended;           // all was tried
	bool is_waiting;         // what to read next, only what is out can tell
	bool is_gone;            // the source is
	int gone_error;          // positive errno that said so
	unsigned nr_overdue;
	bool is_probing;         // whether it is still there
};

// All is borrowed until reads_done.
struct reads_parts {
	const struct env *env;
	struct aio *aio;
	const struct side *src;
	uint32_t align;          // as of struct reader
	struct ring *ring;       // begins where chase does, and has no other
	                         // readers
	struct event *failure;
	struct chase_setup chase;
};

// 0 or -ENOMEM.
int reads_init(struct reads *r, const struct reads_parts *parts);
// None is out, or aio is abandoned. {0} is done already.
void reads_done(struct reads *r);

void reads_find_overdue(struct reads *r);

// Whether reads_start would begin one, if rate= lets it.
bool reads_can_start(const struct reads *r);
// When rate= lets it: nanoseconds from now.
uint64_t reads_pace_ns(const struct reads *r);
// As many as can be out.
void reads_start(struct reads *r);
