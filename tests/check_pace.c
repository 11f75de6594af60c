// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "base.h"
#include "pace.h"
#include "suites.h"

#define MS UINT64_C(1000000)
#define START (5000 * MS)

static struct pace pace;

// What goes from now on until `until`, in pieces of len, one look a
// millisecond.
static uint64_t
run(uint64_t now, uint64_t until, uint64_t len)
{
	uint64_t bytes = 0;

	for (; now < until; now += MS)
		for (; pace_wait_ns(&pace, len, now) == 0; bytes += len)
			pace_take(&pace, len, now);
	return bytes;
}

static const uint64_t rates[] = {1,	   20,	      1000,	 KIB,
				 50 * MIB, 1000000007, 100 * GIB};

static void
check_near(uint64_t bytes, uint64_t rate)
{
	ck_assert_uint_ge(bytes + rate / 20 + 20, rate);
	ck_assert_uint_le(bytes, rate + rate / 10 + 1);
}

START_TEST(each_second_has_the_rate)
{
	const uint64_t rate = rates[_i], len = pace_piece(rate);

	pace_init(&pace, rate, START);
	for (uint64_t s = 0; s < 10; s++)
		check_near(run(START + s * 1000 * MS,
			       START + (s + 1) * 1000 * MS, len), rate);
}
END_TEST

START_TEST(nothing_goes_before_it_is_paid_for)
{
	pace_init(&pace, 1000, START);
	ck_assert_uint_eq(pace_wait_ns(&pace, 100, START), 100 * MS);
	ck_assert_uint_eq(pace_wait_ns(&pace, 100, START + 60 * MS), 40 * MS);
	ck_assert_uint_eq(pace_wait_ns(&pace, 100, START + 101 * MS), 0);
	ck_assert_uint_eq(run(START, START + 1000 * MS, 50), 950);
}
END_TEST

START_TEST(a_stall_is_not_made_up_for)
{
	pace_init(&pace, 1000, START);
	run(START, START + 1000 * MS, 50);
	const uint64_t later = START + 100000 * MS;
	ck_assert_uint_le(run(later, later + MS, 10), 60);
	check_near(run(later + MS, later + 1001 * MS, 10), 1000);
}
END_TEST

START_TEST(a_small_delay_is_made_up_for)
{
	uint64_t bytes = 0;

	pace_init(&pace, 1000, START);
	for (uint64_t now = START; now < START + 10000 * MS; now += 40 * MS)
		bytes += run(now, now + MS, 10);
	ck_assert_uint_ge(bytes, 9900);
}
END_TEST

START_TEST(no_byte_is_lost_by_rounding)
{
	// 3 bytes at a time of 7 a second, for a day.
	const uint64_t nr = 7 * UINT64_C(86400) / 3;
	uint64_t now = START;

	pace_init(&pace, 7, START);
	for (uint64_t i = 0; i < nr; i++) {
		now += pace_wait_ns(&pace, 3, now);
		pace_take(&pace, 3, now);
	}
	ck_assert_uint_ge(now - START, 86400000 * MS - MS);
	ck_assert_uint_le(now - START, 86400000 * MS + MS);
}
END_TEST

START_TEST(the_largest_numbers_do_not_overflow)
{
	pace_init(&pace, INT64_MAX, START);
	ck_assert_uint_le(pace_wait_ns(&pace, INT64_MAX, START), 1001 * MS);
	pace_take(&pace, INT64_MAX, START + 1001 * MS);
	ck_assert_uint_gt(pace_wait_ns(&pace, INT64_MAX, START + 1001 * MS),
			  900 * MS);
}
END_TEST

Suite *
pace_suite(void)
{
	Suite *suite = suite_create("pace");
	TCase *tcase = tcase_create("pace");

	tcase_add_loop_test(tcase, each_second_has_the_rate, 0,
			    ARRAY_LEN(rates));
	tcase_add_test(tcase, nothing_goes_before_it_is_paid_for);
	tcase_add_test(tcase, a_stall_is_not_made_up_for);
	tcase_add_test(tcase, a_small_delay_is_made_up_for);
	tcase_add_test(tcase, no_byte_is_lost_by_rounding);
	tcase_add_test(tcase, the_largest_numbers_do_not_overflow);
	suite_add_tcase(suite, tcase);
	return suite;
}
