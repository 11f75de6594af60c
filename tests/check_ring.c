// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base.h"
#include "ring.h"
#include "suites.h"

enum { DEPTH = 4, JOB = 4096 };

static struct ring ring;

static int
init(struct ring *r, unsigned depth, size_t job_size)
{
	const struct plan plan = {.depth = depth,
				  .job_size = job_size,
				  .step = 1,
				  .len = 10 * JOB + 5};

	return ring_init(r, &plan, RING_ANY_ORDER);
}

static void
open_ring(void)
{
	ck_assert_int_eq(init(&ring, DEPTH, JOB), 0);
}

static void
open_long_ring(uint64_t len)
{
	const struct plan plan = {
		.depth = DEPTH, .job_size = JOB, .step = 1, .len = len};

	ring_done(&ring);
	ck_assert_int_eq(ring_init(&ring, &plan, RING_ANY_ORDER), 0);
}

static void
close_ring(void)
{
	ring_check(&ring);
	ring_done(&ring);
}

static struct job *
start_reading(void)
{
	struct job *job = ring_take(&ring, JOB);

	job_move(job, JOB_READING);
	return job;
}

static void
fill(struct job *job)
{
	job->len = job->want;
	ring_fill(&ring, job);
}

static struct job *
start_writing(void)
{
	struct job *job = ring_take_ready(&ring);

	job_move(job, JOB_WRITING);
	return job;
}

static void
finish(struct job *job)
{
	ring_mark(&ring, job, job->len - job->done, MAP_DONE);
	ring_put(&ring, job);
}

// The first that is READY.
static void
write_out(struct job *job)
{
	ck_assert_ptr_eq(start_writing(), job);
	finish(job);
}

START_TEST(buffers_are_apart_and_on_pages)
{
	for (unsigned i = 0; i < DEPTH; i++) {
		unsigned char *buf = ring.jobs[i].buf;

		ck_assert_uint_eq((uintptr_t)buf % 4096, 0);
		ck_assert_ptr_eq(buf, ring.arena + i * JOB);
		memset(buf, (int)i, JOB);
	}
	for (unsigned i = 0; i < DEPTH; i++)
		ck_assert_uint_eq(ring.jobs[i].buf[JOB - 1], i);
}
END_TEST

START_TEST(a_large_arena_begins_at_a_huge_page)
{
	struct ring large;

	ck_assert_int_eq(init(&large, 3, 1 * MIB), 0);
	ck_assert_uint_eq((uintptr_t)large.arena % (2 * MIB), 0);
	ck_assert_uint_eq(large.arena_len, 4 * MIB);
	large.arena[0] = large.arena[large.arena_len - 1] = 1;
	ring_done(&large);
}
END_TEST

START_TEST(memory_that_cannot_be_had_is_an_error)
{
	struct ring half, large;

	ck_assert_int_eq(init(&large, 2, SIZE_MAX / 2), -ENOMEM);
	ck_assert_int_eq(init(&large, 3, SIZE_MAX / 2), -ENOMEM);
	// Of 32 bits one half may be had, not both.
	const int r = init(&half, 16, SIZE_MAX / 32);
	ck_assert_int_eq(init(&large, 16, SIZE_MAX / 32), -ENOMEM);
	ck_assert_ptr_null(large.jobs);
	ck_assert_ptr_null(large.arena);
	if (r == 0)
		ring_done(&half);
}
END_TEST

START_TEST(jobs_are_taken_in_file_order)
{
	ring.end = 2 * JOB + 5;
	for (unsigned i = 0; i < 3; i++) {
		const struct job *job = start_reading();

		ck_assert_ptr_eq(job, &ring.jobs[i]);
		ck_assert_uint_eq(job->off, i * JOB);
		ck_assert_uint_eq(job->want, i < 2 ? JOB : 5);
	}
	ck_assert_uint_eq(ring.next, ring.end);
	ring_check(&ring);
}
END_TEST

START_TEST(a_taken_job_forgets_its_last_round)
{
	struct job *job = &ring.jobs[0];

	job->len = 7;
	job->done = 7;
	job->route = JOB_BY_CACHE;
	job->is_alone = true;
	job->piece = 7;
	job->error = 7;
	ck_assert_ptr_eq(start_reading(), job);
	ck_assert_uint_eq(job->len, 0);
	ck_assert_uint_eq(job->done, 0);
	ck_assert_int_eq(job->route, JOB_BY_AIO);
	ck_assert(!job->is_alone);
	ck_assert_uint_eq(job->piece, 0);
	ck_assert_int_eq(job->error, 0);
}
END_TEST

