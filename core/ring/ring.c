// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "ring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base.h"

#define HUGE_PAGE (2 * MIB)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 // 5.14
#endif

// The advice makes it faster, never wrong: where the kernel refuses, the
// pages are small, or come when they are touched.
static unsigned char *
map_arena(size_t len, size_t *ret_len)
{
	const size_t slack = len >= HUGE_PAGE ? HUGE_PAGE : 0;
	unsigned char *map = mmap(NULL, len + slack, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return NULL;
	if (slack > 0) {
		unsigned char *start =
			map + (HUGE_PAGE - (uintptr_t)map % HUGE_PAGE) %
				      HUGE_PAGE;
		if (start > map)
			(void)munmap(map, (size_t)(start - map));
		if (start < map + slack)
			(void)munmap(start + len,
				     (size_t)(map + slack - start));
		map = start;
		(void)madvise(map, len, MADV_HUGEPAGE);
	} else {
		(void)madvise(map, len, MADV_POPULATE_WRITE);
	}
	(void)madvise(map, len, MADV_DONTFORK);
	*ret_len = len;
	return map;
}

int
ring_init(struct ring *ring, unsigned depth, size_t job_size)
{
	size_t len;

	*ring = (struct ring){
		.depth = depth, .job_size = job_size, .step = 1};
	if (__builtin_mul_overflow(depth, job_size, &len) ||
	    len > SIZE_MAX / 2)
		return -ENOMEM;
	if (len >= HUGE_PAGE)
		len = (size_t)round_up(len, HUGE_PAGE);
	ring->jobs = calloc(depth, sizeof(*ring->jobs));
	if (ring->jobs == NULL)
		return -ENOMEM;
	ring->arena = map_arena(len, &ring->arena_len);
	if (ring->arena == NULL) {
		ring_done(ring);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < depth; i++)
		ring->jobs[i].buf = ring->arena + i * job_size;
	return 0;
}

void
ring_done(struct ring *ring)
{
	if (ring->arena != NULL)
		(void)munmap(ring->arena, ring->arena_len);
	free(ring->jobs);
	*ring = (struct ring){0};
}

struct job *
ring_job(const struct ring *ring, uint64_t number)
{
	return &ring->jobs[number % ring->depth];
}

bool
ring_has_free(const struct ring *ring)
{
	return ring->head - ring->tail < ring->depth;
}

bool
ring_is_drained(const struct ring *ring)
{
	return ring->head == ring->tail;
}

struct job *
ring_take(struct ring *ring, uint64_t most)
{
	struct job *job = ring_job(ring, ring->head);

	assert(ring_has_free(ring) && ring->next < ring->end);
	job->off = ring->next;
	const uint64_t room =
		ring->job_size - (ring->next + ring->skew) % ring->step;
	job->want = (size_t)min_u64(min_u64(room, most),
				    ring->end - ring->next);
	job->len = 0;
	job->done = 0;
	job->route = JOB_BY_AIO;
	job->is_alone = false;
	job->piece = 0;
	job->error = 0;
	ring->head++;
	ring->next += job->want;
	return job;
}

uint64_t
ring_floor(const struct ring *ring, uint64_t off)
{
	const uint64_t end = round_down(off + ring->skew, ring->step);

	return end - min_u64(end, ring->skew);
}

uint64_t
ring_ceil(const struct ring *ring, uint64_t off)
{
	return round_up(off + ring->skew, ring->step) - ring->skew;
}

void
ring_skip(struct ring *ring, uint64_t off)
{
	ring->next = max_u64(ring->next, min_u64(off, ring->end));
}

static void
ring_digest(struct ring *ring)
{
	for (; ring->digested < ring->head; ring->digested++) {
		struct job *job = ring_job(ring, ring->digested);

		if (job->state == JOB_READING)
			return;
		if (job->state == JOB_FILLED)
			job_move(job, JOB_READY);
	}
}

void
ring_fill(struct ring *ring, struct job *job)
{
	job_move(job, JOB_FILLED);
	if (!ring->is_held)
		ring_digest(ring);
}

void
ring_release(struct ring *ring, uint64_t number)
{
	for (; ring->digested < number; ring->digested++) {
		struct job *job = ring_job(ring, ring->digested);

		if (job->state == JOB_FILLED)
			job_move(job, JOB_READY);
	}
}

void
ring_put(struct ring *ring, struct job *job)
{
	job_move(job, JOB_FREE);
	if (!ring->is_held)
		ring_digest(ring);
	while (ring->tail < ring->head &&
	       ring_job(ring, ring->tail)->state == JOB_FREE)
		ring->tail++;
}

void
ring_cut(struct ring *ring, uint64_t off)
{
	ring->end = min_u64(ring->end, off);
}

uint64_t
ring_prefix(const struct ring *ring)
{
	const uint64_t off = ring_is_drained(ring)
				     ? ring->next
				     : ring_job(ring, ring->tail)->off;

	return min_u64(off, ring->end);
}

void
ring_check(const struct ring *ring)
{
	assert(ring->tail <= ring->head);
	assert(ring->head - ring->tail <= ring->depth);
	assert(ring->is_held || ring->digested >= ring->tail);
	for (uint64_t n = ring->head; n < ring->tail + ring->depth; n++)
		assert(ring_job(ring, n)->state == JOB_FREE);
}
