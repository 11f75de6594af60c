// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is wrong with a block map, and where.

#pragma once

#include <errno.h>
#include <stdio.h>

enum bmap_fault {
	BMAP_NO_FAULT,
	BMAP_FOREIGN,          // it is something else
	BMAP_SIGNED,           // by PGP, around the map
	BMAP_XML,              // not well-formed, in this line
	BMAP_DOCTYPE,          // has a DTD, in this line
	BMAP_VERSION,          // one that is not known: the word
	BMAP_MISSING,          // this element
	BMAP_VALUE,            // of this element, in this line
	BMAP_ALGORITHM,        // an unknown one: the word
	BMAP_LEFT_OUT,         // ... that this build does not have
	BMAP_UNLOADABLE,       // the library that computes them
	BMAP_RANGE,            // out of order, or not a range, in this line
	BMAP_BLOCKS,           // the numbers contradict each other
	BMAP_DAMAGED,          // its own checksum is wrong
	BMAP_NR_FAULTS,
};

enum { BMAP_WORD_MAX = 32 };

struct bmap_error {
	enum bmap_fault fault;
	unsigned line;         // from 1
	char word[BMAP_WORD_MAX];
};

// Returns -EINVAL.
static inline int
bmap_fault_set(struct bmap_error *error, enum bmap_fault fault,
	       const char *word)
{
	error->fault = fault;
	(void)snprintf(error->word, sizeof(error->word), "%s", word);
	return -EINVAL;
}
