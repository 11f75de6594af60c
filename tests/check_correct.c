// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <stdlib.h>

#include "base.h"
#include "correct.h"
#include "suites.h"

static const struct correct_bounds bytes = {1, INT64_MAX, false};
static const struct correct_bounds blocks = {0, INT64_MAX, true};
static const struct correct_bounds gib = {4 * KIB, GIB, false};

static const struct {
	const char *text, *right;
	const struct correct_bounds *bounds;
} numbers[] = {
	{"4m", "4M is 4 MiB", &bytes},
	{"4g", "4G is 4 GiB", &bytes},
	{"4t", "4T is 4 TiB", &bytes},
	{" 4 M", "4M is 4 MiB", &bytes},
	{"4Mi", "4M is 4 MiB", &bytes},
	{"4mib", "4M is 4 MiB", &bytes},
	{"4MiBs", "4M is 4 MiB", &bytes},
	{"4MiBytes", "4M is 4 MiB", &bytes},
	{"4M/s", "4M is 4 MiB", &bytes},
	{"4Mb", "4MB is 4000000 bytes, 4M is 4 MiB", &bytes},
	{"4KBs", "4kB is 4000 bytes, 4K is 4 KiB", &bytes},
	{"4MB/s", "4MB is 4000000 bytes, 4M is 4 MiB", &bytes},
	{"4bytes", "4B is 4 bytes", &bytes},
	{"5 ", "5 is 5 bytes", &bytes},
	{"1.5G", "1536M is 1.5 GiB", &bytes},
	{"1,5G", "1536M is 1.5 GiB", &bytes},
	{"2.0g", "2G is 2 GiB", &bytes},
	{"0.5M", "512K is 512 KiB", &bytes},
	{"0.5K", "512 is 512 bytes", &bytes},
	{"1.5GB", "1500MB is 1500000000 bytes, 1536M is 1.5 GiB", &bytes},
	{"20m", "20M is 20971520 blocks, 20MiB is 20971520 bytes", &blocks},
	{"20mb", "20MB is 20000000 bytes, 20MiB is 20971520 bytes", &blocks},
	{"20 bytes", "20B is 20 bytes", &blocks},
	{"1 byte", "1B is 1 byte", &blocks},
	{"1 ", "1 is 1 block", &blocks},
	{"2m", "2M is 2 MiB", &gib},
	{"1Gb", "1GB is 1000000000 bytes, 1G is 1 GiB", &gib},
	// Nothing that would be refused, and nothing that is a guess.
	{"2g", NULL, &gib},
	{"1k", NULL, &gib},
	{"0m", NULL, &bytes},
	{"9e", NULL, &bytes},
	{"99999999999999999999m", NULL, &bytes},
	{"1.1G", NULL, &bytes},
	{"1.5", NULL, &bytes},
	{"1,000", NULL, &bytes},
	{"1.5.5G", NULL, &bytes},
	{"1.G", NULL, &bytes},
	{".5G", NULL, &bytes},
	{"", NULL, &bytes},
	{"m", NULL, &bytes},
	{"-1m", NULL, &bytes},
	{"4z9", NULL, &bytes},
	{"4Mx", NULL, &bytes},
	{"4iB", NULL, &bytes},
	{"4 b", NULL, &bytes},
	{"1.0000000000000000000001G", NULL, &bytes},
	{"0.000001Q", NULL, &bytes},
};

static const struct {
	uint64_t bytes;
	const char *text;
} amounts[] = {
	{0, "0 bytes"},
	{1, "1 byte"},
	{1023, "1023 bytes"},
	{1024, "1 KiB"},
	{1025, "1025 bytes"},
	{3 * GIB / 2, "1.5 GiB"},
	{1234 * MIB, "1234 MiB"},
	{5 * KIB * GIB, "5 TiB"},
	{INT64_MAX, "9223372036854775807 bytes"},
	{UINT64_C(1) << 62, "4 EiB"},
};

static const struct {
	const char *blocks, *bytes;
} extents[] = {
	{"20M", "20MiB"}, {"20", "20B"},	 {"1k", "1kiB"},
	{"2b", "2bB"},	  {"5KD", "5KDB"}, {"2x512", "2x512B"},
	{"", "B"},
};

START_TEST(what_was_meant_is_said_where_it_can_be)
	{
		char *right = correct_number(numbers[_i].text,
					     numbers[_i].bounds);

		ck_assert_pstr_eq(right, numbers[_i].right);
		free(right);
	}
END_TEST

START_TEST(amounts_are_exact)
	{
		char *text = correct_amount(amounts[_i].bytes);

		ck_assert_str_eq(text, amounts[_i].text);
		free(text);
	}
END_TEST

START_TEST(blocks_become_bytes)
	{
		char *text = correct_to_bytes(extents[_i].blocks);

		ck_assert_str_eq(text, extents[_i].bytes);
		free(text);
	}
END_TEST

Suite *
correct_suite(void)
{
	Suite *s = suite_create("correct");
	TCase *c = tcase_create("correct");

	tcase_add_loop_test(c, what_was_meant_is_said_where_it_can_be, 0,
			    ARRAY_LEN(numbers));
	tcase_add_loop_test(c, amounts_are_exact, 0, ARRAY_LEN(amounts));
	tcase_add_loop_test(c, blocks_become_bytes, 0, ARRAY_LEN(extents));
	suite_add_tcase(s, c);
	return s;
}
