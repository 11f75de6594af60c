// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "rig.h"
#include "clone.h"
#include "suites.h"

static struct clone clone_of_all;

static void
begin(void)
{
	rig_open();
	clone_of_all = (struct clone){.src_fd = rig_pattern_file(8192),
				      .dst_fd = rig_file("", 0),
				      .len = 8192};
}

static void
end(void)
{
	close(clone_of_all.src_fd);
	close(clone_of_all.dst_fd);
	rig_close();
}

START_TEST(extents_are_shared_or_nothing_is_changed)
{
	const int r = clone_extents(&clone_of_all);

	if (r == 0) {
		rig_check_same(clone_of_all.dst_fd, clone_of_all.src_fd);
		return;
	}
	ck_assert_int_lt(r, 0);
	rig_check_file(clone_of_all.dst_fd, "", 0);
}
END_TEST

START_TEST(the_kernel_copies_as_much_as_it_says)
{
	clone_of_all.len = 5000;
	const int64_t n = clone_copy(&clone_of_all);

	ck_assert_int_le(n, 5000);
	ck_assert_int_eq(lseek(clone_of_all.dst_fd, 0, SEEK_END),
			 n < 0 ? 0 : n);
	ck_assert_int_eq(lseek(clone_of_all.src_fd, 0, SEEK_CUR), 0);
}
END_TEST

START_TEST(what_is_not_open_cannot_be_cloned)
{
	const struct clone closed = {.src_fd = -1, .dst_fd = -1, .len = 1};

	ck_assert_int_eq(clone_extents(&closed), -EBADF);
	ck_assert_int_eq(clone_copy(&closed), -EBADF);
}
END_TEST

Suite *
clone_suite(void)
{
	Suite *s = suite_create("clone");
	TCase *t = tcase_create("clone");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, extents_are_shared_or_nothing_is_changed);
	tcase_add_test(t, the_kernel_copies_as_much_as_it_says);
	tcase_add_test(t, what_is_not_open_cannot_be_cloned);
	suite_add_tcase(s, t);
	return s;
}