START_TEST(jobs_meet_at_the_steps_of_the_file)
{
	ring.step = 512;
	ring.skew = 100;
	ring.end = 3 * JOB;
	ck_assert_uint_eq(start_reading()->want, JOB - 100);
	ck_assert_uint_eq(start_reading()->want, JOB);
	ck_assert_uint_eq(ring_floor(&ring, 50), 0);
	ck_assert_uint_eq(ring_floor(&ring, 411), 0);
	ck_assert_uint_eq(ring_floor(&ring, 412), 412);
	ck_assert_uint_eq(ring_floor(&ring, 923), 412);
	ck_assert_uint_eq(ring_ceil(&ring, 1), 412);
	ck_assert_uint_eq(ring_ceil(&ring, 412), 412);
	ck_assert_uint_eq(ring_ceil(&ring, 413), 924);
}
END_TEST

START_TEST(any_buffer_is_used_again)
{
	struct job *jobs[DEPTH];

	for (unsigned i = 0; i < DEPTH; i++)
		jobs[i] = start_reading();
	ck_assert(!ring_has_free(&ring));
	for (unsigned i = 1; i < DEPTH; i++)
		fill(jobs[i]);
	write_out(jobs[1]);
	write_out(jobs[2]);
	ck_assert(ring_has_free(&ring));
	ck_assert_ptr_eq(start_reading(), jobs[2]);
	ck_assert_ptr_eq(start_reading(), jobs[1]);
	ck_assert_uint_eq(jobs[2]->off, DEPTH * JOB);
	ck_assert_uint_eq(ring_prefix(&ring), 0);
}
END_TEST

// The first job takes long.
START_TEST(no_job_is_taken_out_of_reach)
{
	struct job *first = start_reading();

	while (ring_has_free(&ring)) {
		struct job *job = start_reading();

		fill(job);
		write_out(job);
	}
	ck_assert_uint_eq(ring.next, RING_SPAN * DEPTH * JOB);
	fill(first);
	write_out(first);
	ck_assert(ring_has_free(&ring));
	ck_assert_uint_eq(ring_prefix(&ring), ring.next);
}
END_TEST

// Holes are no load.
START_TEST(a_hole_brings_nothing_out_of_reach)
{
	open_long_ring(100 * RING_SPAN * DEPTH * JOB);
	start_reading();
	ring_skip(&ring, ring.end - JOB);
	ck_assert(ring_has_free(&ring));
}
END_TEST

START_TEST(without_an_order_what_is_read_is_ready)
{
	struct job *first = start_reading();
	struct job *second = start_reading();

	fill(second);
	ck_assert_int_eq(second->state, JOB_READY);
	ck_assert_int_eq(first->state, JOB_READING);
}
END_TEST

START_TEST(what_is_ready_stands_in_file_order)
{
	static const unsigned orders[][DEPTH] = {
		{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}};
	struct job *jobs[DEPTH];

	for (unsigned i = 0; i < DEPTH; i++)
		jobs[i] = start_reading();
	for (unsigned i = 0; i < DEPTH; i++)
		fill(jobs[orders[_i][i]]);
	ring_check(&ring);
	// One comes back from being written.
	ck_assert_ptr_eq(start_writing(), jobs[0]);
	ck_assert_ptr_eq(start_writing(), jobs[1]);
	ring_return(&ring, jobs[1]);
	ring_return(&ring, jobs[0]);
	ring_check(&ring);
	for (unsigned i = 0; i < DEPTH; i++)
		write_out(jobs[i]);
	ck_assert_ptr_null(ring.ready);
	ck_assert(ring_is_drained(&ring));
}
END_TEST

START_TEST(order_makes_bytes_wait_for_those_before_them)
{
	struct job *jobs[3];

	ring.order = RING_AFTER_READS;
	for (unsigned i = 0; i < 3; i++)
		jobs[i] = start_reading();
	fill(jobs[1]);
	ck_assert_int_eq(jobs[1]->state, JOB_FILLED);
	ck_assert_uint_eq(ring.released, 0);
	fill(jobs[0]);
	ck_assert_int_eq(jobs[0]->state, JOB_READY);
	ck_assert_int_eq(jobs[1]->state, JOB_READY);
	ck_assert_int_eq(jobs[2]->state, JOB_READING);
	ck_assert_uint_eq(ring.released, 2);
}
END_TEST

