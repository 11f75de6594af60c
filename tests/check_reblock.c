// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "reblock.h"
#include "suites.h"

enum { OBS_MAX = 16, OUT_MAX = 4096, IN_MAX = 200 };

static struct reblock reblock;
static struct stats stats;
static unsigned char block[OBS_MAX];
static unsigned char out[OUT_MAX];
static size_t nr_out;
static unsigned nr_writes;
static int write_error;

static int
take_block(void *ctx, const unsigned char *bytes, size_t len)
{
	ck_assert_ptr_eq(ctx, &reblock);
	ck_assert_uint_eq(len, reblock.obs);
	ck_assert_uint_le(nr_out + len, OUT_MAX);
	nr_writes++;
	if (write_error != 0)
		return write_error;
	memcpy(out + nr_out, bytes, len);
	nr_out += len;
	return 0;
}

static void
begin(unsigned conv, uint64_t cbs, size_t obs)
{
	stats = (struct stats){0};
	nr_out = nr_writes = 0;
	write_error = 0;
	reblock = (struct reblock){.block = block,
				   .obs = obs,
				   .cbs = cbs,
				   .conv = conv,
				   .newline = '\n',
				   .space = ' ',
				   .stats = &stats,
				   .write = take_block,
				   .ctx = &reblock};
}

static void
put(const char *text)
{
	ck_assert_int_eq(reblock_put(&reblock, (const unsigned char *)text,
				     strlen(text)),
			 0);
}

// The end of the source, and all that came out.
static void
check_out(const char *want)
{
	ck_assert_int_eq(reblock_finish(&reblock), 0);
	memcpy(out + nr_out, block, reblock.fill);
	nr_out += reblock.fill;
	out[nr_out] = '\0';
	ck_assert_str_eq((const char *)out, want);
}

START_TEST(bytes_are_collected_into_blocks)
{
	begin(0, 0, 4);
	put("a");
	put("bc");
	ck_assert_uint_eq(nr_writes, 0);
	put("defghijk");
	ck_assert_uint_eq(nr_writes, 2);
	ck_assert_uint_eq(reblock.fill, 3);
	check_out("abcdefghijk");
}
END_TEST

START_TEST(a_block_that_cannot_be_written_ends_the_run)
{
	begin(0, 0, 4);
	write_error = -ENOSPC;
	ck_assert_int_eq(
		reblock_put(&reblock, (const unsigned char *)"abcdefgh", 8),
		-ENOSPC);
	ck_assert_uint_eq(nr_writes, 1);
	begin(CONV_BLOCK, 8, 4);
	write_error = -EIO;
	ck_assert_int_eq(
		reblock_put(&reblock, (const unsigned char *)"a\nb", 3), -EIO);
	ck_assert_uint_eq(nr_writes, 1);
	begin(CONV_UNBLOCK, 4, 2);
	write_error = -EPIPE;
	ck_assert_int_eq(
		reblock_put(&reblock, (const unsigned char *)"  xyz", 5),
		-EPIPE);
	ck_assert_uint_eq(nr_writes, 1);
}
END_TEST

static const struct {
	const char *in;
	const char *out;
	uint64_t truncated;
} blocked[] = {
	{"", "", 0},
	{"\n", "    ", 0},
	{"ab\ncd\n", "ab  cd  ", 0},
	{"ab", "ab  ", 0},
	{"abcd\nef", "abcdef  ", 0},
	{"abcd", "abcd", 0},
	{"abcde\nf\n", "abcdf   ", 1},
	{"abcdefgh\nabcdef", "abcdabcd", 2},
	{"a\n\nb", "a       b   ", 0},
};

START_TEST(lines_become_records)
{
	begin(CONV_BLOCK, 4, 5);
	put(blocked[_i].in);
	check_out(blocked[_i].out);
	ck_assert_uint_eq(stats.truncated, blocked[_i].truncated);
}
END_TEST

static const struct {
	const char *in;
	const char *out;
} unblocked[] = {
	{"", ""},
	{"    ", "\n"},
	{"ab  cd  ", "ab\ncd\n"},
	{"abcd", "abcd\n"},
	{"abcde", "abcd\ne\n"},
	{"ab  c", "ab\nc\n"},
	{" a b", " a b\n"},
	{"a       b", "a\n\nb\n"},
};

START_TEST(records_become_lines)
{
	begin(CONV_UNBLOCK, 4, 5);
	put(unblocked[_i].in);
	check_out(unblocked[_i].out);
}
END_TEST

// conv=block, line by line.
static void
block_simply(const char *in, size_t cbs, char *want)
{
	while (*in != '\0') {
		const size_t len = strcspn(in, "\n");

		memset(want, ' ', cbs);
		memcpy(want, in, len < cbs ? len : cbs);
		want += cbs;
		in += len;
		in += *in == '\n';
	}
	*want = '\0';
}

// conv=unblock, record by record.
static void
unblock_simply(const char *in, size_t cbs, char *want)
{
	while (*in != '\0') {
		const size_t len = strnlen(in, cbs);
		size_t kept = len;

		while (kept > 0 && in[kept - 1] == ' ')
			kept--;
		memcpy(want, in, kept);
		want += kept;
		*want++ = '\n';
		in += len;
	}
	*want = '\0';
}

START_TEST(any_cut_into_records_gives_the_same)
{
	char in[IN_MAX + 1], want[OUT_MAX];

	srand((unsigned)_i);
	const size_t cbs = 1 + (size_t)rand() % 9;
	const size_t len = (size_t)rand() % IN_MAX;
	for (size_t i = 0; i < len; i++)
		in[i] = "ab  \n"[rand() % 5];
	in[len] = '\0';
	const bool is_block = rand() % 2 == 0;
	begin(is_block ? CONV_BLOCK : CONV_UNBLOCK, cbs,
	      1 + (size_t)rand() % OBS_MAX);
	if (is_block)
		block_simply(in, cbs, want);
	else
		unblock_simply(in, cbs, want);
	for (size_t at = 0, part; at < len; at += part) {
		part = (size_t)min_u64(1 + (uint64_t)rand() % 20, len - at);
		ck_assert_int_eq(
			reblock_put(&reblock, (unsigned char *)in + at, part),
			0);
	}
	check_out(want);
}
END_TEST

Suite *
reblock_suite(void)
{
	Suite *s = suite_create("reblock");
	TCase *t = tcase_create("reblock");

	tcase_add_test(t, bytes_are_collected_into_blocks);
	tcase_add_test(t, a_block_that_cannot_be_written_ends_the_run);
	tcase_add_loop_test(t, lines_become_records, 0, ARRAY_LEN(blocked));
	tcase_add_loop_test(t, records_become_lines, 0, ARRAY_LEN(unblocked));
	tcase_add_loop_test(t, any_cut_into_records_gives_the_same, 0, 100);
	suite_add_tcase(s, t);
	return s;
}
