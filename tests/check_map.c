// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "map.h"
#include "suites.h"

enum { LEN = 40 };

static struct map map;

static void
begin(void)
{
	ck_assert_int_eq(map_init(&map, LEN), 0);
}

static void
end(void)
{
	map_done(&map);
}

static void
check_span(size_t nr, uint64_t off, uint64_t len, enum map_state state)
{
	ck_assert_uint_lt(nr, map.nr);
	ck_assert_uint_eq(map_nth(&map, nr)->off, off);
	ck_assert_uint_eq(map_nth(&map, nr)->len, len);
	ck_assert_int_eq(map_nth(&map, nr)->state, state);
}

START_TEST(a_new_map_is_one_span)
{
	ck_assert_uint_eq(map.nr, 1);
	check_span(0, 0, LEN, MAP_TODO);
	ck_assert_uint_eq(map_prefix(&map), 0);
	ck_assert_uint_eq(map.totals[MAP_TODO], LEN);
}
END_TEST

START_TEST(an_empty_map_has_nothing_to_do)
{
	struct map none;

	ck_assert_int_eq(map_init(&none, 0), 0);
	ck_assert_uint_eq(none.nr, 0);
	ck_assert_uint_eq(map_prefix(&none), 0);
	ck_assert_int_eq(map_mark(&none, 0, 0, MAP_DONE), 0);
	ck_assert_ptr_null(map_find(&none, 0, MAP_TODO));
	ck_assert_ptr_null(map_find_back(&none, 1, MAP_TODO));
	map_done(&none);
}
END_TEST

START_TEST(a_map_that_grows_has_more_to_do)
{
	ck_assert_int_eq(map_extend(&map, LEN - 1), 0);
	ck_assert_uint_eq(map.len, LEN);
	ck_assert_int_eq(map_extend(&map, LEN + 2), 0);
	ck_assert_uint_eq(map.nr, 1);
	check_span(0, 0, LEN + 2, MAP_TODO);
	ck_assert_int_eq(map_mark(&map, 0, LEN + 2, MAP_BAD), 0);
	ck_assert_int_eq(map_extend(&map, LEN + 5), 0);
	ck_assert_uint_eq(map.nr, 2);
	check_span(1, LEN + 2, 3, MAP_TODO);
	ck_assert_uint_eq(map_prefix(&map), LEN + 2);
	ck_assert_uint_eq(map.totals[MAP_TODO], 3);
}
END_TEST

START_TEST(what_comes_out_of_order_counts_when_the_gap_is_closed)
{
	ck_assert_int_eq(map_mark(&map, 10, 10, MAP_DONE), 0);
	ck_assert_uint_eq(map_prefix(&map), 0);
	ck_assert_uint_eq(map.nr, 3);
	ck_assert_int_eq(map_mark(&map, 0, 10, MAP_DONE), 0);
	ck_assert_uint_eq(map_prefix(&map), 20);
	ck_assert_uint_eq(map.nr, 2);
	check_span(0, 0, 20, MAP_DONE);
}
END_TEST

START_TEST(other_states_are_no_gap)
{
	ck_assert_int_eq(map_mark(&map, 0, 4, MAP_DONE), 0);
	ck_assert_int_eq(map_mark(&map, 4, 4, MAP_HOLE), 0);
	ck_assert_int_eq(map_mark(&map, 8, 4, MAP_BAD), 0);
	ck_assert_uint_eq(map_prefix(&map), 12);
	ck_assert_uint_eq(map.totals[MAP_HOLE], 4);
	ck_assert_uint_eq(map.totals[MAP_BAD], 4);
	ck_assert_int_eq(map_mark(&map, 4, 4, MAP_TODO), 0);
	ck_assert_uint_eq(map_prefix(&map), 4);
}
END_TEST

START_TEST(the_next_of_a_state_is_found)
{
	ck_assert_int_eq(map_mark(&map, 10, 10, MAP_DONE), 0);
	ck_assert_uint_eq(map_find(&map, 0, MAP_DONE)->off, 10);
	ck_assert_uint_eq(map_find(&map, 19, MAP_DONE)->off, 10);
	ck_assert_ptr_null(map_find(&map, 20, MAP_DONE));
	ck_assert_uint_eq(map_find(&map, 10, MAP_TODO)->off, 20);
	ck_assert_uint_eq(map_find(&map, 9, MAP_TODO)->off, 0);
}
END_TEST

START_TEST(the_last_of_a_state_is_found)
{
	ck_assert_int_eq(map_mark(&map, 10, 10, MAP_DONE), 0);
	ck_assert_uint_eq(map_find_back(&map, LEN, MAP_DONE)->off, 10);
	ck_assert_uint_eq(map_find_back(&map, 11, MAP_DONE)->off, 10);
	ck_assert_ptr_null(map_find_back(&map, 10, MAP_DONE));
	ck_assert_uint_eq(map_find_back(&map, 20, MAP_TODO)->off, 0);
	ck_assert_uint_eq(map_find_back(&map, LEN, MAP_TODO)->off, 20);
	ck_assert_ptr_null(map_find_back(&map, 0, MAP_TODO));
	ck_assert_uint_eq(map_at(&map, 9)->off, 0);
	ck_assert_uint_eq(map_at(&map, 10)->off, 10);
	ck_assert_uint_eq(map_at(&map, LEN - 1)->off, 20);
}
END_TEST

