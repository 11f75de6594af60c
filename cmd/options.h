// SPDX-License-Identifier: GPL-3.0-or-later
//
// The command line: one table of operands, which the parser, --help and
// --list-operands read. What is wrong with a word is told here, what does not
// go together by resolve; nothing else has happened then.

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

struct options {
	struct request request;
	enum report_level level;
	enum options_progress progress;
	bool is_engine_shown;   // status=engine
	bool is_json;           // status=json
	const char *report;     // report=, NULL: not asked for
	const char *sums;       // sums=, NULL: not asked for
	const char *expect;     // expect=
	bool is_expect_signed;  // its file, by PGP
	const char *as;         // as=, NULL: the names of the copy
	unsigned hashes;        // hash=: those to be shown

	// As they stand on the command line; resolve makes the request of them.
	struct units_number skip;
	struct units_number seek;
	struct units_number count;
	uint64_t bs;            // 0: not given
	bool has_count;
	unsigned nr_names;      // of SRC DST
};

enum options_verdict {
	OPTIONS_RUN,
	OPTIONS_SHOWN,   // --help or the like was all
	OPTIONS_WRONG,   // told
};

enum options_verdict options_parse(struct options *options, int argc,
				   char **argv);
