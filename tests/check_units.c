// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "suites.h"
#include "units.h"

#define S ((uint64_t)1000000000)

static const struct {
	const char *text;
	uint64_t value;
} numbers[] = {
	{"0", 0},
	{"1", 1},
	{"010", 10},
	{"9223372036854775807", INT64_MAX},
	{"7c", 7},
	{"7w", 14},
	{"7b", 3584},
	{"1k", 1024},
	{"1K", 1024},
	{"1KiB", 1024},
	{"1kiB", 1024},
	{"1kB", 1000},
	{"1KB", 1000},
	{"1KD", 1000},
	{"1KDB", 1000},
	{"3M", 3145728},
	{"3MB", 3000000},
	{"3MD", 3000000},
	{"2G", 2147483648},
	{"2GB", 2000000000},
	{"2TiB", 2199023255552},
	{"2PB", 2000000000000000},
	{"7E", 8070450532247928832},
	{"9EB", 9000000000000000000},
	{"0Q", 0},
	{"0RiB", 0},
	{"k", 1024},
	{"c", 1},
	{"cB", 1},
	{"bB", 512},
	{"MB", 1000000},
	{" 5", 5},
	{"\t+5k", 5120},
	{"5B", 5},
	{"5cB", 5},
	{"5wB", 10},
	{"5bB", 2560},
	{"2x3", 6},
	{"2x3x5x7", 210},
	{"1kx2", 2048},
	{"2x1KB", 2000},
	{"2Bx3", 6},
	{"2x3B", 6},
	{"2Bx3B", 6},
	{"kxk", 1048576},
	{"2x 3", 6},
	{"2x+3", 6},
	{"3037000499x3037000499", 9223372030926249001},
};

static const char *const not_numbers[] = {
	"",
	"x",
	"1x",
	"x1",
	"1xx2",
	"B",
	"-1",
	"-0",
	"+",
	"+k",
	" k",
	"5 ",
	"1m",
	"1g",
	"1t",
	"1Ki",
	"1KiBB",
	"1KBB",
	"5BB",
	"1bw",
	"0b1",
	"1e3",
	"1.5",
	"1,000",
	"0x",
	"0x0xz",
	"1s",
	"five",
	"2x3z",
	"1kK",
	"1ciB",
	"1wD",
	"1biB",
	"99999999999999999999x5z",
	"9223372036854775807z",
};

static const char *const too_large[] = {
	"9223372036854775808",
	"18446744073709551615",
	"18446744073709551616",
	"99999999999999999999",
	"8E",
	"10EB",
	"1Z",
	"1YB",
	"1R",
	"1QiB",
	"Q",
	"2x4611686018427387904",
	"3037000500x3037000500",
	"99999999999999999999x1",
	"1x99999999999999999999",
	// Too large a number wins over what stands behind it.
	"99999999999999999999z",
	"9223372036854775808z",
	"8Ez",
};

static const char *const zeros[] = {
	"0x99999999999999999999",
	"99999999999999999999x0",
	"Qx0xQ",
	"1x9223372036854775808x0",
	"8Ex00",
};

static const struct {
	const char *text;
	int has_zero_factor;
} zero_factors[] = {
	{"0x1", 1},  {"0x0", 1}, {"3x0x5", 1}, {"0x10", 1}, {"0", 0},
	{"00x1", 0}, {"3x0", 0}, {"+0x1", 0},  {"0cx1", 0}, {"10x1", 0},
};

static const struct {
	const char *text;
	int is_bytes;
} byte_texts[] = {
	{"5", 0},    {"5k", 0},	  {"5b", 0},   {"2x3", 0},
	{"5B", 1},   {"5kB", 1},  {"5KiB", 1}, {"2x3B", 1},
	{"2Bx3", 1}, {"0x1B", 1}, {"5KD", 0},
};

