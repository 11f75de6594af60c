// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base.h"
#include "ring.h"
#include "suites.h"

enum { DEPTH = 4, JOB = 4096 };

static struct ring ring;

static void
open_ring(void)
{
	ck_assert_int_eq(ring_init(&ring, DEPTH, JOB), 0);
	ring.end = 10 * JOB + 5;
}

static void
close_ring(void)
{
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

static void
write_out(struct job *job)
{
	job_move(job, JOB_WRITING);
	ring_put(&ring, job);
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
	ck_assert_ptr_ne(ring_job(&ring, 0), ring_job(&ring, 1));
	ck_assert_ptr_eq(ring_job(&ring, 1), ring_job(&ring, 1 + DEPTH));
}
END_TEST

START_TEST(a_large_arena_begins_at_a_huge_page)
{
	struct ring large;

	ck_assert_int_eq(ring_init(&large, 3, 1 * MIB), 0);
	ck_assert_uint_eq((uintptr_t)large.arena % (2 * MIB), 0);
	ck_assert_uint_eq(large.arena_len, 4 * MIB);
	large.arena[0] = large.arena[large.arena_len - 1] = 1;
	ring_done(&large);
}
END_TEST

START_TEST(memory_that_cannot_be_had_is_an_error)
{
	struct ring large;

	ck_assert_int_eq(ring_init(&large, 2, SIZE_MAX / 2), -ENOMEM);
	ck_assert_int_eq(ring_init(&large, 3, SIZE_MAX / 2), -ENOMEM);
	ck_assert_int_eq(ring_init(&large, 16, (size_t)1 << 50), -ENOMEM);
	ck_assert_ptr_null(large.jobs);
	ck_assert_ptr_null(large.arena);
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

START_TEST(a_slot_is_used_again_only_in_its_turn)
{
	struct job *jobs[DEPTH];

	for (unsigned i = 0; i < DEPTH; i++)
		jobs[i] = start_reading();
	for (unsigned i = 0; i < 3; i++)
		fill(jobs[i]);
	write_out(jobs[2]);
	ck_assert(!ring_has_free(&ring));
	write_out(jobs[0]);
	ck_assert(ring_has_free(&ring));
	ck_assert_uint_eq(ring.tail, 1);
	write_out(jobs[1]);
	ck_assert_uint_eq(ring.tail, 3);
	ring_check(&ring);
}
END_TEST

START_TEST(order_makes_bytes_wait_for_those_before_them)
{
	struct job *jobs[3];

	for (unsigned i = 0; i < 3; i++)
		jobs[i] = start_reading();
	fill(jobs[1]);
	ck_assert_int_eq(jobs[1]->state, JOB_FILLED);
	ck_assert_uint_eq(ring.digested, 0);
	fill(jobs[0]);
	ck_assert_int_eq(jobs[0]->state, JOB_READY);
	ck_assert_int_eq(jobs[1]->state, JOB_READY);
	ck_assert_int_eq(jobs[2]->state, JOB_READING);
	ck_assert_uint_eq(ring.digested, 2);
	ring_check(&ring);
}
END_TEST

START_TEST(order_passes_over_a_job_that_got_nothing)
{
	struct job *first = start_reading();
	struct job *second = start_reading();

	fill(second);
	ring_put(&ring, first);
	ck_assert_int_eq(second->state, JOB_READY);
	ck_assert_uint_eq(ring.tail, 1);
	ring_check(&ring);
}
END_TEST

START_TEST(held_bytes_are_ready_when_they_are_released)
{
	struct job *jobs[3];

	ring.is_held = true;
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
	ck_assert_uint_eq(ring.digested, 3);
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
	ring_cut(&ring, 100);
	ck_assert_uint_eq(ring.end, 100);
	ring_cut(&ring, 200);
	ck_assert_uint_eq(ring.end, 100);
	ring_cut(&ring, 0);
	ck_assert_uint_eq(ring.end, 0);
}
END_TEST

START_TEST(the_prefix_ends_at_the_oldest_job_under_way)
{
	struct job *first = start_reading();
	struct job *second = start_reading();

	ck_assert_uint_eq(ring_prefix(&ring), 0);
	fill(first);
	fill(second);
	write_out(second);
	ck_assert_uint_eq(ring_prefix(&ring), 0);
	write_out(first);
	ck_assert(ring_is_drained(&ring));
	ck_assert_uint_eq(ring_prefix(&ring), 2 * JOB);
}
END_TEST

START_TEST(the_prefix_ends_at_the_end)
{
	struct job *first = start_reading();

	start_reading();
	fill(first);
	write_out(first);
	ring_cut(&ring, 100);
	ck_assert_uint_eq(ring_prefix(&ring), 100);
}
END_TEST

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
	tcase_add_test(cursors, a_slot_is_used_again_only_in_its_turn);
	tcase_add_test(cursors, order_makes_bytes_wait_for_those_before_them);
	tcase_add_test(cursors, order_passes_over_a_job_that_got_nothing);
	tcase_add_test(cursors, held_bytes_are_ready_when_they_are_released);
	tcase_add_test(cursors, a_skip_takes_no_job_and_stays_within_the_end);
	tcase_add_test(cursors, a_job_may_be_asked_for_less);
	tcase_add_test(cursors, the_end_moves_only_down);
	tcase_add_test(cursors, the_prefix_ends_at_the_oldest_job_under_way);
	tcase_add_test(cursors, the_prefix_ends_at_the_end);
	suite_add_tcase(s, cursors);
	return s;
}
