// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>

#include "base.h"
#include "journal.h"
#include "suites.h"
#include "transfer.h"

#define SECOND UINT64_C(1000000000)
#define START (16 * KIB) // of the copy in the destination

static struct request q;
static struct stats stats;
static struct transfer transfer;
static struct journal *j;
static uint64_t now_ns;   // it has no clock but this

static void
tell(struct event f)
{
	journal_note(j, &f, now_ns);
}

static void
begin_with(const char *const *tees, unsigned nr)
{
	static char name[] = "aiodd";
	static char *const argv[] = {name, NULL};

	q = (struct request){.ibs = 512, .obs = 512, .nr_tees = nr};
	for (unsigned i = 0; i < nr; i++)
		q.tees[i] = tees[i];
	stats = (struct stats){0};
	now_ns = 1000 * SECOND;
	transfer = (struct transfer){
		.env = {.asked = &q, .stats = &stats},
		.out = {.env = &transfer.env, .start = START}};
	transfer.out.side.facts.kind = FACTS_FILE;
	j = journal_new(&q, &transfer, &stats, argv);
	ck_assert_ptr_nonnull(j);
	tell((struct event){.kind = NOTICE_PROBED});
}

static void
begin(void)
{
	begin_with(NULL, 0);
}

static void
end(void)
{
	journal_free(j);
}

// So much of the copy is through, after so many seconds.
static void
copied(uint64_t bytes, uint64_t seconds)
{
	stats.bytes = bytes;
	stats.start_ns = 1000 * SECOND;
	now_ns = stats.start_ns + seconds * SECOND;
}

static size_t
nr_areas(void)
{
	return cells_nr(&j->maps[0], journal_total(j));
}

static struct cells_area
area(size_t i)
{
	return cells_area(&j->maps[0], i, journal_reached(j));
}

static struct cells_area
sum_of_areas(void)
{
	struct cells_area sum = {0};

	for (size_t i = 0; i < nr_areas(); i++) {
		const struct cells_area one = area(i);

		sum.done += one.done;
		sum.same += one.same;
		sum.hole += one.hole;
		sum.bad += one.bad;
		sum.untried += one.untried;
		sum.failed += one.failed;
	}
	return sum;
}

START_TEST(times_count_from_the_start_of_the_copy)
{
	ck_assert_uint_eq(journal_time(j, now_ns), 0);
	copied(0, 7);
	ck_assert_uint_eq(journal_time(j, now_ns), 7 * SECOND);
}
END_TEST

START_TEST(a_side_begins_behind_what_it_leaves_out)
{
	ck_assert(j->is_probed);
	ck_assert_uint_eq(j->src.off, 0);
	ck_assert_uint_eq(j->dst.off, START);
}
END_TEST

START_TEST(samples_are_thinned_out)
{
	for (uint64_t i = 0; i < 10000; i++) {
		copied(i, i);
		journal_sample(j, now_ns);
		ck_assert_uint_le(j->nr_samples, JOURNAL_SAMPLES_MAX);
	}
	journal_end(j, 0, 0, now_ns);
	ck_assert_uint_ge(j->nr_samples, JOURNAL_SAMPLES_MAX / 2);
	ck_assert_uint_eq(j->samples[0].bytes, 0);
	ck_assert_uint_eq(j->samples[j->nr_samples - 1].bytes, 9999);
	for (size_t i = 1; i < j->nr_samples; i++)
		ck_assert_uint_ge(j->samples[i].ns, j->samples[i - 1].ns);
}
END_TEST

START_TEST(samples_are_not_taken_too_often)
{
	copied(1, 1);
	journal_sample(j, now_ns);
	journal_sample(j, now_ns);
	ck_assert_uint_eq(j->nr_samples, 1);
}
END_TEST

static void
check_sample(size_t i, uint64_t seconds, enum stats_phase phase, uint64_t moved)
{
	ck_assert_uint_lt(i, j->nr_samples);
	ck_assert_uint_eq(j->samples[i].ns, seconds * SECOND);
	ck_assert_int_eq(j->samples[i].phase, phase);
	ck_assert_uint_eq(j->samples[i].moved, moved);
}

START_TEST(each_phase_ends_with_a_sample_of_what_was_moved)
{
	copied(0, 0);
	journal_sample(j, now_ns);
	stats.skipped = 30;
	copied(100, 3);
	tell((struct event){.kind = NOTICE_SYNCING});
	copied(100, 5);
	tell((struct event){.kind = NOTICE_VERIFYING});
	stats.verified = 100;
	copied(100, 9);
	journal_end(j, 0, 0, now_ns);
	ck_assert_uint_eq(j->nr_samples, 4);
	check_sample(1, 3, STATS_COPYING, 70);
	check_sample(2, 5, STATS_FLUSHING, 70);
	check_sample(3, 9, STATS_VERIFYING, 170);
}
END_TEST

