// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "hasher.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base.h"
#include "fd.h"
#include "thread.h"

#define RANGE_SIZE 16 // an xxh128

struct part {
	uint64_t off;
	const void *buf;
	size_t len;
};

// One algorithm and its thread, which alone touches its state while parts
// are under way.
struct worker {
	struct hasher *hasher;
	unsigned alg;         // enum digest_alg, or HASHER_RANGES
	struct digest digest;
	pthread_t thread;
	bool has_thread;
	uint64_t nr_done;     // parts, under the lock
	uint64_t pos;         // bytes taken in
	unsigned char result[DIGEST_MAX_SIZE];
	unsigned char (*ranges)[RANGE_SIZE]; // of HASHER_RANGES
	uint64_t nr_ranges;
};

struct hasher {
	struct worker workers[DIGEST_NR + 1]; // and one for the ranges
	unsigned nr_workers;
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	// Under the lock.
	struct part parts[HASHER_QUEUE];
	uint64_t nr_put;
	bool is_ending;
};

// A range is complete. Without memory for its digest it will not compare
// equal: verify fails, and does not pass by mistake.
static void
worker_end_range(struct worker *w)
{
	const uint64_t nr = w->nr_ranges;

	if ((nr & (nr - 1)) == 0) {
		void *more = realloc(w->ranges, (nr ? 2 * nr : 1) * RANGE_SIZE);

		if (more == NULL)
			return;
		w->ranges = more;
	}
	digest_finish(&w->digest, w->ranges[w->nr_ranges++]);
	digest_reset(&w->digest);
}

static void
worker_ranges(struct worker *w, const unsigned char *buf, size_t len)
{
	while (len > 0) {
		const size_t part = (size_t)min_u64(
			len, HASHER_RANGE_LEN - w->pos % HASHER_RANGE_LEN);

		digest_update(&w->digest, buf, part);
		w->pos += part;
		buf += part;
		len -= part;
		if (w->pos % HASHER_RANGE_LEN == 0)
			worker_end_range(w);
	}
}

static void
worker_bytes(struct worker *w, const void *buf, size_t len)
{
	if (w->alg == HASHER_RANGES) {
		worker_ranges(w, buf, len);
		return;
	}
	digest_update(&w->digest, buf, len);
	w->pos += len;
}

static void
worker_zeros_to(struct worker *w, uint64_t off)
{
	static const unsigned char zeros[64 * KIB];

	while (w->pos < off)
		worker_bytes(w, zeros,
			     (size_t)min_u64(off - w->pos, sizeof(zeros)));
}

static void
worker_take(struct worker *w, const struct part *part)
{
	const uint64_t end = part->off + part->len;

	if (part->len == 0 || end <= w->pos)
		return;
	worker_zeros_to(w, part->off);
	const size_t known = (size_t)(w->pos - part->off);
	worker_bytes(w, (const unsigned char *)part->buf + known,
		     part->len - known);
}

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
		worker_take(w, &part);
		pthread_mutex_lock(&hasher->lock);
		w->nr_done++;
		(void)eventfd_write(hasher->fd, 1); // far from its limit
	}
	pthread_mutex_unlock(&hasher->lock);
	return NULL;
}

static bool
worker_start(struct worker *w)
{
	if (!digest_init(&w->digest, w->alg == HASHER_RANGES
					     ? DIGEST_XXH128
					     : (enum digest_alg)w->alg))
		return false;
	w->has_thread = thread_start(&w->thread, NULL, worker_main, w) == 0;
	return w->has_thread;
}

struct hasher *
hasher_new(unsigned set)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));

	if (hasher == NULL)
		return NULL;
	pthread_mutex_init(&hasher->lock, NULL);
	pthread_cond_init(&hasher->changed, NULL);
	hasher->fd = fd_move_up(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	bool is_good = hasher->fd >= 0;
	for (unsigned alg = 0; alg <= HASHER_RANGES && is_good; alg++) {
		struct worker *w = &hasher->workers[hasher->nr_workers];

		if (!(set & 1U << alg))
			continue;
		hasher->nr_workers++;
		w->hasher = hasher;
		w->alg = alg;
		is_good = worker_start(w);
	}
	if (is_good)
		return hasher;
	hasher_free(hasher);
	return NULL;
}

static void
worker_done(struct worker *w)
{
	digest_done(&w->digest);
	free(w->ranges);
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
	hasher_end(hasher);
	for (unsigned i = 0; i < hasher->nr_workers; i++)
		worker_done(&hasher->workers[i]);
	if (hasher->fd >= 0)
		(void)close(hasher->fd); // only counts
	pthread_cond_destroy(&hasher->changed);
	pthread_mutex_destroy(&hasher->lock);
	free(hasher);
}

int
hasher_fd(const struct hasher *hasher)
{
	return hasher->fd;
}

void
hasher_put(struct hasher *hasher, uint64_t off, const void *buf, size_t len)
{
	pthread_mutex_lock(&hasher->lock);
	hasher->parts[hasher->nr_put % HASHER_QUEUE] =
		(struct part){off, buf, len};
	hasher->nr_put++;
	pthread_cond_broadcast(&hasher->changed);
	pthread_mutex_unlock(&hasher->lock);
}

uint64_t
hasher_nr_done(struct hasher *hasher)
{
	uint64_t least = UINT64_MAX;

	pthread_mutex_lock(&hasher->lock);
	for (unsigned i = 0; i < hasher->nr_workers; i++)
		least = min_u64(least, hasher->workers[i].nr_done);
	pthread_mutex_unlock(&hasher->lock);
	return least;
}

void
hasher_wait(struct hasher *hasher, uint64_t nr)
{
	struct pollfd done = {.fd = hasher->fd, .events = POLLIN};
	eventfd_t count;

	while (hasher_nr_done(hasher) < nr) {
		(void)poll(&done, 1, -1);
		(void)eventfd_read(hasher->fd, &count); // a reason to look
	}
}

void
hasher_update(struct hasher *hasher, uint64_t off, const void *buf, size_t len)
{
	const struct part part = {off, buf, len};

	for (unsigned i = 0; i < hasher->nr_workers; i++)
		worker_take(&hasher->workers[i], &part);
}

static void
worker_finish(struct worker *w)
{
	if (w->alg != HASHER_RANGES)
		digest_finish(&w->digest, w->result);
	else if (w->pos % HASHER_RANGE_LEN != 0)
		worker_end_range(w);
}

void
hasher_finish(struct hasher *hasher, uint64_t len)
{
	hasher_end(hasher);
	for (unsigned i = 0; i < hasher->nr_workers; i++) {
		worker_zeros_to(&hasher->workers[i], len);
		worker_finish(&hasher->workers[i]);
	}
}

static const struct worker *
find_worker(const struct hasher *hasher, unsigned alg)
{
	for (unsigned i = 0; i < hasher->nr_workers; i++)
		if (hasher->workers[i].alg == alg)
			return &hasher->workers[i];
	return NULL;
}

const unsigned char *
hasher_result(const struct hasher *hasher, enum digest_alg alg)
{
	const struct worker *w = find_worker(hasher, alg);

	return w != NULL ? w->result : NULL;
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
hasher_is_same_range(const struct hasher *a, const struct hasher *b,
		     uint64_t nr)
{
	const struct worker *x = find_worker(a, HASHER_RANGES);
	const struct worker *y = find_worker(b, HASHER_RANGES);

	return nr < x->nr_ranges && nr < y->nr_ranges &&
	       memcmp(x->ranges[nr], y->ranges[nr], RANGE_SIZE) == 0;
}
