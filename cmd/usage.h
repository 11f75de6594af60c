// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// --help, --version and --list-operands, on standard output. All return 0 or
// -errno, told.

#pragma once

struct options;

// One screen of what most need; called as dd, all that dd has.
int usage_help(const struct options *options);
// Every operand, grouped by job.
int usage_help_all(void);
int usage_version(const struct options *options);
// For completions: NAME=<tab>VALUE<tab>HELP, and behind it, for each word that
// it takes, NAME=WORD<tab><tab>HELP. VALUE is that of --help: FILE is a file,
// and a plural a list of its words. Without what this build has not got.
int usage_operands(void);

// The synopsis and where there is more, to standard error.
void usage_brief(void);
