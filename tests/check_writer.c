// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "fake_aio.h"
#include "rig.h"
#include "suites.h"

static struct fake_copy c;

// The jobs are read inline; then nothing but the writer runs. The first
// requests are with the kernel.
static void
start(void)
{
	fake_copy_make_inline(&c, FAKE_INLINE_SRC);
	fake_copy_start(&c);
	reader_start(&c.copy.reader);
	aio_submit(&c.aio);
	ck_assert_int_eq(aio_reap(&c.aio), 0);
	writer_start(&c.copy.writer);
	aio_submit(&c.aio);
}

// What has come back into the queue is begun.
static void
go_on(void)
{
	writer_start(&c.copy.writer);
	aio_submit(&c.aio);
}

// Until nothing is left to write.
static void
write_out(void)
{
	while (!ring_is_drained(&c.copy.ring)) {
		fake_copy_deliver(&c);
		go_on();
	}
}

// Zeros in the source.
static void
make_hole(uint64_t off, size_t len)
{
	static const unsigned char zeros[4 * FAKE_JOB];

	ck_assert_int_eq(pwrite(c.src.fd, zeros, len, (off_t)off),
			 (ssize_t)len);
}

static void
check_write(unsigned nr, uint64_t pos, size_t len)
{
	ck_assert_uint_lt(nr, c.fake.nr_log);
	ck_assert_int_eq(c.fake.log[nr].op, IO_CMD_PWRITE);
	ck_assert_int_eq(c.fake.log[nr].fd, c.dst.direct_fd);
	ck_assert_uint_eq(c.fake.log[nr].pos, pos);
	ck_assert_uint_eq(c.fake.log[nr].len, len);
}

