// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// dd's own order, where another process can see it: one record is read,
// converted and written before the next is read. Nothing is read that dd
// would not have read, and a byte that was read goes out although the next
// read may sleep.

#pragma once

#include "blocks.h"
#include "filter.h"
#include "intake.h"
#include "reblock.h"
#include "request.h"
#include "rest.h"
#include "serial.h"
#include "stats.h"

struct env;

struct record {
	struct serial *serial;
	const struct env *env;      // both are those of serial
	const struct request *request;

	struct intake intake;
	struct blocks blocks;
	struct filter filter;
	struct reblock reblock;

	uint64_t there_out;         // bytes of the block in hand that need no
	                            // write: a stretch has ended within it
	bool is_out_of_memory;      // told
	bool is_too_long;           // the source goes on behind its ranges
	bool has_quit;              // where dd leaves the cache alone, and
	                            // counts only after a sync that works
};

// serial is borrowed until record_done.
void record_init(struct record *record, struct serial *serial);
void record_done(struct record *record);

// Where stretches that went before have left off, also in between.
void record_go_on(struct record *record, const struct rest *rest);

// count= leaves something to do.
bool record_has_next(const struct record *record);

// skip= and seek=: by lseek, or where that cannot be done by reading and by
// writing zeros. 0 or -errno, told; -ECANCELED: a signal.
int record_skip(struct record *record);
int record_seek(struct record *record);

// The copy, until count= or the end of the source. Returns as above; the
// statistics are what was done in any case.
int record_run(struct record *record);
// The same, but 1 once so many records are read in all.
int record_run_to(struct record *record, uint64_t nr_records);

// The end alone, after a copy that left no record to do.
int record_finish(struct record *record);
