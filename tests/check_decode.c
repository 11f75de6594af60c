// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "decoder.h"

#include <errno.h>
#ifdef HAVE_LIBLZMA
#include <lzma.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "suites.h"

// A hundred times this, by gzip, xz, zstd --check, bzip2 and lz4.
#define LINE "All of it, or nothing.\n"
#define LINE_LEN (sizeof(LINE) - 1)
#define TEXT_LEN (100 * LINE_LEN)

// clang-format off
static const unsigned char gz[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x73,
	0xcc, 0xc9, 0x51, 0xc8, 0x4f, 0x53, 0xc8, 0x2c, 0xd1, 0x51, 0xc8,
	0x2f, 0x52, 0xc8, 0xcb, 0x2f, 0xc9, 0xc8, 0xcc, 0x4b, 0xd7, 0xe3,
	0x72, 0x1c, 0x15, 0x1e, 0x15, 0x1e, 0x15, 0x1e, 0x15, 0x1e, 0x15,
	0x1e, 0x15, 0x1e, 0x15, 0x1e, 0x15, 0x1e, 0x8e, 0xc2, 0x00, 0xd5,
	0x34, 0x11, 0xd7, 0xfc, 0x08, 0x00, 0x00,
};
static const unsigned char xz[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4,
	0x46, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f,
	0xe5, 0xa3, 0xe0, 0x08, 0xfb, 0x00, 0x2a, 0x5d, 0x00, 0x20, 0x9b,
	0x2c, 0x40, 0x6f, 0x33, 0x07, 0x8f, 0xb3, 0xe1, 0xab, 0x61, 0x52,
	0xeb, 0x69, 0x08, 0x6b, 0x7a, 0x7c, 0x16, 0xfa, 0x25, 0x3a, 0xc9,
	0x6d, 0x22, 0x2a, 0x3b, 0x83, 0x2c, 0x1d, 0x13, 0x55, 0x92, 0x30,
	0xbb, 0x1f, 0x30, 0x3a, 0xae, 0xdc, 0x00, 0x00, 0x00, 0x00, 0x3f,
	0xf8, 0xd0, 0xe1, 0x9d, 0xb8, 0x10, 0x96, 0x00, 0x01, 0x46, 0xfc,
	0x11, 0x00, 0x00, 0x00, 0x0a, 0xb0, 0x35, 0x7f, 0xb1, 0xc4, 0x67,
	0xfb, 0x02, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
};
static const unsigned char zst[] = {
	0x28, 0xb5, 0x2f, 0xfd, 0x64, 0xfc, 0x07, 0xfd, 0x00, 0x00, 0xb8,
	0x41, 0x6c, 0x6c, 0x20, 0x6f, 0x66, 0x20, 0x69, 0x74, 0x2c, 0x20,
	0x6f, 0x72, 0x20, 0x6e, 0x6f, 0x74, 0x68, 0x69, 0x6e, 0x67, 0x2e,
	0x0a, 0x01, 0x00, 0xc5, 0xa1, 0xfe, 0x6c, 0x02, 0xb9, 0xfb, 0xda,
	0x7e,
};
static const unsigned char bz2[] = {
	0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0x42,
	0x62, 0x86, 0x43, 0x00, 0x01, 0x8f, 0xd5, 0x80, 0x00, 0x10, 0x40,
	0x05, 0x20, 0x00, 0x01, 0xe5, 0x94, 0x00, 0x20, 0x00, 0x70, 0x40,
	0x00, 0x00, 0xa5, 0x51, 0xa1, 0xa9, 0xa3, 0xca, 0x60, 0x8b, 0xb2,
	0x2d, 0x11, 0x7d, 0x22, 0xf0, 0x8b, 0x64, 0x5e, 0x91, 0x64, 0x8b,
	0x64, 0x5b, 0x22, 0xe8, 0x8b, 0x44, 0x5f, 0x88, 0xbe, 0x11, 0x68,
	0x8b, 0x64, 0x58, 0x29, 0x1e, 0x11, 0x64, 0x8b, 0x04, 0x5c, 0x11,
	0x7f, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0x42, 0x62, 0x86, 0x43,
};
static const unsigned char lz4[] = {
	0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x2a, 0x00, 0x00, 0x00,
	0xff, 0x08, 0x41, 0x6c, 0x6c, 0x20, 0x6f, 0x66, 0x20, 0x69, 0x74,
	0x2c, 0x20, 0x6f, 0x72, 0x20, 0x6e, 0x6f, 0x74, 0x68, 0x69, 0x6e,
	0x67, 0x2e, 0x0a, 0x17, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xd5, 0x50, 0x69, 0x6e, 0x67, 0x2e, 0x0a, 0x00, 0x00,
	0x00, 0x00, 0x1d, 0xba, 0x12, 0xc3,
};
// clang-format on

