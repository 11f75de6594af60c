// SPDX-FileCopyrightText: 2026 the aiodd authors
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

// Of the map: a job under way parts it once, and has a gap before it, and so
// does a span that is made beside the jobs. The others are for the hole that
// is marked, and what map_mark itself wants.
static int
reserve_marks(struct ring *ring)
{
	return map_reserve(&ring->map, ring->depth + RING_SPANS_BESIDE + 3);
}

static size_t
line_len(const struct ring *ring)
{
	return (size_t)RING_SPAN * ring->depth;
}

static int
take_arena(struct ring *ring, size_t len)
{
	if (len >= HUGE_PAGE)
		len = (size_t)round_up(len, HUGE_PAGE);
	ring->arena = map_arena(len, &ring->arena_len);
	return ring->arena == NULL ? -ENOMEM : 0;
}

// job_room: 0: the buffers are lent.
static int
take_memory(struct ring *ring, size_t job_room)
{
	size_t len;

	if (__builtin_mul_overflow(ring->depth, job_room, &len) ||
	    len > SIZE_MAX / 2)
		return -ENOMEM;
	if (map_init(&ring->map, ring->end) < 0 ||
	    reserve_marks(ring) < 0)
		return -ENOMEM;
	ring->jobs = calloc(ring->depth, sizeof(*ring->jobs));
	ring->line = calloc(line_len(ring), sizeof(*ring->line));
	if (ring->jobs == NULL || ring->line == NULL)
		return -ENOMEM;
	return len > 0 ? take_arena(ring, len) : 0;
}

static void
push_free(struct ring *ring, struct job *job)
{
	job->next = ring->free;
	ring->free = job;
	ring->nr_free++;
}

static int
init_with(struct ring *ring, const struct plan *plan, enum ring_order order,
	  size_t job_room)
{
	*ring = (struct ring){.depth = plan->depth,
			      .job_size = plan->job_size,
			      .order = order,
			      .step = plan->step,
			      .skew = plan->skew,
			      .end = plan->len,
			      .end_skipped = UINT64_MAX};
	if (take_memory(ring, job_room) < 0) {
		ring_done(ring);
		return -ENOMEM;
	}
	for (unsigned i = ring->depth; i-- > 0;) {
		if (job_room > 0)
			ring->jobs[i].buf = ring->arena + i * job_room;
		push_free(ring, &ring->jobs[i]);
	}
	return 0;
}

int
ring_init(struct ring *ring, const struct plan *plan, enum ring_order order)
{
	return init_with(ring, plan, order, plan_job_room(plan));
}

int
ring_init_lent(struct ring *ring, const struct plan *plan)
{
	return init_with(ring, plan, RING_POOL, 0);
}

void
ring_done(struct ring *ring)
{
	if (ring->arena != NULL)
		(void)munmap(ring->arena, ring->arena_len);
	map_done(&ring->map);
	free(ring->line);
	free(ring->jobs);
	*ring = (struct ring){0};
}

bool
ring_has_free(const struct ring *ring)
{
	return ring->free != NULL &&
	       ring->head - ring->tail < line_len(ring);
}

bool
ring_is_drained(const struct ring *ring)
{
	return ring->nr_free == ring->depth;
}

// For these bytes, and otherwise as new.
static struct job *
pop_free(struct ring *ring, uint64_t off, size_t want)
{
	struct job *job = ring->free;

	assert(job != NULL && want > 0 && off + want <= ring->end);
	ring->free = job->next;
	ring->nr_free--;
	*job = (struct job){
		.buf = job->buf,
		.reader = job->reader,
		.checker = job->checker,
		.writer = job->writer,
		.off = off,
		.want = want,
	};
	return job;
}

struct job *
ring_take_at(struct ring *ring, uint64_t off, size_t len)
{
	assert(ring->order == RING_POOL && len <= ring->job_size);
	if (reserve_marks(ring) < 0)
		return NULL;
	ring->next = max_u64(ring->next, off + len);
	return pop_free(ring, off, len);
}