START_TEST(the_parts_of_a_range_are_found_one_by_one)
{
	struct map_span part;
	size_t i = 0;

	ck_assert_int_eq(map_mark(&map, 10, 10, MAP_DONE), 0);
	ck_assert(map_next(&map, &i, 12, 25, &part));
	ck_assert_uint_eq(part.off, 12);
	ck_assert_uint_eq(part.len, 8);
	ck_assert_int_eq(part.state, MAP_DONE);
	ck_assert(map_next(&map, &i, 12, 25, &part));
	ck_assert_uint_eq(part.off, 20);
	ck_assert_uint_eq(part.len, 5);
	ck_assert_int_eq(part.state, MAP_TODO);
	ck_assert(!map_next(&map, &i, 12, 25, &part));
}
END_TEST

START_TEST(a_cut_drops_what_is_behind_it)
{
	ck_assert_int_eq(map_mark(&map, 10, 10, MAP_DONE), 0);
	map_cut(&map, LEN);
	ck_assert_uint_eq(map.nr, 3);
	map_cut(&map, 15);
	ck_assert_uint_eq(map.len, 15);
	ck_assert_uint_eq(map.totals[MAP_TODO], 10);
	ck_assert_uint_eq(map.totals[MAP_DONE], 5);
	ck_assert_uint_eq(map_prefix(&map), 0);
	map_cut(&map, 10);
	ck_assert_uint_eq(map.nr, 1);
	map_cut(&map, 0);
	ck_assert_uint_eq(map.nr, 0);
	ck_assert_uint_eq(map_prefix(&map), 0);
}
END_TEST

START_TEST(a_map_that_is_reserved_does_not_move)
{
	ck_assert_int_eq(map_reserve(&map, LEN), 0);
	const struct map_span *spans = map.spans;

	for (uint64_t off = 1; off < LEN; off += 2)
		ck_assert_int_eq(map_mark(&map, off, 1, MAP_DONE), 0);
	ck_assert_ptr_eq(map.spans, spans);
	ck_assert_uint_eq(map.nr, LEN);
}
END_TEST

static void
check_same_span(const struct map_span *a, const struct map_span *b)
{
	ck_assert_uint_eq(a->off, b->off);
	ck_assert_uint_eq(a->len, b->len);
	ck_assert_int_eq(a->state, b->state);
}

static void
check_copy(void)
{
	struct map copy;

	ck_assert_int_eq(map_copy(&copy, &map), 0);
	ck_assert_uint_eq(copy.nr, map.nr);
	ck_assert_uint_eq(map_prefix(&copy), map_prefix(&map));
	for (size_t i = 0; i < map.nr; i++)
		check_same_span(map_nth(&copy, i), map_nth(&map, i));
	map_done(&copy);
}

// Against a state for each byte.
START_TEST(any_marks_and_cuts_leave_the_map_in_order)
{
	unsigned char model[LEN] = {MAP_TODO};
	uint64_t len = LEN;

	srand((unsigned)_i + 1);
	for (int step = 0; step < 200; step++) {
		const uint64_t off = (uint64_t)rand() % (len + 1);
		const uint64_t part = (uint64_t)rand() % (len - off + 1);
		const enum map_state state = (enum map_state)rand() %
					     MAP_NR_STATES;
		uint64_t at = 0, totals[MAP_NR_STATES] = {0}, prefix = 0;

		if (rand() % 50 == 0) {
			map_cut(&map, off);
			len = off;
		} else {
			ck_assert_int_eq(map_mark(&map, off, part, state), 0);
			memset(model + off, state, part);
		}
		for (size_t i = 0; i < map.nr; i++) {
			const struct map_span *span = map_nth(&map, i);

			ck_assert_uint_eq(span->off, at);
			ck_assert_uint_gt(span->len, 0);
			ck_assert(i == 0 ||
				  map_nth(&map, i - 1)->state != span->state);
			for (uint64_t n = 0; n < span->len; n++)
				ck_assert_int_eq(model[at++], span->state);
			totals[span->state] += span->len;
		}
		ck_assert_uint_eq(at, len);
		ck_assert_mem_eq(map.totals, totals, sizeof(totals));
		while (prefix < len && model[prefix] != MAP_TODO)
			prefix++;
		ck_assert_uint_eq(map_prefix(&map), prefix);
		check_copy();
	}
}
END_TEST

Suite *
map_suite(void)
{
	Suite *s = suite_create("map");
	TCase *t = tcase_create("map");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_new_map_is_one_span);
	tcase_add_test(t, an_empty_map_has_nothing_to_do);
	tcase_add_test(t, a_map_that_grows_has_more_to_do);
	tcase_add_test(t,
		       what_comes_out_of_order_counts_when_the_gap_is_closed);
	tcase_add_test(t, other_states_are_no_gap);
	tcase_add_test(t, the_next_of_a_state_is_found);
	tcase_add_test(t, the_last_of_a_state_is_found);
	tcase_add_test(t, the_parts_of_a_range_are_found_one_by_one);
	tcase_add_test(t, a_cut_drops_what_is_behind_it);
	tcase_add_test(t, a_map_that_is_reserved_does_not_move);
	tcase_add_loop_test(t, any_marks_and_cuts_leave_the_map_in_order, 0,
			    50);
	suite_add_tcase(s, t);
	return s;
}
