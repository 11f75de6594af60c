// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "change.h"
#include "rig.h"
#include "suites.h"

static struct change change;
static int fd;

static void
begin(void)
{
	const struct timespec old[2] = {{1, 0}, {1, 0}};

	fd = rig_pattern_file(10000);
	ck_assert_int_eq(futimens(fd, old), 0);
	// A time to be told apart from that of any clock tick before it.
	struct timespec now;
	struct stat st;
	ck_assert_int_eq(fstat(fd, &st), 0);
	do {
		ck_assert_int_eq(clock_gettime(CLOCK_REALTIME_COARSE, &now), 0);
	} while (now.tv_sec == st.st_ctim.tv_sec &&
		 now.tv_nsec <= st.st_ctim.tv_nsec);
	change_init(&change, fd);
}

static void
end(void)
{
	close(fd);
}

START_TEST(a_file_that_is_read_does_not_change)
{
	char buf[100];

	ck_assert_int_eq(pread(fd, buf, sizeof(buf), 0), sizeof(buf));
	ck_assert_uint_eq(change_find(&change), 0);
}
END_TEST

START_TEST(bytes_that_are_replaced_show_in_the_times)
{
	ck_assert_int_eq(pwrite(fd, "x", 1, 5000), 1);
	ck_assert_uint_eq(change_find(&change), CHANGE_MTIME | CHANGE_CTIME);
}
END_TEST

START_TEST(a_file_that_grows_shows_in_its_size)
{
	ck_assert_int_eq(pwrite(fd, "x", 1, 10000), 1);
	ck_assert_uint_eq(change_find(&change),
			  CHANGE_SIZE | CHANGE_MTIME | CHANGE_CTIME);
}
END_TEST

START_TEST(a_time_that_is_set_back_shows_in_the_other)
{
	const struct timespec old[2] = {{1, 0}, {1, 0}};

	ck_assert_int_eq(pwrite(fd, "x", 1, 5000), 1);
	ck_assert_int_eq(futimens(fd, old), 0);
	ck_assert_uint_eq(change_find(&change), CHANGE_CTIME);
}
END_TEST

START_TEST(what_is_no_regular_file_never_changes)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	change_init(&change, fds[0]);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_uint_eq(change_find(&change), 0);
	close(fds[0]);
	close(fds[1]);
	change_init(&change, -1);
	ck_assert_uint_eq(change_find(&change), 0);
}
END_TEST

Suite *
change_suite(void)
{
	Suite *suite = suite_create("change");
	TCase *tcase = tcase_create("change");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, a_file_that_is_read_does_not_change);
	tcase_add_test(tcase, bytes_that_are_replaced_show_in_the_times);
	tcase_add_test(tcase, a_file_that_grows_shows_in_its_size);
	tcase_add_test(tcase, a_time_that_is_set_back_shows_in_the_other);
	tcase_add_test(tcase, what_is_no_regular_file_never_changes);
	suite_add_tcase(suite, tcase);
	return suite;
}
