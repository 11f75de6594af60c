// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "suites.h"

// Of "abc", by coreutils and xxhsum.
static const char *const of_abc[DIGEST_NR] = {
	[DIGEST_MD5] = "900150983cd24fb0d6963f7d28e17f72",
	[DIGEST_SHA1] = "a9993e364706816aba3e25717850c26c9cd0d89d",
	[DIGEST_SHA224] = "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c"
			  "9da7",
	[DIGEST_SHA256] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410"
			  "ff61f20015ad",
	[DIGEST_SHA384] = "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b"
			  "605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
	[DIGEST_SHA512] = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9e"
			  "eee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423"
			  "643ce80e2a9ac94fa54ca49f",
	[DIGEST_BLAKE2B] = "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b1"
			   "2bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38a"
			   "a8dbf1925ab92386edd4009923",
	[DIGEST_XXH128] = "06b05ab6733a618578af5f94892f3950",
};

static void
check_is(struct digest *digest, const char *want)
{
	unsigned char value[DIGEST_MAX_SIZE];
	char hex[2 * DIGEST_MAX_SIZE + 1];
	const size_t size = digest_size(digest->alg);

	ck_assert_int_eq(digest_finish(digest, value), 0);
	for (size_t i = 0; i < size; i++)
		snprintf(hex + 2 * i, 3, "%02x", value[i]);
	ck_assert_str_eq(hex, want);
}

START_TEST(a_digest_is_that_of_other_programs)
{
	const enum digest_alg alg = (enum digest_alg)_i;
	struct digest digest;

	if (!digest_is_available(alg))
		return;
	ck_assert_int_eq(digest_init(&digest, alg), 0);
	digest_update(&digest, "a", 1);
	digest_update(&digest, "bc", 2);
	check_is(&digest, of_abc[_i]);
	digest_done(&digest);
}
END_TEST

START_TEST(a_digest_has_a_name_in_any_case)
{
	static const struct {
		const char *name;
		int want;     // -1: none
	} names[] = {
		{"md5", DIGEST_MD5},
		{"SHA256", DIGEST_SHA256},
		{"SHA2-256", DIGEST_SHA256},
		{"Sha2-512", DIGEST_SHA512},
		{"BLAKE2b", DIGEST_BLAKE2B},
		{"BLAKE2B-512", DIGEST_BLAKE2B},
		{"XXH128", DIGEST_XXH128},
		{"", -1},
		{"SHA", -1},
		{"SHA3-256", -1},
		{"SHA512-256", -1},
		{"BLAKE2b-256", -1},
		{"md5 ", -1},
	};
	enum digest_alg alg;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *name = names[i].name;
		const bool is_known = digest_find(name, strlen(name), &alg);

		ck_assert_int_eq(is_known ? (int)alg : -1, names[i].want);
	}
}
END_TEST

START_TEST(hex_digits_are_parsed_as_they_are_formatted)
{
	const enum digest_alg alg = (enum digest_alg)_i;
	unsigned char value[DIGEST_MAX_SIZE];
	char hex[DIGEST_HEX_MAX];

	ck_assert_int_eq(digest_parse(of_abc[_i], 2 * digest_size(alg), value),
			 0);
	digest_format(alg, value, hex);
	ck_assert_str_eq(hex, of_abc[_i]);
	ck_assert_uint_ne(digest_of_length(strlen(hex)) & 1U << alg, 0);
}
END_TEST

START_TEST(what_is_no_hex_is_not_parsed)
{
	unsigned char value[DIGEST_MAX_SIZE];

	ck_assert_int_eq(digest_parse("aAbB x", 4, value), 0);
	ck_assert_int_eq(value[0] << 8 | value[1], 0xaabb);
	ck_assert_int_eq(digest_parse("aab", 3, value), -EINVAL);
	ck_assert_int_eq(digest_parse("aabb", 2, value), -EINVAL);
	ck_assert_int_eq(digest_parse("aa", 4, value), -EINVAL);
	ck_assert_int_eq(digest_parse("ag", 2, value), -EINVAL);
	ck_assert_uint_eq(digest_of_length(62), 0);
	ck_assert_uint_eq(digest_of_length(0), 0);
}
END_TEST

START_TEST(reset_forgets_what_was_before)
{
	const enum digest_alg alg = (enum digest_alg)_i;
	struct digest digest;

	if (!digest_is_available(alg))
		return;
	ck_assert_int_eq(digest_init(&digest, alg), 0);
	digest_update(&digest, "xyz", 3);
	digest_reset(&digest);
	digest_update(&digest, "abc", 3);
	check_is(&digest, of_abc[_i]);
	digest_reset(&digest);
	digest_update(&digest, "abc", 3);
	check_is(&digest, of_abc[_i]);
	digest_done(&digest);
}
END_TEST

START_TEST(done_may_come_without_init_and_twice)
{
	struct digest digest = {.state = NULL};

	digest_done(&digest);
	digest_done(&digest);
}
END_TEST

Suite *
digest_suite(void)
{
	Suite *s = suite_create("digest");
	TCase *t = tcase_create("digest");

	tcase_add_loop_test(t, a_digest_is_that_of_other_programs, 0,
			    DIGEST_NR);
	tcase_add_loop_test(t, reset_forgets_what_was_before, 0, DIGEST_NR);
	tcase_add_test(t, done_may_come_without_init_and_twice);
	tcase_add_test(t, a_digest_has_a_name_in_any_case);
	tcase_add_loop_test(t, hex_digits_are_parsed_as_they_are_formatted, 0,
			    DIGEST_NR);
	tcase_add_test(t, what_is_no_hex_is_not_parsed);
	suite_add_tcase(s, t);
	return s;
}
