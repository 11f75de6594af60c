// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "checker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base.h"
#include "fake_aio.h"
#include "file.h"
#include "manifest.h"
#include "rig.h"
#include "suites.h"

enum { UNIT = 4096, JOB = 4 * UNIT, NR_SEEDS = 40 };

static struct fake_copy c;
static struct side back;
static struct differ differ;

// The destination holds the first there bytes of the source.
static void
open_copy(size_t len, size_t there)
{
	unsigned char *bytes = malloc(len);

	rig_open();
	fake_copy_open(&c, len);
	ck_assert_int_eq(pread(c.src.fd, bytes, len, 0), (ssize_t)len);
	ck_assert_int_eq(pwrite(c.dst.fd, bytes, there, 0), (ssize_t)there);
	free(bytes);
	file_init(&back, dup(c.dst.fd), "destination", false);
	back.buffered_fd = dup(c.dst.fd);
	back.direct_fd = dup(c.dst.fd);
	c.env.hooks = &rig.hooks;
	c.back = &back;
	c.plan.is_compared = true;
	c.plan.job_size = JOB;
	c.plan.step = UNIT;
	// What the kernel has is the destination alone.
	fake_copy_make_inline(&c, FAKE_INLINE_SRC);
}

static void
compare_only(void)
{
	differ = (struct differ){
		.env = &c.env, .kind = FAILURE_OTHER, .name = "destination"};
	c.differ = &differ;
}

static void
close_copy(void)
{
	fake_copy_close(&c);
	close(back.fd);
	close(back.buffered_fd);
	close(back.direct_fd);
	rig_close();
}

static void
flip(uint64_t off)
{
	unsigned char byte;

	ck_assert_int_eq(pread(c.dst.fd, &byte, 1, (off_t)off), 1);
	byte ^= 0x10;
	ck_assert_int_eq(pwrite(c.dst.fd, &byte, 1, (off_t)off), 1);
}

// All are CHECKING.
static void
start(void)
{
	fake_copy_start(&c);
	reader_start(&c.copy.reader);
	aio_submit(&c.aio);
	ck_assert_int_eq(aio_reap(&c.aio), 0);
	writer_start(&c.copy.writer);
	aio_submit(&c.aio);
}

// To the end. n bytes count.
static void
run(uint64_t n)
{
	fake_copy_start(&c);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	ck_assert(ring_is_drained(&c.copy.ring));
	ck_assert_uint_eq(ring_prefix(&c.copy.ring), n);
}

static void
check_request(unsigned nr, int op, uint64_t pos, size_t len)
{
	ck_assert_uint_lt(nr, c.fake.nr_log);
	ck_assert_int_eq(c.fake.log[nr].op, op);
	ck_assert_int_eq(c.fake.log[nr].fd, op == IO_CMD_PREAD
						    ? back.direct_fd
						    : c.dst.direct_fd);
	ck_assert_uint_eq(c.fake.log[nr].pos, pos);
	ck_assert_uint_eq(c.fake.log[nr].len, len);
}

static uint64_t
nr_of(int op)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < c.fake.nr_log; i++)
		sum += c.fake.log[i].op == op;
	return sum;
}

START_TEST(it_is_read_into_the_second_half_of_the_buffer)
{
	open_copy(2 * JOB, 2 * JOB);
	start();
	for (unsigned i = 0; i < 2; i++) {
		const struct job *job = fake_copy_job(&c, i);

		check_request(i, IO_CMD_PREAD, i * JOB, JOB);
		ck_assert_ptr_eq(c.fake.log[i].obj, &job->iocb);
		ck_assert_ptr_eq(c.fake.log[i].buf, job->buf + JOB);
		ck_assert_int_eq(job->state, JOB_CHECKING);
	}
	fake_copy_deliver(&c);
	fake_copy_check(&c, 2 * JOB);
	ck_assert_uint_eq(c.fake.nr_log, 2);
	ck_assert_uint_eq(c.stats.same, 2 * JOB);
	ck_assert_uint_eq(c.copy.ring.map.totals[MAP_SAME], 2 * JOB);
	close_copy();
}
END_TEST

