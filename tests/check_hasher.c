// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "hasher.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "hooks.h"
#include "suites.h"

#define SET (1U << DIGEST_MD5 | 1U << DIGEST_XXH128)

enum { LEN = 1 << 20 };

static unsigned char bytes[LEN];
static struct hasher *hasher;

static void
open_hasher(void)
{
	for (size_t i = 0; i < LEN; i++)
		bytes[i] = (unsigned char)((i * UINT64_C(2654435761)) >> 13);
	ck_assert_int_eq(hasher_new(&hasher, SET), 0);
}

static void
close_hasher(void)
{
	hasher_free(hasher);
}

static void
check_digest(enum digest_alg alg, const void *buf, size_t len)
{
	unsigned char want[DIGEST_MAX_SIZE];
	struct digest digest;

	ck_assert_int_eq(digest_init(&digest, alg), 0);
	digest_update(&digest, buf, len);
	ck_assert_int_eq(digest_finish(&digest, want), 0);
	digest_done(&digest);
	ck_assert_mem_eq(hasher_result(hasher, alg), want, digest_size(alg));
}

static void
check_result(const void *buf, size_t len)
{
	ck_assert_int_eq(hasher_finish(hasher, len, NULL), 0);
	check_digest(DIGEST_MD5, buf, len);
	check_digest(DIGEST_XXH128, buf, len);
}

static void
put(uint64_t off, size_t len)
{
	hasher_put(hasher, off, bytes + off, len);
}

START_TEST(parts_make_the_whole)
{
	put(0, 1000);
	put(1000, 1);
	put(1001, LEN - 1001);
	hasher_wait(hasher, 3);
	ck_assert_uint_eq(hasher_nr_done(hasher), 3);
	check_result(bytes, LEN);
}
END_TEST

START_TEST(nothing_has_a_digest_too)
{
	check_result("", 0);
}
END_TEST

START_TEST(a_gap_is_zeros)
{
	memset(bytes + 1000, 0, 200000);
	put(0, 1000);
	put(201000, LEN - 201000);
	check_result(bytes, LEN);
}
END_TEST

START_TEST(a_gap_at_the_end_is_zeros)
{
	memset(bytes + 1000, 0, 2000);
	put(0, 1000);
	check_result(bytes, 3000);
}
END_TEST

START_TEST(what_comes_again_is_passed_over)
{
	put(0, 1000);
	hasher_wait(hasher, 1);
	put(0, 500);
	put(500, 1000); // half of it is new
	hasher_wait(hasher, 3);
	put(1500, 100);
	check_result(bytes, 1600);
}
END_TEST

START_TEST(an_empty_part_counts_as_one)
{
	put(0, 10);
	hasher_put(hasher, LEN, NULL, 0);
	hasher_wait(hasher, 2);
	check_result(bytes, 10);
}
END_TEST

static const size_t record_sizes[] = {1000, 4096, 65535, 300000, LEN};

START_TEST(records_make_the_whole)
{
	enum { TIMES = 5 }; // more than is held at a time
	unsigned char *whole = malloc(TIMES * LEN);

	ck_assert_ptr_nonnull(whole);
	for (size_t i = 0; i < TIMES; i++)
		memcpy(whole + i * LEN, bytes, LEN);
	for (size_t off = 0; off < TIMES * LEN; off += record_sizes[_i])
		hasher_update(hasher, off, whole + off,
			      (size_t)min_u64(record_sizes[_i],
					      TIMES * LEN - off));
	check_result(whole, TIMES * LEN);
	free(whole);
}
END_TEST

START_TEST(a_record_may_be_changed_at_once)
{
	unsigned char record[100];

	memcpy(record, bytes, sizeof(record));
	hasher_update(hasher, 0, record, sizeof(record));
	memset(record, 0, sizeof(record));
	check_result(bytes, sizeof(record));
}
END_TEST

START_TEST(a_gap_between_records_is_zeros)
{
	memset(bytes + 10, 0, 500);
	hasher_update(hasher, 0, bytes, 10);
	hasher_update(hasher, 510, bytes + 510, 20);
	hasher_update(hasher, 520, bytes + 520, 30); // in part again
	check_result(bytes, 550);
}
END_TEST

