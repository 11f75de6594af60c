// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "compat.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "suites.h"

START_TEST(names_are_those_of_glibc)
{
	ck_assert_str_eq(compat_errno_name(ENOENT), "ENOENT");
	ck_assert_str_eq(compat_signal_name(SIGTERM), "TERM");
	ck_assert_ptr_null(compat_errno_name(0));
	ck_assert_ptr_null(compat_errno_name(-1));
	ck_assert_ptr_null(compat_errno_name(4096));
	ck_assert_ptr_null(compat_signal_name(64));
	for (int i = 1; i < 150; i++)
		ck_assert_pstr_eq(compat_errno_name(i), strerrorname_np(i));
	ck_assert_pstr_eq(compat_signal_name(SIGPWR), sigabbrev_np(SIGPWR));
}
END_TEST

START_TEST(a_name_that_is_there_is_kept)
{
	ck_assert_int_eq(symlink("a", "a"), 0);
	ck_assert_int_eq(symlink("b", "b"), 0);
	ck_assert_int_eq(compat_renameat2(AT_FDCWD, "a", AT_FDCWD, "b",
					  RENAME_NOREPLACE),
			 -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(compat_renameat2(AT_FDCWD, "a", AT_FDCWD, "c",
					  RENAME_NOREPLACE),
			 0);
}
END_TEST

Suite *
compat_suite(void)
{
	Suite *s = suite_create("compat");
	TCase *t = tcase_create("compat");

	tcase_add_checked_fixture(t, rig_enter_dir, rig_leave_dir);
	tcase_add_test(t, names_are_those_of_glibc);
	tcase_add_test(t, a_name_that_is_there_is_kept);
	suite_add_tcase(s, t);
	return s;
}