START_TEST(every_ready_job_is_written)
{
	fake_copy_open(&c, 3 * FAKE_JOB);
	c.plan.dst_off = 2 * FAKE_ALIGN;
	start();
	ck_assert_uint_eq(c.fake.nr_submits, 1);
	ck_assert_uint_eq(c.fake.nr_log, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct job *job = fake_copy_job(&c, i);

		check_write(i, 2 * FAKE_ALIGN + i * FAKE_JOB, FAKE_JOB);
		ck_assert_ptr_eq(c.fake.log[i].obj, &job->iocb);
		ck_assert_ptr_eq(c.fake.log[i].buf, job->buf);
		ck_assert_int_eq(job->state, JOB_WRITING);
	}
	ck_assert_uint_eq(c.copy.writer.nr_writing, 3);
	fake_copy_deliver(&c);
	fake_copy_check(&c, 3 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_short_write_is_continued_where_it_ended)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.short_len = 3 * FAKE_ALIGN;
	c.fake.nr_short = 1;
	start();
	fake_copy_deliver(&c);
	check_write(1, 3 * FAKE_ALIGN, FAKE_JOB - 3 * FAKE_ALIGN);
	ck_assert_ptr_eq(c.fake.log[1].obj, c.fake.log[0].obj);
	ck_assert_ptr_eq(c.fake.log[1].buf,
			 fake_copy_job(&c, 0)->buf + 3 * FAKE_ALIGN);
	fake_copy_deliver(&c);
	fake_copy_check(&c, FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_write_that_ends_within_a_block_goes_on_inline)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.short_len = 700;
	c.fake.nr_short = 1;
	start();
	const uint64_t before = c.aio.counters.inlined;
	fake_copy_deliver(&c);
	ck_assert_int_eq(fake_copy_job(&c, 0)->state, JOB_READY);
	go_on();
	ck_assert_uint_eq(c.fake.nr_log, 1);
	ck_assert_uint_eq(c.aio.counters.inlined, before + 1);
	fake_copy_deliver(&c);
	fake_copy_check(&c, FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(the_tail_of_the_copy_goes_through_the_page_cache)
{
	fake_copy_open(&c, FAKE_JOB + FAKE_ALIGN + 5);
	start();
	check_write(1, FAKE_JOB, FAKE_ALIGN);
	fake_copy_deliver(&c);
	go_on();
	ck_assert_uint_eq(c.fake.nr_log, 2);
	fake_copy_deliver(&c);
	fake_copy_check(&c, FAKE_JOB + FAKE_ALIGN + 5);
	ck_assert_uint_eq(c.copy.writer.nr_cached, 5);
	ck_assert_int_eq(rig_size(c.dst.fd), FAKE_JOB + FAKE_ALIGN + 5);
	fake_copy_close(&c);
}
END_TEST

// Its pages may have bytes of the others.
START_TEST(the_tail_waits_for_the_writes_before_it)
{
	fake_copy_open(&c, 2 * FAKE_JOB + FAKE_ALIGN + 5);
	start();
	check_write(2, 2 * FAKE_JOB, FAKE_ALIGN);
	const uint64_t before = c.aio.counters.inlined;
	for (unsigned left = 3; left > 0; left--) {
		go_on();
		ck_assert_uint_eq(c.aio.counters.inlined, before);
		fake_aio_complete_last(&c.fake);
		ck_assert_int_eq(aio_reap(&c.aio), 0);
	}
	go_on();
	ck_assert_uint_eq(c.aio.counters.inlined, before + 1);
	fake_copy_deliver(&c);
	fake_copy_check(&c, 2 * FAKE_JOB + FAKE_ALIGN + 5);
	fake_copy_close(&c);
}
END_TEST

START_TEST(nothing_goes_direct_while_one_goes_through_the_page_cache)
{
	fake_copy_open(&c, 3 * FAKE_JOB);
	c.plan.depth = 3;
	c.fake.short_len = 700;
	c.fake.nr_short = 1;
	start();
	for (unsigned i = 0; i < 3; i++)
		check_write(i, i * FAKE_JOB, FAKE_JOB);
	c.copy.ring.jobs[2].state = JOB_READY; // as if it came only now
	c.copy.writer.nr_writing--;
	fake_aio_complete(&c.fake, 1);
	fake_aio_complete(&c.fake, 0);
	ck_assert_int_eq(aio_reap(&c.aio), 0);
	writer_start(&c.copy.writer);
	ck_assert(c.copy.writer.has_alone);
	ck_assert_uint_eq(c.copy.writer.nr_writing, 1);
	ck_assert_int_eq(fake_copy_job(&c, 2)->state, JOB_READY);
	c.copy.ring.jobs[2].state = JOB_WRITING;
	c.copy.writer.nr_writing++;
	aio_submit(&c.aio);
	fake_copy_deliver(&c);
	fake_copy_check(&c, 3 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

// A call waits, but goes around the page cache as well.
START_TEST(what_kernel_AIO_has_no_room_for_is_written_by_a_call)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.faults[0] = (struct fake_fault){c.dst.direct_fd, 0, 1, EAGAIN};
	start();
	c.dst.buffered_fd = -1;
	fake_copy_deliver(&c);
	ck_assert_uint_eq(c.fake.nr_log, 1);
	fake_copy_deliver(&c);
	fake_copy_check(&c, FAKE_JOB);
	ck_assert_uint_eq(c.copy.writer.nr_cached, 0);
	fake_copy_close(&c);
}
END_TEST

START_TEST(what_O_DIRECT_is_refused_for_goes_through_the_page_cache)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.align = 2 * FAKE_JOB;
	start();
	c.dst.direct_fd = -1; // the call is refused as well
	fake_copy_job(&c, 0)->route = JOB_BY_CALL;
	fake_copy_deliver(&c);
	go_on();
	fake_copy_deliver(&c);
	fake_copy_check(&c, FAKE_JOB);
	ck_assert_uint_eq(c.copy.writer.nr_cached, FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(an_error_through_the_page_cache_is_final)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.align = 2 * FAKE_JOB;
	start();
	c.dst.buffered_fd = -1;
	fake_copy_job(&c, 0)->route = JOB_BY_CALL;
	fake_copy_deliver(&c);
	go_on();
	fake_copy_deliver(&c);
	ck_assert_int_eq(c.copy.failure.kind, FAILURE_WRITE);
	ck_assert_int_eq(c.copy.failure.error, EBADF);
	fake_copy_check(&c, 0);
	fake_copy_close(&c);
}
END_TEST

START_TEST(EINTR_is_written_again)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.faults[0] = (struct fake_fault){c.dst.direct_fd, 0, 1, EINTR};
	start();
	fake_copy_deliver(&c);
	check_write(1, 0, FAKE_JOB);
	c.fake.faults[0].to = 0;
	fake_copy_deliver(&c);
	fake_copy_check(&c, FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(an_error_cuts_the_copy_behind_what_was_written)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.short_len = FAKE_ALIGN;
	c.fake.nr_short = 1;
	start();
	fake_copy_deliver(&c);
	c.fake.faults[0] = (struct fake_fault){c.dst.direct_fd, 0, UINT64_MAX,
					       ENOSPC};
	write_out();
	ck_assert_int_eq(c.copy.failure.kind, FAILURE_WRITE);
	ck_assert_int_eq(c.copy.failure.error, ENOSPC);
	ck_assert_str_eq(c.copy.failure.name, "destination");
	ck_assert_uint_eq(c.copy.failure.off, FAKE_ALIGN);
	ck_assert_uint_eq(c.copy.failure.len, FAKE_JOB - FAKE_ALIGN);
	fake_copy_check(&c, FAKE_ALIGN);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_write_error_is_that_of_the_first_block_that_is_refused)
{
	const uint64_t bad = FAKE_JOB + (uint64_t)_i * FAKE_ALIGN;

	fake_copy_open(&c, 4 * FAKE_JOB);
	c.fake.faults[0] =
		(struct fake_fault){c.dst.direct_fd, bad, bad + 1, EIO};
	start();
	write_out();
	ck_assert_int_eq(c.copy.failure.kind, FAILURE_WRITE);
	ck_assert_int_eq(c.copy.failure.error, EIO);
	ck_assert_uint_eq(c.copy.failure.off, bad);
	ck_assert_uint_eq(c.copy.writer.nr_broken, 1);
	ck_assert_uint_eq(c.copy.writer.nr_cached, 0);
	fake_copy_check(&c, bad);
	fake_copy_close(&c);
}
END_TEST

START_TEST(what_can_be_written_in_pieces_is_written_and_told)
{
	rig_open();
	fake_copy_open(&c, FAKE_JOB);
	c.fake.faults[0] =
		(struct fake_fault){c.dst.direct_fd, 0, UINT64_MAX, EIO};
	start();
	c.env.hooks = &rig.hooks;
	fake_copy_deliver(&c);
	c.fake.faults[0].to = 0;
	write_out();
	ck_assert_int_eq(c.copy.failure.kind, EVENT_NONE);
	ck_assert_uint_eq(rig_count_told(NOTICE_WRITE_PIECES), 1);
	ck_assert_int_eq(rig.told[0].error, EIO);
	ck_assert_uint_eq(rig.told[0].off, 0);
	ck_assert_uint_eq(rig.told[0].len, FAKE_JOB);
	ck_assert_uint_eq(c.copy.writer.nr_broken, 0);
	fake_copy_check(&c, FAKE_JOB);
	fake_copy_close(&c);
	rig_close();
}
END_TEST

// A disk that was full for a while, then broken for a while.
START_TEST(a_job_with_two_errors_is_counted_once)
{
	static const int errors[][2] = {{ENOSPC, EIO}, {EIO, ENOSPC}};

	fake_copy_open(&c, FAKE_JOB);
	for (unsigned i = 0; i < 2; i++)
		c.fake.faults[i] = (struct fake_fault){c.dst.direct_fd, 0, 1,
						       errors[_i][i]};
	start();
	fake_copy_deliver(&c);
	c.fake.faults[0].to = 0;
	go_on();
	fake_copy_deliver(&c);
	ck_assert_uint_eq(c.copy.writer.nr_broken, errors[_i][0] == EIO);
	c.fake.faults[1].to = 0;
	write_out();
	ck_assert_uint_eq(c.copy.writer.nr_broken, 0);
	fake_copy_check(&c, FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

// Both fail at once, and only the first can be the one that counts.
START_TEST(the_oldest_failure_is_looked_into_first)
{
	fake_copy_open(&c, 2 * FAKE_JOB);
	c.fake.faults[0] =
		(struct fake_fault){c.dst.direct_fd, 0, UINT64_MAX, EIO};
	start();
	write_out();
	for (unsigned i = 2; i < c.fake.nr_log; i++)
		ck_assert_uint_eq(c.fake.log[i].pos, 0);
	ck_assert_uint_eq(c.copy.failure.off, 0);
	ck_assert_uint_eq(c.copy.writer.nr_broken, 2);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_destination_that_takes_nothing_is_full)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.short_len = 0;
	c.fake.nr_short = UINT_MAX;
	start();
	write_out();
	ck_assert_int_eq(c.copy.failure.error, ENOSPC);
	fake_copy_check(&c, 0);
	fake_copy_close(&c);
}
END_TEST

START_TEST(nothing_at_or_after_the_end_is_written)
{
	fake_copy_open(&c, 4 * FAKE_JOB);
	fake_copy_make_inline(&c, FAKE_INLINE_SRC);
	fake_copy_start(&c);
	reader_start(&c.copy.reader);
	aio_submit(&c.aio);
	ck_assert_int_eq(aio_reap(&c.aio), 0);
	ring_cut(&c.copy.ring, FAKE_JOB + FAKE_ALIGN, 0);
	writer_start(&c.copy.writer);
	aio_submit(&c.aio);
	ck_assert_uint_eq(c.fake.nr_log, 2);
	check_write(0, 0, FAKE_JOB);
	check_write(1, FAKE_JOB, FAKE_ALIGN);
	fake_copy_deliver(&c);
	fake_copy_check(&c, FAKE_JOB + FAKE_ALIGN);
	fake_copy_close(&c);
}
END_TEST

START_TEST(an_inline_destination_is_written_one_by_one)
{
	fake_copy_open(&c, 3 * FAKE_JOB);
	c.plan.depth = 3;
	fake_copy_make_inline(&c, FAKE_INLINE_SRC);
	fake_copy_start(&c);
	c.copy.writer.is_one_by_one = true;
	reader_start(&c.copy.reader);
	aio_submit(&c.aio);
	ck_assert_int_eq(aio_reap(&c.aio), 0);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert(writer_can_start(&c.copy.writer));
		writer_start(&c.copy.writer);
		ck_assert(!writer_can_start(&c.copy.writer));
		aio_submit(&c.aio);
		ck_assert_uint_eq(c.fake.nr_pending, 1);
		check_write(i, i * FAKE_JOB, FAKE_JOB);
		fake_copy_deliver(&c);
	}
	fake_copy_check(&c, 3 * FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_null_destination_is_not_called)
{
	fake_copy_open(&c, 3 * FAKE_JOB + 1);
	fake_copy_make_void(&c.plan.dst, &c.dst);
	start();
	ck_assert_uint_eq(c.fake.nr_submits, 0);
	ck_assert(ring_is_drained(&c.copy.ring));
	ck_assert_uint_eq(ring_prefix(&c.copy.ring), 3 * FAKE_JOB + 1);
	fake_copy_close(&c);
}
END_TEST

START_TEST(records_of_zeros_are_left_out)
{
	fake_copy_open(&c, FAKE_JOB);
	c.plan.sparse_unit = FAKE_ALIGN;
	make_hole(0, FAKE_ALIGN);
	make_hole(3 * FAKE_ALIGN, 2 * FAKE_ALIGN);
	make_hole(7 * FAKE_ALIGN, FAKE_ALIGN);
	start();
	check_write(0, FAKE_ALIGN, 2 * FAKE_ALIGN);
	fake_copy_deliver(&c);
	check_write(1, 5 * FAKE_ALIGN, 2 * FAKE_ALIGN);
	fake_copy_deliver(&c);
	ck_assert_uint_eq(c.fake.nr_log, 2);
	ck_assert(ring_is_drained(&c.copy.ring));
	ck_assert_uint_eq(ring_prefix(&c.copy.ring), FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(half_a_record_of_zeros_is_written)
{
	fake_copy_open(&c, FAKE_JOB);
	c.plan.sparse_unit = 2 * FAKE_ALIGN;
	make_hole(FAKE_ALIGN, 2 * FAKE_ALIGN);
	start();
	check_write(0, 0, FAKE_JOB);
	fake_copy_deliver(&c);
	fake_copy_check(&c, FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_short_last_record_of_zeros_is_left_out)
{
	fake_copy_open(&c, FAKE_ALIGN + 3);
	c.plan.sparse_unit = FAKE_ALIGN;
	make_hole(FAKE_ALIGN, 3);
	start();
	check_write(0, 0, FAKE_ALIGN);
	fake_copy_deliver(&c);
	ck_assert_uint_eq(c.fake.nr_log, 1);
	ck_assert_uint_eq(ring_prefix(&c.copy.ring), FAKE_ALIGN + 3);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_job_of_zeros_is_through_without_a_call)
{
	fake_copy_open(&c, 2 * FAKE_JOB);
	c.plan.sparse_unit = FAKE_ALIGN;
	make_hole(0, 2 * FAKE_JOB);
	start();
	ck_assert_uint_eq(c.fake.nr_submits, 0);
	ck_assert(ring_is_drained(&c.copy.ring));
	fake_copy_close(&c);
}
END_TEST

Suite *
writer_suite(void)
{
	Suite *s = suite_create("writer");
	TCase *t = tcase_create("writer");

	tcase_add_test(t, every_ready_job_is_written);
	tcase_add_test(t, a_short_write_is_continued_where_it_ended);
	tcase_add_test(t, a_write_that_ends_within_a_block_goes_on_inline);
	tcase_add_test(t, the_tail_of_the_copy_goes_through_the_page_cache);
	tcase_add_test(t, the_tail_waits_for_the_writes_before_it);
	tcase_add_test(
		t, nothing_goes_direct_while_one_goes_through_the_page_cache);
	tcase_add_test(t, what_kernel_AIO_has_no_room_for_is_written_by_a_call);
	tcase_add_test(
		t, what_O_DIRECT_is_refused_for_goes_through_the_page_cache);
	tcase_add_test(t, an_error_through_the_page_cache_is_final);
	tcase_add_test(t, EINTR_is_written_again);
	tcase_add_test(t, an_error_cuts_the_copy_behind_what_was_written);
	tcase_add_loop_test(
		t, a_write_error_is_that_of_the_first_block_that_is_refused, 0,
		FAKE_JOB / FAKE_ALIGN);
	tcase_add_test(t, what_can_be_written_in_pieces_is_written_and_told);
	tcase_add_loop_test(t, a_job_with_two_errors_is_counted_once, 0, 2);
	tcase_add_test(t, the_oldest_failure_is_looked_into_first);
	tcase_add_test(t, a_destination_that_takes_nothing_is_full);
	tcase_add_test(t, nothing_at_or_after_the_end_is_written);
	tcase_add_test(t, an_inline_destination_is_written_one_by_one);
	tcase_add_test(t, a_null_destination_is_not_called);
	suite_add_tcase(s, t);

	t = tcase_create("sparse");
	tcase_add_test(t, records_of_zeros_are_left_out);
	tcase_add_test(t, half_a_record_of_zeros_is_written);
	tcase_add_test(t, a_short_last_record_of_zeros_is_left_out);
	tcase_add_test(t, a_job_of_zeros_is_through_without_a_call);
	suite_add_tcase(s, t);
	return s;
}