START_TEST(order_is_kept_when_buffers_are_used_again)
{
	ring.order = RING_AFTER_READS;
	for (unsigned round = 0; round < 3; round++) {
		struct job *first = start_reading();
		struct job *second = start_reading();

		fill(second);
		ck_assert_int_eq(second->state, JOB_FILLED);
		fill(first);
		ck_assert_ptr_eq(start_writing(), first);
		ck_assert_ptr_eq(start_writing(), second);
		finish(second);
		finish(first);
		ck_assert_uint_eq(ring_prefix(&ring), ring.next);
	}
}
END_TEST

START_TEST(order_passes_over_a_job_that_got_nothing)
{
	ring.order = RING_AFTER_READS;
	ring.end = 2 * JOB;
	struct job *first = start_reading();
	struct job *second = start_reading();

	fill(second);
	ring_put(&ring, first);
	ck_assert_int_eq(second->state, JOB_READY);
}
END_TEST

START_TEST(released_bytes_are_ready)
{
	struct job *jobs[3];

	ring.order = RING_AFTER_RELEASE;
	ring.end = 3 * JOB;
	for (unsigned i = 0; i < 3; i++)
		jobs[i] = start_reading();
	fill(jobs[0]);
	fill(jobs[1]);
	ring_put(&ring, jobs[2]);
	ck_assert_int_eq(jobs[0]->state, JOB_FILLED);
	ring_release(&ring, 1);
	ck_assert_int_eq(jobs[0]->state, JOB_READY);
	ck_assert_int_eq(jobs[1]->state, JOB_FILLED);
	ring_release(&ring, 3);
	ck_assert_int_eq(jobs[1]->state, JOB_READY);
	ck_assert_int_eq(jobs[2]->state, JOB_FREE);
	ck_assert_uint_eq(ring.released, 3);
}
END_TEST

START_TEST(a_skip_takes_no_job_and_stays_within_the_end)
{
	ring_skip(&ring, JOB);
	ck_assert_uint_eq(ring.next, JOB);
	ck_assert_uint_eq(start_reading()->off, JOB);
	ring_skip(&ring, 0);
	ck_assert_uint_eq(ring.next, 2 * JOB);
	ring_skip(&ring, 100 * JOB);
	ck_assert_uint_eq(ring.next, ring.end);
}
END_TEST

START_TEST(a_job_may_be_asked_for_less)
{
	ck_assert_uint_eq(ring_take(&ring, 512)->want, 512);
	ck_assert_uint_eq(ring.next, 512);
}
END_TEST

START_TEST(the_end_moves_only_down)
{
	ring_cut(&ring, 100, 0);
	ck_assert_uint_eq(ring.end, 100);
	ring_cut(&ring, 200, 0);
	ck_assert_uint_eq(ring.end, 100);
	ring_cut(&ring, 0, 0);
	ck_assert_uint_eq(ring.end, 0);
}
END_TEST

START_TEST(the_prefix_ends_at_the_first_gap)
{
	struct job *jobs[3];

	for (unsigned i = 0; i < 3; i++)
		fill(jobs[i] = start_reading());
	for (unsigned i = 0; i < 3; i++)
		start_writing();
	ck_assert_uint_eq(ring_prefix(&ring), 0);
	finish(jobs[1]);
	ck_assert_uint_eq(ring_prefix(&ring), 0);
	ck_assert_uint_eq(ring.map.totals[MAP_DONE], JOB);
	finish(jobs[0]);
	ck_assert_uint_eq(ring_prefix(&ring), 2 * JOB);
	ring_mark(&ring, jobs[2], 100, MAP_DONE);
	ck_assert_uint_eq(ring_prefix(&ring), 2 * JOB + 100);
	finish(jobs[2]);
	ck_assert(ring_is_drained(&ring));
	ck_assert_uint_eq(ring_prefix(&ring), 3 * JOB);
}
END_TEST

START_TEST(the_prefix_ends_at_the_end)
{
	struct job *first = start_reading();
	struct job *second = start_reading();

	fill(first);
	fill(second);
	write_out(first);
	write_out(second);
	ring_cut(&ring, 100, 0);
	ck_assert_uint_eq(ring_prefix(&ring), 100);
}
END_TEST

