// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// One digest of bytes that come with their offset: a gap (a hole that was
// kept) counts as zeros, and what comes a second time (a stretch that was
// resumed at a record boundary) is passed over.

#pragma once

#include <stdatomic.h>

#include "digest.h"
#include "ranges.h"

// In the place of an algorithm: not one digest, but an xxh128 of each range,
// for verify=.
#define HASH_RANGES DIGEST_NR
#define HASH_RANGE_LEN ((uint64_t)256 * 1024)
#define HASH_RANGE_SIZE 16 // an xxh128

// Or one of each of the ranges of a list: it is compared with the one that the
// range has, or given to it. What is in none of them counts for nothing.
#define HASH_CHECKED (HASH_RANGES + 1)
#define HASH_MADE (HASH_RANGES + 2)
#define HASH_NR (HASH_RANGES + 3)

struct hash {
	unsigned alg;         // enum digest_alg, or one of the above
	struct digest digest;
	uint64_t pos;         // bytes taken in
	int error;
	unsigned char result[DIGEST_MAX_SIZE];
	unsigned char (*ranges)[HASH_RANGE_SIZE]; // of HASH_RANGES
	uint64_t nr_ranges;
	struct ranges *list;  // of HASH_CHECKED and HASH_MADE, borrowed
	size_t next;          // the first that has not ended yet
	_Atomic(const struct ranges_one *) bad; // the first that is another
	const atomic_bool *is_cancelled; // nobody wants it any more
};

// 0 or -errno, of digest_init too. Also then hash_done.
int hash_init(struct hash *hash, unsigned alg, const atomic_bool *is_cancelled);
// The same, for HASH_CHECKED or HASH_MADE.
int hash_init_list(struct hash *hash, unsigned alg, enum digest_alg digest,
		   struct ranges *list, const atomic_bool *is_cancelled);
void hash_done(struct hash *hash);

void hash_take(struct hash *hash, uint64_t off, const void *buf, size_t len);
// It all ends at len: what is missing is zeros.
void hash_end(struct hash *hash, uint64_t len);
// 0, or -errno: there is no result.
int hash_finish(struct hash *hash);
