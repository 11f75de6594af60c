// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>

#include "event.h"
#include "suites.h"

START_TEST(the_first_failure_is_kept)
{
	struct event kept = {0};

	event_keep_first(&kept, &(struct event){.kind = FAILURE_READ,
						.error = EIO,
						.off = UINT64_MAX});
	ck_assert_int_eq(kept.kind, FAILURE_READ);
	ck_assert_int_eq(kept.error, EIO);
}
END_TEST

START_TEST(an_earlier_place_in_the_file_wins)
{
	struct event kept = {.kind = FAILURE_READ, .off = 100};

	event_keep_first(&kept,
			 &(struct event){.kind = FAILURE_WRITE, .off = 200});
	ck_assert_int_eq(kept.kind, FAILURE_READ);
	event_keep_first(&kept,
			 &(struct event){.kind = FAILURE_WRITE, .off = 99});
	ck_assert_int_eq(kept.kind, FAILURE_WRITE);
	ck_assert_uint_eq(kept.off, 99);
}
END_TEST

START_TEST(of_one_place_the_first_to_come_stays)
{
	struct event kept = {.kind = FAILURE_READ, .off = 100};

	event_keep_first(&kept,
			 &(struct event){.kind = FAILURE_WRITE, .off = 100});
	ck_assert_int_eq(kept.kind, FAILURE_READ);
}
END_TEST

static bool
is_notice(enum event_kind kind)
{
	return event_is_notice(&(struct event){.kind = kind});
}

START_TEST(notices_are_no_failures)
{
	ck_assert(!is_notice(EVENT_NONE));
	ck_assert(!is_notice(FAILURE_OPEN));
	ck_assert(!is_notice(FAILURE_CLOSE_DST));
	ck_assert(is_notice(NOTICE_READ_SKIPPED));
	ck_assert(is_notice(NOTICE_SYNCING));
}
END_TEST

Suite *
event_suite(void)
{
	Suite *s = suite_create("event");
	TCase *t = tcase_create("event");

	tcase_add_test(t, the_first_failure_is_kept);
	tcase_add_test(t, an_earlier_place_in_the_file_wins);
	tcase_add_test(t, of_one_place_the_first_to_come_stays);
	tcase_add_test(t, notices_are_no_failures);
	suite_add_tcase(s, t);
	return s;
}
