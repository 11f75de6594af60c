// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The values of operands. Each puts what it reads into its field of struct
// options, and is the parse of its rows in the table. Only the warning that
// dd gives for a multiplier of zero is told here.

#pragma once

struct operand;
struct operand_fault;
struct options;
struct units_number;

#define PARSE(name) \
	int parse_##name(struct options *options, \
			 const struct operand *operand, const char *text, \
			 struct operand_fault *fault)

PARSE(size);     // a number within the bounds, uint64_t
PARSE(amount);   // a number of blocks or bytes, struct options_amount
PARSE(name);     // any text
PARSE(side);     // SRC or DST
PARSE(tee);      // a destination more
PARSE(symbols);  // words that add up
PARSE(symbol);   // one word
PARSE(hashes);
PARSE(status);
PARSE(yes);      // or no

// As units_parse, and warn of a multiplier of zero.
int parse_number(const char *text, struct units_number *ret);

// The i-th word that the operand takes; NULL: there are no more.
const char *parse_word(const struct operand *operand, unsigned i);
