// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// One operand of the command line, NAME=VALUE: how its value is parsed and
// where it goes. Plain data; the table of all of them is in operands.c.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options;

struct operand_symbol {
	const char *name;
	unsigned value;
	const char *help;
};

// Of status=; dd's come first.
enum operand_status {
	OPERAND_STATUS_NONE,
	OPERAND_STATUS_NOXFER,
	OPERAND_STATUS_PROGRESS,
	OPERAND_STATUS_LAST_OF_DD = OPERAND_STATUS_PROGRESS,
	OPERAND_STATUS_BAR,
	OPERAND_STATUS_JSON,
	OPERAND_STATUS_ENGINE,
};

// What is wrong with a value.
enum operand_fault_kind {
	OPERAND_WRONG_NUMBER,
	OPERAND_WRONG_WORD,
	OPERAND_TWICE,             // a bare name has the side already
	OPERAND_TOO_MANY,
};

struct operand_fault {
	enum operand_fault_kind kind;
	const char *text;          // the wrong part of the value
	size_t len;
	int error;                 // of a number: a positive errno, or 0: it
	                           // is less than the least
	const char *before;        // of OPERAND_TWICE
};

// The jobs that --help=all groups the operands by.
enum operand_group {
	OPERAND_DATA,
	OPERAND_BLOCKS,
	OPERAND_CHECKS,
	OPERAND_SAFETY,
	OPERAND_SPEED,
	OPERAND_OUTPUT,
	OPERAND_NR_GROUPS,
};

struct operand {
	const char *name;
	const char *value;         // as --help shows it
	const char *help;
	enum operand_group group;
	bool is_dd;                // dd has it
	bool is_common;            // shown by the short --help
	// 0, or -EINVAL and the fault.
	int (*parse)(struct options *options, const struct operand *operand,
		     const char *text, struct operand_fault *fault);
	size_t field;              // in struct options
	uint64_t min, max;         // of a number
	const struct operand_symbol *symbols;
	const char *what;          // "conversion": dd's name for a symbol
};