struct job *
ring_take(struct ring *ring, uint64_t most)
{
	const uint64_t room = ring->job_size -
			      (ring->next + ring->skew) % ring->step;
	struct job *job = pop_free(
		ring, ring->next,
		(size_t)min_u64(min_u64(room, most), ring->end - ring->next));

	job->number = ring->head;
	job->skipped = ring->skipped;
	ring->line[ring->head++ % line_len(ring)] = job;
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

// What is written needs no more memory: that was reserved before the first
// request, and again with each hole, or what is there already. Those for which
// there is none are data.
void
ring_mark_at(struct ring *ring, uint64_t off, uint64_t len,
	     enum map_state state)
{
	if (state != MAP_DONE &&
	    (ring->map.nr > RING_SPANS || reserve_marks(ring) < 0))
		state = MAP_DONE;
	const int r = map_mark(&ring->map, off, len, state);
	assert(r == 0);
	(void)r;
}

void
ring_pass(struct ring *ring, uint64_t off, bool is_skipped)
{
	const uint64_t from = ring->next;

	ring->next = max_u64(from, min_u64(off, ring->end));
	ring->skipped += is_skipped ? ring->next - from : 0;
}

void
ring_skip(struct ring *ring, uint64_t off)
{
	const uint64_t from = ring->next;

	ring_pass(ring, off, true);
	ring_mark_at(ring, from, ring->next - from, MAP_HOLE);
}

// In its place in the file: almost always behind the others.
static void
make_ready(struct ring *ring, struct job *job)
{
	struct job **at = &ring->ready;

	job_move(job, JOB_READY);
	if (ring->ready != NULL && ring->last_ready->off < job->off)
		at = &ring->last_ready->next;
	while (*at != NULL && (*at)->off < job->off)
		at = &(*at)->next;
	if (*at == NULL)
		ring->last_ready = job;
	job->next = *at;
	*at = job;
}

struct job *
ring_job(const struct ring *ring, uint64_t number)
{
	return ring->line[number % line_len(ring)];
}

bool
ring_is_read(const struct ring *ring, uint64_t number)
{
	const struct job *job = ring_job(ring, number);

	return job == NULL || job->state != JOB_READING;
}

void
ring_release(struct ring *ring, uint64_t number)
{
	for (; ring->released < number; ring->released++) {
		struct job *job = ring_job(ring, ring->released);

		if (job != NULL)
			make_ready(ring, job);
	}
}

static void
release_what_is_read(struct ring *ring)
{
	uint64_t number = ring->released;

	while (number < ring->head && ring_is_read(ring, number))
		number++;
	ring_release(ring, number);
}

void
ring_fill(struct ring *ring, struct job *job)
{
	job_move(job, JOB_FILLED);
	if (ring->order == RING_ANY_ORDER || ring->order == RING_POOL)
		make_ready(ring, job);
	else if (ring->order == RING_AFTER_READS)
		release_what_is_read(ring);
}

struct job *
ring_take_ready(struct ring *ring)
{
	struct job *job = ring->ready;

	ring->ready = job->next;
	return job;
}

void
ring_return(struct ring *ring, struct job *job)
{
	make_ready(ring, job);
}

void
ring_mark(struct ring *ring, struct job *job, size_t len,
	  enum map_state state)
{
	ring_mark_at(ring, job->off + job->done, len, state);
	job->done += len;
}

void
ring_put(struct ring *ring, struct job *job)
{
	job_move(job, JOB_FREE);
	push_free(ring, job);
	if (ring->on_put != NULL)
		ring->on_put(job);
	if (ring->order == RING_POOL)
		return;
	ring->line[job->number % line_len(ring)] = NULL;
	while (ring->tail < ring->head && ring_job(ring, ring->tail) == NULL)
		ring->tail++;
	if (ring->order == RING_AFTER_READS)
		release_what_is_read(ring);
}

void
ring_cut(struct ring *ring, uint64_t off, uint64_t skipped)
{
	ring->end = min_u64(ring->end, off);
	ring->end_skipped = min_u64(ring->end_skipped, skipped);
}

uint64_t
ring_prefix(const struct ring *ring)
{
	return min_u64(map_prefix(&ring->map), ring->end);
}

uint64_t
ring_prefix_skipped(const struct ring *ring)
{
	// The oldest job that is not through is where the prefix ends. Without
	// any it is the end, and holes behind that have been passed as well.
	const uint64_t skipped = ring->tail < ring->head
					 ? ring_job(ring, ring->tail)->skipped
					 : ring->skipped;

	return min_u64(min_u64(skipped, ring->end_skipped), ring_prefix(ring));
}

void
ring_check(const struct ring *ring)
{
	unsigned nr_free = 0;

	for (const struct job *job = ring->free; job != NULL; job = job->next) {
		assert(job->state == JOB_FREE);
		nr_free++;
	}
	assert(nr_free == ring->nr_free);
	for (const struct job *job = ring->ready; job != NULL; job = job->next)
		assert(job->state == JOB_READY &&
		       (job->next == NULL || job->off < job->next->off));
	assert(ring->tail <= ring->head && ring->released <= ring->head);
	assert(ring->head - ring->tail <= line_len(ring));
	assert(ring->order == RING_POOL ||
	       (ring->head == ring->tail) == ring_is_drained(ring));
}
