// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "filter.h"
#include "request.h"
#include "suites.h"
#include "zero.h"

enum { LEN_MAX = 64 };

// One byte of room before what is filtered, as conv=swab wants it.
static unsigned char room[1 + LEN_MAX];

static void
check_applied(struct filter *filter, const void *in, size_t in_len,
	      const void *want, size_t want_len)
{
	size_t len;

	ck_assert_uint_le(in_len, LEN_MAX);
	memcpy(room + 1, in, in_len);
	const unsigned char *out = filter_apply(filter, room + 1, in_len, &len);
	ck_assert_uint_eq(len, want_len);
	ck_assert_mem_eq(out, want, want_len);
}

// Spots of the tables of POSIX.
static const struct {
	unsigned char ascii;
	unsigned char ebcdic;
	unsigned char ibm;
} spots[] = {
	{0x00, 0x00, 0x00}, {'\t', 0x05, 0x05}, {'\n', 0x25, 0x25},
	{'\r', 0x0d, 0x0d}, {' ', 0x40, 0x40},	{'!', 0x5a, 0x5a},
	{'0', 0xf0, 0xf0},  {'9', 0xf9, 0xf9},	{'A', 0xc1, 0xc1},
	{'I', 0xc9, 0xc9},  {'J', 0xd1, 0xd1},	{'S', 0xe2, 0xe2},
	{'Z', 0xe9, 0xe9},  {'a', 0x81, 0x81},	{'z', 0xa9, 0xa9},
	{'[', 0xad, 0xad},  {']', 0xbd, 0xbd},	{'^', 0x9a, 0x5f},
	{'|', 0x4f, 0x4f},  {'~', 0x5f, 0xa1},	{0x7f, 0x07, 0x07},
	{0x80, 0x20, 0x20}, {0xcb, 0x6a, 0x9a}, {0xff, 0xff, 0xff},
};

START_TEST(the_tables_are_those_of_posix)
{
	struct filter filter;

	filter_init(&filter, CONV_EBCDIC);
	check_applied(&filter, &spots[_i].ascii, 1, &spots[_i].ebcdic, 1);
	filter_init(&filter, CONV_IBM);
	check_applied(&filter, &spots[_i].ascii, 1, &spots[_i].ibm, 1);
	filter_init(&filter, CONV_ASCII);
	check_applied(&filter, &spots[_i].ebcdic, 1, &spots[_i].ascii, 1);
}
END_TEST

START_TEST(ascii_undoes_ebcdic)
{
	const unsigned char byte = (unsigned char)_i;
	struct filter there, back;
	size_t len;

	filter_init(&there, CONV_EBCDIC);
	filter_init(&back, CONV_ASCII);
	room[1] = byte;
	filter_apply(&there, room + 1, 1, &len);
	filter_apply(&back, room + 1, 1, &len);
	ck_assert_uint_eq(room[1], byte);
}
END_TEST

START_TEST(case_is_that_of_the_locale)
{
	struct filter filter;

	setlocale(LC_ALL, "C");
	filter_init(&filter, CONV_UCASE);
	check_applied(&filter, "aZ0-\xe4", 5, "AZ0-\xe4", 5);
	filter_init(&filter, CONV_LCASE);
	check_applied(&filter, "aZ0-\xc4", 5, "az0-\xc4", 5);
}
END_TEST

START_TEST(letters_change_case_as_ascii)
{
	struct filter filter;

	setlocale(LC_ALL, "C");
	filter_init(&filter, CONV_EBCDIC | CONV_UCASE);
	check_applied(&filter, "a", 1, "\xc1", 1);
	filter_init(&filter, CONV_ASCII | CONV_LCASE);
	check_applied(&filter, "\xc1", 1, "a", 1);
}
END_TEST

