// SPDX-License-Identifier: GPL-3.0-or-later
//
// The text of a block map, as bmaptool keeps it: which blocks of an image hold
// data, and a digest of each range of them. Versions 1.0 to 2 are read, 2.0 is
// written. Memory only: the file is somebody else's.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "ranges.h"

#define BMAP_BLOCK 4096        // of those that we write
#define BMAP_ALG DIGEST_SHA256 // likewise

struct bmap {
	unsigned major, minor;
	uint64_t block_size;
	bool has_digests;      // some range has one
	enum digest_alg alg;   // of them
	struct ranges ranges;
};

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

// Whether this build can read them.
bool bmap_is_available(void);

// The beginning of a file looks like one.
bool bmap_is_one(const char *text, size_t len);

// 0, and it is the caller's. -EINVAL: *ret_error. -ENOMEM, -ELIBACC: no expat.
int bmap_parse(struct bmap *ret, const char *text, size_t len,
	       struct bmap_error *ret_error);
void bmap_done(struct bmap *bmap);

// The ranges begin at a block, and have sha256 digests. *ret is malloc'd. 0,
// -ENOMEM, or as digest_init.
int bmap_print(char **ret, size_t *ret_len, const struct ranges *ranges);
