// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <string.h>

#include "base.h"
#include "differ.h"
#include "env.h"
#include "rig.h"
#include "same.h"
#include "stats.h"
#include "suites.h"

#define LEN ((size_t)256 * KIB)

static unsigned char bytes[LEN], found[LEN];
static struct same same;
static struct differ differ;
static struct env env;
static struct stats stats;

static void
begin(void)
{
	for (size_t i = 0; i < LEN; i++)
		bytes[i] = found[i] = (unsigned char)(i * 7 + i / 251);
	same = (struct same){.bytes = bytes,
			     .found = found,
			     .len = LEN,
			     .nr_found = LEN,
			     .unit = SAME_UNIT};
	rig_open();
	stats = (struct stats){0};
	env = (struct env){.hooks = &rig.hooks, .stats = &stats};
	differ = (struct differ){.env = &env,
				 .kind = FAILURE_OTHER,
				 .name = "dst",
				 .dst_off = 1000,
				 .src_off = 20};
}

static void
end(void)
{
	rig_close();
}

static void
flip(size_t off)
{
	found[off] ^= 0x10;
}

// Each run, one after the other.
static void
check_next(size_t *from, size_t skip, size_t run)
{
	ck_assert_uint_eq(same_skip(&same, *from), skip);
	*from += skip;
	ck_assert_uint_eq(same_run(&same, *from), run);
	*from += run;
}

START_TEST(what_is_the_same_is_skipped_whole)
{
	size_t from = 0;

	check_next(&from, LEN, 0);
	ck_assert_uint_eq(same_skip(&same, 5000), LEN - 5000);
	same.len = same.nr_found = 0;
	ck_assert_uint_eq(same_skip(&same, 0), 0);
	ck_assert_uint_eq(same_run(&same, 0), 0);
}
END_TEST

START_TEST(a_unit_is_written_for_a_byte)
{
	size_t from = 0;

	flip(4096);
	flip(LEN - 1);
	check_next(&from, 4096, 4096);
	check_next(&from, LEN - 3 * 4096, 4096);
	ck_assert_uint_eq(from, LEN);
}
END_TEST

START_TEST(near_runs_are_one)
{
	size_t from = 0;

	flip(0);
	flip(8 * 4096);	 // 28 KiB between them
	flip(17 * 4096); // 32 KiB
	check_next(&from, 0, 9 * 4096);
	check_next(&from, 8 * 4096, 4096);
	check_next(&from, LEN - 18 * 4096, 0);
}
END_TEST

// The first unit is what is left of one of the file.
START_TEST(units_are_those_of_the_file)
{
	size_t from = 0;

	same.pos = 4096 - 100;
	flip(99);
	flip(100 + 40960);
	check_next(&from, 0, 100);
	check_next(&from, 40960, 4096);
	same.unit = 8192;
	same.pos = 0;
	ck_assert_uint_eq(same_run(&same, 0), 8192);
}
END_TEST

START_TEST(what_is_not_there_differs)
{
	size_t from = 0;

	same.nr_found = 4096 + 1;
	check_next(&from, 4096, LEN - 4096);
	same.nr_found = 0;
	ck_assert_uint_eq(same_run(&same, 0), LEN);
}
END_TEST

static void
check_told(unsigned nr, uint64_t off, uint64_t len)
{
	const struct event *f = &rig.told[nr];

	ck_assert_int_eq(f->kind, FAILURE_OTHER);
	ck_assert_str_eq(f->name, "dst");
	ck_assert_uint_eq(f->off, 1000 + off);
	ck_assert_uint_eq(f->src_off, 20 + off);
	ck_assert_uint_eq(f->len, len);
}

START_TEST(near_ranges_are_told_as_one)
{
	flip(7);
	flip(8 + 511);
	flip(8 + 511 + 1 + 512);
	ck_assert(differ_bytes(&differ, bytes, found, 0, LEN));
	ck_assert(differ_has_any(&differ));
	differ_finish(&differ);
	differ_finish(&differ);
	ck_assert_uint_eq(rig.nr_told, 2);
	check_told(0, 7, 513);
	check_told(1, 1032, 1);
	ck_assert_int_eq(rig.told[0].wrote, bytes[7]);
	ck_assert_int_eq(rig.told[0].found, found[7]);
	ck_assert_uint_eq(stats.nr_differing, 2);
	ck_assert_uint_eq(stats.differing, 514);
}
END_TEST

// Also where two buffers meet.
START_TEST(a_range_goes_on_in_the_next_buffer)
{
	flip(4095);
	flip(4096);
	ck_assert(differ_bytes(&differ, bytes, found, 0, 4096));
	ck_assert(
		differ_bytes(&differ, bytes + 4096, found + 4096, 4096, 4096));
	ck_assert(
		!differ_bytes(&differ, bytes + 8192, found + 8192, 8192, 4096));
	differ_note(&differ, (struct differ_range){LEN, 9, -1, EVENT_NO_BYTE});
	differ_finish(&differ);
	ck_assert_uint_eq(rig.nr_told, 2);
	check_told(0, 4095, 2);
	check_told(1, LEN, 9);
	ck_assert_int_eq(rig.told[1].found, EVENT_NO_BYTE);
}
END_TEST

START_TEST(nothing_differs)
{
	ck_assert(!differ_bytes(&differ, bytes, found, 0, LEN));
	differ_finish(&differ);
	ck_assert(!differ_has_any(&differ));
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

Suite *
compare_suite(void)
{
	Suite *s = suite_create("compare");
	TCase *t = tcase_create("compare");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, what_is_the_same_is_skipped_whole);
	tcase_add_test(t, a_unit_is_written_for_a_byte);
	tcase_add_test(t, near_runs_are_one);
	tcase_add_test(t, units_are_those_of_the_file);
	tcase_add_test(t, what_is_not_there_differs);
	tcase_add_test(t, near_ranges_are_told_as_one);
	tcase_add_test(t, a_range_goes_on_in_the_next_buffer);
	tcase_add_test(t, nothing_differs);
	suite_add_tcase(s, t);
	return s;
}
