// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "fake_aio.h"
#include "suites.h"

static struct fake_copy c;

// Nothing but the reader runs. The first requests are with the kernel.
static void
start(void)
{
	fake_copy_start(&c);
	reader_start(&c.copy.reader);
	aio_submit(&c.aio);
}

static void
check_filled(const struct job *job, size_t len)
{
	unsigned char want[FAKE_JOB];

	ck_assert_int_eq(job->state, JOB_READY);
	ck_assert_uint_eq(job->len, len);
	ck_assert_int_eq(
		pread(c.src.fd, want, len, (off_t)(c.plan.src_off + job->off)),
		(ssize_t)len);
	ck_assert_mem_eq(job->buf, want, len);
}

START_TEST(every_free_job_is_read_in_file_order)
{
	fake_copy_open(&c, 6 * FAKE_JOB);
	start();
	ck_assert_uint_eq(c.fake.nr_submits, 1);
	ck_assert_uint_eq(c.fake.nr_log, 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct fake_request *request = &c.fake.log[i];

		ck_assert_ptr_eq(request->obj, &fake_copy_job(&c, i)->iocb);
		ck_assert_ptr_eq(request->buf, fake_copy_job(&c, i)->buf);
		ck_assert_int_eq(request->op, IO_CMD_PREAD);
		ck_assert_int_eq(request->fd, c.src.direct_fd);
		ck_assert_uint_eq(request->pos, i * FAKE_JOB);
		ck_assert_uint_eq(request->len, FAKE_JOB);
		ck_assert_int_eq(fake_copy_job(&c, i)->state, JOB_READING);
	}
	fake_copy_deliver(&c);
	for (unsigned i = 0; i < 4; i++)
		check_filled(fake_copy_job(&c, i), FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(the_stretch_may_begin_anywhere)
{
	fake_copy_open(&c, 3 * FAKE_JOB);
	c.plan.src_off = FAKE_ALIGN;
	c.plan.len = FAKE_JOB;
	start();
	ck_assert_uint_eq(c.fake.log[0].pos, FAKE_ALIGN);
	fake_copy_deliver(&c);
	check_filled(fake_copy_job(&c, 0), FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_short_read_is_continued_where_it_ended)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.short_len = 2 * FAKE_ALIGN;
	c.fake.nr_short = 1;
	start();
	fake_copy_deliver(&c);
	ck_assert_int_eq(fake_copy_job(&c, 0)->state, JOB_READING);
	ck_assert_uint_eq(c.fake.nr_log, 2);
	ck_assert_ptr_eq(c.fake.log[1].obj, c.fake.log[0].obj);
	ck_assert_ptr_eq(c.fake.log[1].buf,
			 fake_copy_job(&c, 0)->buf + 2 * FAKE_ALIGN);
	ck_assert_uint_eq(c.fake.log[1].pos, 2 * FAKE_ALIGN);
	ck_assert_uint_eq(c.fake.log[1].len, FAKE_JOB - 2 * FAKE_ALIGN);
	fake_copy_deliver(&c);
	check_filled(fake_copy_job(&c, 0), FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_read_that_ends_within_a_block_goes_on_inline)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.short_len = 700;
	c.fake.nr_short = 1;
	start();
	fake_copy_deliver(&c);
	ck_assert_uint_eq(c.fake.nr_log, 1);
	ck_assert_uint_eq(c.aio.counters.inlined, 1);
	fake_copy_deliver(&c);
	check_filled(fake_copy_job(&c, 0), FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(the_last_direct_read_asks_for_whole_blocks)
{
	fake_copy_open(&c, FAKE_JOB);
	c.plan.len = 700;
	start();
	ck_assert_uint_eq(c.fake.log[0].len, 2 * FAKE_ALIGN);
	fake_copy_deliver(&c);
	check_filled(fake_copy_job(&c, 0), 700);
	ck_assert_uint_eq(c.copy.ring.end, 700);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_file_that_ends_within_a_block_is_read_to_its_end)
{
	fake_copy_open(&c, 700);
	start();
	fake_copy_deliver(&c);
	check_filled(fake_copy_job(&c, 0), 700);
	ck_assert_uint_eq(c.aio.counters.inlined, 0);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_read_of_nothing_is_the_end_of_the_file)
{
	fake_copy_open(&c, 4 * FAKE_JOB);
	ck_assert_int_eq(ftruncate(c.src.fd, FAKE_JOB), 0);
	start();
	fake_copy_deliver(&c);
	check_filled(fake_copy_job(&c, 0), FAKE_JOB);
	for (unsigned i = 1; i < 4; i++)
		ck_assert_int_eq(fake_copy_job(&c, i)->state, JOB_FREE);
	ck_assert_uint_eq(c.copy.ring.end, FAKE_JOB);
	ck_assert_int_eq(c.copy.failure.kind, EVENT_NONE);
	reader_start(&c.copy.reader);
	ck_assert(!aio_has_work(&c.aio));
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
	ck_assert_uint_eq(c.aio.counters.inlined, 1);
	fake_copy_deliver(&c);
	check_filled(fake_copy_job(&c, 0), FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(EINVAL_through_the_page_cache_is_final)
{
	fake_copy_open(&c, FAKE_JOB);
	fake_copy_make_inline(&c, FAKE_INLINE_SRC);
	c.plan.src_off = (uint64_t)INT64_MAX + 1; // pread says EINVAL
	start();
	fake_copy_deliver(&c);
	ck_assert_int_eq(c.copy.failure.kind, FAILURE_READ);
	ck_assert_int_eq(c.copy.failure.error, EINVAL);
	ck_assert_int_eq(fake_copy_job(&c, 0)->state, JOB_FREE);
	fake_copy_close(&c);
}
END_TEST

START_TEST(EINTR_is_read_again)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.faults[0] = (struct fake_fault){c.src.direct_fd, 0, 1, EINTR};
	start();
	fake_copy_deliver(&c);
	ck_assert_uint_eq(c.fake.nr_log, 2);
	c.fake.faults[0].to = 0;
	fake_copy_deliver(&c);
	check_filled(fake_copy_job(&c, 0), FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(an_error_keeps_what_was_read_before_it)
{
	fake_copy_open(&c, FAKE_JOB);
	c.fake.short_len = FAKE_ALIGN;
	c.fake.nr_short = 1;
	start();
	fake_copy_deliver(&c);
	c.fake.faults[0] = (struct fake_fault){c.src.direct_fd, 0, UINT64_MAX,
					       EIO};
	fake_copy_deliver(&c);
	check_filled(fake_copy_job(&c, 0), FAKE_ALIGN);
	ck_assert_int_eq(c.copy.failure.error, EIO);
	ck_assert_uint_eq(c.copy.failure.off, FAKE_ALIGN);
	ck_assert_uint_eq(c.copy.ring.end, FAKE_ALIGN);
	fake_copy_close(&c);
}
END_TEST

START_TEST(an_error_cuts_the_copy_where_the_request_began)
{
	fake_copy_open(&c, 4 * FAKE_JOB);
	c.fake.faults[0] = (struct fake_fault){c.src.direct_fd, FAKE_JOB + 9,
					       FAKE_JOB + 10, EIO};
	start();
	fake_copy_deliver(&c);
	ck_assert_int_eq(c.copy.failure.kind, FAILURE_READ);
	ck_assert_int_eq(c.copy.failure.error, EIO);
	ck_assert_str_eq(c.copy.failure.name, "source");
	ck_assert_uint_eq(c.copy.failure.off, FAKE_JOB);
	ck_assert_uint_eq(c.copy.failure.len, FAKE_JOB);
	ck_assert_uint_eq(c.copy.ring.end, FAKE_JOB);
	ck_assert_int_eq(fake_copy_job(&c, 1)->state, JOB_FREE);
	check_filled(fake_copy_job(&c, 0), FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(without_alignment_all_goes_inline)
{
	fake_copy_open(&c, 2 * FAKE_JOB + 1);
	fake_copy_make_inline(&c, FAKE_INLINE_SRC);
	start();
	ck_assert_uint_eq(c.fake.nr_submits, 0);
	ck_assert_uint_eq(c.aio.counters.inlined, 3);
	fake_copy_deliver(&c);
	check_filled(fake_copy_job(&c, 0), FAKE_JOB);
	check_filled(fake_copy_job(&c, 1), FAKE_JOB);
	check_filled(fake_copy_job(&c, 2), 1);
	fake_copy_close(&c);
}
END_TEST

START_TEST(a_source_of_zeros_is_not_called)
{
	static const unsigned char zeros[FAKE_JOB];

	fake_copy_open(&c, 0);
	c.plan.len = 2 * FAKE_JOB + 5;
	fake_copy_make_void(&c.plan.src, &c.src);
	start();
	ck_assert_uint_eq(c.fake.nr_submits, 0);
	ck_assert_uint_eq(c.aio.counters.inlined, 0);
	for (unsigned i = 0; i < 3; i++) {
		const struct job *job = fake_copy_job(&c, i);

		ck_assert_int_eq(job->state, JOB_READY);
		ck_assert_mem_eq(job->buf, zeros, job->len);
	}
	ck_assert_uint_eq(fake_copy_job(&c, 2)->len, 5);
	fake_copy_close(&c);
}
END_TEST

Suite *
reader_suite(void)
{
	Suite *s = suite_create("reader");
	TCase *t = tcase_create("reader");

	tcase_add_test(t, every_free_job_is_read_in_file_order);
	tcase_add_test(t, the_stretch_may_begin_anywhere);
	tcase_add_test(t, a_short_read_is_continued_where_it_ended);
	tcase_add_test(t, a_read_that_ends_within_a_block_goes_on_inline);
	tcase_add_test(t, the_last_direct_read_asks_for_whole_blocks);
	tcase_add_test(t, a_file_that_ends_within_a_block_is_read_to_its_end);
	tcase_add_test(t, a_read_of_nothing_is_the_end_of_the_file);
	tcase_add_test(t, EINVAL_is_tried_once_more_through_the_page_cache);
	tcase_add_test(t, EINVAL_through_the_page_cache_is_final);
	tcase_add_test(t, EINTR_is_read_again);
	tcase_add_test(t, an_error_keeps_what_was_read_before_it);
	tcase_add_test(t, an_error_cuts_the_copy_where_the_request_began);
	tcase_add_test(t, without_alignment_all_goes_inline);
	tcase_add_test(t, a_source_of_zeros_is_not_called);
	suite_add_tcase(s, t);
	return s;
}