static const struct {
	uint64_t bytes;
	const char *si;
	const char *iec;
} sizes[] = {
	{0, "0 B", "0 B"},
	{1, "1 B", "1 B"},
	{999, "999 B", "999 B"},
	{1000, "1.0 kB", "1000 B"},
	{1023, "1.0 kB", "1023 B"},
	{1024, "1.0 kB", "1.0 KiB"},
	// Halves go to the even digit: 1.05, 1.15, 9.85, 10.5, 11.5.
	{1050, "1.0 kB", "1.0 KiB"},
	{1150, "1.2 kB", "1.1 KiB"},
	{9850, "9.8 kB", "9.6 KiB"},
	{10500, "10 kB", "10 KiB"},
	{10501, "11 kB", "10 KiB"},
	{11500, "12 kB", "11 KiB"},
	{9949, "9.9 kB", "9.7 KiB"},
	{9950, "10 kB", "9.7 KiB"},
	{10239, "10 kB", "10 KiB"},
	{10752, "11 kB", "10 KiB"},
	{11776, "12 kB", "12 KiB"},
	{999499, "999 kB", "976 KiB"},
	{999500, "1.0 MB", "976 KiB"},
	{1023999, "1.0 MB", "1000 KiB"},
	{1048063, "1.0 MB", "1023 KiB"},
	{1048064, "1.0 MB", "1.0 MiB"},
	{1048575, "1.0 MB", "1.0 MiB"},
	{59703296, "60 MB", "57 MiB"},
	{UINT64_C(999500000000), "1.0 TB", "931 GiB"},
	{INT64_MAX, "9.2 EB", "8.0 EiB"},
	{UINT64_MAX, "18 EB", "16 EiB"},
};

static const struct {
	uint64_t part;
	uint64_t whole;
	const char *text;
} shares[] = {
	{0, 0, "0/0 B"},
	{0, 1, "0/1 B"},
	{512, 1023, "512/1023 B"},
	{512, 1024, "0.5/1.0 KiB"},
	{84 << 20, 200 << 20, "84/200 MiB"},
	{UINT64_C(9) << 30, UINT64_C(40) << 30, "9/40 GiB"},
	{UINT64_C(84) << 20, UINT64_C(2) << 30, "0.1/2.0 GiB"},
	{1048063, 1048064, "1.0/1.0 MiB"},
	{0, 1048064, "0.0/1.0 MiB"},
	{INT64_MAX, UINT64_MAX, "8/16 EiB"},
};

static const struct {
	uint64_t bytes;
	uint64_t ns;
	const char *text;
} rates[] = {
	{0, 0, "Infinity B/s"},
	{5, 0, "Infinity B/s"},
	{0, 18054, "0.0 kB/s"},
	{0, S, "0 B/s"},
	{500, S, "500 B/s"},
	{500, S - 1, "0.5 kB/s"},
	{500, S / 2, "1.0 kB/s"},
	{5, 2 * S, "2 B/s"},
	{7, 2 * S, "4 B/s"},
	{999, S + 1, "1.0 kB/s"},
	{61300, S + 7, "61.3 kB/s"},
	{61300, S, "61 kB/s"},
	{99940, S + 7, "99.9 kB/s"},
	{99960, S + 7, "100 kB/s"},
	{312000, S + 7, "312 kB/s"},
	// No carry into the next unit in floating point, but in integers.
	{999960, S + 7, "1000 kB/s"},
	{999960, S, "1.0 MB/s"},
	{1700000, S + 7, "1.7 MB/s"},
	{1024, 3 * S, "341 B/s"},
	{3000, 3 * S, "1.0 kB/s"},
	{INT64_MAX, 1, "9.2 RB/s"},
	{UINT64_MAX, 3, "6.1 RB/s"},
};

START_TEST(factors_suffixes_and_blanks_make_a_value)
	{
		struct units_number n;

		ck_assert_int_eq(units_parse(numbers[_i].text, &n), 0);
		ck_assert_msg(n.value == numbers[_i].value, "'%s' became %ju",
			      numbers[_i].text, (uintmax_t)n.value);
	}
END_TEST

START_TEST(other_text_is_no_number)
	{
		struct units_number n;

		ck_assert_msg(units_parse(not_numbers[_i], &n) == -EINVAL,
			      "'%s'", not_numbers[_i]);
	}
END_TEST

START_TEST(values_above_int64_are_too_large)
	{
		struct units_number n;

		ck_assert_msg(units_parse(too_large[_i], &n) == -EOVERFLOW,
			      "'%s'", too_large[_i]);
	}
END_TEST

START_TEST(a_zero_factor_saves_from_overflow)
	{
		struct units_number n;

		ck_assert_int_eq(units_parse(zeros[_i], &n), 0);
		ck_assert_uint_eq(n.value, 0);
	}
END_TEST

START_TEST(only_a_bare_0x_is_a_zero_factor)
	{
		struct units_number n;

		ck_assert_int_eq(units_parse(zero_factors[_i].text, &n), 0);
		ck_assert_int_eq(n.has_zero_factor,
				 zero_factors[_i].has_zero_factor);
	}
