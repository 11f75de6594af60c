// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <string.h>

#include "bar.h"
#include "base.h"
#include "suites.h"

#define SECOND UINT64_C(1000000000)
#define M ((uint64_t)MIB)

// What is shown in terminals of 80, 40 and 20 columns: two are left free, for
// the ^C of the terminal.
static const struct {
	uint64_t seconds;
	struct stats stats;
	struct bar bar; // without its stats
	const char *lines[3];
} golden[] = {
	// Data only.
	{12, {.bytes = 84 * M, .bytes_total = 200 * M},
	 {.name = "/dev/sdb", .rate = 7.0 * M},
	 {"/dev/sdb:  42% [======>        ] "
	  "84/200 MiB  7.0 MiB/s  0:12 elapsed  ETA 0:17",
	  " 42%  84/200 MiB  7.0 MiB/s  ETA 0:17",
	  " 42%  84/200 MiB"}},
	// A name that leaves no room for the bar, and its last word.
	{12, {.bytes = 84 * M, .bytes_total = 200 * M},
	 {.name = "/srv/backup/of/this/machine/disk.img", .rate = 7.0 * M},
	 {"disk.img:  42% [======>        ] "
	  "84/200 MiB  7.0 MiB/s  0:12 elapsed  ETA 0:17",
	  " 42%  84/200 MiB  7.0 MiB/s  ETA 0:17",
	  " 42%  84/200 MiB"}},
	// Some of it has left the page cache.
	{3725, {.bytes = 84 * M, .bytes_total = 200 * M},
	 {.rate = 30 * 1024.0, .on_device = 60 * M},
	 {" 42% [========>           ] "
	  "84/200 MiB  30 KiB/s  1:02:05 elapsed  ETA 1:06:00",
	  " 42%  84/200 MiB  ETA 1:06:00",
	  " 42%  84/200 MiB"}},
	// The end of a pipe is not known.
	{12, {.bytes = 84 * M}, {.name = "/dev/sdb", .rate = 7.0 * M},
	 {"/dev/sdb: 84 MiB  7.0 MiB/s  0:12 elapsed",
	  "sdb: 84 MiB  7.0 MiB/s  0:12 elapsed",
	  "84 MiB  7.0 MiB/s"}},
	// The holes of the source are known.
	{12, {.bytes = 1928 * M, .skipped = 1844 * M, .moved_total = 200 * M,
	      .bytes_total = 4096 * M},
	 {.name = "/dev/sdb", .rate = 7.0 * M},
	 {" 42% [==>  ] "
	  "84/200 MiB data, 1.8 GiB holes  7.0 MiB/s  0:12 elapsed  ETA 0:17",
	  " 42%  84/200 MiB data  ETA 0:17",
	  " 42%"}},
	// Zeros become holes, by conv=sparse.
	{12, {.bytes = 1928 * M, .skipped = 1844 * M, .bytes_total = 4096 * M},
	 {.rate = 7.0 * M},
	 {" 47% [====>    ] "
	  "84 MiB data, 1.8 GiB holes  7.0 MiB/s  0:12 elapsed  ETA 5:10",
	  " 47%  84 MiB data  7.0 MiB/s  ETA 5:10",
	  " 47%  84 MiB data"}},
	// Stopped, with writes on their way.
	{12, {.bytes = 84 * M, .bytes_total = 200 * M},
	 {.name = "/dev/sdb", .rate = 7.0 * M, .is_stopping = true},
	 {"/dev/sdb: stopping  42% [======>         ] "
	  "84/200 MiB  7.0 MiB/s  0:12 elapsed",
	  "stopping  42%  84/200 MiB  7.0 MiB/s",
	  "stopping  42%"}},
	// A sync, as far as the device has come.
	{31, {.bytes = 200 * M, .bytes_total = 200 * M},
	 {.name = "/dev/sdb", .phase = STATS_FLUSHING, .rate = 5.0 * M,
	  .on_device = 180 * M},
	 {"sdb: flushing  90% [=========>] "
	  "180/200 MiB  5.0 MiB/s  0:31 elapsed  ETA 0:05",
	  "flushing  90%  180/200 MiB  ETA 0:05",
	  "flushing  90%"}},
	// A sync of which nothing is known.
	{31, {.bytes = 200 * M, .bytes_total = 200 * M},
	 {.name = "/dev/sdb", .phase = STATS_FLUSHING},
	 {"/dev/sdb: flushing 200 MiB  0:31 elapsed",
	  "sdb: flushing 200 MiB  0:31 elapsed",
	  "flushing 200 MiB"}},
	// Read back.
	{35, {.bytes = 200 * M, .verified = 33 * M, .bytes_total = 200 * M},
	 {.name = "/dev/sdb", .phase = STATS_VERIFYING, .rate = 40.0 * M},
	 {"sdb: verifying  16% [=>         ] "
	  "33/200 MiB  40 MiB/s  0:35 elapsed  ETA 0:05",
	  "verifying  16%  33/200 MiB  ETA 0:05",
	  "verifying  16%"}},
	// The last line of a whole copy.
	{29, {.bytes = 200 * M, .verified = 200 * M, .bytes_total = 200 * M},
	 {.name = "/dev/sdb", .rate = 7.0 * M, .is_done = true},
	 {"/dev/sdb: 100% [========================] "
	  "200/200 MiB  7.0 MiB/s  0:29 elapsed",
	  "100%  200/200 MiB  7.0 MiB/s",
	  "100%  200/200 MiB"}},
	// ... of one with less data than there were blocks.
	{29, {.bytes = 4096 * M, .skipped = 3900 * M, .moved_total = 200 * M,
	      .bytes_total = 4096 * M},
	 {.rate = 7.0 * M, .is_done = true},
	 {"100% [==============] "
	  "196/196 MiB data, 3.8 GiB holes  7.0 MiB/s  0:29 elapsed",
	  "100%  196/196 MiB data  7.0 MiB/s",
	  "100%"}},
	// ... of shared blocks.
	{0, {.bytes = 4096 * M, .skipped = 4096 * M, .bytes_total = 4096 * M},
	 {.rate = 0, .is_done = true},
	 {"100% [=============================================] "
	  "4.0/4.0 GiB  0:00 elapsed",
	  "100% [=====] 4.0/4.0 GiB  0:00 elapsed",
	  "100%  4.0/4.0 GiB"}},
	// ... of one that was stopped.
	{12, {.bytes = 84 * M, .bytes_total = 200 * M},
	 {.name = "/dev/sdb", .rate = 7.0 * M, .is_stopping = true,
	  .is_done = true},
	 {"/dev/sdb:  42% [==========>              ] "
	  "84/200 MiB  7.0 MiB/s  0:12 elapsed",
	  " 42%  84/200 MiB  7.0 MiB/s",
	  " 42%  84/200 MiB"}},
	// A rescue that goes on, in its second pass.
	{12, {.bytes = 20 * M, .bytes_total = 136 * M,
	      .rescue = {.len = 200 * M, .before = 64 * M, .failed = 4 * M,
			 .bad = M, .nr_areas = 2, .phase = '?', .pass = 2,
			 .nr_overdue = 1}},
	 {.rate = 7.0 * M},
	 {"pass 2  42%  84/200 MiB, 5.0 MiB bad in 2 areas, 1 overdue  "
	  "ETA 0:17",
	  "pass 2  42%  84/200 MiB",
	  "pass 2  42%"}},
	// ... in which a bad area is looked at from its edges.
	{12, {.bytes = 198 * M, .bytes_total = 200 * M,
	      .rescue = {.len = 200 * M, .failed = 2 * M, .nr_areas = 1,
			 .phase = '*', .pass = 1}},
	 {.rate = 0},
	 {"trimming  99% [=====>] "
	  "198/200 MiB, 2.0 MiB bad in 1 area  0 B/s  0:12 elapsed",
	  "trimming  99%  198/200 MiB",
	  "trimming  99%"}},
};

