// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "hasher.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base.h"
#include "fd.h"
#include "hooks.h"
#include "thread.h"

// Of records: enough that the threads are seldom waited for.
#define STAGE_SIZE ((size_t)256 * 1024)
#define STAGE_NR 8

struct part {
	uint64_t off;
	const void *buf;
	size_t len;
	bool is_end;          // it all ends at off
};

struct worker {
	struct hasher *hasher;
	struct hash hash;     // the thread's alone while parts are under way
	pthread_t thread;
	bool has_thread;
	uint64_t nr_done;     // parts, under the lock
};

struct hasher {
	struct worker workers[HASH_NR];
	unsigned nr_workers;
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_cond_t done;  // some worker is through a part

	// Under the lock.
	struct part parts[HASHER_QUEUE];
	uint64_t nr_put;
	bool is_ending;

	atomic_bool is_cancelled;

	// Bytes of records that have not been handed over yet.
	unsigned char *stage;
	uint64_t staged_off;
	size_t staged_len;
};

static void *
worker_main(void *ctx)
{
	struct worker *w = ctx;
	struct hasher *hasher = w->hasher;

	pthread_mutex_lock(&hasher->lock);
	for (;;) {
		while (w->nr_done == hasher->nr_put && !hasher->is_ending)
			pthread_cond_wait(&hasher->changed, &hasher->lock);
		if (w->nr_done == hasher->nr_put)
			break;
		const struct part part =
			hasher->parts[w->nr_done % HASHER_QUEUE];

		pthread_mutex_unlock(&hasher->lock);
		if (part.is_end)
			hash_end(&w->hash, part.off);
		else
			hash_take(&w->hash, part.off, part.buf, part.len);
		pthread_mutex_lock(&hasher->lock);
		w->nr_done++;
		pthread_cond_signal(&hasher->done);
		(void)eventfd_write(hasher->fd, 1); // far from its limit
	}
	pthread_mutex_unlock(&hasher->lock);
	return NULL;
}

static int
worker_start(struct worker *w, int r)
{
	if (r == 0)
		r = thread_start(&w->thread, worker_main, w);
	w->has_thread = r == 0;
	return r;
}

static struct worker *
worker_add(struct hasher *hasher)
{
	struct worker *w = &hasher->workers[hasher->nr_workers++];

	w->hasher = hasher;
	return w;
}

static int
start_workers(struct hasher *hasher, unsigned algs)
{
	int r = 0;

	for (unsigned alg = 0; alg <= HASH_RANGES && r == 0; alg++) {
		if (!(algs & 1U << alg))
			continue;
		struct worker *w = worker_add(hasher);
		r = worker_start(
			w, hash_init(&w->hash, alg, &hasher->is_cancelled));
	}
	return r;
}

int
hasher_new(struct hasher **ret, unsigned algs)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));
	int r = -ENOMEM;

	if (hasher == NULL)
		return r;
	pthread_mutex_init(&hasher->lock, NULL);
	pthread_cond_init(&hasher->changed, NULL);
	pthread_cond_init(&hasher->done, NULL);
	hasher->fd = fd_move_up(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	hasher->stage = malloc(STAGE_NR * STAGE_SIZE);
	if (hasher->fd < 0)
		r = hasher->fd;
	else if (hasher->stage != NULL)
		r = start_workers(hasher, algs);
	*ret = hasher;
	if (r < 0) {
		hasher_free(hasher);
		*ret = NULL;
	}
	return r;
}

int
hasher_add_list(struct hasher *hasher, unsigned alg, enum digest_alg digest,
		struct ranges *list)
{
	assert(hasher->nr_put == 0 && hasher->staged_len == 0);
	struct worker *w = worker_add(hasher);
	return worker_start(w, hash_init_list(&w->hash, alg, digest, list,
					      &hasher->is_cancelled));
}

static void
hasher_end(struct hasher *hasher)
{
	pthread_mutex_lock(&hasher->lock);
	hasher->is_ending = true;
	pthread_cond_broadcast(&hasher->changed);
	pthread_mutex_unlock(&hasher->lock);
	for (unsigned i = 0; i < hasher->nr_workers; i++) {
		struct worker *w = &hasher->workers[i];

		if (w->has_thread)
			pthread_join(w->thread, NULL);
		w->has_thread = false;
	}
}

