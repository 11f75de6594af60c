// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <string.h>

#include "base.h"
#include "report.h"
#include "suites.h"

#define S ((uint64_t)1000000000)

static const struct {
	uint64_t bytes;
	const char *text;
} forms[] = {
	{0, "0 bytes copied, 1 s, 0 B/s"},
	{1, "1 byte copied, 1 s, 1 B/s"},
	{2, "2 bytes copied, 1 s, 2 B/s"},
	{999, "999 bytes copied, 1 s, 999 B/s"},
	{1000, "1000 bytes (1.0 kB) copied, 1 s, 1.0 kB/s"},
	{1023, "1023 bytes (1.0 kB) copied, 1 s, 1.0 kB/s"},
	{1024, "1024 bytes (1.0 kB, 1.0 KiB) copied, 1 s, 1.0 kB/s"},
	{10000, "10000 bytes (10 kB, 9.8 KiB) copied, 1 s, 10 kB/s"},
};

static const struct {
	uint64_t ns;
	const char *exact;
	const char *whole;
} times[] = {
	{0, ", 0 s, Infinity B/s", ", 0 s, Infinity B/s"},
	{83078, ", 8.3078e-05 s, 120 MB/s", ", 0 s, 120 MB/s"},
	{499999999, ", 0.5 s, 20.0 kB/s", ", 0 s, 20.0 kB/s"},
	{3074080001, ", 3.07408 s, 3.3 kB/s", ", 3 s, 3.3 kB/s"},
	{2999999999, ", 3 s, 3.3 kB/s", ", 3 s, 3.3 kB/s"},
	{1234567 * S, ", 1.23457e+06 s, 0 B/s", ", 1234567 s, 0 B/s"},
};

START_TEST(records_are_full_plus_partial)
	{
		struct stats s = {.in_full = 1,
				  .in_partial = 2,
				  .out_full = 3,
				  .out_partial = 4};
		const char *want = "1+2 records in\n3+4 records out\n";
		char buf[REPORT_TEXT_MAX];

		ck_assert_uint_eq(report_records(buf, sizeof(buf), &s),
				  strlen(want));
		ck_assert_str_eq(buf, want);
	}
END_TEST

START_TEST(truncated_records_have_a_line_of_their_own)
	{
		struct stats s = {.truncated = 1};
		char buf[REPORT_TEXT_MAX];

		report_records(buf, sizeof(buf), &s);
		ck_assert_str_eq(buf, "0+0 records in\n0+0 records out\n"
				      "1 truncated record\n");
		s.truncated = 2;
		report_records(buf, sizeof(buf), &s);
		ck_assert_str_eq(buf, "0+0 records in\n0+0 records out\n"
				      "2 truncated records\n");
	}
END_TEST

START_TEST(sizes_that_only_repeat_the_number_are_left_out)
	{
		struct stats s = {.bytes = forms[_i].bytes, .start_ns = 7};
		char buf[REPORT_TEXT_MAX];
		size_t len = report_transfer(buf, sizeof(buf), &s, 7 + S,
					     REPORT_EXACT_SECONDS);

		ck_assert_str_eq(buf, forms[_i].text);
		ck_assert_uint_eq(len, strlen(forms[_i].text));
	}
END_TEST

START_TEST(seconds_have_six_digits_or_are_whole)
	{
		struct stats s = {.bytes = 10000, .start_ns = 5 * S};
		uint64_t now = 5 * S + times[_i].ns;
		char buf[REPORT_TEXT_MAX];

		report_transfer(buf, sizeof(buf), &s, now,
				REPORT_EXACT_SECONDS);
		ck_assert_str_eq(strstr(buf, "copied") + strlen("copied"),
				 times[_i].exact);
		report_transfer(buf, sizeof(buf), &s, now,
				REPORT_WHOLE_SECONDS);
		ck_assert_str_eq(strstr(buf, "copied") + strlen("copied"),
				 times[_i].whole);
	}
END_TEST

START_TEST(a_clock_behind_the_start_counts_as_no_time)
	{
		struct stats s = {.bytes = 5, .start_ns = 10};
		char buf[REPORT_TEXT_MAX];

		report_transfer(buf, sizeof(buf), &s, 9, REPORT_EXACT_SECONDS);
		ck_assert_str_eq(buf, "5 bytes copied, 0 s, Infinity B/s");
	}
END_TEST

START_TEST(reading_back_has_a_time_of_its_own)
	{
		struct stats s = {.bytes = 10000,
				  .verified = 5000,
				  .start_ns = S,
				  .copied_ns = 5 * S};
		char buf[REPORT_TEXT_MAX];

		report_transfer(buf, sizeof(buf), &s, 9 * S,
				REPORT_EXACT_SECONDS);
		ck_assert_str_eq(buf, "10000 bytes (10 kB, 9.8 KiB) copied, "
				      "4 s, 2.5 kB/s");
		report_verified(buf, sizeof(buf), &s, 9 * S);
		ck_assert_str_eq(buf, "5000 bytes (5.0 kB, 4.9 KiB) verified, "
				      "4 s, 1.2 kB/s");
	}
END_TEST

START_TEST(the_largest_counters_fit)
	{
		struct stats s;
		char buf[REPORT_TEXT_MAX];

		memset(&s, 0xff, sizeof(s));
		s.is_comparison = false; // no value of a bool has all bits
		ck_assert_uint_lt(report_records(buf, sizeof(buf), &s),
				  sizeof(buf));
		s.start_ns = s.copied_ns = 0;
		ck_assert_uint_lt(report_transfer(buf, sizeof(buf), &s,
						  UINT64_MAX,
						  REPORT_WHOLE_SECONDS),
				  sizeof(buf));
	}
END_TEST

START_TEST(a_small_buffer_cuts_the_text_and_tells_its_length)
	{
		struct stats s = {.bytes = 1, .start_ns = S};
		char buf[7];

		ck_assert_uint_eq(report_records(buf, sizeof(buf), &s), 31);
		ck_assert_str_eq(buf, "0+0 re");
		ck_assert_uint_eq(report_transfer(buf, sizeof(buf), &s, 2 * S,
						  REPORT_EXACT_SECONDS),
				  25);
		ck_assert_str_eq(buf, "1 byte");
	}
END_TEST

Suite *
report_suite(void)
{
	Suite *s = suite_create("report");
	TCase *records = tcase_create("records");
	TCase *transfer = tcase_create("transfer");

	tcase_add_test(records, records_are_full_plus_partial);
	tcase_add_test(records, truncated_records_have_a_line_of_their_own);
	suite_add_tcase(s, records);

	tcase_add_loop_test(transfer,
			    sizes_that_only_repeat_the_number_are_left_out, 0,
			    ARRAY_LEN(forms));
	tcase_add_loop_test(transfer, seconds_have_six_digits_or_are_whole, 0,
			    ARRAY_LEN(times));
	tcase_add_test(transfer, a_clock_behind_the_start_counts_as_no_time);
	tcase_add_test(transfer, reading_back_has_a_time_of_its_own);
	tcase_add_test(transfer, the_largest_counters_fit);
	tcase_add_test(transfer,
		       a_small_buffer_cuts_the_text_and_tells_its_length);
	suite_add_tcase(s, transfer);
	return s;
}
