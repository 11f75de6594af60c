// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The command line, word by word. What is wrong with a word is told here, what
// does not go together by resolve; nothing else has happened then.

#pragma once

#include "options.h"

enum cmdline_verdict {
	CMDLINE_RUN,
	CMDLINE_SHOWN,   // --help or the like was all
	CMDLINE_WRONG,   // told
};

enum cmdline_verdict cmdline_parse(struct options *options, int argc,
				   char **argv);

// What the options hold of their own: they, and the request, end here.
void cmdline_free(struct options *options);
