// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The text of a block map, as bmaptool keeps it: which blocks of an image hold
// data, and a digest of each range of them. Versions 1.0 to 2 are read, 2.0 is
// written. Memory only: the file is somebody else's.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bmap_fault.h"
#include "digest.h"
#include "ranges.h"

#define BMAP_BLOCK 4096        // of those that we write
#define BMAP_ALG DIGEST_SHA256 // likewise

struct bmap {
	unsigned major, minor;
	uint64_t block_size;
	size_t nr_digests;     // ranges that have one
	enum digest_alg alg;   // of them
	struct ranges ranges;
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
