// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is said of the destinations of a copy with tee=, each for itself.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct options;
struct transfer;

// At the end: what is missing of those that are not as they should be, and one
// line for each. Nothing where the copy never began.
void targets_conclude(const struct options *options,
		      const struct transfer *transfer);

// Of number nr.
struct targets_one {
	const char *name;
	const char *kind;          // as facts have it
	const char *verdict;       // a word
	uint64_t written;
	uint64_t bytes;            // of them, there under its name
	uint64_t durable;          // of them, made sure of
	bool is_verified;
	bool is_safe_to_remove;
	uint64_t nr_differing, differing; // ranges, bytes
};
// How many there are; 0: no tee=.
unsigned targets_nr(const struct transfer *transfer);
// NULL: no tee=.
const char *targets_name(const struct transfer *transfer, unsigned nr);
struct targets_one targets_at(const struct transfer *transfer, unsigned nr);
