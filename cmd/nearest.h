// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which of several words was probably meant by one that is none of them. For
// suggestions only: it never decides what is done.

#pragma once

#include <stddef.h>

#define NEAREST_MAX 2

// A letter more, less, another, or two beside each other swapped: how many of
// these turn the first len bytes of a into b, at most NEAREST_MAX + 1. Upper
// and lower case are the same.
unsigned nearest_distance(const char *a, size_t len, const char *b);

struct nearest {
	const char *text;        // not terminated
	size_t len;
	const char *best;        // NULL: none is near
	unsigned limit;
};

// At most NEAREST_MAX letters may be wrong, and no more than half of them.
void nearest_init(struct nearest *nearest, const char *text, size_t len);
// Of equally near words, the first is kept.
void nearest_offer(struct nearest *nearest, const char *word);