START_TEST(holes_are_in_the_map)
{
	ring_skip(&ring, JOB);
	struct job *job = start_reading();

	ring_skip(&ring, 3 * JOB);
	ck_assert_uint_eq(ring_prefix(&ring), JOB);
	ck_assert_uint_eq(ring_prefix_skipped(&ring), JOB);
	fill(job);
	start_writing();
	ring_mark(&ring, job, 512, MAP_HOLE);
	finish(job);
	ck_assert_uint_eq(ring_prefix(&ring), 3 * JOB);
	ck_assert_uint_eq(ring_prefix_skipped(&ring), 2 * JOB);
	ck_assert_uint_eq(ring.map.totals[MAP_HOLE], 2 * JOB + 512);
	ck_assert_uint_eq(ring.map.totals[MAP_DONE], JOB - 512);
}
END_TEST

// A byte of data behind each hole of one byte.
static void
copy_holes(unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		ring_skip(&ring, ring.next + 1);
		struct job *job = ring_take(&ring, 1);

		job_move(job, JOB_READING);
		fill(job);
		write_out(job);
	}
}

START_TEST(a_hole_too_many_is_data)
{
	open_long_ring(2 * RING_SPANS);
	copy_holes(RING_SPANS);
	ck_assert_uint_eq(ring_prefix(&ring), 2 * RING_SPANS);
	ck_assert_uint_le(ring.map.nr, RING_SPANS + 2);
	ck_assert_uint_ge(ring.map.totals[MAP_HOLE], RING_SPANS / 2);
	ck_assert_uint_eq(ring.map.totals[MAP_TODO], 0);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
START_TEST(a_hole_without_memory_is_data)
{
	void *all = NULL, **more;
	struct rlimit old, low;

	open_long_ring(2 * RING_SPANS);
	ck_assert_int_eq(getrlimit(RLIMIT_DATA, &old), 0);
	low = (struct rlimit){1, old.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_DATA, &low), 0);
	// Under valgrind no limit is one, and memory is not used up.
	unsigned nr = 0;
	while (nr < 1024 && (more = malloc(64 * KIB)) != NULL) {
		*more = all;
		all = more;
		nr++;
	}
	copy_holes(RING_SPANS / 2 - 4);
	for (; all != NULL; all = more) {
		more = *(void **)all;
		free(all);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_DATA, &old), 0);
	ck_assert_uint_eq(ring_prefix(&ring), ring.next);
	ck_assert_uint_gt(ring.map.totals[MAP_HOLE], 0);
	ck_assert(nr == 1024 || ring.map.totals[MAP_HOLE] < RING_SPANS / 2 - 4);
}
END_TEST
#endif

Suite *
ring_suite(void)
{
	Suite *s = suite_create("ring");
	TCase *memory = tcase_create("memory");
	TCase *cursors = tcase_create("cursors");

	tcase_add_checked_fixture(memory, open_ring, close_ring);
	tcase_add_test(memory, buffers_are_apart_and_on_pages);
	tcase_add_test(memory, a_large_arena_begins_at_a_huge_page);
	tcase_add_test(memory, memory_that_cannot_be_had_is_an_error);
	suite_add_tcase(s, memory);

	tcase_add_checked_fixture(cursors, open_ring, close_ring);
	tcase_add_test(cursors, jobs_are_taken_in_file_order);
	tcase_add_test(cursors, a_taken_job_forgets_its_last_round);
	tcase_add_test(cursors, jobs_meet_at_the_steps_of_the_file);
	tcase_add_test(cursors, any_buffer_is_used_again);
	tcase_add_test(cursors, no_job_is_taken_out_of_reach);
	tcase_add_test(cursors, a_hole_brings_nothing_out_of_reach);
	tcase_add_test(cursors, without_an_order_what_is_read_is_ready);
	tcase_add_loop_test(cursors, what_is_ready_stands_in_file_order, 0, 4);
	tcase_add_test(cursors, order_makes_bytes_wait_for_those_before_them);
	tcase_add_test(cursors, order_is_kept_when_buffers_are_used_again);
	tcase_add_test(cursors, order_passes_over_a_job_that_got_nothing);
	tcase_add_test(cursors, released_bytes_are_ready);
	tcase_add_test(cursors, a_skip_takes_no_job_and_stays_within_the_end);
	tcase_add_test(cursors, a_job_may_be_asked_for_less);
	tcase_add_test(cursors, the_end_moves_only_down);
	tcase_add_test(cursors, the_prefix_ends_at_the_first_gap);
	tcase_add_test(cursors, the_prefix_ends_at_the_end);
	tcase_add_test(cursors, holes_are_in_the_map);
	tcase_add_test(cursors, a_hole_too_many_is_data);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	tcase_add_test(cursors, a_hole_without_memory_is_data);
#endif
	suite_add_tcase(s, cursors);
	return s;
}
