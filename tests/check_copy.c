// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "fake_aio.h"
#include "hooks.h"
#include "pace.h"
#include "rig.h"
#include "submitter.h"
#include "suites.h"

enum { NR_SEEDS = 400, SEED_LEN_MAX = 64 * 1024 };

static struct fake_copy c;

static void
fail_at(unsigned nr, int fd, uint64_t off, int error)
{
	c.fake.faults[nr] = (struct fake_fault){fd, off, off + 1, error};
}

static void
check_failure(enum event_kind kind, int error, uint64_t off)
{
	ck_assert_int_eq(c.copy.failure.kind, kind);
	ck_assert_int_eq(c.copy.failure.error, error);
	ck_assert_uint_eq(c.copy.failure.off, off);
}

// Steps until only a completion can help.
static void
step_to_wait(void)
{
	enum copy_verdict verdict;

	while ((verdict = fake_copy_step(&c)) == COPY_RUN)
		;
	ck_assert_int_eq(verdict, COPY_WAIT);
}

/* The five rules */

START_TEST(the_job_that_was_read_is_written_from_the_same_buffer)
{
	fake_copy_open(&c, 4 * FAKE_JOB);
	fake_copy_start(&c);
	step_to_wait();
	fake_aio_complete(&c.fake, 0);
	step_to_wait();
	const struct fake_request *read = &c.fake.log[0];
	const struct fake_request *write = &c.fake.log[4];
	ck_assert_uint_eq(c.fake.nr_log, 5);
	ck_assert_int_eq(write->op, IO_CMD_PWRITE);
	ck_assert_ptr_eq(write->obj, read->obj);
	ck_assert_ptr_eq(write->buf, read->buf);
	ck_assert_uint_eq(write->pos, read->pos);
	ck_assert_uint_eq(write->len, read->len);
	ck_assert_ptr_ne(write->data, read->data);
	ck_assert_ptr_eq(write->obj, &c.copy.ring.jobs[0].iocb);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_check(&c, 4 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(the_copy_never_reaps_what_was_not_announced)
{
	fake_copy_open(&c, 8 * FAKE_JOB);
	fake_copy_start(&c);
	step_to_wait();
	fake_aio_complete_all(&c.fake);
	ck_assert_uint_eq(fake_aio_set_count(aio_news_fd(&c.aio, AIO_ASYNC), 1),
			  4);
	copy_step(&c.copy);
	ck_assert_uint_eq(c.aio.counters.reaped, 1);
	ck_assert_uint_eq(c.fake.nr_ready, 3);
	fake_aio_set_count(aio_news_fd(&c.aio, AIO_ASYNC), 3);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_check(&c, 8 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(submitted_announced_and_reaped_agree_at_the_end)
{
	fake_copy_open(&c, 9 * FAKE_JOB);
	fake_copy_start(&c);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_close(&c);
	ck_assert_uint_eq(c.aio.counters.submitted, 18);
	ck_assert_uint_eq(c.aio.counters.announced, 18);
	ck_assert_uint_eq(c.aio.counters.reaped, 18);
}
END_TEST

START_TEST(a_step_hands_over_all_writes_and_then_all_reads)
{
	fake_copy_open(&c, 8 * FAKE_JOB);
	fake_copy_start(&c);
	step_to_wait();
	fake_aio_complete_all(&c.fake);
	step_to_wait();
	fake_aio_complete(&c.fake, 0);
	const unsigned before = c.fake.nr_submits;
	step_to_wait();
	ck_assert_uint_eq(c.fake.nr_submits, before + 1);
	fake_aio_complete_all(&c.fake);
	const unsigned nr_log = c.fake.nr_log;
	ck_assert_int_eq(fake_copy_step(&c), COPY_WAIT);
	ck_assert_uint_eq(c.fake.nr_submits, before + 3);
	// The write of what was just read stands before the new reads.
	ck_assert_int_eq(c.fake.log[nr_log].op, IO_CMD_PWRITE);
	ck_assert_int_eq(c.fake.log[nr_log + 1].op, IO_CMD_PREAD);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_check(&c, 8 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_ring_that_is_always_full_keeps_turning)
{
	fake_copy_open(&c, 64 * FAKE_JOB);
	c.plan.depth = 5;
	fake_copy_start(&c);
	for (;;) {
		step_to_wait();
		if (c.copy.ring.next == c.copy.ring.end)
			break;
		ck_assert_uint_eq(c.fake.nr_pending, 5);
		fake_aio_complete(&c.fake, 0);
	}
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_check(&c, 64 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

// Jobs 1 and 3 are read and written, and go on, while 0 and 2 are still read.
START_TEST(what_nobody_needs_in_order_is_written_when_it_is_read)
{
	fake_copy_open(&c, 8 * FAKE_JOB);
	c.plan.is_any_order = true;
	fake_copy_start(&c);
	step_to_wait();
	fake_aio_complete(&c.fake, 3);
	fake_aio_complete(&c.fake, 1);
	step_to_wait();
	ck_assert_uint_eq(c.fake.log[4].pos, FAKE_JOB);
	ck_assert_int_eq(c.fake.log[4].op, IO_CMD_PWRITE);
	ck_assert_uint_eq(c.fake.log[5].pos, 3 * FAKE_JOB);
	ck_assert_int_eq(c.fake.log[5].op, IO_CMD_PWRITE);
	fake_aio_complete_last(&c.fake);
	step_to_wait();
	ck_assert_uint_eq(c.fake.log[6].pos, 4 * FAKE_JOB);
	ck_assert_int_eq(c.fake.log[6].op, IO_CMD_PREAD);
	ck_assert_ptr_eq(c.fake.log[6].buf, c.fake.log[5].buf);
	ck_assert_uint_eq(ring_prefix(&c.copy.ring), 0);
	ck_assert_uint_eq(c.copy.ring.map.totals[MAP_DONE], FAKE_JOB);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_check(&c, 8 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_ring_with_a_rate_waits_for_its_time)
{
	struct pace pace;

	fake_copy_open(&c, 8 * FAKE_JOB);
	fake_copy_start(&c);
	rig_clock_ns = SECOND_NS;
	pace_init(&pace, 100 * FAKE_JOB, clock_ns());
	c.env.pace = &pace;
	ck_assert_int_eq(fake_copy_step(&c), COPY_WAIT);
	ck_assert_uint_eq(c.fake.nr_pending, 0);
	ck_assert_int_gt(reader_wait_ms(&c.copy.reader), 0);
	rig_clock_ns += SECOND_NS / 100;
	ck_assert_int_eq(fake_copy_step(&c), COPY_WAIT);
	ck_assert_uint_eq(c.fake.nr_pending, 1);
	// With nothing to read it is the kernel that is waited for.
	c.copy.ring.end = c.copy.ring.next;
	ck_assert_int_eq(reader_wait_ms(&c.copy.reader), -1);
	c.copy.ring.end = 8 * FAKE_JOB;
	while (!ring_is_drained(&c.copy.ring) ||
	       c.copy.ring.next < c.copy.ring.end) {
		fake_aio_complete_all(&c.fake);
		rig_clock_ns += SECOND_NS / 100;
		(void)fake_copy_step(&c);
	}
	rig_clock_ns = 0;
	fake_copy_check(&c, 8 * FAKE_JOB);
	ck_assert_uint_eq(pace.bytes, 8 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

/* Lengths */

static const size_t lengths[] = {
	1,
	FAKE_ALIGN - 1,
	FAKE_ALIGN,
	FAKE_ALIGN + 1,
	FAKE_JOB - 1,
	FAKE_JOB,
	FAKE_JOB + 1,
	4 * FAKE_JOB,
	5 * FAKE_JOB - FAKE_ALIGN,
	33333,
};

START_TEST(every_length_is_copied_to_the_byte)
{
	fake_copy_open(&c, lengths[_i]);
	fake_copy_run(&c, lengths[_i]);
}
END_TEST

START_TEST(every_length_is_copied_inline_to_the_byte)
{
	fake_copy_open(&c, lengths[_i]);
	fake_copy_make_inline(&c, FAKE_INLINE_SRC);
	fake_copy_make_inline(&c, FAKE_INLINE_DST);
	fake_copy_run(&c, lengths[_i]);
	ck_assert_uint_eq(c.fake.nr_submits, 0);
}
END_TEST

START_TEST(an_inline_source_may_feed_the_kernel)
{
	fake_copy_open(&c, lengths[_i]);
	fake_copy_make_inline(&c, FAKE_INLINE_SRC);
	fake_copy_run(&c, lengths[_i]);
}
END_TEST

START_TEST(the_kernel_may_feed_an_inline_destination_in_order)
{
	fake_copy_open(&c, lengths[_i]);
	fake_copy_make_inline(&c, FAKE_INLINE_DST);
	fake_copy_run(&c, lengths[_i]);
}
END_TEST

START_TEST(offsets_on_both_sides_are_kept)
{
	fake_copy_open(&c, 6 * FAKE_JOB);
	c.plan.src_off = 3 * FAKE_ALIGN;
	c.plan.dst_off = 7 * FAKE_ALIGN;
	c.plan.len = 5 * FAKE_JOB - 1;
	fake_copy_run(&c, 5 * FAKE_JOB - 1);
}
END_TEST

START_TEST(bytes_behind_the_stretch_are_left_alone)
{
	unsigned char byte = 0;

	fake_copy_open(&c, 2 * FAKE_JOB);
	c.plan.len = FAKE_JOB + 5;
	ck_assert_int_eq(pwrite(c.dst.fd, "x", 1, FAKE_JOB + 5), 1);
	fake_copy_start(&c);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	ck_assert_int_eq(pread(c.dst.fd, &byte, 1, FAKE_JOB + 5), 1);
	ck_assert_int_eq(byte, 'x');
	fake_copy_check(&c, FAKE_JOB + 5);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_source_that_ends_early_ends_the_copy)
{
	fake_copy_open(&c, 9 * FAKE_JOB + 77);
	c.plan.len = 20 * FAKE_JOB;
	fake_copy_run(&c, 9 * FAKE_JOB + 77);
	ck_assert_int_eq(c.copy.failure.kind, EVENT_NONE);
}
END_TEST

START_TEST(a_source_that_shrinks_ends_the_copy)
{
	fake_copy_open(&c, 9 * FAKE_JOB);
	fake_copy_start(&c);
	step_to_wait();
	fake_aio_complete_last(&c.fake);
	ck_assert_int_eq(ftruncate(c.src.fd, FAKE_JOB + 100), 0);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	ck_assert_int_eq(c.copy.failure.kind, EVENT_NONE);
	fake_copy_check(&c, FAKE_JOB + 100);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_source_that_grows_leaves_no_gap)
{
	fake_copy_open(&c, FAKE_JOB);
	c.plan.len = 4 * FAKE_JOB;
	fake_copy_start(&c);
	step_to_wait();
	fake_aio_complete(&c.fake, 1);
	ck_assert_int_eq(ftruncate(c.src.fd, 4 * FAKE_JOB), 0);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_check(&c, FAKE_JOB);
	ck_assert_int_eq(rig_size(c.dst.fd), FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(zeros_go_to_a_null_destination_without_a_call)
{
	fake_copy_open(&c, 0);
	c.plan.len = 100 * FAKE_JOB + 1;
	fake_copy_make_void(&c.plan.src, &c.src);
	fake_copy_make_void(&c.plan.dst, &c.dst);
	fake_copy_run(&c, 100 * FAKE_JOB + 1);
	ck_assert_uint_eq(c.aio.counters.submitted, 0);
	ck_assert_uint_eq(c.aio.counters.inlined, 0);
}
END_TEST

START_TEST(zeros_are_written_from_buffers_that_stay_zero)
{
	unsigned char got[9 * FAKE_JOB + 3];
	static const unsigned char zeros[sizeof(got)];

	fake_copy_open(&c, 0);
	c.plan.len = sizeof(got);
	fake_copy_make_void(&c.plan.src, &c.src);
	fake_copy_start(&c);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	ck_assert_int_eq(pread(c.dst.fd, got, sizeof(got), 0), sizeof(got));
	ck_assert_mem_eq(got, zeros, sizeof(got));
	fake_copy_close(&c);
}
END_TEST

/* Errors */

START_TEST(a_read_error_keeps_all_before_it)
{
	fake_copy_open(&c, 9 * FAKE_JOB);
	fail_at(0, c.src.direct_fd, 5 * FAKE_JOB + 17, EIO);
	fake_copy_run(&c, 5 * FAKE_JOB);
	check_failure(FAILURE_READ, EIO, 5 * FAKE_JOB);
}
END_TEST

START_TEST(a_write_error_keeps_all_before_it)
{
	fake_copy_open(&c, 9 * FAKE_JOB);
	fail_at(0, c.dst.direct_fd, 5 * FAKE_JOB + 17, EIO);
	fake_copy_run(&c, 5 * FAKE_JOB);
	check_failure(FAILURE_WRITE, EIO, 5 * FAKE_JOB);
}
END_TEST

START_TEST(of_two_errors_the_first_in_the_file_counts)
{
	fake_copy_open(&c, 4 * FAKE_JOB);
	fail_at(0, c.src.direct_fd, FAKE_JOB, EIO);
	fail_at(1, c.src.direct_fd, 3 * FAKE_JOB, ENXIO);
	fake_copy_start(&c);
	step_to_wait();
	fake_aio_complete_last(&c.fake);
	fake_copy_step(&c);
	check_failure(FAILURE_READ, ENXIO, 3 * FAKE_JOB);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	check_failure(FAILURE_READ, EIO, FAKE_JOB);
	fake_copy_check(&c, FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_write_error_before_a_read_error_counts)
{
	fake_copy_open(&c, 4 * FAKE_JOB);
	fail_at(0, c.src.direct_fd, 3 * FAKE_JOB, EIO);
	fail_at(1, c.dst.direct_fd, FAKE_JOB, ENOSPC);
	fake_copy_run(&c, FAKE_JOB);
	check_failure(FAILURE_WRITE, ENOSPC, FAKE_JOB);
}
END_TEST

START_TEST(nothing_behind_a_known_error_is_begun)
{
	fake_copy_open(&c, 8 * FAKE_JOB);
	fail_at(0, c.src.direct_fd, FAKE_JOB, EIO);
	fake_copy_start(&c);
	step_to_wait();
	fake_aio_complete_all(&c.fake);
	step_to_wait();
	ck_assert_uint_eq(c.fake.nr_pending, 1);
	ck_assert_int_eq(c.fake.pending[0].op, IO_CMD_PWRITE);
	ck_assert_uint_eq(c.fake.pending[0].pos, 0);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_check(&c, FAKE_JOB);
	ck_assert_int_eq(rig_size(c.dst.fd), FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_full_disk_keeps_what_fits)
{
	fake_copy_open(&c, 9 * FAKE_JOB);
	c.fake.faults[0] = (struct fake_fault){
		c.dst.direct_fd, 6 * FAKE_JOB + 1, UINT64_MAX, ENOSPC};
	fake_copy_run(&c, 6 * FAKE_JOB);
	check_failure(FAILURE_WRITE, ENOSPC, 6 * FAKE_JOB);
}
END_TEST

START_TEST(EINVAL_of_direct_io_is_copied_through_the_page_cache)
{
	fake_copy_open(&c, 5 * FAKE_JOB + 9);
	c.fake.align = 2 * FAKE_JOB; // more than we were told
	fake_copy_run(&c, 5 * FAKE_JOB + 9);
	ck_assert_int_eq(c.copy.failure.kind, EVENT_NONE);
}
END_TEST

START_TEST(EINVAL_of_io_submit_is_copied_through_the_page_cache)
{
	fake_copy_open(&c, 5 * FAKE_JOB);
	c.fake.first_error = -EINVAL;
	fake_copy_run(&c, 5 * FAKE_JOB);
	ck_assert_int_eq(c.copy.failure.kind, EVENT_NONE);
}
END_TEST

START_TEST(other_errors_of_io_submit_are_those_of_a_request)
{
	fake_copy_open(&c, 5 * FAKE_JOB);
	c.fake.first_error = -EBADF;
	fake_copy_run(&c, 0);
	check_failure(FAILURE_READ, EBADF, 0);
}
END_TEST

START_TEST(EAGAIN_is_no_error)
{
	fake_copy_open(&c, 9 * FAKE_JOB);
	c.fake.nr_eagain = (unsigned)_i;
	fake_copy_run(&c, 9 * FAKE_JOB);
	ck_assert_int_eq(c.copy.failure.kind, EVENT_NONE);
}
END_TEST

START_TEST(EAGAIN_in_mid_run_is_no_error)
{
	fake_copy_open(&c, 9 * FAKE_JOB);
	fake_copy_start(&c);
	step_to_wait();
	fake_aio_complete(&c.fake, 1);
	c.fake.nr_eagain = (unsigned)_i;
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_check(&c, 9 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_kernel_that_takes_few_at_a_time_gets_all)
{
	fake_copy_open(&c, 9 * FAKE_JOB);
	c.fake.accept_max = (unsigned)_i;
	fake_copy_run(&c, 9 * FAKE_JOB);
}
END_TEST

START_TEST(short_transfers_lose_nothing)
{
	fake_copy_open(&c, 5 * FAKE_JOB + 1);
	c.fake.short_len = (size_t)_i;
	c.fake.nr_short = 1000;
	fake_copy_run(&c, 5 * FAKE_JOB + 1);
}
END_TEST

START_TEST(interrupted_getevents_loses_nothing)
{
	fake_copy_open(&c, 5 * FAKE_JOB);
	c.fake.nr_eintr = 7;
	fake_copy_run(&c, 5 * FAKE_JOB);
}
END_TEST

START_TEST(a_kernel_that_gives_nothing_out_is_lost)
{
	fake_copy_open(&c, 9 * FAKE_JOB);
	fake_copy_start(&c);
	step_to_wait();
	fake_aio_complete_all(&c.fake);
	step_to_wait();
	fake_aio_complete(&c.fake, 0);
	step_to_wait();
	c.fake.getevents_error = -EPERM;
	fake_aio_complete_last(&c.fake);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_LOST);
	// All has ended, and what is known to be written is the first job.
	ck_assert_uint_eq(c.fake.nr_pending, 0);
	ck_assert_uint_eq(ring_prefix(&c.copy.ring), FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(ordered_writes_go_out_one_by_one_in_order)
{
	uint64_t next = 0;

	fake_copy_open(&c, 9 * FAKE_JOB);
	c.fake.random = 5;
	fake_copy_start(&c);
	c.copy.writer.is_one_by_one = true;
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_check(&c, 9 * FAKE_JOB);
	for (unsigned i = 0; i < c.fake.nr_log; i++) {
		if (c.fake.log[i].op != IO_CMD_PWRITE)
			continue;
		ck_assert_uint_eq(c.fake.log[i].pos, next);
		next += c.fake.log[i].len;
	}
	ck_assert_uint_eq(next, 9 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(nothing_behind_a_read_error_is_written)
{
	fake_copy_open(&c, 16 * FAKE_JOB);
	c.plan.depth = 8;
	c.fake.random = (uint64_t)_i + 1;
	fail_at(0, c.src.direct_fd, 5 * FAKE_JOB, EIO);
	fake_copy_start(&c);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_check(&c, 5 * FAKE_JOB);
	ck_assert_int_eq(rig_size(c.dst.fd), 5 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

// The first read takes long, and fails.
START_TEST(no_more_than_the_reach_is_written_behind_a_read_error)
{
	const uint64_t reach = RING_SPAN * 4 * FAKE_JOB;

	fake_copy_open(&c, 32 * FAKE_JOB);
	c.plan.is_any_order = true;
	fail_at(0, c.src.direct_fd, 0, EIO);
	fake_copy_start(&c);
	step_to_wait();
	while (c.fake.nr_pending > 1) {
		while (c.fake.nr_pending > 1)
			fake_aio_complete_last(&c.fake);
		step_to_wait();
	}
	ck_assert_uint_eq(c.copy.ring.next, reach);
	ck_assert_int_eq(rig_size(c.dst.fd), (off_t)reach);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	check_failure(FAILURE_READ, EIO, 0);
	fake_copy_check(&c, 0);
	ck_assert_int_eq(rig_size(c.dst.fd), (off_t)reach);
	ck_assert_uint_eq(c.copy.ring.map.totals[MAP_DONE], reach - FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(an_inline_destination_has_no_gap_after_an_error)
{
	fake_copy_open(&c, 9 * FAKE_JOB);
	c.fake.random = (uint64_t)_i + 1;
	fake_copy_make_inline(&c, FAKE_INLINE_DST);
	fail_at(0, c.src.direct_fd, 2 * FAKE_JOB, EIO);
	fake_copy_start(&c);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_check(&c, 2 * FAKE_JOB);
	ck_assert_int_eq(rig_size(c.dst.fd), 2 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

/* Holes */

// Sixteen pages: data and holes by the bits of the pattern.
static void
open_holes(unsigned pattern)
{
	fake_copy_open(&c, 0);
	c.plan.len = 16 * 4096;
	c.plan.job_size = 2 * 4096;
	c.plan.step = 4096;
	ck_assert_int_eq(ftruncate(c.src.fd, (off_t)c.plan.len), 0);
	for (unsigned i = 0; i < 16; i++)
		if (pattern & (1U << i))
			ck_assert_int_eq(
				pwrite(c.src.fd, "data", 4, i * 4096 + 100), 4);
}

static const unsigned hole_patterns[] = {
	0x0000, 0x0001, 0x8000, 0x7ffe, 0xffff, 0x5555, 0xaaaa, 0x00f0,
};

START_TEST(holes_are_written_as_zeros)
{
	open_holes(hole_patterns[_i]);
	c.plan.holes = PLAN_HOLES_ZERO;
	fake_copy_run(&c, 16 * 4096);
}
END_TEST

static unsigned
data_pages(int fd)
{
	unsigned pages = 0;

	for (unsigned i = 0; i < 16; i++)
		if (lseek(fd, i * 4096, SEEK_DATA) == i * 4096)
			pages |= 1U << i;
	return pages;
}

START_TEST(holes_are_kept)
{
	open_holes(hole_patterns[_i]);
	c.plan.holes = PLAN_HOLES_KEEP;
	fake_copy_start(&c);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	fake_copy_check(&c, 16 * 4096);
	ck_assert_uint_eq(data_pages(c.dst.fd), hole_patterns[_i]);
	ck_assert_uint_eq(ring_prefix_skipped(&c.copy.ring),
			  4096U * (16 - (unsigned)__builtin_popcount(
						hole_patterns[_i])));
	fake_copy_close(&c);
}
END_TEST

START_TEST(holes_are_not_read)
{
	open_holes(0xf00f);
	c.plan.holes = _i == 0 ? PLAN_HOLES_ZERO : PLAN_HOLES_KEEP;
	fake_copy_run(&c, 16 * 4096);
	for (unsigned i = 0; i < c.fake.nr_log; i++)
		if (c.fake.log[i].op == IO_CMD_PREAD)
			ck_assert(c.fake.log[i].pos < 4 * 4096 ||
				  c.fake.log[i].pos >= 12 * 4096);
}
END_TEST

START_TEST(a_sparse_source_that_shrinks_keeps_what_was_copied)
{
	open_holes(0xf0ff);
	c.plan.holes = _i == 0 ? PLAN_HOLES_ZERO : PLAN_HOLES_KEEP;
	fake_copy_start(&c);
	step_to_wait();
	fake_aio_complete_all(&c.fake);
	step_to_wait();
	// All that was read is being written: eight pages.
	ck_assert_int_eq(ftruncate(c.src.fd, 4096), 0);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	ck_assert_uint_eq(ring_prefix(&c.copy.ring), 8 * 4096);
	fake_copy_close(&c);
}
END_TEST

/* The loop around it */

struct onlooker {
	unsigned nr_ticks;
	unsigned nr_looks;
	unsigned stop_at; // must_stop says so from this look on; 0: never
	unsigned nr_late; // completions that a tick brings
	int signo;
};

static void
on_notice(void *ctx, const struct event *f)
{
	(void)ctx;
	(void)f;
}

static bool
must_stop(void *ctx)
{
	struct onlooker *watch = ctx;

	watch->nr_looks++;
	return watch->signo != 0 ||
	       (watch->stop_at > 0 && watch->nr_looks >= watch->stop_at);
}

static void
on_tick(void *ctx)
{
	struct onlooker *watch = ctx;

	watch->nr_ticks++;
	for (unsigned i = 0; i < watch->nr_late; i++)
		fake_aio_complete_any(&c.fake);
}

static void
on_signal(void *ctx, int signo)
{
	struct onlooker *watch = ctx;

	watch->signo = signo;
}

static enum copy_verdict
run_in_loop(struct onlooker *watch)
{
	struct hooks hooks = {.ctx = watch,
			      .notice = on_notice,
			      .must_stop = must_stop,
			      .tick = on_tick,
			      .tick_ms = 1,
			      .signalled = on_signal};

	sigemptyset(&hooks.signals);
	sigaddset(&hooks.signals, SIGUSR2);
	c.env.hooks = &hooks;
	ck_assert_int_eq(copy_open_loop(&c.copy), 0);
	const enum copy_verdict verdict = copy_run(&c.copy);
	ck_assert_uint_eq(c.stats.bytes, ring_prefix(&c.copy.ring));
	return verdict;
}

static void
no_tick(void *ctx)
{
	(void)ctx;
}

// So many descriptors can be had; it wants three, for itself, for signals and
// for ticks.
START_TEST(a_loop_that_cannot_be_had_is_none)
{
	const struct hooks hooks = {.tick = no_tick, .tick_ms = 1000};
	struct rlimit old, low;

	fake_copy_open(&c, FAKE_JOB);
	fake_copy_start(&c);
	int taken[4] = {0}; // whatever else is open
	for (int i = 0; i <= _i; i++)
		taken[i] = dup(c.src.fd);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){(rlim_t)taken[_i], old.rlim_max};
	for (int i = 0; i <= _i; i++)
		close(taken[i]);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	c.env.hooks = &hooks;
	const int r = copy_open_loop(&c.copy);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert_int_eq(r, _i < 3 ? -EMFILE : 0);
	fake_copy_close(&c);
}
END_TEST

START_TEST(the_eventfd_wakes_the_loop)
{
	struct onlooker watch = {0};

	fake_copy_open(&c, 40 * FAKE_JOB + 3);
	c.fake.is_eager = true;
	fake_copy_start(&c);
	ck_assert_int_eq(run_in_loop(&watch), COPY_DONE);
	fake_copy_check(&c, 40 * FAKE_JOB + 3);
	ck_assert_uint_eq(c.stats.in_full, 40 * FAKE_JOB / 512);
	ck_assert_uint_eq(c.stats.in_partial, 1);
	fake_copy_close(&c);
}
END_TEST

START_TEST(late_completions_wake_the_loop)
{
	struct onlooker watch = {.nr_late = 3};

	fake_copy_open(&c, 20 * FAKE_JOB);
	c.fake.random = 11;
	fake_copy_start(&c);
	ck_assert_int_eq(run_in_loop(&watch), COPY_DONE);
	fake_copy_check(&c, 20 * FAKE_JOB);
	ck_assert_uint_gt(watch.nr_ticks, 0);
	fake_copy_close(&c);
}
END_TEST

START_TEST(an_inline_copy_looks_at_the_loop_as_well)
{
	struct onlooker watch = {0};

	fake_copy_open(&c, 20 * FAKE_JOB);
	fake_copy_make_inline(&c, FAKE_INLINE_SRC);
	fake_copy_make_inline(&c, FAKE_INLINE_DST);
	fake_copy_start(&c);
	ck_assert_int_eq(run_in_loop(&watch), COPY_DONE);
	fake_copy_check(&c, 20 * FAKE_JOB);
	ck_assert_uint_gt(watch.nr_looks, 5);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_stop_finishes_what_is_under_way_and_no_more)
{
	struct onlooker watch = {.nr_late = 1, .stop_at = 6};

	fake_copy_open(&c, 64 * FAKE_JOB);
	c.fake.random = (uint64_t)_i + 1;
	fake_copy_start(&c);
	ck_assert_int_eq(run_in_loop(&watch), COPY_DONE);
	ck_assert(c.copy.is_stopped);
	const uint64_t n = ring_prefix(&c.copy.ring);
	ck_assert_uint_lt(n, 32 * FAKE_JOB);
	fake_copy_check(&c, n);
	ck_assert_int_eq(rig_size(c.dst.fd), (off_t)n);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_signal_arrives_through_the_loop)
{
	struct onlooker watch = {.nr_late = 1};
	sigset_t set;

	fake_copy_open(&c, 64 * FAKE_JOB);
	c.fake.random = 3;
	fake_copy_start(&c);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR2);
	ck_assert_int_eq(run_in_loop(&watch), COPY_DONE);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	ck_assert_int_eq(watch.signo, SIGUSR2);
	ck_assert(c.copy.is_stopped);
	fake_copy_check(&c, ring_prefix(&c.copy.ring));
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_lost_kernel_ends_the_loop)
{
	struct onlooker watch = {.nr_late = 1};

	fake_copy_open(&c, 64 * FAKE_JOB);
	c.fake.random = 3;
	c.fake.getevents_error = -EPERM;
	fake_copy_start(&c);
	ck_assert_int_eq(run_in_loop(&watch), COPY_LOST);
	ck_assert_uint_eq(ring_prefix(&c.copy.ring), 0);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_thread_may_do_the_submitting)
{
	struct onlooker watch = {.nr_late = 3};

	fake_copy_open(&c, 40 * FAKE_JOB + 3);
	c.fake.random = (uint64_t)_i + 1;
	c.fake.is_trouble = _i % 2 != 0;
	fake_copy_start(&c);
	kaio_start_submitters(c.kaio);
	ck_assert(c.kaio->submitters[KAIO_READS]->has_thread);
	ck_assert_int_eq(run_in_loop(&watch), COPY_DONE);
	fake_copy_check(&c, 40 * FAKE_JOB + 3);
	fake_copy_close(&c);
}
END_TEST

START_TEST(what_the_thread_is_refused_goes_inline)
{
	struct onlooker watch = {.nr_late = 4};

	fake_copy_open(&c, 8 * FAKE_JOB);
	c.fake.random = 1;
	c.fake.nr_eagain = 3;
	c.fake.first_error = -EINVAL;
	fake_copy_start(&c);
	kaio_start_submitters(c.kaio);
	ck_assert_int_eq(run_in_loop(&watch), COPY_DONE);
	fake_copy_check(&c, 8 * FAKE_JOB);
	ck_assert_uint_ge(c.aio.counters.inlined, 4);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_kernel_is_lost_with_a_thread_as_well)
{
	struct onlooker watch = {.nr_late = 1};

	fake_copy_open(&c, 64 * FAKE_JOB);
	c.fake.random = 3;
	c.fake.getevents_error = -EPERM;
	fake_copy_start(&c);
	kaio_start_submitters(c.kaio);
	ck_assert_int_eq(run_in_loop(&watch), COPY_LOST);
	ck_assert_uint_eq(c.fake.nr_pending, 0);
	fake_copy_close(&c);
}
END_TEST

/* By chance */

static uint64_t
below(uint64_t n)
{
	return fake_aio_below(&c.fake, n);
}

static void
punch_holes(size_t len)
{
	static const unsigned char zeros[4096];

	for (uint64_t off = 0; off < len; off += sizeof(zeros))
		if (below(2) == 0)
			ck_assert_int_ge(
				pwrite(c.src.fd, zeros,
				       min_u64(len - off, sizeof(zeros)),
				       (off_t)off),
				0);
}

// Any shape of copy. One completion a step keeps the ring from draining
// before the end.
static size_t
open_by_chance(unsigned seed)
{
	c.fake.random = seed;
	const size_t len = (size_t)(1 + below(SEED_LEN_MAX));
	const uint64_t random = c.fake.random;

	fake_copy_open(&c, len);
	c.fake.random = random;
	c.plan.depth = (unsigned)(1 + below(17));
	c.plan.job_size = FAKE_ALIGN * (1 + below(16));
	c.plan.dst_off = below(3) * FAKE_ALIGN;
	if (below(4) == 0)
		fake_copy_make_inline(&c, FAKE_INLINE_SRC);
	if (below(4) == 0)
		fake_copy_make_inline(&c, FAKE_INLINE_DST);
	if (below(3) == 0) {
		c.plan.sparse_unit = FAKE_ALIGN;
		punch_holes(len);
	}
	c.plan.holes = below(3);
	c.plan.is_any_order = below(2) == 0;
	c.fake.is_trouble = below(8) != 0;
	return len;
}

START_TEST(any_order_of_any_trouble_copies_every_byte)
{
	const size_t len = open_by_chance((unsigned)_i + 1);

	fake_copy_run(&c, len);
	ck_assert_int_eq(c.copy.failure.kind, EVENT_NONE);
}
END_TEST

START_TEST(any_error_in_any_order_leaves_a_true_prefix)
{
	const size_t len = open_by_chance((unsigned)_i + 1);
	const uint64_t off = below(len);
	const int fd = below(2) == 0 ? c.src.direct_fd : c.dst.direct_fd;
	const uint64_t base = fd == c.src.direct_fd ? 0 : c.plan.dst_off;

	fail_at(0, fd, base + off, EIO);
	fake_copy_start(&c);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	const uint64_t n = ring_prefix(&c.copy.ring);
	if (c.copy.failure.kind == EVENT_NONE) {
		ck_assert_uint_eq(n, len);
	} else {
		ck_assert_uint_eq(n, c.copy.failure.off);
		ck_assert_uint_le(n, off);
		ck_assert_uint_gt(n + c.plan.job_size, off);
	}
	fake_copy_check(&c, n);
	fake_copy_close(&c);
}
END_TEST

static TCase *
rules_tcase(void)
{
	TCase *t = tcase_create("rules");

	tcase_add_test(t,
		       the_job_that_was_read_is_written_from_the_same_buffer);
	tcase_add_test(t, the_copy_never_reaps_what_was_not_announced);
	tcase_add_test(t, submitted_announced_and_reaped_agree_at_the_end);
	tcase_add_test(t, a_step_hands_over_all_writes_and_then_all_reads);
	tcase_add_test(t, a_ring_that_is_always_full_keeps_turning);
	tcase_add_test(t,
		       what_nobody_needs_in_order_is_written_when_it_is_read);
	tcase_add_test(t, a_ring_with_a_rate_waits_for_its_time);
	return t;
}

static TCase *
lengths_tcase(void)
{
	const int nr = ARRAY_LEN(lengths);
	TCase *t = tcase_create("lengths");

	tcase_add_loop_test(t, every_length_is_copied_to_the_byte, 0, nr);
	tcase_add_loop_test(t, every_length_is_copied_inline_to_the_byte, 0,
			    nr);
	tcase_add_loop_test(t, an_inline_source_may_feed_the_kernel, 0, nr);
	tcase_add_loop_test(
		t, the_kernel_may_feed_an_inline_destination_in_order, 0, nr);
	tcase_add_test(t, offsets_on_both_sides_are_kept);
	tcase_add_test(t, bytes_behind_the_stretch_are_left_alone);
	tcase_add_test(t, a_source_that_ends_early_ends_the_copy);
	tcase_add_test(t, a_source_that_shrinks_ends_the_copy);
	tcase_add_test(t, a_source_that_grows_leaves_no_gap);
	tcase_add_test(t, zeros_go_to_a_null_destination_without_a_call);
	tcase_add_test(t, zeros_are_written_from_buffers_that_stay_zero);
	return t;
}

static TCase *
errors_tcase(void)
{
	TCase *t = tcase_create("errors");

	tcase_add_test(t, a_read_error_keeps_all_before_it);
	tcase_add_test(t, a_write_error_keeps_all_before_it);
	tcase_add_test(t, of_two_errors_the_first_in_the_file_counts);
	tcase_add_test(t, a_write_error_before_a_read_error_counts);
	tcase_add_test(t, nothing_behind_a_known_error_is_begun);
	tcase_add_test(t, a_full_disk_keeps_what_fits);
	tcase_add_test(t, EINVAL_of_direct_io_is_copied_through_the_page_cache);
	tcase_add_test(t, EINVAL_of_io_submit_is_copied_through_the_page_cache);
	tcase_add_test(t, other_errors_of_io_submit_are_those_of_a_request);
	tcase_add_loop_test(t, EAGAIN_is_no_error, 1, 9);
	tcase_add_loop_test(t, EAGAIN_in_mid_run_is_no_error, 1, 9);
	tcase_add_loop_test(t, a_kernel_that_takes_few_at_a_time_gets_all, 1,
			    5);
	tcase_add_loop_test(t, short_transfers_lose_nothing, 509, 516);
	tcase_add_test(t, interrupted_getevents_loses_nothing);
	tcase_add_test(t, a_kernel_that_gives_nothing_out_is_lost);
	tcase_add_test(t, ordered_writes_go_out_one_by_one_in_order);
	tcase_add_loop_test(t, nothing_behind_a_read_error_is_written, 0, 8);
	tcase_add_test(t,
		       no_more_than_the_reach_is_written_behind_a_read_error);
	tcase_add_loop_test(t, an_inline_destination_has_no_gap_after_an_error,
			    0, 8);
	return t;
}

static TCase *
holes_tcase(void)
{
	const int nr = ARRAY_LEN(hole_patterns);
	TCase *t = tcase_create("holes");

	tcase_add_loop_test(t, holes_are_written_as_zeros, 0, nr);
	tcase_add_loop_test(t, holes_are_kept, 0, nr);
	tcase_add_loop_test(t, holes_are_not_read, 0, 2);
	tcase_add_loop_test(
		t, a_sparse_source_that_shrinks_keeps_what_was_copied, 0, 2);
	return t;
}

static TCase *
loop_tcase(void)
{
	TCase *t = tcase_create("loop");

	tcase_add_loop_test(t, a_loop_that_cannot_be_had_is_none, 0, 4);
	tcase_add_test(t, the_eventfd_wakes_the_loop);
	tcase_add_test(t, late_completions_wake_the_loop);
	tcase_add_test(t, an_inline_copy_looks_at_the_loop_as_well);
	tcase_add_loop_test(t, a_stop_finishes_what_is_under_way_and_no_more, 0,
			    8);
	tcase_add_test(t, a_signal_arrives_through_the_loop);
	tcase_add_test(t, a_lost_kernel_ends_the_loop);
	tcase_add_loop_test(t, a_thread_may_do_the_submitting, 0, 8);
	tcase_add_test(t, what_the_thread_is_refused_goes_inline);
	tcase_add_test(t, a_kernel_is_lost_with_a_thread_as_well);
	return t;
}

Suite *
copy_suite(void)
{
	Suite *s = suite_create("copy");
	TCase *t = tcase_create("chance");

	suite_add_tcase(s, rules_tcase());
	suite_add_tcase(s, lengths_tcase());
	suite_add_tcase(s, errors_tcase());
	suite_add_tcase(s, holes_tcase());
	suite_add_tcase(s, loop_tcase());
	tcase_add_loop_test(t, any_order_of_any_trouble_copies_every_byte, 0,
			    NR_SEEDS);
	tcase_add_loop_test(t, any_error_in_any_order_leaves_a_true_prefix, 0,
			    NR_SEEDS);
	suite_add_tcase(s, t);
	return s;
}
