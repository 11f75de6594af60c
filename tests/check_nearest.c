// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <string.h>

#include "base.h"
#include "nearest.h"
#include "suites.h"

static const struct {
	const char *a, *b;
	unsigned distance;
} pairs[] = {
	{"", "", 0},
	{"", "ab", 2},
	{"fsync", "fsync", 0},
	{"FSync", "fsyNC", 0},
	{"fsnc", "fsync", 1},
	{"fsyncc", "fsync", 1},
	{"fsynk", "fsync", 1},
	{"hahs", "hash", 1},
	{"ahsh", "hash", 1},
	{"vrfy", "verify", 2},
	{"ab", "ba", 1},
	{"ca", "abc", 3},
	{"abc", "xyz", 3},
	{"none", "fdatasync", 3},
	{"a", "123456789012345678901234567890123", 3},
};

static const struct {
	const char *text, *best;
} choices[] = {
	{"conut", "count"}, {"IF", "if"},  {"fi", "if"},   {"in", "if"},
	{"hahs", "hash"},   {"i", NULL},   {"", NULL},     {"out", NULL},
	{"skp", "skip"},    {"sek", "seek"}, {"nothing", NULL},
};

START_TEST(wrong_letters_are_counted)
	{
		const char *a = pairs[_i].a, *b = pairs[_i].b;

		ck_assert_uint_eq(nearest_distance(a, strlen(a), b),
				  pairs[_i].distance);
		ck_assert_uint_eq(nearest_distance(b, strlen(b), a),
				  pairs[_i].distance);
	}
END_TEST

START_TEST(a_word_need_not_end)
	{
		ck_assert_uint_eq(nearest_distance("hash=x", 4, "hash"), 0);
	}
END_TEST

START_TEST(only_what_is_near_is_suggested)
	{
		static const char *const words[] = {"if", "count", "hash",
						    "skip", "seek", "of"};
		struct nearest n;

		nearest_init(&n, choices[_i].text, strlen(choices[_i].text));
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			nearest_offer(&n, words[i]);
		ck_assert_pstr_eq(n.best, choices[_i].best);
	}
END_TEST

START_TEST(the_first_of_equals_is_kept)
	{
		struct nearest n;

		nearest_init(&n, "isync", 5);
		nearest_offer(&n, "dsync");
		nearest_offer(&n, "fsync");
		ck_assert_str_eq(n.best, "dsync");
	}
END_TEST

Suite *
nearest_suite(void)
{
	Suite *s = suite_create("nearest");
	TCase *c = tcase_create("nearest");

	tcase_add_loop_test(c, wrong_letters_are_counted, 0, ARRAY_LEN(pairs));
	tcase_add_test(c, a_word_need_not_end);
	tcase_add_loop_test(c, only_what_is_near_is_suggested, 0,
			    ARRAY_LEN(choices));
	tcase_add_test(c, the_first_of_equals_is_kept);
	suite_add_tcase(s, c);
	return s;
}