static bool
stop(void *ctx)
{
	(void)ctx;
	return true;
}

START_TEST(zeros_without_end_can_be_left)
{
	const struct hooks hooks = {.must_stop = stop};

	put(0, 10);
	ck_assert_int_eq(hasher_finish(hasher, UINT64_MAX / 2, &hooks),
			 -ECANCELED);
}
END_TEST

START_TEST(what_is_cancelled_is_through)
{
	hasher_put(hasher, UINT64_MAX / 2, bytes, 10);
	put(0, LEN);
	hasher_cancel(hasher);
	hasher_wait(hasher, 2);
}
END_TEST

START_TEST(what_is_freed_is_cancelled)
{
	hasher_put(hasher, UINT64_MAX / 2, bytes, 10);
}
END_TEST

START_TEST(the_descriptor_tells_of_news)
{
	struct pollfd news = {.fd = hasher_fd(hasher), .events = POLLIN};

	ck_assert_int_eq(poll(&news, 1, 0), 0);
	put(0, LEN);
	ck_assert_int_eq(poll(&news, 1, -1), 1);
}
END_TEST

START_TEST(more_parts_than_the_queue_is_long)
{
	for (unsigned i = 0; i < 3 * HASHER_QUEUE; i++) {
		if (i >= HASHER_QUEUE)
			hasher_wait(hasher, i - HASHER_QUEUE + 1);
		put(i, 1);
	}
	check_result(bytes, 3 * HASHER_QUEUE);
}
END_TEST

START_TEST(only_what_was_asked_for_has_a_result)
{
	ck_assert_int_eq(hasher_finish(hasher, 0, NULL), 0);
	ck_assert_ptr_null(hasher_result(hasher, DIGEST_SHA1));
}
END_TEST

static struct hasher *
ranges_of(const unsigned char *buf, size_t len)
{
	struct hasher *ranges;

	ck_assert_int_eq(hasher_new(&ranges, 1U << HASH_RANGES), 0);
	hasher_put(ranges, 0, buf, len);
	ck_assert_int_eq(hasher_finish(ranges, len, NULL), 0);
	return ranges;
}

START_TEST(the_range_with_another_byte_is_another)
{
	static const size_t flips[] = {0, HASH_RANGE_LEN - 1,
				       HASH_RANGE_LEN, 3 * HASH_RANGE_LEN,
				       LEN - 100};
	const size_t len = LEN - 99, at = flips[_i]; // the last one is short
	struct hasher *a = ranges_of(bytes, len);

	bytes[at] ^= 1;
	struct hasher *b = ranges_of(bytes, len);
	for (uint64_t i = 0; i < 4; i++)
		ck_assert_int_eq(hasher_is_same_range(a, b, i),
				 i != at / HASH_RANGE_LEN);
	hasher_free(a);
	hasher_free(b);
}
END_TEST

START_TEST(a_seed_makes_other_digests)
{
	unsigned char want[DIGEST_XXH128_SIZE];
	struct hasher *ranges;

	ck_assert_int_eq(hasher_new(&ranges, 1U << HASH_RANGES), 0);
	hasher_seed(ranges, 42);
	hasher_put(ranges, 0, bytes, LEN - 99);
	ck_assert_int_eq(hasher_finish(ranges, LEN - 99, NULL), 0);
	for (uint64_t i = 0; i < 4; i++) {
		digest_xxh128(42, bytes + i * HASH_RANGE_LEN,
			      i < 3 ? HASH_RANGE_LEN : HASH_RANGE_LEN - 99,
			      want);
		ck_assert_mem_eq(hasher_range(ranges, i), want, sizeof(want));
	}
	ck_assert_ptr_null(hasher_range(ranges, 4));
	hasher_free(ranges);
}
END_TEST

START_TEST(a_range_that_is_not_there_is_another)
{
	struct hasher *a = ranges_of(bytes, HASH_RANGE_LEN);
	struct hasher *b = ranges_of(bytes, 2 * HASH_RANGE_LEN);

	ck_assert(hasher_is_same_range(a, b, 0));
	ck_assert(!hasher_is_same_range(a, b, 1));
	ck_assert(!hasher_is_same_range(a, b, 2));
	hasher_free(a);
	hasher_free(b);
}
END_TEST

