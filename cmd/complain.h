// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is wrong with a word of the command line, and what was probably meant.
// Called as dd, in dd's words and nothing more. All return -EINVAL.

#pragma once

#include <stddef.h>

struct operand;
struct operand_fault;
struct options;

// The value of an operand.
int complain_value(const struct options *options,
		   const struct operand *operand,
		   const struct operand_fault *fault);
// NAME=VALUE with a name that no operand has, or for dd, any such word.
int complain_unknown(const struct options *options, const char *word);
// A name of an operand without a value.
int complain_bare(const struct operand *operand);
// More than SRC and DST.
int complain_third(const char *word);
// The command of a server does not end, or is none.
int complain_bracket(const char *open, const char *close);
// of= and a bare name are the same side.
int complain_twice(const char *side, const char *one, const char *other);
