// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "identity.h"

#include <fcntl.h>
#include <unistd.h>

#include "base.h"
#include "rig.h"
#include "suites.h"

static const struct {
	mode_t old;
	struct identity_kept kept;
	mode_t wanted;
} modes[] = {
	{06755, {true, true, true}, 06755},
	// Another owner, or another group.
	{06755, {false, true, true}, 0755},
	{0660, {false, true, true}, 0660},
	{0660, {true, false, true}, 0600},
	{0664, {true, false, true}, 0604},
	{06777, {false, false, true}, 0707},
	// Who was kept out as a member of the old group is an other now.
	{0607, {true, false, true}, 0600},
	{0647, {false, false, true}, 0604},
	// Who was kept out by the list as well.
	{0664, {true, true, false}, 0600},
	{04775, {true, true, false}, 04700},
	{0777, {false, false, false}, 0700},
};

START_TEST(what_is_not_kept_takes_its_rights_along)
{
	ck_assert_uint_eq(identity_mode(modes[_i].old, modes[_i].kept),
			  modes[_i].wanted);
}
END_TEST

static mode_t
mode_of(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_mode & 07777;
}

START_TEST(the_mode_of_the_old_file_comes_last)
{
	const int old_fd = rig_file("", 0), fd = rig_file("", 0);
	struct identity identity;
	struct stat old;

	ck_assert_int_eq(fchmod(old_fd, 0444), 0);
	ck_assert_int_eq(fchmod(fd, 0), 0);
	ck_assert_int_eq(fstat(old_fd, &old), 0);
	identity_take(&identity, fd, &old, rig_path(old_fd));
	ck_assert_uint_eq(mode_of(fd), 0600);
	ck_assert_int_eq(identity_give(&identity, fd), 0);
	ck_assert_uint_eq(mode_of(fd), 0444);
	close(old_fd);
	close(fd);
}
END_TEST

START_TEST(a_new_file_has_what_it_was_made_with)
{
	static const mode_t made[] = {0644, 0444, 0};
	const int fd = rig_file("", 0);
	struct identity identity;

	ck_assert_int_eq(fchmod(fd, made[_i]), 0);
	identity_make(&identity, fd);
	ck_assert_uint_eq(mode_of(fd), made[_i] | 0600);
	ck_assert_int_eq(identity_give(&identity, fd), 0);
	ck_assert_uint_eq(mode_of(fd), made[_i]);
	close(fd);
}
END_TEST

Suite *
identity_suite(void)
{
	Suite *s = suite_create("identity");
	TCase *t = tcase_create("identity");

	tcase_add_checked_fixture(t, rig_open, rig_close);
	tcase_add_loop_test(t, what_is_not_kept_takes_its_rights_along, 0,
			    ARRAY_LEN(modes));
	tcase_add_test(t, the_mode_of_the_old_file_comes_last);
	tcase_add_loop_test(t, a_new_file_has_what_it_was_made_with, 0, 3);
	suite_add_tcase(s, t);
	return s;
}
