// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <sys/mman.h>
#include <unistd.h>

#include "extent.h"
#include "suites.h"

enum { PAGE = 4096 };

static struct extent extent;
static int extent_fd;

// Four pages of nothing, in a file that knows its holes.
static void
open_file(void)
{
	extent = (struct extent){.start = 0};
	extent_fd = memfd_create("extent", MFD_CLOEXEC);
	ck_assert_int_ge(extent_fd, 0);
	ck_assert_int_eq(ftruncate(extent_fd, 4 * PAGE), 0);
}

static void
close_file(void)
{
	close(extent_fd);
}

static void
put_data(unsigned page)
{
	ck_assert_int_eq(pwrite(extent_fd, "x", 1, page * PAGE), 1);
}

static void
check_found(uint64_t pos, uint64_t start, uint64_t end)
{
	extent_find(extent_fd, pos, &extent);
	ck_assert_uint_eq(extent.start, start);
	ck_assert_uint_eq(extent.end, end);
}

START_TEST(the_next_data_is_found_from_a_hole)
{
	put_data(1);
	put_data(2);
	check_found(0, PAGE, 3 * PAGE);
}
END_TEST

START_TEST(data_begins_where_it_is_looked_for)
{
	put_data(1);
	put_data(2);
	check_found(2 * PAGE + 7, 2 * PAGE + 7, 3 * PAGE);
}
END_TEST

START_TEST(an_extent_is_asked_for_once)
{
	put_data(1);
	check_found(0, PAGE, 2 * PAGE);
	put_data(2);
	check_found(PAGE + 1, PAGE, 2 * PAGE);
	check_found(2 * PAGE, 2 * PAGE, 3 * PAGE);
}
END_TEST

START_TEST(where_only_a_hole_follows_there_is_the_size)
{
	put_data(0);
	check_found(PAGE, 4 * PAGE, 4 * PAGE);
	check_found(9 * PAGE, 4 * PAGE, 4 * PAGE);
}
END_TEST

START_TEST(where_nobody_can_tell_all_is_data)
{
	struct extent pipe_end = {.start = 0};
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	extent_find(fds[0], 5, &pipe_end);
	ck_assert_uint_eq(pipe_end.start, 5);
	ck_assert_uint_eq(pipe_end.end, INT64_MAX);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

Suite *
extent_suite(void)
{
	Suite *s = suite_create("extent");
	TCase *t = tcase_create("extent");

	tcase_add_checked_fixture(t, open_file, close_file);
	tcase_add_test(t, the_next_data_is_found_from_a_hole);
	tcase_add_test(t, data_begins_where_it_is_looked_for);
	tcase_add_test(t, an_extent_is_asked_for_once);
	tcase_add_test(t, where_only_a_hole_follows_there_is_the_size);
	tcase_add_test(t, where_nobody_can_tell_all_is_data);
	suite_add_tcase(s, t);
	return s;
}
