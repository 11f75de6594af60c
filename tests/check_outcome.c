// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "hold.h"
#include "outcome.h"
#include "rig.h"
#include "suites.h"

static struct transfer t;
static struct request q;
static struct stats stats;
static struct hold *hold;

// A copy of 8 KiB onto a file that is there, so far.
static void
begin(void)
{
	rig_open();
	q = (struct request){.obs = 512};
	stats = (struct stats){.start_ns = 1, .bytes = 8 * KIB};
	t = (struct transfer){.env.asked = &q,
			      .env.hooks = &rig.hooks,
			      .env.stats = &stats,
			      .out.env = &t.env,
			      .src.name = "src",
			      .out.side.name = "dst"};
	q.dst = "/";
	t.out.side.facts.kind = FACTS_FILE;
	hold = hold_new(0, 4096);
}

static void
end(void)
{
	free(hold);
	rig_close();
}

static void
no_start(void)
{
	stats.start_ns = 0;
}

static void
as_dd(void)
{
	q.is_dd = true;
	stats.unread = 1;
}

static void
unread(void)
{
	stats.unread = 7;
	stats.nr_unread = 2;
}

static void
unread_trusted(void)
{
	unread();
	q.expected.algs = 1;
}

static void
verified(void)
{
	q.verify = true;
	q.conv = CONV_FSYNC;
}

static void
unread_verified(void)
{
	unread();
	verified();
}

static void
copied(void)
{
	t.is_copied = true;
	q.conv = CONV_FDATASYNC;
}

static void
synced(void)
{
	copied();
	t.out.is_synced = true;
}

static void
not_to_be_synced(void)
{
	copied();
	q.conv = 0;
}

static void
copied_to_verify(void)
{
	copied();
	verified();
}

static void
named(void)
{
	q.commit = REQUEST_COMMIT_RENAME;
}

static void
named_new(void)
{
	named();
	q.dst = "/aiodd no such file";
}

static void
renamed(void)
{
	named();
	t.out.commit.is_renamed = true;
}

static void
held(void)
{
	q.commit = REQUEST_COMMIT_FIRST_LAST;
	t.out.hold = hold;
}

static void
only_held(void)
{
	held();
	stats.bytes = 4096;
}

static void
held_written(void)
{
	held();
	hold->is_written = true;
}

static void
not_yet_held(void)
{
	held();
	t.out.hold = NULL;
	stats.bytes = 0;
}

static void
to_nowhere(void)
{
	t.out.side.facts.kind = FACTS_NULL;
}

// map= was not through.
static void
untried(void)
{
	stats.rescue.untried = 4096;
}

static void
unsaved(void)
{
	stats.bytes = 4096;
	stats.rescue.is_unsaved = true;
}

static void
untried_and_bad(void)
{
	untried();
	unread_trusted();
	q.map = "map";
}

static void
plain(void)
{
}

static const struct {
	enum transfer_verdict verdict;
	void (*is_so)(void);
	enum event_kind told[3];
} outcomes[] = {
	{TRANSFER_OK, plain, {EVENT_NONE}},
	{TRANSFER_OK, held, {EVENT_NONE}},
	{TRANSFER_REFUSED, named, {EVENT_NONE}},
	{TRANSFER_FAILED, plain, {EVENT_NONE}},
	{TRANSFER_UNCOUNTED, plain, {EVENT_NONE}},
	{TRANSFER_STOPPED, plain, {EVENT_NONE}},
	// It never began, or dd would not say it.
	{TRANSFER_UNCOUNTED, no_start, {EVENT_NONE}},
	{TRANSFER_INCOMPLETE, as_dd, {EVENT_NONE}},
	// Not all could be read.
	{TRANSFER_INCOMPLETE, unread, {NOTICE_INCOMPLETE}},
	{TRANSFER_INCOMPLETE, unread_trusted, {FAILURE_INCOMPLETE}},
	{TRANSFER_INCOMPLETE, unread_verified, {FAILURE_INCOMPLETE}},
	{TRANSFER_FAILED,
	 unread_verified,
	 {FAILURE_INCOMPLETE, FAILURE_NOT_VERIFIED}},
	// map= goes on another time.
	{TRANSFER_STOPPED, untried, {FAILURE_UNTRIED}},
	{TRANSFER_STOPPED, unsaved, {FAILURE_UNTRIED}},
	{TRANSFER_FAILED,
	 untried_and_bad,
	 {FAILURE_INCOMPLETE, FAILURE_UNTRIED}},
	// Stopped when all was copied.
	{TRANSFER_STOPPED, copied, {FAILURE_NOT_SYNCED}},
	{TRANSFER_STOPPED,
	 copied_to_verify,
	 {FAILURE_NOT_SYNCED, FAILURE_NOT_VERIFIED}},
	{TRANSFER_STOPPED, synced, {EVENT_NONE}},
	{TRANSFER_STOPPED, not_to_be_synced, {EVENT_NONE}},
	{TRANSFER_FAILED, copied, {EVENT_NONE}},
	// verify= has not come to its end.
	{TRANSFER_STOPPED, verified, {FAILURE_NOT_VERIFIED}},
	{TRANSFER_FAILED, verified, {FAILURE_NOT_VERIFIED}},
	{TRANSFER_UNCOUNTED, verified, {FAILURE_NOT_VERIFIED}},
	{TRANSFER_DIFFERS, verified, {FAILURE_NOT_SAME}},
	// commit=rename
	{TRANSFER_FAILED, named, {FAILURE_NOT_REPLACED}},
	{TRANSFER_FAILED, named_new, {FAILURE_REMOVED}},
	{TRANSFER_STOPPED, renamed, {FAILURE_UNDURABLE}},
	{TRANSFER_UNEXPECTED, named, {FAILURE_NOT_REPLACED}},
	{TRANSFER_DIFFERS, named, {FAILURE_NOT_REPLACED, FAILURE_NOT_SAME}},
	// commit=first-last
	{TRANSFER_FAILED, held, {FAILURE_NO_FIRST_BLOCK}},
	{TRANSFER_FAILED, only_held, {FAILURE_OLD_FIRST_BLOCK}},
	{TRANSFER_FAILED, not_yet_held, {FAILURE_OLD_FIRST_BLOCK}},
	{TRANSFER_FAILED, held_written, {EVENT_NONE}},
	{TRANSFER_UNEXPECTED, held, {FAILURE_NO_FIRST_BLOCK}},
	// It is there, and another one than was expected.
	{TRANSFER_UNEXPECTED, plain, {FAILURE_WRITTEN}},
	{TRANSFER_UNEXPECTED, to_nowhere, {EVENT_NONE}},
};