START_TEST(what_differs_is_written_by_the_same_job)
{
	open_copy(2 * JOB, 2 * JOB);
	flip(JOB + UNIT + 7);
	start();
	fake_copy_deliver(&c);
	check_request(2, IO_CMD_PWRITE, JOB + UNIT, UNIT);
	ck_assert_ptr_eq(c.fake.log[2].obj, c.fake.log[1].obj);
	ck_assert_ptr_eq(c.fake.log[2].buf, fake_copy_job(&c, 1)->buf + UNIT);
	ck_assert_int_eq(fake_copy_job(&c, 1)->state, JOB_WRITING);
	fake_copy_deliver(&c);
	fake_copy_check(&c, 2 * JOB);
	ck_assert_uint_eq(c.stats.same, 2 * JOB - UNIT);
	ck_assert_uint_eq(c.copy.ring.map.totals[MAP_DONE], UNIT);
	close_copy();
}
END_TEST

START_TEST(a_short_read_is_continued_where_it_ended)
{
	open_copy(JOB, JOB);
	c.fake.short_len = 3 * FAKE_ALIGN;
	c.fake.nr_short = 2;
	start();
	fake_copy_deliver(&c);
	check_request(1, IO_CMD_PREAD, 3 * FAKE_ALIGN, JOB - 3 * FAKE_ALIGN);
	ck_assert_ptr_eq(c.fake.log[1].buf,
			 fake_copy_job(&c, 0)->buf + JOB + 3 * FAKE_ALIGN);
	fake_copy_deliver(&c);
	check_request(2, IO_CMD_PREAD, 6 * FAKE_ALIGN, JOB - 6 * FAKE_ALIGN);
	fake_copy_deliver(&c);
	fake_copy_check(&c, JOB);
	ck_assert_uint_eq(c.stats.same, JOB);
	close_copy();
}
END_TEST

START_TEST(one_that_ends_within_a_block_goes_on_inline)
{
	open_copy(JOB, JOB);
	c.fake.short_len = 700;
	c.fake.nr_short = 1;
	start();
	const uint64_t before = c.aio.counters.inlined;
	fake_copy_deliver(&c);
	fake_copy_deliver(&c);
	ck_assert_uint_eq(c.fake.nr_log, 1);
	ck_assert_uint_eq(c.aio.counters.inlined, before + 1);
	fake_copy_check(&c, JOB);
	ck_assert_uint_eq(c.stats.same, JOB);
	close_copy();
}
END_TEST

START_TEST(a_tail_is_asked_for_in_whole_blocks)
{
	open_copy(JOB + 5, JOB + 5);
	start();
	check_request(1, IO_CMD_PREAD, JOB, FAKE_ALIGN);
	fake_copy_deliver(&c);
	fake_copy_check(&c, JOB + 5);
	ck_assert_uint_eq(c.stats.same, JOB + 5);
	close_copy();
}
END_TEST

// From the last unit that is whole there.
START_TEST(where_the_destination_ends_all_is_written)
{
	static const size_t there[] = {JOB + UNIT + 904, JOB + UNIT, JOB, 0};

	open_copy(3 * JOB, there[_i]);
	run(3 * JOB);
	fake_copy_check(&c, 3 * JOB);
	ck_assert_uint_eq(c.stats.same, there[_i] / UNIT * UNIT);
	ck_assert_uint_eq(c.stats.unchecked, 0);
	close_copy();
}
END_TEST

START_TEST(what_cannot_be_read_is_written_whole)
{
	open_copy(3 * JOB, 3 * JOB);
	c.fake.faults[0] = (struct fake_fault){back.direct_fd, JOB + UNIT,
					       JOB + UNIT + 1, EIO};
	run(3 * JOB);
	fake_copy_check(&c, 3 * JOB);
	ck_assert_uint_eq(c.stats.unchecked, JOB);
	ck_assert_uint_eq(c.stats.same, 2 * JOB);
	ck_assert_uint_eq(nr_of(IO_CMD_PWRITE), 1);
	check_request(c.fake.nr_log - 1, IO_CMD_PWRITE, JOB, JOB);
	ck_assert_int_eq(c.copy.failure.kind, EVENT_NONE);
	close_copy();
}
END_TEST