START_TEST(the_end_of_a_phase_is_not_thinned_out)
{
	for (uint64_t i = 0; i < 10001; i++) {
		copied(i, i);
		journal_sample(j, now_ns);
		if (i == 101)
			tell((struct event){.kind = NOTICE_SYNCING});
		if (i == 1002)
			tell((struct event){.kind = NOTICE_VERIFYING});
		ck_assert_uint_le(j->nr_samples, JOURNAL_SAMPLES_MAX);
	}
	for (size_t i = 0; i + 1 < j->nr_samples; i++) {
		const struct journal_sample *s = &j->samples[i];

		if (s[0].phase != s[1].phase)
			ck_assert_uint_eq(s->ns, (s->phase == STATS_COPYING
							  ? 101
							  : 1002) *
							 SECOND);
	}
	ck_assert_int_eq(j->samples[j->nr_samples - 1].phase, STATS_VERIFYING);
}
END_TEST

struct phases {
	uint64_t copy, flush, verify;
};

static struct phases
end_of_all(void)
{
	struct phases ns;

	journal_end(j, 0, 0, now_ns);
	ck_assert(journal_phase_ns(j, STATS_COPYING, &ns.copy));
	ck_assert(journal_phase_ns(j, STATS_FLUSHING, &ns.flush));
	ck_assert(journal_phase_ns(j, STATS_VERIFYING, &ns.verify));
	return ns;
}

START_TEST(phases_follow_each_other)
{
	copied(0, 3);
	tell((struct event){.kind = NOTICE_SYNCING});
	copied(0, 5);
	tell((struct event){.kind = NOTICE_VERIFYING});
	copied(0, 9);
	const struct phases ns = end_of_all();
	ck_assert_uint_eq(ns.copy, 3 * SECOND);
	ck_assert_uint_eq(ns.flush, 2 * SECOND);
	ck_assert_uint_eq(ns.verify, 4 * SECOND);
	ck_assert_uint_eq(ns.copy + ns.flush + ns.verify, j->end_ns);
}
END_TEST

START_TEST(a_phase_that_is_left_out_takes_no_time)
{
	copied(0, 3);
	tell((struct event){.kind = NOTICE_VERIFYING});
	copied(0, 9);
	const struct phases ns = end_of_all();
	ck_assert_uint_eq(ns.copy, 3 * SECOND);
	ck_assert_uint_eq(ns.flush, 0);
	ck_assert_uint_eq(ns.verify, 6 * SECOND);
}
END_TEST

START_TEST(a_phase_that_never_came_has_no_time)
{
	uint64_t ns;

	journal_end(j, 1, 0, now_ns);
	ck_assert(!journal_phase_ns(j, STATS_COPYING, &ns));
	copied(0, 1);
	ck_assert(journal_phase_ns(j, STATS_COPYING, &ns));
	ck_assert(!journal_phase_ns(j, STATS_FLUSHING, &ns));
}
END_TEST

static const uint64_t lengths[] = {
	1, 4095, 4096, 4097, 2 * MIB, 2 * MIB + 1, GIB, 1000 * GIB + 3,
	INT64_MAX - START,
};

START_TEST(cells_cover_the_copy)
{
	const uint64_t len = lengths[_i];

	copied(len, 1);
	journal_end(j, 0, 0, now_ns);
	const size_t nr = nr_areas();
	ck_assert_uint_ge(nr, 1);
	ck_assert_uint_le(nr, CELLS_MAX);
	ck_assert(len <= 2 * MIB || nr > CELLS_MAX / 2);
	ck_assert_uint_eq(sum_of_areas().done, len);
}
END_TEST

START_TEST(holes_and_bad_ranges_are_in_their_cells)
{
	const uint64_t len = 64 * MIB;

	copied(len, 1);
	journal_span(j, 0, HOOKS_HOLE, START + 5 * MIB, 7 * MIB);
	journal_span(j, 0, HOOKS_SAME, START + 20 * MIB, 3 * MIB);
	tell((struct event){.kind = FAILURE_DIFFERS,
			    .off = START + 40 * MIB - 1,
			    .len = 2});
	journal_end(j, 3, 0, now_ns);
	const uint64_t cell = j->maps[0].len;
	const struct cells_area sum = sum_of_areas();
	ck_assert_uint_eq(sum.hole, 7 * MIB);
	ck_assert_uint_eq(sum.bad, 2);
	ck_assert_uint_eq(sum.same, 3 * MIB);
	ck_assert_uint_eq(sum.done, len - 10 * MIB - 2);
	ck_assert_uint_eq(area(20 * MIB / cell).same, cell);
	ck_assert_uint_eq(area(5 * MIB / cell).hole, cell);
	ck_assert_uint_eq(area(5 * MIB / cell - 1).hole, 0);
	ck_assert_uint_eq(area(40 * MIB / cell).bad, 1);
	ck_assert_uint_eq(area(40 * MIB / cell - 1).bad, 1);
}
END_TEST

