// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>

#include "failure.h"
#include "suites.h"

START_TEST(the_first_failure_is_kept)
{
	struct failure kept = {0};

	failure_record(&kept, &(struct failure){.phase = FAILURE_READ,
						.error = EIO,
						.off = UINT64_MAX});
	ck_assert_int_eq(kept.phase, FAILURE_READ);
	ck_assert_int_eq(kept.error, EIO);
}
END_TEST

START_TEST(an_earlier_place_in_the_file_wins)
{
	struct failure kept = {.phase = FAILURE_READ, .off = 100};

	failure_record(&kept,
		       &(struct failure){.phase = FAILURE_WRITE, .off = 200});
	ck_assert_int_eq(kept.phase, FAILURE_READ);
	failure_record(&kept,
		       &(struct failure){.phase = FAILURE_WRITE, .off = 99});
	ck_assert_int_eq(kept.phase, FAILURE_WRITE);
	ck_assert_uint_eq(kept.off, 99);
}
END_TEST

START_TEST(of_one_place_the_first_to_come_stays)
{
	struct failure kept = {.phase = FAILURE_READ, .off = 100};

	failure_record(&kept,
		       &(struct failure){.phase = FAILURE_WRITE, .off = 100});
	ck_assert_int_eq(kept.phase, FAILURE_READ);
}
END_TEST

static bool
is_notice(enum failure_phase phase)
{
	return failure_is_notice(&(struct failure){.phase = phase});
}

START_TEST(notices_are_no_failures)
{
	ck_assert(!is_notice(FAILURE_NONE));
	ck_assert(!is_notice(FAILURE_OPEN));
	ck_assert(!is_notice(FAILURE_CLOSE_DST));
	ck_assert(is_notice(NOTICE_READ_SKIPPED));
	ck_assert(is_notice(NOTICE_SYNCING));
}
END_TEST

Suite *
failure_suite(void)
{
	Suite *s = suite_create("failure");
	TCase *t = tcase_create("failure");

	tcase_add_test(t, the_first_failure_is_kept);
	tcase_add_test(t, an_earlier_place_in_the_file_wins);
	tcase_add_test(t, of_one_place_the_first_to_come_stays);
	tcase_add_test(t, notices_are_no_failures);
	suite_add_tcase(s, t);
	return s;
}