START_TEST(where_nothing_is_written_it_ends_the_copy)
{
	open_copy(3 * JOB, 3 * JOB);
	compare_only();
	flip(7);
	c.fake.faults[0] = (struct fake_fault){back.direct_fd, JOB + UNIT,
					       JOB + UNIT + 1, EIO};
	run(JOB);
	ck_assert_int_eq(c.copy.failure.kind, FAILURE_READ);
	ck_assert_int_eq(c.copy.failure.error, EIO);
	ck_assert_str_eq(c.copy.failure.name, "destination");
	ck_assert_uint_eq(c.copy.failure.off, JOB);
	ck_assert_uint_eq(nr_of(IO_CMD_PWRITE), 0);
	differ_finish(&differ);
	ck_assert_uint_eq(rig_told(FAILURE_OTHER)->off, 7);
	close_copy();
}
END_TEST

// What kernel AIO does not take may be read by a call, or through the page
// cache.
START_TEST(what_is_refused_is_read_another_way)
{
	static const int errors[] = {EAGAIN, EINVAL, EOPNOTSUPP, ENOMEM};

	open_copy(2 * JOB, 2 * JOB);
	flip(JOB);
	c.fake.faults[0] =
		(struct fake_fault){back.direct_fd, 0, 1, errors[_i]};
	run(2 * JOB);
	fake_copy_check(&c, 2 * JOB);
	ck_assert_uint_eq(c.stats.unchecked, 0);
	ck_assert_uint_eq(c.stats.same, 2 * JOB - UNIT);
	close_copy();
}
END_TEST

START_TEST(what_is_interrupted_is_asked_for_again)
{
	open_copy(JOB, JOB);
	c.fake.faults[0] = (struct fake_fault){back.direct_fd, 0, 1, EINTR};
	start();
	fake_copy_deliver(&c);
	c.fake.faults[0].to = 0;
	check_request(1, IO_CMD_PREAD, 0, JOB);
	fake_copy_deliver(&c);
	fake_copy_check(&c, JOB);
	ck_assert_uint_eq(c.stats.same, JOB);
	close_copy();
}
END_TEST

// By a signal, or a failure before it.
START_TEST(what_is_cut_off_meanwhile_is_not_written)
{
	open_copy(3 * JOB, 3 * JOB);
	if (_i == 1)
		compare_only();
	for (unsigned i = 0; i < 3; i++)
		flip(i * JOB);
	start();
	ck_assert_int_eq(fake_copy_job(&c, 2)->state, JOB_CHECKING);
	ring_cut(&c.copy.ring, JOB, 0);
	fake_copy_deliver(&c);
	fake_copy_deliver(&c);
	ck_assert(ring_is_drained(&c.copy.ring));
	ck_assert_uint_eq(ring_prefix(&c.copy.ring), JOB);
	ck_assert_uint_eq(nr_of(IO_CMD_PWRITE), _i == 1 ? 0 : 1);
	if (_i == 0)
		check_request(3, IO_CMD_PWRITE, 0, UNIT);
	differ_finish(&differ);
	ck_assert_uint_eq(rig_count_told(FAILURE_OTHER), _i == 1 ? 1 : 0);
	close_copy();
}
END_TEST

START_TEST(what_differs_is_told_in_the_order_of_the_file)
{
	open_copy(4 * JOB, 4 * JOB - 100);
	compare_only();
	for (unsigned i = 0; i < 4; i++)
		flip(i * JOB + 1000 * i);
	start();
	while (c.fake.nr_pending > 0) {
		fake_aio_complete_last(&c.fake);
		ck_assert_int_eq(aio_reap(&c.aio), 0);
		aio_submit(&c.aio);
	}
	ck_assert(ring_is_drained(&c.copy.ring));
	differ_finish(&differ);
	ck_assert_uint_eq(rig.nr_told, 5);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(rig.told[i].off, i * JOB + 1000 * i);
	ck_assert_uint_eq(rig.told[4].off, 4 * JOB - 100);
	ck_assert_int_eq(rig.told[4].found, EVENT_NO_BYTE);
	close_copy();
}
END_TEST