START_TEST(each_destination_has_a_map)
{
	static const char *const tees[] = {"one", "two"};

	end();
	begin_with(tees, ARRAY_LEN(tees));
	copied(64 * MIB, 1);
	journal_span(j, 0, HOOKS_HOLE, START, 4 * MIB);
	journal_span(j, 2, HOOKS_HOLE, START + 8 * MIB, MIB);
	for (unsigned dst = 1; dst <= 2; dst++)
		tell((struct event){.kind = FAILURE_DIFFERS,
				    .dst = dst,
				    .off = START + 40 * MIB,
				    .len = dst});
	journal_end(j, 3, 0, now_ns);
	ck_assert_uint_eq(j->nr_maps, 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct cells *map = &j->maps[i];
		const size_t nr = 40 * MIB / map->len;

		ck_assert_uint_eq(cells_nr(map, journal_total(j)), CELLS_MAX);
		ck_assert_uint_eq(map->all[0].hole, i < 2 ? map->len : 0);
		ck_assert_uint_eq(map->all[nr / 5].hole, i == 3 ? map->len : 0);
		ck_assert_uint_eq(map->all[nr].bad, i == 0 ? 3 : i - 1);
	}
	// They touch, but are in two files.
	ck_assert_uint_eq(j->nr_bad, 2);
	ck_assert_uint_eq(j->bad[1].dst, 2);
}
END_TEST

START_TEST(what_was_not_reached_is_in_no_cell)
{
	stats.bytes_total = 10 * MIB;
	copied(3 * MIB, 1);
	journal_span(j, 0, HOOKS_HOLE, START + 2 * MIB,
		     8 * MIB); // found, and then stopped
	journal_end(j, 1, 0, now_ns);
	ck_assert_uint_eq(journal_total(j), 10 * MIB);
	ck_assert_uint_eq(sum_of_areas().done, 2 * MIB);
	ck_assert_uint_eq(sum_of_areas().hole, MIB);
}
END_TEST

START_TEST(what_a_rescue_lacks_is_in_its_cells_and_in_the_list)
{
	stats.rescue = (struct stats_rescue){.len = 64 * MIB,
					     .before = 4 * MIB};
	stats.bytes_total = 60 * MIB;
	journal_span(j, 0, HOOKS_SAME, START, 4 * MIB);
	copied(9 * MIB, 1); // wherever they are
	journal_span(j, 0, HOOKS_FAILED, START + 8 * MIB, MIB);
	journal_span(j, 0, HOOKS_BAD, START + 9 * MIB, 512);
	journal_span(j, 0, HOOKS_UNTRIED, START + 14 * MIB, 50 * MIB);
	journal_end(j, 1, 0, now_ns);
	const struct cells_area sum = sum_of_areas();
	ck_assert_uint_eq(journal_total(j), 64 * MIB);
	ck_assert_uint_eq(sum.same, 4 * MIB);
	ck_assert_uint_eq(sum.failed, MIB);
	ck_assert_uint_eq(sum.bad, 512);
	ck_assert_uint_eq(sum.untried, 50 * MIB);
	ck_assert_uint_eq(sum.done, 9 * MIB - 512);
	// They touch, but are not known to be the same.
	ck_assert_uint_eq(j->nr_bad, 3);
	ck_assert_str_eq(j->bad[0].state, "failed");
	ck_assert_str_eq(j->bad[1].state, "bad");
	ck_assert_str_eq(j->bad[2].state, "untried");
	ck_assert_uint_eq(j->bad[2].off, START + 14 * MIB);
}
END_TEST

START_TEST(bad_ranges_that_touch_are_one)
{
	for (unsigned i = 0; i < 5; i++)
		tell((struct event){.kind = FAILURE_DIFFERS,
				    .off = START + i * 512,
				    .len = 512,
				    .wrote = 1,
				    .found = 2});
	ck_assert_uint_eq(j->nr_bad, 1);
	ck_assert_uint_eq(j->bad[0].len, 5 * 512);
	ck_assert_int_eq(j->bad[0].found, 2);
}
END_TEST