static const struct sample {
	const unsigned char *bytes;
	size_t len;
} samples[DECODE_NR] = {
	[DECODE_GZ] = {gz, sizeof(gz)},	   [DECODE_XZ] = {xz, sizeof(xz)},
	[DECODE_ZST] = {zst, sizeof(zst)}, [DECODE_BZ2] = {bz2, sizeof(bz2)},
	[DECODE_LZ4] = {lz4, sizeof(lz4)},
};

static const unsigned char skippable[] = {0x5a, 0x2a, 0x4d, 0x18, 3,  0,
					  0,	0,    'a',  'b',  'c'};

// The input, so many bytes at once, and what comes of it.
static unsigned char in[16 * KIB];
static size_t in_len, in_done, in_step;
static int in_error; // once, before the last byte
static unsigned char out[16 * KIB];

static void
begin(void)
{
	in_len = in_done = 0;
	in_step = sizeof(in);
	in_error = 0;
}

static void
put(const void *bytes, size_t len)
{
	memcpy(in + in_len, bytes, len);
	in_len += len;
}

static void
put_sample(enum decode_format format)
{
	put(samples[format].bytes, samples[format].len);
}

static ssize_t
read_in(void *ctx, void *buf, size_t len)
{
	const size_t n = min_u64(min_u64(len, in_step), in_len - in_done);

	(void)ctx;
	if (in_error != 0 && n < in_step) {
		const int error = in_error;

		in_error = 0;
		return error;
	}
	memcpy(buf, in + in_done, n);
	in_done += n;
	return (ssize_t)n;
}

static struct decoder *
open_decoder(enum decode_format format)
{
	const struct decoder_input input = {read_in, NULL};
	struct decoder *d;

	in_done = 0;
	ck_assert_int_eq(decoder_open(&d, format, input, 2), 0);
	return d;
}

