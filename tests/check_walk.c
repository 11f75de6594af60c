// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "suites.h"
#include "walk.h"

enum { UNIT = 8, NR_MAX = 64, OFF = 5 * UNIT };

// A source of which some units are bad, and what became of its bytes.
static struct {
	uint64_t bad;         // bit i: unit i of those behind OFF
	uint64_t end;         // of the source
	bool is_short;        // a read gives what is before the bad unit
	int error;            // of bad units
	unsigned stop_after;  // reads, then a signal
	uint64_t pos;         // all before it is done
	unsigned nr_reads;
	unsigned nr_failed;
	unsigned nr_bad;      // pieces that were given up
	bool is_wrong;        // twice, not in order, or of two units
	bool is_read[NR_MAX * UNIT];
} src;

static bool
is_bad(uint64_t off)
{
	return off >= OFF && (src.bad >> (off - OFF) / UNIT) & 1;
}

static ssize_t
on_read(void *ctx, uint64_t off, size_t len)
{
	uint64_t n = 0;

	src.is_wrong |= ctx != &src || off != src.pos || len == 0;
	if (++src.nr_reads == src.stop_after)
		return -ECANCELED;
	while (n < len && off + n < src.end && !is_bad(off + n))
		n++;
	if (n < len && off + n < src.end && (n == 0 || !src.is_short)) {
		src.nr_failed++;
		return -src.error;
	}
	for (uint64_t i = 0; i < n; i++)
		src.is_read[off + i - OFF] = true;
	src.pos += n;
	return (ssize_t)n;
}

static void
on_bad(void *ctx, uint64_t off, size_t len, int error)
{
	src.is_wrong |= ctx != &src || off != src.pos || error != src.error ||
			off / UNIT != (off + len - 1) / UNIT;
	src.nr_bad++;
	src.pos += len;
}

static const struct walk *
walk_of(void)
{
	static const struct walk walk = {
		.unit = UNIT, .ctx = &src, .read = on_read, .bad = on_bad};

	return &walk;
}

static void
begin(void)
{
	memset(&src, 0, sizeof(src));
	src.end = UINT64_MAX;
	src.error = EIO;
	src.pos = OFF;
}

// As it is met: a read of all of it has failed, or none was tried.
static int64_t
run(uint64_t off, size_t len)
{
	src.pos = off;
	if (src.is_short)
		return walk_run(walk_of(), off, len, 0);
	const ssize_t n = on_read(&src, off, len);
	return n > 0 ? n : walk_run(walk_of(), off, len, (int)-n);
}

static void
check_bytes(uint64_t off, size_t len)
{
	for (uint64_t i = off; i < off + len; i++)
		src.is_wrong |= src.is_read[i - OFF] == is_bad(i);
	ck_assert_uint_eq(src.pos, off + len);
	ck_assert(!src.is_wrong);
}

static unsigned
log2_of(unsigned n)
{
	return n < 2 ? 0 : 1 + log2_of(n / 2);
}

// Each bad unit fails alone; more fail only to find where a run of them
// begins.
static void
check_failed(unsigned nr_units)
{
	unsigned nr_runs = 0;

	for (unsigned i = 0; i < nr_units; i++)
		nr_runs += (src.bad >> i & 1) && !(i > 0 &&
						   (src.bad >> (i - 1) & 1));
	ck_assert_uint_le(src.nr_failed,
			  src.nr_bad + nr_runs * (log2_of(nr_units) + 1));
}

static void
check_pattern(uint64_t bad, unsigned nr_units, bool is_short)
{
	begin();
	src.bad = bad;
	src.is_short = is_short;
	ck_assert_int_eq(run(OFF, nr_units * UNIT), nr_units * UNIT);
	check_bytes(OFF, nr_units * UNIT);
	ck_assert_uint_eq(src.nr_bad, (unsigned)__builtin_popcountll(bad));
	check_failed(nr_units);
}

START_TEST(every_unit_is_read_or_fails_alone)
{
	const unsigned nr_units = (unsigned)_i + 1;

	for (uint64_t bad = 0; bad < UINT64_C(1) << nr_units; bad++) {
		check_pattern(bad, nr_units, false);
		check_pattern(bad, nr_units, true);
	}
}
END_TEST

