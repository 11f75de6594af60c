// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the command line says: the request, and how the run is shown. Plain
// data, filled by cmdline; resolve completes the request.

#pragma once

#include <stdbool.h>

#include "report.h"
#include "request.h"
#include "units.h"

enum options_progress {
	OPTIONS_NO_PROGRESS,
	OPTIONS_PROGRESS, // dd's line, once a second
	OPTIONS_BAR,
};

// A number of blocks, or of bytes, as it was given.
struct options_amount {
	struct units_number number;
	const char *name;       // of the operand, NULL: not given
	const char *text;
};

// A server that is to be started.
struct options_server {
	struct options_server *next;
	char *name;             // in messages
	char *command[];        // NULL at the end; the words are argv's
};

enum options_verify {
	OPTIONS_VERIFY_NO,
	OPTIONS_VERIFY_YES,
	OPTIONS_VERIFY_ONLY,
};

#define OPTIONS_RECONNECT_S 60 // while a server is started again

struct options {
	struct request request;
	enum options_verify verify;
	bool has_update;        // update=yes
	enum report_level level;
	enum options_progress progress;
	bool is_engine_shown;   // status=engine
	bool is_json;           // status=json
	const char *report;     // report=, NULL: not asked for
	const char *sums;       // sums=, NULL: not asked for
	const char *expect;     // expect=
	bool is_expect_signed;  // its file, by PGP
	const char *as;         // as=, NULL: the names of the copy
	const char *shard;      // shard=, NULL: all of it is copied
	unsigned hashes;        // hash=: those to be shown

	// As they stand on the command line; resolve makes the request of them.
	struct options_amount skip;
	struct options_amount seek;
	struct options_amount count;
	uint64_t bs;            // 0: not given
	bool has_block_size;    // one of bs=, ibs= and obs= is given
	unsigned nr_names;      // of SRC DST
	struct options_server *servers; // in no order
};

// Nothing is to be copied: the manifest is to be described.
static inline bool
options_is_about_manifest(const struct options *options)
{
	const struct request *q = &options->request;

	return q->manifest != NULL && q->plan_only && q->src == NULL &&
	       q->dst == NULL;
}