START_TEST(blocks_are_padded_with_the_space_of_the_table)
{
	struct filter filter;

	filter_init(&filter, 0);
	ck_assert_uint_eq(filter.newline, '\n');
	ck_assert_uint_eq(filter.space, ' ');
	filter_init(&filter, CONV_EBCDIC);
	ck_assert_uint_eq(filter.newline, 0x25);
	ck_assert_uint_eq(filter.space, 0x40);
	filter_init(&filter, CONV_IBM);
	ck_assert_uint_eq(filter.newline, 0x25);
	ck_assert_uint_eq(filter.space, 0x40);
}
END_TEST

START_TEST(without_conversions_nothing_changes)
{
	struct filter filter;

	filter_init(&filter, CONV_SYNC | CONV_NOERROR);
	check_applied(&filter, "aB\n\0\xff", 5, "aB\n\0\xff", 5);
}
END_TEST

START_TEST(swab_swaps_pairs)
{
	struct filter filter;

	filter_init(&filter, CONV_SWAB);
	check_applied(&filter, "abcdef", 6, "badcfe", 6);
	ck_assert(!filter.has_odd);
}
END_TEST

START_TEST(swab_pairs_an_odd_byte_with_the_next_record)
{
	struct filter filter;

	filter_init(&filter, CONV_SWAB);
	check_applied(&filter, "abc", 3, "ba", 2);
	check_applied(&filter, "", 0, "", 0);
	check_applied(&filter, "d", 1, "dc", 2);
	check_applied(&filter, "e", 1, "", 0);
	check_applied(&filter, "fgh", 3, "fehg", 4);
	check_applied(&filter, "i", 1, "", 0);
	ck_assert(filter.has_odd);
	ck_assert_uint_eq(filter.odd, 'i');
}
END_TEST

// However it is cut into records.
START_TEST(swab_depends_on_the_stream_alone)
{
	static const char in[] = "the quick brown fox jumps over it";
	unsigned char out[sizeof(in)];
	struct filter filter;
	size_t fill = 0, len;

	srand((unsigned)_i);
	filter_init(&filter, CONV_SWAB);
	for (size_t at = 0, part; at < sizeof(in) - 1; at += part) {
		part = (size_t)min_u64((uint64_t)rand() % 6,
				       sizeof(in) - 1 - at);
		memcpy(room + 1, in + at, part);
		const unsigned char *got = filter_apply(&filter, room + 1, part,
							&len);
		memcpy(out + fill, got, len);
		fill += len;
	}
	ck_assert(filter.has_odd);
	out[fill++] = filter.odd;
	ck_assert_uint_eq(fill, sizeof(in) - 1);
	for (size_t i = 0; i < fill; i++)
		ck_assert_uint_eq(out[i],
				  (unsigned char)in[i + 1 == fill ? i : i ^ 1]);
}
END_TEST

START_TEST(one_byte_that_is_not_zero_is_found)
{
	unsigned char buf[LEN_MAX] = {0};
	const size_t len = (size_t)_i;

	ck_assert(zero_is_all(buf, len));
	for (size_t at = 0; at < LEN_MAX; at++) {
		buf[at] = 1;
		ck_assert_int_eq(zero_is_all(buf, len), at >= len);
		buf[at] = 0;
	}
}
END_TEST

Suite *
filter_suite(void)
{
	Suite *s = suite_create("filter");
	TCase *t = tcase_create("filter");

	tcase_add_loop_test(t, the_tables_are_those_of_posix, 0,
			    ARRAY_LEN(spots));
	tcase_add_loop_test(t, ascii_undoes_ebcdic, 0, 256);
	tcase_add_test(t, case_is_that_of_the_locale);
	tcase_add_test(t, letters_change_case_as_ascii);
	tcase_add_test(t, blocks_are_padded_with_the_space_of_the_table);
	tcase_add_test(t, without_conversions_nothing_changes);
	tcase_add_test(t, swab_swaps_pairs);
	tcase_add_test(t, swab_pairs_an_odd_byte_with_the_next_record);
	tcase_add_loop_test(t, swab_depends_on_the_stream_alone, 0, 20);
	tcase_add_loop_test(t, one_byte_that_is_not_zero_is_found, 0,
			    LEN_MAX + 1);
	suite_add_tcase(s, t);
	return s;
}