START_TEST(it_is_told_what_is_missing_and_what_became_of_it)
{
	unsigned nr = 0;

	outcomes[_i].is_so();
	outcome_tell(&t, outcomes[_i].verdict);
	while (nr < ARRAY_LEN(outcomes[_i].told) &&
	       outcomes[_i].told[nr] != EVENT_NONE) {
		ck_assert_uint_gt(rig.nr_told, nr);
		ck_assert_int_eq(rig.told[nr].kind, outcomes[_i].told[nr]);
		nr++;
	}
	ck_assert_uint_eq(rig.nr_told, nr);
}
END_TEST

START_TEST(what_could_not_be_read_is_counted)
{
	unread();
	outcome_tell(&t, TRANSFER_INCOMPLETE);
	const struct event *told = rig_told(NOTICE_INCOMPLETE);
	ck_assert_str_eq(told->name, "src");
	ck_assert_uint_eq(told->off, 2);
	ck_assert_uint_eq(told->len, 7);
}
END_TEST

static const struct {
	unsigned conv;
	enum facts_kind src;
	enum facts_kind dst;
	bool is_append;
	int wanted;
} paddings[] = {
	{0, FACTS_FILE, FACTS_FILE, false, 0},
	{0, FACTS_FILE, FACTS_FILE, true, -1},
	{0, FACTS_FILE, FACTS_STREAM, false, -1},
	{0, FACTS_STREAM, FACTS_FILE, false, -1},
	{CONV_SYNC, FACTS_STREAM, FACTS_STREAM, false, 0},
	{CONV_SYNC | CONV_UNBLOCK, FACTS_STREAM, FACTS_FILE, false, ' '},
	{CONV_BLOCK, FACTS_BLOCK, FACTS_FILE, false, ' '},
	{CONV_BLOCK, FACTS_STREAM, FACTS_FILE, false, -1},
};

START_TEST(it_is_told_what_stands_in_its_place)
{
	unread();
	q.conv = paddings[_i].conv;
	t.src.facts.kind = paddings[_i].src;
	t.out.side.facts.kind = paddings[_i].dst;
	t.out.side.facts.is_append = paddings[_i].is_append;
	outcome_tell(&t, TRANSFER_INCOMPLETE);
	ck_assert_int_eq(rig_told(NOTICE_INCOMPLETE)->wrote,
			 paddings[_i].wanted);
}
END_TEST

START_TEST(what_differs_is_counted)
{
	stats.differing = 9;
	stats.nr_differing = 3;
	outcome_tell(&t, TRANSFER_DIFFERS);
	const struct event *told = rig_told(FAILURE_NOT_SAME);
	ck_assert_str_eq(told->name, "dst");
	ck_assert_uint_eq(told->off, 3);
	ck_assert_uint_eq(told->len, 9);
}
END_TEST

Suite *
outcome_suite(void)
{
	Suite *s = suite_create("outcome");
	TCase *c = tcase_create("outcome");

	tcase_add_checked_fixture(c, begin, end);
	tcase_add_loop_test(c, it_is_told_what_is_missing_and_what_became_of_it,
			    0, ARRAY_LEN(outcomes));
	tcase_add_test(c, what_could_not_be_read_is_counted);
	tcase_add_loop_test(c, it_is_told_what_stands_in_its_place, 0,
			    ARRAY_LEN(paddings));
	tcase_add_test(c, what_differs_is_counted);
	suite_add_tcase(s, c);
	return s;
}
