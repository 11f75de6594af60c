// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "hasher.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "workers.h"

// Of records: enough that the threads are seldom waited for.
#define STAGE_SIZE ((size_t)256 * 1024)
#define STAGE_NR 8

struct hasher {
	struct workers workers;

	// Bytes of records that have not been handed over yet.
	unsigned char *stage;
	uint64_t staged_off;
	size_t staged_len;
};

static int
start_workers(struct workers *workers, unsigned algs)
{
	int r = 0;

	for (unsigned alg = 0; alg <= HASH_RANGES && r == 0; alg++)
		if (algs & 1U << alg)
			r = workers_start(workers,
					  hash_init(workers_add(workers), alg,
						    &workers->is_cancelled));
	return r;
}

int
hasher_new(struct hasher **ret, unsigned algs)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));

	if (hasher == NULL)
		return -ENOMEM;
	int r = workers_init(&hasher->workers);
	hasher->stage = malloc(STAGE_NR * STAGE_SIZE);
	if (r == 0)
		r = hasher->stage != NULL
			    ? start_workers(&hasher->workers, algs)
			    : -ENOMEM;
	if (r < 0)
		hasher_free(hasher);
	*ret = r < 0 ? NULL : hasher;
	return r;
}

int
hasher_add_list(struct hasher *hasher, unsigned alg, enum digest_alg digest,
		struct ranges *list)
{
	struct workers *workers = &hasher->workers;

	assert(workers->nr_put == 0 && hasher->staged_len == 0);
	return workers_start(workers,
			     hash_init_list(workers_add(workers), alg, digest,
					    list, &workers->is_cancelled));
}

void
hasher_free(struct hasher *hasher)
{
	if (hasher == NULL)
		return;
	workers_done(&hasher->workers);
	free(hasher->stage);
	free(hasher);
}

int
hasher_fd(const struct hasher *hasher)
{
	return hasher->workers.fd;
}

void
hasher_put(struct hasher *hasher, uint64_t off, const void *buf, size_t len)
{
	workers_put(&hasher->workers,
		    (struct workers_part){.off = off, .buf = buf, .len = len});
}

uint64_t
hasher_nr_done(struct hasher *hasher)
{
	return workers_nr_done(&hasher->workers);
}

void
hasher_wait(struct hasher *hasher, uint64_t nr)
{
	workers_wait(&hasher->workers, nr);
}

static uint64_t
nr_put(const struct hasher *hasher)
{
	return hasher->workers.nr_put;
}

// The buffer of the part that comes next.
static unsigned char *
next_stage(const struct hasher *hasher)
{
	return hasher->stage + nr_put(hasher) % STAGE_NR * STAGE_SIZE;
}

static void
hand_over(struct hasher *hasher)
{
	if (hasher->staged_len > 0)
		hasher_put(hasher, hasher->staged_off, next_stage(hasher),
			   hasher->staged_len);
	hasher->staged_len = 0;
}

void
hasher_update(struct hasher *hasher, uint64_t off, const void *buf, size_t len)
{
	const unsigned char *from = buf;

	if (off != hasher->staged_off + hasher->staged_len)
		hand_over(hasher);
	while (len > 0) {
		if (hasher->staged_len == 0) {
			hasher->staged_off = off;
			if (nr_put(hasher) >= STAGE_NR)
				hasher_wait(hasher,
					    nr_put(hasher) + 1 - STAGE_NR);
		}
		const size_t n = (size_t)min_u64(
			len, STAGE_SIZE - hasher->staged_len);

		memcpy(next_stage(hasher) + hasher->staged_len, from, n);
		hasher->staged_len += n;
		from += n;
		off += n;
		len -= n;
		if (hasher->staged_len == STAGE_SIZE)
			hand_over(hasher);
	}
}

void
hasher_flush(struct hasher *hasher)
{
	hand_over(hasher);
	hasher_wait(hasher, nr_put(hasher));
}

void
hasher_cancel(struct hasher *hasher)
{
	workers_cancel(&hasher->workers);
}

int
hasher_finish(struct hasher *hasher, uint64_t len, const struct hooks *hooks)
{
	struct workers *workers = &hasher->workers;

	hand_over(hasher);
	int r = workers_serve(workers, hooks);
	if (r == 0) {
		workers_put(workers,
			    (struct workers_part){.off = len, .is_end = true});
		r = workers_serve(workers, hooks);
	}
	if (r < 0)
		workers_cancel(workers);
	workers_end(workers);
	for (unsigned i = 0; i < workers->nr && r == 0; i++)
		r = hash_finish(&workers->all[i].hash);
	return r;
}

static const struct hash *
find_hash(const struct hasher *hasher, unsigned alg)
{
	const struct workers *workers = &hasher->workers;

	for (unsigned i = 0; i < workers->nr; i++)
		if (workers->all[i].hash.alg == alg)
			return &workers->all[i].hash;
	return NULL;
}

const struct ranges_one *
hasher_bad(const struct hasher *hasher)
{
	const struct hash *hash = find_hash(hasher, HASH_CHECKED);

	return hash != NULL ? hash->bad : NULL;
}

const unsigned char *
hasher_result(const struct hasher *hasher, enum digest_alg alg)
{
	const struct hash *hash = find_hash(hasher, alg);

	return hash != NULL ? hash->result : NULL;
}

enum digest_alg
hasher_find(const struct hasher *hasher, unsigned algs,
	    const unsigned char *value)
{
	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++)
		if ((algs & 1U << alg) &&
		    memcmp(hasher_result(hasher, alg), value,
			   digest_size(alg)) == 0)
			return alg;
	return (enum digest_alg)__builtin_ctz(algs);
}

bool
hasher_has(const struct hasher *hasher, unsigned algs,
	   const unsigned char *value)
{
	const enum digest_alg alg = hasher_find(hasher, algs, value);

	return memcmp(hasher_result(hasher, alg), value, digest_size(alg)) == 0;
}

void
hasher_seed(struct hasher *hasher, uint64_t seed)
{
	for (unsigned i = 0; i < hasher->workers.nr; i++) {
		struct hash *hash = &hasher->workers.all[i].hash;

		// Others, of the same kind maybe, are the user's.
		if (hash->alg != HASH_RANGES)
			continue;
		hash->digest.seed = seed;
		digest_reset(&hash->digest);
	}
}

const unsigned char *
hasher_range(const struct hasher *hasher, uint64_t nr)
{
	const struct hash *hash = find_hash(hasher, HASH_RANGES);

	return nr < hash->nr_ranges ? hash->ranges[nr] : NULL;
}

bool
hasher_is_same_range(const struct hasher *a, const struct hasher *b,
		     uint64_t nr)
{
	const unsigned char *one = hasher_range(a, nr);
	const unsigned char *other = hasher_range(b, nr);

	return one != NULL && other != NULL &&
	       memcmp(one, other, HASH_RANGE_SIZE) == 0;
}