static const int columns[] = {80, 40, 20};

static void
check_line(size_t i, size_t at)
{
	struct bar bar = golden[i].bar;
	char line[BAR_TEXT_MAX];

	bar.stats = &golden[i].stats;
	const int width = bar_format(&bar, golden[i].seconds * SECOND,
				     columns[at] - 2, line);
	ck_assert_str_eq(line, golden[i].lines[at]);
	ck_assert_int_eq(width, (int)strlen(line));
	ck_assert_int_le(width, columns[at] - 2);
}

START_TEST(a_line_is_what_fits)
	{
		for (size_t at = 0; at < ARRAY_LEN(columns); at++)
			check_line((size_t)_i, at);
	}
END_TEST

START_TEST(what_does_not_fit_at_all_is_nothing)
	{
		struct bar bar = golden[0].bar;
		char line[BAR_TEXT_MAX];

		bar.stats = &golden[0].stats;
		ck_assert_int_eq(bar_format(&bar, SECOND, 4, line), 4);
		ck_assert_str_eq(line, " 42%");
		for (int i = -2; i < 4; i++) {
			ck_assert_int_eq(bar_format(&bar, SECOND, i, line), 0);
			ck_assert_str_eq(line, "");
		}
	}
END_TEST

START_TEST(the_percentage_stays_at_any_width)
	{
		struct bar bar = golden[0].bar;
		char line[BAR_TEXT_MAX];

		bar.stats = &golden[0].stats;
		for (int i = 4; i <= BAR_COLUMNS_MAX; i++) {
			const int width = bar_format(&bar, SECOND, i, line);

			ck_assert_int_eq(width, (int)strlen(line));
			ck_assert_int_le(width, i);
			ck_assert(strstr(line, "42%") != NULL);
		}
	}
END_TEST

Suite *
bar_suite(void)
{
	Suite *s = suite_create("bar");
	TCase *t = tcase_create("bar");

	tcase_add_loop_test(t, a_line_is_what_fits, 0, ARRAY_LEN(golden));
	tcase_add_test(t, what_does_not_fit_at_all_is_nothing);
	tcase_add_test(t, the_percentage_stays_at_any_width);
	suite_add_tcase(s, t);
	return s;
}
