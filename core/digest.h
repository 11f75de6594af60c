// SPDX-License-Identifier: GPL-3.0-or-later
//
// Digests of the bytes as they are written, in file order. Each algorithm
// has a thread of its own, so that several together take as long as the
// slowest, and none of them keeps the loop from its disks.
//
// The bytes come with their offset: a gap (a hole that was kept) counts as
// zeros, and what comes a second time (a stretch that was resumed at a record
// boundary) is passed over.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum digest_alg {
	DIGEST_MD5,
	DIGEST_SHA1,
	DIGEST_SHA224,
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
	DIGEST_BLAKE2B,
	DIGEST_XXH128,
	DIGEST_NR,

	// For verify=: not one digest, but an xxh128 of each range.
	DIGEST_RANGES = DIGEST_NR,
};

#define DIGEST_RANGE_LEN ((uint64_t)256 * 1024)

#define DIGEST_MAX_SIZE 64

// Names as hash= takes them, and as BSD checksum lines have them.
const char *digest_name(enum digest_alg alg);
const char *digest_bsd_name(enum digest_alg alg);
size_t digest_size(enum digest_alg alg);
// Whether this build has it.
bool digest_is_available(enum digest_alg alg);

struct digest;

// algs: a set of 1 << enum digest_alg, DIGEST_RANGES among them. NULL: no
// memory or thread, or a library that refuses an algorithm.
struct digest *digest_new(unsigned algs);
void digest_free(struct digest *digest);

// An eventfd, readable when digest_done has grown. Reading it is the
// caller's.
int digest_fd(const struct digest *digest);

// For the ring: hand over bytes that stay as they are until they are done.
// At most DIGEST_QUEUE are under way at a time.
#define DIGEST_QUEUE 1024
void digest_put(struct digest *digest, uint64_t off, const void *buf,
		size_t len);
// How many of those handed over are through all algorithms.
uint64_t digest_done(struct digest *digest);

// Sleep until so many are.
void digest_wait(struct digest *digest, uint64_t nr);

// For one record at a time: through all algorithms on return. Not while
// something is under way.
void digest_update(struct digest *digest, uint64_t off, const void *buf,
		   size_t len);

// All of len bytes are there: compute the results, which stay until
// digest_free.
void digest_finish(struct digest *digest, uint64_t len);
const unsigned char *digest_result(const struct digest *digest,
				   enum digest_alg alg);
// Whether range number nr is the same in both, which have DIGEST_RANGES.
bool digest_is_same_range(const struct digest *a, const struct digest *b,
			  uint64_t nr);