// All of it, in steps: how it has ended. *ret: bytes in out.
static int
drain(struct decoder *d, size_t step, size_t *ret)
{
	ssize_t n;

	*ret = 0;
	do {
		ck_assert_uint_le(*ret + step, sizeof(out));
		n = decoder_fill(d, out + *ret, step);
		*ret += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return (int)n;
}

static int
decode_all(enum decode_format format, size_t *ret)
{
	struct decoder *d = open_decoder(format);
	const int r = drain(d, sizeof(out) / 4, ret);

	ck_assert_int_eq(decoder_error(d), -r);
	ck_assert_uint_eq(decoder_out(d), *ret);
	decoder_free(d);
	return r;
}

static bool
is_text(size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (out[i] != (unsigned char)LINE[i % LINE_LEN])
			return false;
	return true;
}

static bool
is_here(enum decode_format format)
{
	return decoder_find_library(format) != NULL;
}

#define FORMAT ((enum decode_format)_i)

START_TEST(it_is_known_by_its_first_bytes)
{
	const struct sample *s = &samples[_i];

	ck_assert_int_eq(decode_sniff(s->bytes, s->len), _i);
	ck_assert_int_eq(decode_sniff(s->bytes, DECODE_ENOUGH), _i);
	ck_assert_int_eq(decode_sniff(s->bytes, 2), DECODE_NONE);
	ck_assert_int_eq(decode_sniff(s->bytes + 1, s->len - 1), DECODE_NONE);
}
END_TEST

START_TEST(behind_frames_that_carry_nothing_is_what_it_is)
{
	begin();
	put(skippable, sizeof(skippable));
	put(skippable, sizeof(skippable));
	ck_assert_int_eq(decode_sniff(in, in_len), DECODE_ZST);
	put_sample(FORMAT);
	ck_assert(decode_wants_more(in, DECODE_ENOUGH));
	ck_assert(!decode_wants_more(samples[_i].bytes, DECODE_ENOUGH));
	ck_assert_int_eq(decode_sniff(in, in_len),
			 _i == DECODE_LZ4 || _i == DECODE_ZST ? _i
							      : DECODE_NONE);
	in[4] = 255;
	in[5] = 255;
	ck_assert_int_eq(decode_sniff(in, in_len), DECODE_ZST);
	in[7] = 255;
	ck_assert_int_eq(decode_sniff(in, in_len), DECODE_ZST);
}
END_TEST

START_TEST(lzma_is_known_by_what_follows)
{
	// A dictionary of 8 MiB, a size that is not known.
	unsigned char head[16] =
		"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff";

	ck_assert_int_eq(decode_sniff(head, 13), DECODE_LZMA);
	ck_assert_int_eq(decode_sniff(head, 12), DECODE_NONE);
	head[3] = 0xc0; // 12 MiB
	ck_assert_int_eq(decode_sniff(head, 13), DECODE_LZMA);
	head[3] = 0xd0;
	ck_assert_int_eq(decode_sniff(head, 13), DECODE_NONE);
	head[3] = 0;
	ck_assert_int_eq(decode_sniff(head, 13), DECODE_NONE);
	head[3] = 0x80;
	memset(head + 9, 0, 4); // 4 GiB - 1
	ck_assert_int_eq(decode_sniff(head, 13), DECODE_LZMA);
	head[12] = 1;
	ck_assert_int_eq(decode_sniff(head, 13), DECODE_NONE);
}
END_TEST

START_TEST(others_are_known_but_not_decoded)
{
	unsigned char tar[512] = "name";

	memcpy(tar + 257, "ustar", 5);
	ck_assert_int_eq(decode_sniff((const unsigned char *)"PK\3\4..", 6),
			 DECODE_ZIP);
	ck_assert_int_eq(decode_sniff((const unsigned char *)"QFI\xfb..", 6),
			 DECODE_QCOW2);
	ck_assert_int_eq(
		decode_sniff((const unsigned char *)"\2\x21\x4c\x18..", 6),
		DECODE_OLD_LZ4);
	ck_assert(decode_is_foreign(DECODE_OLD_LZ4));
	ck_assert(!decode_is_foreign(DECODE_QCOW2));
	ck_assert_int_eq(decode_sniff(tar, sizeof(tar)), DECODE_TAR);
	ck_assert_int_eq(decode_sniff(tar, 257), DECODE_NONE);
	ck_assert_int_eq(decode_sniff(tar, 0), DECODE_NONE);
	ck_assert_int_eq(
		decode_sniff((const unsigned char *)"BZh9 is a text.", 15),
		DECODE_NONE);
}
END_TEST

START_TEST(any_steps_give_the_same)
{
	static const size_t steps[] = {1, 3, 7, 4096};

	if (!is_here(FORMAT))
		return;
	for (size_t i = 0; i < 16; i++) {
		size_t len;

		begin();
		put_sample(FORMAT);
		in_step = steps[i / 4];
		struct decoder *d = open_decoder(FORMAT);
		ck_assert_int_eq(drain(d, steps[i % 4], &len), 0);
		ck_assert_uint_eq(len, TEXT_LEN);
		ck_assert(is_text(len));
		ck_assert_uint_eq(decoder_in(d), in_len);
		ck_assert_uint_eq(decoder_out(d), TEXT_LEN);
		ck_assert_int_eq(decoder_format(d), _i);
		decoder_free(d);
	}
}
END_TEST

START_TEST(members_follow_one_another)
{
	size_t len;

	if (!is_here(FORMAT))
		return;
	for (in_step = 1; in_step < 64; in_step += 5) {
		const size_t step = in_step;

		begin();
		put_sample(FORMAT);
		put_sample(FORMAT);
		put_sample(FORMAT);
		in_step = step;
		ck_assert_int_eq(decode_all(FORMAT, &len), 0);
		ck_assert_uint_eq(len, 3 * TEXT_LEN);
		ck_assert(is_text(len));
	}
}
END_TEST

START_TEST(frames_that_carry_nothing_are_passed_over)
{
	size_t len;

	if (!is_here(FORMAT))
		return;
	begin();
	put(skippable, sizeof(skippable));
	put_sample(FORMAT);
	put(skippable, sizeof(skippable));
	put_sample(FORMAT);
	put(skippable, sizeof(skippable));
	ck_assert_int_eq(decode_all(FORMAT, &len), 0);
	ck_assert_uint_eq(len, 2 * TEXT_LEN);
	ck_assert(is_text(len));
}
END_TEST

START_TEST(zeros_behind_it_are_padding_of_some)
{
	static const unsigned char zeros[100];
	const bool is_padded = _i == DECODE_GZ || _i == DECODE_XZ;
	size_t len;

	if (!is_here(FORMAT))
		return;
	begin();
	put_sample(FORMAT);
	put(zeros, sizeof(zeros));
	ck_assert_int_eq(decode_all(FORMAT, &len), is_padded ? 0 : -EILSEQ);
	ck_assert_uint_eq(len, TEXT_LEN);
	put_sample(FORMAT);
	ck_assert_int_eq(decode_all(FORMAT, &len), is_padded ? 0 : -EILSEQ);
	ck_assert_uint_eq(len, is_padded ? 2 * TEXT_LEN : TEXT_LEN);
	put(zeros, 3);
	ck_assert_int_eq(decode_all(FORMAT, &len),
			 _i == DECODE_GZ ? 0 : -EILSEQ);
	put_sample(FORMAT);
	ck_assert_int_eq(decode_all(FORMAT, &len),
			 _i == DECODE_GZ ? 0 : -EILSEQ);
	ck_assert_uint_eq(len, _i == DECODE_GZ	 ? 3 * TEXT_LEN
			       : _i == DECODE_XZ ? 2 * TEXT_LEN
						 : TEXT_LEN);
}
END_TEST

START_TEST(what_does_not_belong_behind_it_is_told)
{
	size_t len;

	if (!is_here(FORMAT))
		return;
	begin();
	put_sample(FORMAT);
	put("something else", 14);
	ck_assert_int_eq(decode_all(FORMAT, &len), -EILSEQ);
	ck_assert_uint_eq(len, TEXT_LEN);
	ck_assert(is_text(len));
	struct decoder *d = open_decoder(FORMAT);
	(void)drain(d, 1, &len);
	ck_assert_uint_eq(decoder_in(d), samples[_i].len);
	ck_assert_int_eq(decoder_fill(d, out, 1), -EILSEQ);
	decoder_free(d);
}
END_TEST

START_TEST(wherever_it_is_cut_it_is_told)
{
	if (!is_here(FORMAT))
		return;
	for (size_t cut = 0; cut < samples[_i].len; cut++) {
		size_t len;

		begin();
		put(samples[_i].bytes, cut);
		ck_assert_int_eq(decode_all(FORMAT, &len), -ENODATA);
		ck_assert(is_text(len));
		if (cut == 0)
			continue;
		begin(); // the same of the second one
		put_sample(FORMAT);
		put(samples[_i].bytes, cut);
		ck_assert_int_eq(decode_all(FORMAT, &len), -ENODATA);
		ck_assert_uint_ge(len, TEXT_LEN);
		ck_assert(is_text(len));
	}
}
END_TEST

START_TEST(a_bit_that_is_wrong_never_gives_other_bytes)
{
	if (!is_here(FORMAT))
		return;
	for (size_t bit = 0; bit < 8 * samples[_i].len; bit++) {
		size_t len;

		begin();
		put_sample(FORMAT);
		in[bit / 8] ^= (unsigned char)(1 << bit % 8);
		const int r = decode_all(FORMAT, &len);
		// A frame may become one that carries nothing.
		if (r == 0 && bit >= 32)
			ck_assert_uint_eq(len, TEXT_LEN);
		if (r == 0)
			ck_assert(is_text(len));
	}
}
END_TEST

START_TEST(an_error_of_the_input_is_given_on_and_asked_again)
{
	size_t len, more;

	if (!is_here(FORMAT))
		return;
	begin();
	put_sample(FORMAT);
	in_step = 7;
	in_error = -EIO;
	struct decoder *d = open_decoder(FORMAT);
	ck_assert_int_eq(drain(d, 100, &len), -EIO);
	ck_assert_int_eq(decoder_error(d), 0);
	ck_assert_int_eq(drain(d, 100, &more), 0);
	ck_assert_uint_eq(len + more, TEXT_LEN);
	decoder_free(d);
}
END_TEST

START_TEST(an_error_behind_the_last_byte_is_not_its_end)
{
	size_t len;

	if (!is_here(FORMAT))
		return;
	begin();
	put_sample(FORMAT);
	in_step = in_len;
	in_error = -EIO;
	struct decoder *d = open_decoder(FORMAT);
	ck_assert_int_eq(drain(d, sizeof(out) / 4, &len), -EIO);
	ck_assert_uint_eq(len, TEXT_LEN);
	ck_assert(is_text(len));
	decoder_free(d);
}
END_TEST

START_TEST(what_was_seen_first_is_given_all_the_same)
{
	const unsigned char *head;
	size_t len;

	if (!is_here(FORMAT))
		return;
	begin();
	put_sample(FORMAT);
	struct decoder *d = open_decoder(FORMAT);
	ck_assert_int_eq(decoder_peek(d, &head), DECODER_PEEK);
	ck_assert_int_eq(memcmp(head, LINE, LINE_LEN), 0);
	ck_assert_int_eq(drain(d, 100, &len), 0);
	ck_assert_uint_eq(len, TEXT_LEN);
	ck_assert(is_text(len));
	decoder_free(d);
}
END_TEST

START_TEST(an_error_comes_behind_what_was_seen)
{
	const unsigned char *head;
	size_t len;

	if (!is_here(FORMAT))
		return;
	begin();
	put_sample(FORMAT);
	in_len -= 2;
	struct decoder *d = open_decoder(FORMAT);
	const ssize_t n = decoder_peek(d, &head);
	ck_assert(n == -ENODATA || n >= 0);
	ck_assert_int_eq(drain(d, 100, &len), -ENODATA);
	ck_assert_uint_ge(len, n > 0 ? (size_t)n : 0);
	ck_assert(is_text(len));
	decoder_free(d);
}
END_TEST

static ssize_t
read_at(void *ctx, void *buf, size_t len, uint64_t off)
{
	const size_t n = off < in_len ? min_u64(len, in_len - off) : 0;

	(void)ctx;
	memcpy(buf, in + off, n);
	return (ssize_t)n;
}

static bool
measure(enum decode_format format, uint64_t *size, bool *is_exact)
{
	const struct decode_file file = {.read_at = read_at,
					 .size = in_len,
					 .head = in,
					 .head_len = in_len};

	return decoder_measure(format, &file, size, is_exact);
}

static bool
says_length(enum decode_format format)
{
#if !defined HAVE_LIBLZMA || LZMA_VERSION < UINT32_C(50040002)
	if (format == DECODE_XZ)
		return false;
#endif
	return is_here(format) && (format == DECODE_XZ || format == DECODE_ZST);
}

START_TEST(some_say_how_long_they_are)
{
	uint64_t size;
	bool is_exact;

	begin();
	if (_i == DECODE_ZST)
		put(skippable, sizeof(skippable));
	put_sample(FORMAT);
	put_sample(FORMAT);
	const bool has = measure(FORMAT, &size, &is_exact);
	ck_assert_int_eq(has, says_length(FORMAT));
	if (!has)
		return;
	ck_assert_int_eq(is_exact, _i == DECODE_XZ);
	ck_assert_uint_eq(size, (is_exact ? 2 : 1) * TEXT_LEN);
	for (in_len = 1; in_len < samples[_i].len && _i == DECODE_XZ; in_len++)
		ck_assert(!measure(FORMAT, &size, &is_exact));
}
END_TEST

START_TEST(formats_have_names)
{
	char suffix[8] = ".";

	strcat(suffix, decode_name(FORMAT));
	ck_assert_str_eq(decode_suffix(FORMAT), suffix);
	ck_assert_ptr_null(decode_suffix(DECODE_ZIP));
	ck_assert_str_eq(decode_name(DECODE_QCOW2), "qcow2");
}
END_TEST

Suite *
decode_suite(void)
{
	const TTest *const of_each[] = {
		it_is_known_by_its_first_bytes,
		behind_frames_that_carry_nothing_is_what_it_is,
		any_steps_give_the_same,
		members_follow_one_another,
		zeros_behind_it_are_padding_of_some,
		what_does_not_belong_behind_it_is_told,
		wherever_it_is_cut_it_is_told,
		a_bit_that_is_wrong_never_gives_other_bytes,
		an_error_of_the_input_is_given_on_and_asked_again,
		an_error_behind_the_last_byte_is_not_its_end,
		what_was_seen_first_is_given_all_the_same,
		an_error_comes_behind_what_was_seen,
		some_say_how_long_they_are,
		formats_have_names,
	};
	Suite *suite = suite_create("decode");
	TCase *tcase = tcase_create("all");

	for (size_t i = 0; i < ARRAY_LEN(of_each); i++)
		tcase_add_loop_test(tcase, of_each[i], DECODE_GZ, DECODE_NR);
	tcase_add_test(tcase, lzma_is_known_by_what_follows);
	tcase_add_test(tcase, others_are_known_but_not_decoded);
	tcase_add_loop_test(tcase, frames_that_carry_nothing_are_passed_over,
			    DECODE_ZST, DECODE_ZST + 1);
	tcase_add_loop_test(tcase, frames_that_carry_nothing_are_passed_over,
			    DECODE_LZ4, DECODE_LZ4 + 1);
	suite_add_tcase(suite, tcase);
	return suite;
}