START_TEST(very_many_bad_ranges_are_counted)
{
	for (unsigned i = 0; i < JOURNAL_BAD_MAX + 7; i++)
		tell((struct event){.kind = FAILURE_DIFFERS,
				    .off = START + i * 1024,
				    .len = 512});
	ck_assert_uint_eq(j->nr_bad, JOURNAL_BAD_MAX);
	ck_assert_uint_eq(j->nr_bad_lost, 7);
}
END_TEST

START_TEST(padding_for_what_cannot_be_read_is_bad)
{
	q.conv = CONV_NOERROR | CONV_SYNC;
	stats.bytes = 4 * KIB; // more of it may wait in a block of obs
	tell((struct event){
		.kind = NOTICE_READ_SKIPPED, .off = 8 * KIB + 100, .len = 412});
	ck_assert_uint_eq(j->nr_bad, 1);
	ck_assert_uint_eq(j->bad[0].off, START + 8 * KIB + 100);
	ck_assert_uint_eq(j->bad[0].len, 412);
	q.conv = CONV_NOERROR; // nothing is written for it
	tell((struct event){.kind = NOTICE_READ_SKIPPED, .off = 99999});
	ck_assert_uint_eq(j->nr_bad, 1);
}
END_TEST

START_TEST(an_event_is_about_what_is_being_told)
{
	const struct event f = {.kind = NOTICE_READ_SKIPPED,
				.error = EIO,
				.name = "disk",
				.off = 512};
	struct journal_event event;

	journal_about(j, &f);
	journal_hear(j, "error reading 'disk'", now_ns, &event);
	ck_assert(event.is_warning);
	ck_assert_str_eq(event.phase, "read");
	ck_assert_str_eq(event.name, "disk");
	ck_assert_int_eq(event.error, EIO);
	ck_assert(event.has_range);
	ck_assert_uint_eq(event.off, 512);
	journal_about(j, NULL);
	journal_hear(j, "sums=x", now_ns, &event);
	ck_assert(!event.is_warning);
	ck_assert_ptr_null(event.phase);
	ck_assert_ptr_null(event.name);
	ck_assert_uint_eq(j->nr_events, 2);
}
END_TEST

START_TEST(very_many_events_are_counted)
{
	struct journal_event event;

	for (unsigned i = 0; i < JOURNAL_EVENTS_MAX + 3; i++)
		journal_hear(j, "text", now_ns, &event);
	ck_assert_uint_eq(j->nr_events, JOURNAL_EVENTS_MAX);
	ck_assert_uint_eq(j->nr_events_lost, 3);
}
END_TEST

START_TEST(every_failure_has_a_phase)
{
	struct journal_event event;

	if (_i == NOTICE_COUNTS)
		return;
	struct safety safety = {.reason = REQUEST_FORCE_BUSY};
	const struct event f = {.kind = (enum event_kind)_i, .safety = &safety};
	journal_about(j, &f);
	journal_hear(j, "text", now_ns, &event);
	ck_assert_ptr_nonnull(event.phase);
	if (_i == FAILURE_REFUSED)
		ck_assert_str_eq(event.check, "busy");
}
END_TEST

Suite *
journal_suite(void)
{
	Suite *s = suite_create("journal");
	TCase *t = tcase_create("journal");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, times_count_from_the_start_of_the_copy);
	tcase_add_test(t, a_side_begins_behind_what_it_leaves_out);
	tcase_add_test(t, samples_are_thinned_out);
	tcase_add_test(t, samples_are_not_taken_too_often);
	tcase_add_test(t, each_phase_ends_with_a_sample_of_what_was_moved);
	tcase_add_test(t, the_end_of_a_phase_is_not_thinned_out);
	tcase_add_test(t, phases_follow_each_other);
	tcase_add_test(t, a_phase_that_is_left_out_takes_no_time);
	tcase_add_test(t, a_phase_that_never_came_has_no_time);
	tcase_add_loop_test(t, cells_cover_the_copy, 0, ARRAY_LEN(lengths));
	tcase_add_test(t, each_destination_has_a_map);
	tcase_add_test(t, holes_and_bad_ranges_are_in_their_cells);
	tcase_add_test(t, what_was_not_reached_is_in_no_cell);
	tcase_add_test(t, what_a_rescue_lacks_is_in_its_cells_and_in_the_list);
	tcase_add_test(t, bad_ranges_that_touch_are_one);
	tcase_add_test(t, very_many_bad_ranges_are_counted);
	tcase_add_test(t, padding_for_what_cannot_be_read_is_bad);
	tcase_add_test(t, an_event_is_about_what_is_being_told);
	tcase_add_test(t, very_many_events_are_counted);
	tcase_add_loop_test(t, every_failure_has_a_phase, FAILURE_OPEN,
			    NOTICE_PROBED);
	suite_add_tcase(s, t);
	return s;
}
