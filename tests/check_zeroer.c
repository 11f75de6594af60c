// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "zeroer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "fake_aio.h"
#include "file.h"
#include "suites.h"

enum { JOB = 128 * 1024, NR_SEEDS = 20 };

static struct fake_copy c;
static struct clear clear;
static struct side_ops ops;
static unsigned nr_true;  // pieces that are made before one is not

static int
punch_or_lie(const struct side *side, uint64_t off, uint64_t len)
{
	return nr_true-- > 0 ? file_ops.punch(side, off, len) : 0;
}

static int
punch_refused(const struct side *side, uint64_t off, uint64_t len)
{
	(void)side;
	(void)off;
	(void)len;
	return -EOPNOTSUPP;
}

static ssize_t
write_failed(const struct side *side, enum side_way way, const void *buf,
	     size_t len, uint64_t off)
{
	(void)side;
	(void)way;
	(void)buf;
	(void)len;
	(void)off;
	return -EIO;
}

// A device of old bytes.
static void
open_copy(uint64_t len)
{
	unsigned char *old = malloc(len);

	fake_copy_open(&c, len);
	memset(old, 0xff, len);
	ck_assert_int_eq(pwrite(c.dst.fd, old, len, 0), (ssize_t)len);
	free(old);
	ops = file_ops;
	c.dst.ops = &ops;
	c.dst.facts.kind = FACTS_BLOCK;
	c.dst.clear_fd = c.dst.fd;
	clear_init(&clear, &c.dst, 0, UINT64_MAX, NULL);
	c.clear = &clear;
	c.plan.job_size = JOB;
	c.plan.step = CLEAR_ALIGN;
	c.plan.holes = PLAN_HOLES_MAKE;
	c.plan.is_any_order = true;
}

static void
make_hole(uint64_t off, uint64_t len)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	ck_assert_int_eq(fallocate(c.src.fd, mode, (off_t)off, (off_t)len), 0);
}

static void
run(uint64_t len)
{
	fake_copy_run(&c, len);
	clear_done(&clear);
}

START_TEST(a_hole_is_made_by_the_destination)
{
	open_copy(4 * MIB);
	make_hole(MIB, 2 * MIB);
	run(4 * MIB);
	ck_assert_uint_eq(c.stats.zeros.offloaded, 2 * MIB);
	ck_assert_uint_eq(c.stats.zeros.written, 0);
}
END_TEST

START_TEST(a_short_hole_is_written)
{
	open_copy(4 * MIB);
	make_hole(MIB, 32 * KIB);
	run(4 * MIB);
	ck_assert_uint_eq(c.stats.zeros.offloaded, 0);
	ck_assert_uint_eq(c.stats.zeros.written, 32 * KIB);
}
END_TEST

START_TEST(the_prefix_waits_for_zeros)
{
	open_copy(4 * MIB);
	make_hole(0, MIB);
	fake_copy_start(&c);
	reader_start(&c.copy.reader);
	ck_assert_uint_eq(c.copy.zeroer.nr, 1);
	ck_assert_uint_gt(c.copy.ring.next, MIB);
	ck_assert_uint_eq(ring_prefix(&c.copy.ring), 0);
	ck_assert_uint_eq(zeroer_prefix_skipped(&c.copy.zeroer), 0);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	ck_assert_uint_eq(zeroer_prefix_skipped(&c.copy.zeroer), MIB);
	fake_copy_check(&c, 4 * MIB);
	fake_copy_close(&c);
	clear_done(&clear);
}
END_TEST

START_TEST(zeros_that_are_found_are_made)
{
	open_copy(4 * MIB);
	unsigned char *zeros = calloc(1, MIB);
	ck_assert_int_eq(pwrite(c.src.fd, zeros, MIB, MIB + 512), MIB);
	free(zeros);
	c.plan.holes = PLAN_HOLES_READ;
	c.plan.sparse_unit = 512;
	run(4 * MIB);
	ck_assert_uint_eq(c.stats.zeros.offloaded, MIB - CLEAR_ALIGN);
	ck_assert_uint_eq(c.stats.skipped, 0);
}
END_TEST

START_TEST(what_is_refused_is_written)
{
	open_copy(8 * MIB);
	make_hole(0, 2 * MIB);
	make_hole(4 * MIB, 4 * MIB);
	ops.punch = punch_refused;
	run(8 * MIB);
	ck_assert_uint_eq(c.stats.zeros.offloaded, 0);
	ck_assert_uint_eq(c.stats.zeros.written + c.stats.zeros.made_up,
			  6 * MIB);
}
END_TEST

START_TEST(after_a_lie_all_is_written)
{
	open_copy(8 * MIB);
	make_hole(0, 2 * MIB);
	make_hole(4 * MIB, 3 * MIB);
	nr_true = 1;
	ops.punch = punch_or_lie;
	run(8 * MIB);
	ck_assert_uint_eq(c.stats.zeros.offloaded, 0);
}
END_TEST

START_TEST(what_cannot_be_written_ends_the_copy)
{
	open_copy(8 * MIB);
	make_hole(4 * MIB, 3 * MIB);
	ops.punch = punch_refused;
	ops.write_at = write_failed;
	fake_copy_start(&c);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	ck_assert_int_eq(c.copy.failure.kind, FAILURE_WRITE);
	ck_assert_int_eq(c.copy.failure.error, EIO);
	ck_assert_uint_eq(c.copy.failure.off, 4 * MIB);
	fake_copy_check(&c, 4 * MIB);
	fake_copy_close(&c);
	clear_done(&clear);
}
END_TEST

// Holes and zeros anywhere, requests in any order, and a device that does what
// it likes.
START_TEST(any_zeros_in_any_order_are_zeros)
{
	const uint64_t len = 6 * MIB;
	unsigned char *zeros = calloc(1, MIB);

	open_copy(len + 512 * (uint64_t)(_i % 3));
	c.fake.random = (uint64_t)_i * 7919 + 1;
	for (unsigned i = 0; i < 6; i++) {
		const uint64_t at = fake_aio_below(&c.fake, len - MIB);
		const uint64_t n = fake_aio_below(&c.fake, MIB) + 1;

		if (i % 2 == 0)
			make_hole(at, n);
		else
			ck_assert_int_eq(pwrite(c.src.fd, zeros, n, (off_t)at),
					 (ssize_t)n);
	}
	free(zeros);
	c.plan.sparse_unit = _i % 2 == 0 ? 512 : 0;
	c.plan.holes = _i % 5 == 0 ? PLAN_HOLES_READ : PLAN_HOLES_MAKE;
	c.plan.is_any_order = _i % 3 == 0;
	nr_true = (unsigned)_i % 4;
	if (_i % 4 > 0)
		ops.punch = punch_or_lie;
	if (_i % 7 == 0)
		ops.punch = punch_refused;
	run(c.plan.len);
}
END_TEST

Suite *
zeroer_suite(void)
{
	Suite *s = suite_create("zeroer");
	TCase *t = tcase_create("zeroer");

	tcase_add_test(t, a_hole_is_made_by_the_destination);
	tcase_add_test(t, a_short_hole_is_written);
	tcase_add_test(t, the_prefix_waits_for_zeros);
	tcase_add_test(t, zeros_that_are_found_are_made);
	tcase_add_test(t, what_is_refused_is_written);
	tcase_add_test(t, after_a_lie_all_is_written);
	tcase_add_test(t, what_cannot_be_written_ends_the_copy);
	tcase_add_loop_test(t, any_zeros_in_any_order_are_zeros, 0, NR_SEEDS);
	suite_add_tcase(s, t);
	return s;
}
