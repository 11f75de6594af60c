// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Digests of the bytes as they are written, in file order. Each algorithm
// has a thread of its own, so that several together take as long as the
// slowest, and none of them keeps the loop from its disks.

#pragma once

#include "hash.h"
#include "workers.h"

struct hasher;
struct hooks;

// algs: a set of 1 << enum digest_alg, HASH_RANGES may be among them. 0, or
// -errno, of digest_init too.
int hasher_new(struct hasher **ret, unsigned algs);
void hasher_free(struct hasher *hasher);

// Before anything is handed over: also digests of these ranges, which stay
// until hasher_free; alg is HASH_CHECKED or HASH_MADE, once each. As
// hasher_new.
int hasher_add_list(struct hasher *hasher, unsigned alg,
		    enum digest_alg digest, struct ranges *list);
// The first range so far of which the digest is not the one that it has, or
// NULL.
const struct ranges_one *hasher_bad(const struct hasher *hasher);

// An eventfd, readable when hasher_nr_done has grown: that is what counts, and
// the caller, or hasher_finish, reads the descriptor to be told again.
int hasher_fd(const struct hasher *hasher);

// For the ring: hand over bytes that stay as they are until they are done.
// At most HASHER_QUEUE are under way at a time.
#define HASHER_QUEUE WORKERS_QUEUE
void hasher_put(struct hasher *hasher, uint64_t off, const void *buf,
		size_t len);
// How many of those handed over are through all algorithms.
uint64_t hasher_nr_done(struct hasher *hasher);

// Sleep until so many are.
void hasher_wait(struct hasher *hasher, uint64_t nr);

// For one record at a time: the bytes are copied, and handed over when there
// are enough of them. hasher_flush, which sleeps until all are through, comes
// between it and hasher_put.
void hasher_update(struct hasher *hasher, uint64_t off, const void *buf,
		   size_t len);
void hasher_flush(struct hasher *hasher);

// Nobody wants the results any more: what is under way is through at once.
void hasher_cancel(struct hasher *hasher);

// All of len bytes are there: compute the results, which stay until
// hasher_free. Zeros at the end may take their time: hooks are served, NULL is
// no hooks. 0, -ECANCELED, or another -errno: there are no results.
int hasher_finish(struct hasher *hasher, uint64_t len,
		  const struct hooks *hooks);
const unsigned char *hasher_result(const struct hasher *hasher,
				   enum digest_alg alg);
// The one of a set whose result is value, else the first of them.
enum digest_alg hasher_find(const struct hasher *hasher, unsigned algs,
			    const unsigned char *value);
// One of a set has this result.
bool hasher_has(const struct hasher *hasher, unsigned algs,
		const unsigned char *value);
// Of HASH_RANGES, before anything is handed over: the seed of their digests, 0
// if nothing is said.
void hasher_seed(struct hasher *hasher, uint64_t seed);
// The digest of range number nr, NULL: there is no such range.
const unsigned char *hasher_range(const struct hasher *hasher, uint64_t nr);
// Whether it is the same in both.
bool hasher_is_same_range(const struct hasher *a, const struct hasher *b,
			  uint64_t nr);
