// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <stdlib.h>

#include "base.h"
#include "durability.h"
#include "hold.h"
#include "suites.h"

static struct transfer t;
static struct request q;
static struct stats stats;
static struct hold *hold;

// The first 4 KiB are held back.
static void
begin(void)
{
	q = (struct request){.obs = 512};
	stats = (struct stats){0};
	t = (struct transfer){
		.env.asked = &q, .env.stats = &stats, .out.env = &t.env};
	hold = t.out.hold = hold_new(0, 4096);
}

static void
end(void)
{
	free(hold);
}

static const struct {
	uint64_t obs, bytes;
	uint64_t there, full, partial;
} counts[] = {
	{512, 0, 0, 0, 0},
	{512, 100, 0, 0, 0},
	{512, 4096, 0, 0, 0},
	{512, 4097, 1, 0, 1},
	{512, 8192, 4096, 8, 0},
	{512, 8200, 4104, 8, 1},
	// A record that is held back in part is one in part.
	{3000, 6000, 1904, 0, 1},
	{3000, 9000, 4904, 1, 1},
	{MIB, MIB, MIB - 4096, 0, 1},
	{MIB, 2 * MIB, 2 * MIB - 4096, 1, 1},
	{MIB, MIB + 1, MIB - 4095, 0, 2},
	{MIB, 5000, 904, 0, 1},
};

START_TEST(what_is_held_back_is_not_there)
{
	q.obs = counts[_i].obs;
	stats_count(&stats, counts[_i].bytes, 512, counts[_i].obs);
	const struct stats there = durability_stats(&t);
	ck_assert_uint_eq(there.bytes, counts[_i].there);
	ck_assert_uint_eq(there.out_full, counts[_i].full);
	ck_assert_uint_eq(there.out_partial, counts[_i].partial);
	ck_assert_uint_eq(there.in_full, stats.in_full);
}
END_TEST

START_TEST(what_is_written_is_there)
{
	hold->is_written = true;
	stats_count(&stats, 8192, 512, 512);
	ck_assert_uint_eq(durability_stats(&t).bytes, 8192);
	t.out.hold = NULL;
	ck_assert_uint_eq(durability_stats(&t).out_full, 16);
}
END_TEST

START_TEST(what_is_compared_is_not_written)
{
	t.out.hold = NULL;
	q.compare = REQUEST_COMPARE_ONLY;
	stats_count(&stats, 700, 512, 512);
	const struct stats there = durability_stats(&t);
	ck_assert_uint_eq(there.in_full, 1);
	ck_assert_uint_eq(there.out_full, 0);
	ck_assert_uint_eq(there.out_partial, 0);
}
END_TEST

START_TEST(what_went_around_the_cache_is_on_the_device)
{
	stats.bytes = 9000;
	ck_assert_uint_eq(durability_on_device(&t), 0);
	t.bulk.nr_direct = 8192;
	ck_assert_uint_eq(durability_on_device(&t), 4096);
	t.out.side.facts.is_direct = true;
	ck_assert_uint_eq(durability_on_device(&t), 9000 - 4096);
	hold->is_written = true;
	ck_assert_uint_eq(durability_on_device(&t), 9000);
	// No more than has been accepted.
	t.out.side.facts.is_direct = false;
	t.bulk.nr_direct = 10000;
	ck_assert_uint_eq(durability_on_device(&t), 9000);
	t.bulk.nr_direct = 0;
	t.out.is_synced = true;
	ck_assert_uint_eq(durability_on_device(&t), 9000);
}
END_TEST

START_TEST(what_a_saved_map_has_is_durable)
{
	t.out.hold = NULL;
	stats.bytes = 9000;
	stats.rescue.saved = 8192;
	ck_assert_uint_eq(durability_on_device(&t), 8192);
	ck_assert_uint_eq(durability_durable(&t), 8192);
	t.out.is_synced = true;
	ck_assert_uint_eq(durability_durable(&t), 9000);
}
END_TEST

// What is not so, one after the other.
START_TEST(it_is_safe_to_remove_when_nothing_is_missing)
{
	q.dst = _i == 1 ? NULL : "/dev/sdx";
	t.out.safety.is_alone = _i != 2;
	t.out.is_synced = _i != 3;
	t.out.is_closed = _i != 4;
	stats.unread = _i == 5;
	ck_assert_int_eq(durability_is_safe_to_remove(&t), _i == 0);
}
END_TEST

Suite *
durability_suite(void)
{
	Suite *s = suite_create("durability");
	TCase *c = tcase_create("durability");

	tcase_add_checked_fixture(c, begin, end);
	tcase_add_loop_test(c, what_is_held_back_is_not_there, 0,
			    ARRAY_LEN(counts));
	tcase_add_test(c, what_is_written_is_there);
	tcase_add_test(c, what_is_compared_is_not_written);
	tcase_add_test(c, what_went_around_the_cache_is_on_the_device);
	tcase_add_test(c, what_a_saved_map_has_is_durable);
	tcase_add_loop_test(c, it_is_safe_to_remove_when_nothing_is_missing, 0,
			    6);
	suite_add_tcase(s, c);
	return s;
}
