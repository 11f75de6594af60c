// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The calls that dd makes, one after the other, on the sides as they were
// given: a read is one read(2) of a record, a write one write(2) as far as it
// goes. Uses the offsets of the descriptors, which others may share. The calls
// are in serial_read, serial_write and serial_holes.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "side.h"
#include "event.h"
#include "nocache.h"
#include "recheck.h"
#include "request.h"
#include "throttle.h"

struct clear;
struct env;
struct hold;

struct serial {
	const struct env *env;
	const struct request *request; // what is left of it
	const struct side *src;
	const struct side *dst;

	struct recheck recheck;   // of what is there
	struct hold *hold;        // NULL: nothing is held back
	struct throttle throttle; // of the writes
	uint64_t *live_bytes;     // with rate=, counted as they go; may be NULL
	uint64_t src_off;         // where the source should stand
	int src_seek_error;       // why it cannot be moved, 0: it can
	int dst_seek_error;       // the same of the destination, of seek=
	size_t last_read;         // bytes of the read before
	bool is_warning_partial;  // short reads are worth a warning, still
	bool is_sparse;           // until the destination refuses to seek
	bool leaves_gaps;         // between the ranges of the source, too
	bool is_gap;              // what comes is one
	struct clear *clear;      // of zeros; NULL: they are left out, by dd's
	                          // seek
	uint64_t zeros_len;       // bytes that were, and are to be made still
	bool ended_in_hole;       // the last output was a seek
	bool is_direct_off;       // O_DIRECT was cleared for a short block
	struct nocache src_nocache;
	struct nocache dst_nocache;
};

void serial_init(struct serial *serial, const struct env *env,
		 const struct request *q, const struct side *src,
		 const struct side *dst);

// Somebody else has put the descriptors where they stand now.
void serial_go_on(struct serial *serial);

// Tell the user, about a side and where it stands. Returns -error.
int serial_tell_src(const struct serial *serial, enum event_kind kind,
		    int error);
int serial_tell_dst(const struct serial *serial, enum event_kind kind,
		    int error);

// A signal.
bool serial_must_stop(const struct serial *serial);

// Give the pages back that iflag=nocache and oflag=nocache still hold: what
// was passed, or, at the end of the source, all to the end of the file.
// 0, or -errno, told, where count=0 makes it the whole task.
int serial_drop_cache(struct serial *serial, enum nocache_rest rest);