void
hasher_free(struct hasher *hasher)
{
	if (hasher == NULL)
		return;
	hasher_cancel(hasher);
	hasher_end(hasher);
	for (unsigned i = 0; i < hasher->nr_workers; i++)
		hash_done(&hasher->workers[i].hash);
	if (hasher->fd >= 0)
		(void)close(hasher->fd); // only counts
	pthread_cond_destroy(&hasher->changed);
	pthread_cond_destroy(&hasher->done);
	pthread_mutex_destroy(&hasher->lock);
	free(hasher->stage);
	free(hasher);
}

int
hasher_fd(const struct hasher *hasher)
{
	return hasher->fd;
}

static void
put_part(struct hasher *hasher, struct part part)
{
	pthread_mutex_lock(&hasher->lock);
	hasher->parts[hasher->nr_put % HASHER_QUEUE] = part;
	hasher->nr_put++;
	pthread_cond_broadcast(&hasher->changed);
	pthread_mutex_unlock(&hasher->lock);
}

void
hasher_put(struct hasher *hasher, uint64_t off, const void *buf, size_t len)
{
	put_part(hasher, (struct part){.off = off, .buf = buf, .len = len});
}

// The lock is held.
static uint64_t
nr_done(const struct hasher *hasher)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < hasher->nr_workers; i++)
		least = min_u64(least, hasher->workers[i].nr_done);
	return least;
}

uint64_t
hasher_nr_done(struct hasher *hasher)
{
	pthread_mutex_lock(&hasher->lock);
	const uint64_t nr = nr_done(hasher);
	pthread_mutex_unlock(&hasher->lock);
	return nr;
}

void
hasher_wait(struct hasher *hasher, uint64_t nr)
{
	pthread_mutex_lock(&hasher->lock);
	while (nr_done(hasher) < nr)
		pthread_cond_wait(&hasher->done, &hasher->lock);
	pthread_mutex_unlock(&hasher->lock);
}

// 0 or -ECANCELED.
static int
wait_served(struct hasher *hasher, uint64_t nr, const struct hooks *hooks)
{
	eventfd_t count;
	int r = 0;

	while (hooks != NULL && r == 0 && hasher_nr_done(hasher) < nr) {
		r = hooks_wait(hooks, hasher->fd);
		(void)eventfd_read(hasher->fd, &count); // a reason to look
	}
	if (r == -ECANCELED)
		return r;
	hasher_wait(hasher, nr); // also where it cannot be served
	return 0;
}

// The buffer of the part that comes next.
static unsigned char *
next_stage(const struct hasher *hasher)
{
	return hasher->stage + hasher->nr_put % STAGE_NR * STAGE_SIZE;
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
			if (hasher->nr_put >= STAGE_NR)
				hasher_wait(hasher,
					    hasher->nr_put + 1 - STAGE_NR);
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
	hasher_wait(hasher, hasher->nr_put);
}

void
hasher_cancel(struct hasher *hasher)
{
	hasher->is_cancelled = true;
}

int
hasher_finish(struct hasher *hasher, uint64_t len, const struct hooks *hooks)
{
	hand_over(hasher);
	int r = wait_served(hasher, hasher->nr_put, hooks);
	if (r == 0) {
		put_part(hasher, (struct part){.off = len, .is_end = true});
		r = wait_served(hasher, hasher->nr_put, hooks);
	}
	if (r < 0)
		hasher_cancel(hasher);
	hasher_end(hasher);
	for (unsigned i = 0; i < hasher->nr_workers && r == 0; i++)
		r = hash_finish(&hasher->workers[i].hash);
	return r;
}

static const struct hash *
find_hash(const struct hasher *hasher, unsigned alg)
{
	for (unsigned i = 0; i < hasher->nr_workers; i++)
		if (hasher->workers[i].hash.alg == alg)
			return &hasher->workers[i].hash;
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
	for (unsigned i = 0; i < hasher->nr_workers; i++) {
		struct hash *hash = &hasher->workers[i].hash;

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