static void
add_ranges(struct ranges *list, const uint64_t *edges, size_t nr)
{
	for (size_t i = 0; i < nr; i += 2)
		ck_assert_int_eq(
			ranges_add(list,
				   &(struct ranges_one){.off = edges[i],
							.len = edges[i + 1] -
							       edges[i]}),
			0);
}

static void
hand_over_in_parts(struct hasher *h, size_t len, size_t part)
{
	for (size_t off = 0; off < len; off += part)
		hasher_put(h, off, bytes + off, min_u64(part, len - off));
}

static const uint64_t edges[] = {0,    1,      100,    5000,	5000,
				 9999, 300000, 700001, LEN - 5, LEN};

static void
make_list(struct ranges *list)
{
	struct hasher *h;

	add_ranges(list, edges, ARRAY_LEN(edges));
	ck_assert_int_eq(hasher_new(&h, 0), 0);
	ck_assert_int_eq(hasher_add_list(h, HASH_MADE, DIGEST_MD5, list), 0);
	hand_over_in_parts(h, LEN, 77777);
	ck_assert_int_eq(hasher_finish(h, LEN, NULL), 0);
	hasher_free(h);
}

START_TEST(each_range_of_a_list_has_its_digest)
{
	struct ranges list = {0};
	struct hasher *one;

	make_list(&list);
	for (size_t i = 0; i < list.nr; i++) {
		ck_assert_int_eq(hasher_new(&one, 1U << DIGEST_MD5), 0);
		hasher_put(one, 0, bytes + list.all[i].off, list.all[i].len);
		ck_assert_int_eq(hasher_finish(one, list.all[i].len, NULL), 0);
		ck_assert_uint_eq(list.all[i].value_size, 16);
		ck_assert_mem_eq(list.all[i].value,
				 hasher_result(one, DIGEST_MD5), 16);
		hasher_free(one);
	}
	ranges_done(&list);
}
END_TEST

static const struct {
	size_t at;
	size_t bad; // which range
} flipped[] = {{0, 0},	     {1, 9},	   {99, 9},	{100, 1},
	       {4999, 1},    {5000, 2},	   {9998, 2},	{9999, 9},
	       {299999, 9},  {300000, 3},  {700000, 3}, {700001, 9},
	       {LEN - 6, 9}, {LEN - 5, 4}, {LEN - 1, 4}};

START_TEST(a_flipped_byte_of_a_listed_range_is_found)
{
	struct ranges list = {0};
	struct hasher *h;

	make_list(&list);
	bytes[flipped[_i].at] ^= 1;
	ck_assert_int_eq(hasher_new(&h, 0), 0);
	ck_assert_int_eq(hasher_add_list(h, HASH_CHECKED, DIGEST_MD5, &list),
			 0);
	hand_over_in_parts(h, LEN, 4096);
	ck_assert_int_eq(hasher_finish(h, LEN, NULL), 0);
	ck_assert_ptr_eq(hasher_bad(h), flipped[_i].bad < list.nr
						? &list.all[flipped[_i].bad]
						: NULL);
	hasher_free(h);
	ranges_done(&list);
}
END_TEST

START_TEST(a_range_without_a_digest_is_not_compared)
{
	struct ranges list = {0};
	struct hasher *h;

	make_list(&list);
	list.all[1].value_size = 0;
	bytes[100] ^= 1;
	ck_assert_int_eq(hasher_new(&h, 0), 0);
	ck_assert_int_eq(hasher_add_list(h, HASH_CHECKED, DIGEST_MD5, &list),
			 0);
	hasher_put(h, 0, bytes, LEN);
	ck_assert_int_eq(hasher_finish(h, LEN, NULL), 0);
	ck_assert_ptr_null(hasher_bad(h));
	hasher_free(h);
	ranges_done(&list);
}
END_TEST