START_TEST(any_order_of_any_trouble_leaves_the_source_there)
{
	open_copy(20 * JOB + 777, 19 * JOB + 13);
	c.fake.random = (uint64_t)_i + 1;
	c.fake.is_trouble = true;
	c.plan.is_any_order = _i % 2 == 0;
	for (unsigned i = 0; i < 10; i++)
		flip(fake_aio_below(&c.fake, 19 * JOB));
	run(20 * JOB + 777);
	fake_copy_check(&c, 20 * JOB + 777);
	ck_assert_uint_gt(c.stats.same, 0);
	close_copy();
}
END_TEST

// --- with a manifest --------------------------------------------------------

enum { RANGE = MANIFEST_RANGE, BIG = 4 * RANGE };

static struct manifest manifest;
static int manifest_fd;

// Of the destination as it is now, but for range number 2 of each job.
static void
open_known(uint64_t len)
{
	const struct manifest_ids ids = {.dst = {1}};
	unsigned char *bytes = malloc(RANGE);

	open_copy(len, len);
	c.plan.job_size = BIG;
	manifest_fd = memfd_create("manifest", MFD_CLOEXEC);
	ck_assert_int_eq(manifest_open(&manifest, manifest_fd), -ENODATA);
	ck_assert_int_eq(manifest_begin(&manifest, &ids, len, false), 0);
	for (uint64_t off = 0; off < len; off += RANGE) {
		const size_t part = (size_t)min_u64(len - off, RANGE);

		ck_assert_int_eq(manifest_touch(&manifest, off, part), 0);
		ck_assert_int_eq(pread(c.dst.fd, bytes, part, (off_t)off),
				 (ssize_t)part);
		if (off / RANGE % 4 != 2)
			manifest_put(&manifest, off, part, bytes);
	}
	ck_assert_int_eq(manifest_end(&manifest, len, len, &ids), 0);
	ck_assert_int_eq(manifest_open(&manifest, manifest_fd), 0);
	ck_assert_int_eq(manifest_begin(&manifest, &ids, len, true), 0);
	c.env.manifest = &manifest;
	free(bytes);
}

static void
close_known(void)
{
	close_copy();
	close(manifest_fd);
}

START_TEST(of_a_job_only_what_is_not_known_is_read)
{
	open_known(2 * BIG + 100);
	run(2 * BIG + 100);
	fake_copy_check(&c, 2 * BIG + 100);
	ck_assert_uint_eq(c.fake.nr_log, 2);
	check_request(0, IO_CMD_PREAD, 2 * RANGE, RANGE);
	check_request(1, IO_CMD_PREAD, BIG + 2 * RANGE, RANGE);
	ck_assert_uint_eq(c.stats.known, 6 * RANGE + 100);
	ck_assert_uint_eq(c.stats.same, 2 * BIG + 100);
	close_known();
}
END_TEST

START_TEST(a_short_read_of_it_is_continued)
{
	open_known(BIG);
	c.fake.short_len = 3 * FAKE_ALIGN;
	c.fake.nr_short = 1;
	run(BIG);
	fake_copy_check(&c, BIG);
	check_request(1, IO_CMD_PREAD, 2 * RANGE + 3 * FAKE_ALIGN,
		      RANGE - 3 * FAKE_ALIGN);
	ck_assert_uint_eq(c.fake.nr_log, 2);
	ck_assert_uint_eq(c.stats.known, 3 * RANGE);
	close_known();
}
END_TEST

