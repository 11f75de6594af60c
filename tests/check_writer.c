// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
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
	ck_assert_uint_eq(c.fake.nr_log, 2);
	fake_copy_deliver(&c);
	fake_copy_check(&c, FAKE_JOB + FAKE_ALIGN + 5);
	ck_assert_int_eq(rig_size(c.dst.fd), FAKE_JOB + FAKE_ALIGN + 5);
	fake_copy_close(&c);
}
END_TEST

START_TEST(EINVAL_is_tried_once_more_through_the_page_cache)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.align = 2 * FAKE_JOB;
	start();
	fake_copy_deliver(&c);
	ck_assert_uint_eq(c.fake.nr_log, 1);
	fake_copy_deliver(&c);
	fake_copy_check(&c, FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(an_error_through_the_page_cache_is_final)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.align = 2 * FAKE_JOB;
	start();
	c.copy.writer.buffered_fd = -1;
	fake_copy_deliver(&c);
	fake_copy_deliver(&c);
	ck_assert_int_eq(c.copy.failure.phase, FAILURE_WRITE);
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
	fake_copy_deliver(&c);
	ck_assert_int_eq(c.copy.failure.phase, FAILURE_WRITE);
	ck_assert_int_eq(c.copy.failure.error, ENOSPC);
	ck_assert_str_eq(c.copy.failure.name, "destination");
	ck_assert_uint_eq(c.copy.failure.off, FAKE_ALIGN);
	ck_assert_uint_eq(c.copy.failure.len, FAKE_JOB - FAKE_ALIGN);
	fake_copy_check(&c, FAKE_ALIGN);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_destination_that_takes_nothing_is_full)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.short_len = 0;
	c.fake.nr_short = 1;
	start();
	fake_copy_deliver(&c);
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
	ring_cut(&c.copy.ring, FAKE_JOB + FAKE_ALIGN);
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
	c.plan.dst.method = PLAN_NOTHING;
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
	tcase_add_test(t, EINVAL_is_tried_once_more_through_the_page_cache);
	tcase_add_test(t, an_error_through_the_page_cache_is_final);
	tcase_add_test(t, EINTR_is_written_again);
	tcase_add_test(t, an_error_cuts_the_copy_behind_what_was_written);
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