END_TEST

START_TEST(the_letter_B_anywhere_means_bytes)
	{
		struct units_number n;

		ck_assert_int_eq(units_parse(byte_texts[_i].text, &n), 0);
		ck_assert_int_eq(n.is_bytes, byte_texts[_i].is_bytes);
	}
END_TEST

START_TEST(a_failure_leaves_the_result_alone)
	{
		struct units_number n = {.value = 77, .is_bytes = true};

		ck_assert_int_eq(units_parse("0x1B?", &n), -EINVAL);
		ck_assert_int_eq(units_parse("8E", &n), -EOVERFLOW);
		ck_assert_uint_eq(n.value, 77);
		ck_assert(n.is_bytes && !n.has_zero_factor);
	}
END_TEST

START_TEST(a_million_factors_need_no_stack)
	{
		enum { FACTORS = 1000000 };
		char *text = malloc(2 * FACTORS);
		struct units_number n;

		for (size_t i = 0; i < FACTORS; i++) {
			text[2 * i] = '1';
			text[2 * i + 1] = 'x';
		}
		text[2 * FACTORS - 1] = '\0';
		ck_assert_int_eq(units_parse(text, &n), 0);
		ck_assert_uint_eq(n.value, 1);
		free(text);
	}
END_TEST

START_TEST(sizes_have_two_digits_or_a_whole_number)
	{
		char buf[UNITS_TEXT_MAX];

		ck_assert_str_eq(
			units_format_si(buf, sizeof(buf), sizes[_i].bytes),
			sizes[_i].si);
		ck_assert_str_eq(
			units_format_iec(buf, sizeof(buf), sizes[_i].bytes),
			sizes[_i].iec);
	}
END_TEST

START_TEST(a_part_has_the_unit_of_the_whole)
	{
		char buf[UNITS_TEXT_MAX];

		ck_assert_str_eq(units_format_part(buf, sizeof(buf),
						   shares[_i].part,
						   shares[_i].whole),
				 shares[_i].text);
	}
END_TEST

START_TEST(rates_read_as_those_of_dd)
	{
		char buf[UNITS_TEXT_MAX];

		units_format_rate(buf, sizeof(buf), rates[_i].bytes,
				  rates[_i].ns);
		ck_assert_str_eq(buf, rates[_i].text);
	}
END_TEST

START_TEST(a_small_buffer_cuts_the_text)
	{
		char buf[5];

		ck_assert_str_eq(units_format_si(buf, sizeof(buf), 1000),
				 "1.0 ");
		ck_assert_str_eq(units_format_rate(buf, sizeof(buf), 1, 0),
				 "Infi");
	}
END_TEST

Suite *
units_suite(void)
{
	Suite *s = suite_create("units");
	TCase *parse = tcase_create("parse");
	TCase *format = tcase_create("format");

	tcase_add_loop_test(parse, factors_suffixes_and_blanks_make_a_value, 0,
			    ARRAY_LEN(numbers));
	tcase_add_loop_test(parse, other_text_is_no_number, 0,
			    ARRAY_LEN(not_numbers));
	tcase_add_loop_test(parse, values_above_int64_are_too_large, 0,
			    ARRAY_LEN(too_large));
	tcase_add_loop_test(parse, a_zero_factor_saves_from_overflow, 0,
			    ARRAY_LEN(zeros));
	tcase_add_loop_test(parse, only_a_bare_0x_is_a_zero_factor, 0,
			    ARRAY_LEN(zero_factors));
	tcase_add_loop_test(parse, the_letter_B_anywhere_means_bytes, 0,
			    ARRAY_LEN(byte_texts));
	tcase_add_test(parse, a_failure_leaves_the_result_alone);
	tcase_add_test(parse, a_million_factors_need_no_stack);
	suite_add_tcase(s, parse);

	tcase_add_loop_test(format, sizes_have_two_digits_or_a_whole_number, 0,
			    ARRAY_LEN(sizes));
	tcase_add_loop_test(format, a_part_has_the_unit_of_the_whole, 0,
			    ARRAY_LEN(shares));
	tcase_add_loop_test(format, rates_read_as_those_of_dd, 0,
			    ARRAY_LEN(rates));
	tcase_add_test(format, a_small_buffer_cuts_the_text);
	suite_add_tcase(s, format);
	return s;
}