START_TEST(where_the_source_has_other_bytes_it_is_read)
{
	static const unsigned char zeros[100];

	open_known(BIG);
	ck_assert_int_eq(pwrite(c.src.fd, zeros, 100, RANGE + 50), 100);
	run(BIG);
	fake_copy_check(&c, BIG);
	check_request(0, IO_CMD_PREAD, RANGE, 2 * RANGE);
	check_request(1, IO_CMD_PWRITE, RANGE, UNIT);
	ck_assert_uint_eq(c.stats.known, 2 * RANGE);
	ck_assert_uint_eq(c.stats.same, BIG - UNIT);
	close_known();
}
END_TEST

START_TEST(what_cannot_be_read_of_it_is_not_known_either)
{
	open_known(BIG);
	c.fake.faults[0] = (struct fake_fault){back.direct_fd, 2 * RANGE,
					       2 * RANGE + 1, EIO};
	run(BIG);
	fake_copy_check(&c, BIG);
	ck_assert_uint_eq(c.stats.known, 0);
	ck_assert_uint_eq(c.stats.same, 0);
	ck_assert_uint_eq(c.stats.unchecked, BIG);
	check_request(1, IO_CMD_PWRITE, 0, BIG);
	close_known();
}
END_TEST

START_TEST(what_is_only_compared_need_not_be_read_either)
{
	open_known(BIG);
	compare_only();
	flip(2 * RANGE + 9);
	run(BIG);
	differ_finish(&differ);
	ck_assert_uint_eq(rig_told(FAILURE_OTHER)->off, 2 * RANGE + 9);
	ck_assert_uint_eq(c.fake.nr_log, 1);
	ck_assert_uint_eq(c.stats.known, 3 * RANGE);
	ck_assert(!manifest.is_dirty);
	close_known();
}
END_TEST

START_TEST(what_comes_again_is_not_counted_again)
{
	open_copy(2 * JOB, 2 * JOB);
	flip(JOB);
	start();
	c.copy.checker.counted = JOB + UNIT;
	fake_copy_deliver(&c);
	fake_copy_deliver(&c);
	fake_copy_check(&c, 2 * JOB);
	ck_assert_uint_eq(c.stats.same, JOB - UNIT);
	close_copy();
}
END_TEST

Suite *
checker_suite(void)
{
	Suite *s = suite_create("checker");
	TCase *t = tcase_create("checker");

	tcase_add_test(t, it_is_read_into_the_second_half_of_the_buffer);
	tcase_add_test(t, what_differs_is_written_by_the_same_job);
	tcase_add_test(t, what_comes_again_is_not_counted_again);
	tcase_add_test(t, a_short_read_is_continued_where_it_ended);
	tcase_add_test(t, one_that_ends_within_a_block_goes_on_inline);
	tcase_add_test(t, a_tail_is_asked_for_in_whole_blocks);
	tcase_add_loop_test(t, where_the_destination_ends_all_is_written, 0, 4);
	tcase_add_test(t, what_cannot_be_read_is_written_whole);
	tcase_add_test(t, where_nothing_is_written_it_ends_the_copy);
	tcase_add_loop_test(t, what_is_refused_is_read_another_way, 0, 4);
	tcase_add_test(t, what_is_interrupted_is_asked_for_again);
	tcase_add_loop_test(t, what_is_cut_off_meanwhile_is_not_written, 0, 2);
	tcase_add_test(t, what_differs_is_told_in_the_order_of_the_file);
	tcase_add_loop_test(t, any_order_of_any_trouble_leaves_the_source_there,
			    0, NR_SEEDS);
	if (!digest_is_available(DIGEST_XXH128)) {
		suite_add_tcase(s, t);
		return s;
	}
	tcase_add_test(t, of_a_job_only_what_is_not_known_is_read);
	tcase_add_test(t, a_short_read_of_it_is_continued);
	tcase_add_test(t, where_the_source_has_other_bytes_it_is_read);
	tcase_add_test(t, what_cannot_be_read_of_it_is_not_known_either);
	tcase_add_test(t, what_is_only_compared_need_not_be_read_either);
	suite_add_tcase(s, t);
	return s;
}