START_TEST(a_stretch_may_begin_and_end_within_units)
{
	const uint64_t from = OFF + (uint64_t)_i % UNIT;
	const size_t most = (size_t)(OFF + 8 * UNIT - from);

	for (uint64_t bad = 0; bad < 256; bad++) {
		for (size_t len = 1; len <= most; len += 5) {
			begin();
			src.bad = bad;
			ck_assert_int_eq(run(from, len), (int64_t)len);
			check_bytes(from, len);
		}
	}
}
END_TEST

START_TEST(one_bad_unit_of_many_is_soon_found)
{
	check_pattern(UINT64_C(1) << _i, NR_MAX, false);
	ck_assert_uint_le(src.nr_failed, 7 + 1);
	check_pattern(UINT64_C(1) << _i, NR_MAX, true);
	ck_assert_uint_le(src.nr_failed, _i == 0 ? 7 : 1);
}
END_TEST

START_TEST(where_all_is_bad_little_else_fails)
{
	check_pattern(UINT64_MAX, NR_MAX, false);
	ck_assert_uint_le(src.nr_reads, NR_MAX + 7);
}
END_TEST

START_TEST(the_end_of_the_source_ends_it)
{
	begin();
	src.bad = 1;
	src.end = OFF + 3 * UNIT + 1;
	ck_assert_int_eq(run(OFF, 8 * UNIT), 3 * UNIT + 1);
	check_bytes(OFF, 3 * UNIT + 1);
	ck_assert_int_eq(walk_run(walk_of(), src.end, 8 * UNIT, 0), 0);
}
END_TEST

START_TEST(a_signal_ends_it_between_two_reads)
{
	begin();
	src.bad = 0x22;
	for (unsigned after = 2; src.nr_bad < 2; after++) {
		begin();
		src.bad = 0x22;
		src.stop_after = after;
		const int64_t n = run(OFF, 8 * UNIT);
		if (n < 0)
			ck_assert_int_eq(n, -ECANCELED);
		else
			ck_assert_uint_eq(src.pos, OFF + (uint64_t)n);
	}
}
END_TEST

START_TEST(an_error_of_the_device_is_returned_next)
{
	begin();
	src.bad = 0x10;
	src.error = ENODEV;
	ck_assert_int_eq(walk_run(walk_of(), OFF, 4 * UNIT, 0), 4 * UNIT);
	ck_assert_int_eq(walk_run(walk_of(), src.pos, UNIT, 0), -ENODEV);
	ck_assert_uint_eq(src.nr_bad, 0);
}
END_TEST

static const int passed[] = {EIO, ENODATA, EREMOTEIO, EILSEQ, ETIMEDOUT};
static const int kept[] = {EBADF, EINVAL, ENODEV, ENXIO, ENOMEM, ECANCELED};

START_TEST(errors_of_a_place_are_passed)
{
	for (size_t i = 0; i < ARRAY_LEN(passed); i++)
		ck_assert(walk_can_pass(passed[i]));
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		ck_assert(!walk_can_pass(kept[i]));
}
END_TEST

Suite *
walk_suite(void)
{
	Suite *s = suite_create("walk");
	TCase *t = tcase_create("walk");

	tcase_add_loop_test(t, every_unit_is_read_or_fails_alone, 0, 10);
	tcase_add_loop_test(t, a_stretch_may_begin_and_end_within_units, 0,
			    UNIT);
	tcase_add_loop_test(t, one_bad_unit_of_many_is_soon_found, 0, NR_MAX);
	tcase_add_test(t, where_all_is_bad_little_else_fails);
	tcase_add_test(t, the_end_of_the_source_ends_it);
	tcase_add_test(t, a_signal_ends_it_between_two_reads);
	tcase_add_test(t, an_error_of_the_device_is_returned_next);
	tcase_add_test(t, errors_of_a_place_are_passed);
	suite_add_tcase(s, t);
	return s;
}
