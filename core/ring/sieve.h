// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which bytes of a job have to be written: not those that the destination has
// already, that are left out or made by it as zeros, or that are held back.
// What need not be is marked in the map.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct checker;
struct env;
struct hold;
struct job;
struct ring;
struct zeroer;

struct sieve {
	const struct env *env;
	struct ring *ring;
	uint64_t base;        // file offset of the stretch
	size_t sparse_unit;   // records of zeros of this size are left out
	bool keeps_holes;     // and jobs that are zeros, since they were not
	                      // read
	struct zeroer *zeroer; // or made, if they are many
	struct checker *checker; // NULL: what is there does not matter
	struct hold *hold;    // NULL: nothing is held back
};

// How many bytes at job->done to write next, which it moves forward to them.
// 0: nothing is left of the job.
size_t sieve_next(const struct sieve *sieve, struct job *job);