START_TEST(what_is_missing_of_a_listed_range_is_zeros)
{
	static const uint64_t two[] = {4096, 16384, UINT64_C(1) << 60,
				       (UINT64_C(1) << 60) + 4};
	struct ranges list = {0}, whole = {0};
	struct hasher *h;

	memset(bytes, 0, 16384);
	memset(bytes + 8192, 1, 4096);
	add_ranges(&list, two, 4);
	add_ranges(&whole, two, 2);
	ck_assert_int_eq(hasher_new(&h, 0), 0);
	ck_assert_int_eq(hasher_add_list(h, HASH_MADE, DIGEST_MD5, &whole), 0);
	hasher_put(h, 0, bytes, 16384);
	ck_assert_int_eq(hasher_finish(h, 16384, NULL), 0);
	hasher_free(h);
	// Of what is in none, however much, none are made.
	ck_assert_int_eq(hasher_new(&h, 0), 0);
	ck_assert_int_eq(hasher_add_list(h, HASH_MADE, DIGEST_MD5, &list), 0);
	hasher_put(h, 8192, bytes + 8192, 4096);
	hasher_put(h, UINT64_C(1) << 60, "abcd", 4);
	ck_assert_int_eq(hasher_finish(h, UINT64_C(1) << 61, NULL), 0);
	ck_assert_mem_eq(list.all[0].value, whole.all[0].value, 16);
	ck_assert_uint_eq(list.all[1].value_size, 16);
	hasher_free(h);
	ranges_done(&list);
	ranges_done(&whole);
}
END_TEST

START_TEST(a_range_without_an_end_ends_where_it_all_does)
{
	static const uint64_t all[] = {0, INT64_MAX};
	struct ranges list = {0};
	struct hasher *h;

	add_ranges(&list, all, 2);
	ck_assert_int_eq(hasher_new(&h, 1U << DIGEST_MD5), 0);
	ck_assert_int_eq(hasher_add_list(h, HASH_MADE, DIGEST_MD5, &list), 0);
	hasher_put(h, 0, bytes, 12345);
	ck_assert_int_eq(hasher_finish(h, 12345, NULL), 0);
	ck_assert_uint_eq(list.all[0].len, 12345);
	ck_assert_mem_eq(list.all[0].value, hasher_result(h, DIGEST_MD5), 16);
	hasher_free(h);
	ranges_done(&list);
}
END_TEST

Suite *
hasher_suite(void)
{
	Suite *s = suite_create("hasher");
	TCase *t = tcase_create("hasher");

	tcase_add_checked_fixture(t, open_hasher, close_hasher);
	tcase_add_test(t, parts_make_the_whole);
	tcase_add_test(t, nothing_has_a_digest_too);
	tcase_add_test(t, a_gap_is_zeros);
	tcase_add_test(t, a_gap_at_the_end_is_zeros);
	tcase_add_test(t, what_comes_again_is_passed_over);
	tcase_add_test(t, an_empty_part_counts_as_one);
	tcase_add_loop_test(t, records_make_the_whole, 0,
			    ARRAY_LEN(record_sizes));
	tcase_add_test(t, a_record_may_be_changed_at_once);
	tcase_add_test(t, a_gap_between_records_is_zeros);
	tcase_add_test(t, zeros_without_end_can_be_left);
	tcase_add_test(t, what_is_cancelled_is_through);
	tcase_add_test(t, what_is_freed_is_cancelled);
	tcase_add_test(t, the_descriptor_tells_of_news);
	tcase_add_test(t, more_parts_than_the_queue_is_long);
	tcase_add_test(t, only_what_was_asked_for_has_a_result);
	tcase_add_loop_test(t, the_range_with_another_byte_is_another, 0, 5);
	tcase_add_test(t, a_seed_makes_other_digests);
	tcase_add_test(t, a_range_that_is_not_there_is_another);
	tcase_add_test(t, each_range_of_a_list_has_its_digest);
	tcase_add_loop_test(t, a_flipped_byte_of_a_listed_range_is_found, 0,
			    ARRAY_LEN(flipped));
	tcase_add_test(t, a_range_without_a_digest_is_not_compared);
	tcase_add_test(t, what_is_missing_of_a_listed_range_is_zeros);
	tcase_add_test(t, a_range_without_an_end_ends_where_it_all_does);
	// Without the libraries there is nothing to be had.
	if (digest_is_available(DIGEST_MD5) &&
	    digest_is_available(DIGEST_XXH128))
		suite_add_tcase(s, t);
	return s;
}
