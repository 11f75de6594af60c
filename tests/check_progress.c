// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <string.h>

#include "base.h"
#include "progress.h"
#include "suites.h"

#define SECOND UINT64_C(1000000000)
#define START (1000 * SECOND)
#define MB UINT64_C(1000000)

static struct stats stats;
static struct progress progress;
static uint64_t now_ns;

static void
begin(void)
{
	stats = (struct stats){.start_ns = START, .bytes_total = 1005 * MB};
	progress = (struct progress){.kind = OPTIONS_BAR, .bar.stats = &stats};
	now_ns = START;
}

// Every fifth of a second as it is drawn: so much more is copied, and so much
// of it is holes.
static void
copy(unsigned seconds, uint64_t bytes, uint64_t skipped)
{
	for (unsigned i = 0; i < 5 * seconds; i++) {
		now_ns += SECOND / 5;
		stats.bytes += bytes / 5;
		stats.skipped += skipped / 5;
		(void)progress_rate(&progress, now_ns);
	}
}

static void
read_back(unsigned seconds, uint64_t bytes)
{
	for (unsigned i = 0; i < 5 * seconds; i++) {
		now_ns += SECOND / 5;
		stats.verified += bytes / 5;
		(void)progress_rate(&progress, now_ns);
	}
}

static void
enter(enum stats_phase phase)
{
	progress_enter(&progress, phase, now_ns);
}

// Give or take what is lost in fractions.
static void
check_rate(uint64_t rate)
{
	const uint64_t got = progress_rate(&progress, now_ns);

	ck_assert_uint_le(got, rate + rate / 1000);
	ck_assert_uint_ge(got + rate / 1000, rate);
}

static void
check_bar(const char *text)
{
	char line[BAR_TEXT_MAX];
	const int width = bar_format(&progress.bar, now_ns, 78, line);

	ck_assert_int_eq(width, (int)strlen(line));
	ck_assert_int_le(width, 78);
	ck_assert_msg(strstr(line, text) != NULL, "no '%s' in '%s'", text,
		      line);
}

START_TEST(the_rate_is_that_of_what_is_moved)
{
	copy(4, 100 * MB, 90 * MB);
	check_rate(10 * MB);
	check_bar(" 39% [");
	check_bar("] 38 MiB data, 343 MiB holes  9.5 MiB/s  0:04 elapsed");
}
END_TEST

START_TEST(holes_alone_have_no_rate)
{
	copy(2, 100 * MB, 100 * MB);
	check_rate(0);
	check_bar("  0 B/s  0:02 elapsed");
}
END_TEST

START_TEST(a_hole_does_not_hide_how_slow_it_is)
{
	copy(3, 10 * MB, 0);
	copy(1, 700 * MB, 690 * MB);
	copy(3, 10 * MB, 0);
	check_rate(10 * MB);
}
END_TEST

START_TEST(the_time_left_is_that_of_the_data)
{
	stats.moved_total = 105 * MB;
	copy(5, 100 * MB, 90 * MB);
	check_bar("ETA 0:06"); // 55 MB of data
	copy(4, 100 * MB, 90 * MB);
	check_bar("ETA 0:02");
}
END_TEST

START_TEST(where_holes_are_not_known_all_is_left)
{
	copy(5, 100 * MB, 90 * MB);
	check_bar("ETA 0:51");
	stats.moved_total = 40 * MB; // there is more data than was allocated
	check_bar("ETA 0:51");
}
END_TEST

START_TEST(the_rest_is_not_more_than_what_is_left)
{
	stats.moved_total = 900 * MB;
	copy(6, 150 * MB, 140 * MB);
	check_bar("ETA 0:11");
}
END_TEST

START_TEST(a_stall_brings_the_rate_down)
{
	copy(10, 50 * MB, 0);
	check_rate(50 * MB);
	copy(30, 0, 0);
	ck_assert_uint_lt(progress_rate(&progress, now_ns), MB);
}
END_TEST

START_TEST(each_phase_has_its_own_rate)
{
	copy(5, 200 * MB, 0);
	enter(STATS_FLUSHING);
	for (unsigned i = 1; i <= 20; i++) {
		now_ns += SECOND / 10;
		progress.bar.on_device = i * 3 * MB;
		(void)progress_rate(&progress, now_ns);
	}
	check_rate(30 * MB);
	check_bar("flushing   6% [=");
	check_bar("57/954 MiB  29 MiB/s  0:07 elapsed  ETA 0:32");
	enter(STATS_VERIFYING);
	stats.copied_ns = now_ns;
	read_back(2, 80 * MB);
	check_rate(80 * MB);
	check_bar("verifying  16% [");
	check_bar("  76 MiB/s  0:09 elapsed  ETA 0:11");
}
END_TEST

START_TEST(what_comes_at_once_is_measured_over_a_time)
{
	copy(2, 10 * MB, 0);
	enter(STATS_VERIFYING);
	stats.verified = MB;
	for (unsigned i = 0; i < 100; i++) // asked for again and again
		ck_assert_uint_eq(progress_rate(&progress, now_ns += 1000), 0);
	now_ns += SECOND / 10;
	check_rate(10 * MB * 1000 / 1001);
}
END_TEST

START_TEST(a_step_back_is_no_rate)
{
	copy(10, 10 * MB, 0);
	stats.bytes -= 5 * MB;
	now_ns += SECOND / 5;
	ck_assert_uint_le(progress_rate(&progress, now_ns), 10 * MB);
	copy(30, 10 * MB, 0);
	check_rate(10 * MB);
}
END_TEST

START_TEST(the_last_bar_is_of_the_whole_copy)
{
	copy(10, 100 * MB, 90 * MB);
	stats.bytes_total = stats.bytes;
	stats.copied_ns = now_ns;
	enter(STATS_VERIFYING);
	read_back(10, 100 * MB);
	progress_done(&progress, now_ns);
	now_ns = stats.copied_ns;
	check_bar("100% [");
	check_bar("] 95 MiB data, 858 MiB holes  9.5 MiB/s  0:10 elapsed");
}
END_TEST

START_TEST(a_copy_that_was_stopped_has_nothing_left)
{
	copy(4, 100 * MB, 0);
	check_bar("ETA 0:07");
	progress_done(&progress, now_ns);
	check_bar("] 381/958 MiB  95 MiB/s  0:04 elapsed");
}
END_TEST

Suite *
progress_suite(void)
{
	Suite *s = suite_create("progress");
	TCase *t = tcase_create("progress");

	tcase_add_checked_fixture(t, begin, NULL);
	tcase_add_test(t, the_rate_is_that_of_what_is_moved);
	tcase_add_test(t, holes_alone_have_no_rate);
	tcase_add_test(t, a_hole_does_not_hide_how_slow_it_is);
	tcase_add_test(t, the_time_left_is_that_of_the_data);
	tcase_add_test(t, where_holes_are_not_known_all_is_left);
	tcase_add_test(t, the_rest_is_not_more_than_what_is_left);
	tcase_add_test(t, a_stall_brings_the_rate_down);
	tcase_add_test(t, each_phase_has_its_own_rate);
	tcase_add_test(t, what_comes_at_once_is_measured_over_a_time);
	tcase_add_test(t, a_step_back_is_no_rate);
	tcase_add_test(t, the_last_bar_is_of_the_whole_copy);
	tcase_add_test(t, a_copy_that_was_stopped_has_nothing_left);
	suite_add_tcase(s, t);
	return s;
}
