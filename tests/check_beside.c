// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "beside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compat.h"
#include "rig.h"
#include "suites.h"

static struct beside beside;

static void
put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void
has(const char *name, const char *text)
{
	char buf[32] = "";
	FILE *file = fopen(name, "r");

	ck_assert_ptr_nonnull(file);
	(void)!fgets(buf, sizeof(buf), file);
	fclose(file);
	ck_assert_str_eq(buf, text);
}

static void
begin(void)
{
	beside = (struct beside){.target = NULL};
	rig_enter_dir();
	put("old", "old");
}

static void
end(void)
{
	beside_done(&beside);
	rig_leave_dir();
}

static void
make(const char *path)
{
	ck_assert_int_eq(beside_find(&beside, path, O_RDONLY), 0);
	ck_assert(beside_is_there(&beside, path));
	ck_assert_int_eq(beside_check(&beside), 0);
	ck_assert_int_eq(beside_make(&beside, O_RDWR), 0);
	ck_assert_int_gt(beside.fd, 2);
	ck_assert_int_eq(write(beside.fd, "new", 3), 3);
	ck_assert_int_eq(beside_settle(&beside), 0);
}

START_TEST(it_takes_the_name_behind_a_link)
{
	ck_assert_int_eq(symlink("old", "link"), 0);
	make("link");
	ck_assert_int_eq(beside_rename(&beside, 0), 0);
	has("old", "new");
	ck_assert_int_eq(faccessat(AT_FDCWD, "link", F_OK,
				   AT_SYMLINK_NOFOLLOW), 0);
}
END_TEST

START_TEST(nothing_is_left_of_one_that_got_no_name)
{
	make("old");
	char *temp = strdup(beside.temp);

	beside_done(&beside);
	ck_assert_int_lt(access(temp, F_OK), 0);
	has("old", "old");
	free(temp);
}
END_TEST

START_TEST(a_new_name_replaces_nothing)
{
	make("made");
	put("made", "theirs");
	ck_assert_int_eq(beside_rename(&beside, RENAME_NOREPLACE), -EEXIST);
	has("made", "theirs");
}
END_TEST

// What lies there is neither given the name nor removed.
START_TEST(another_file_by_its_name_is_not_ours)
{
	make("old");
	char *temp = strdup(beside.temp);

	ck_assert_int_eq(unlink(temp), 0);
	if (_i == 0)
		put(temp, "theirs");
	else
		ck_assert_int_eq(symlink("old", temp), 0);
	ck_assert_int_eq(beside_rename(&beside, 0), -ESTALE);
	beside_done(&beside);
	has("old", "old");
	has(temp, _i == 0 ? "theirs" : "old");
	free(temp);
}
END_TEST

START_TEST(the_directory_is_the_one_that_was_found)
{
	ck_assert_int_eq(mkdir("sub", 0700), 0);
	put("sub/file", "old");
	make("sub/file");
	ck_assert_int_eq(rename("sub", "moved"), 0);
	ck_assert_int_eq(beside_rename(&beside, 0), 0);
	has("moved/file", "new");
	ck_assert_int_eq(unlink("moved/file"), 0);
	ck_assert_int_eq(rmdir("moved"), 0);
}
END_TEST

START_TEST(a_name_there_must_be)
{
	static const struct {
		const char *path;
		int error;
	} paths[] = {{"", -ENOENT}, {"made/", -EISDIR}, {"no/file", -ENOENT}};

	ck_assert_int_eq(beside_find(&beside, paths[_i].path, O_PATH),
			 paths[_i].error);
}
END_TEST

START_TEST(links_that_anybody_made_are_not_followed)
{
	if (geteuid() != 0)
		return; // only root gives links away
	ck_assert_int_eq(symlink("made", "link"), 0);
	ck_assert_int_eq(lchown("link", 65534, 65534), 0);
	ck_assert_int_eq(beside_find(&beside, "link", O_PATH), 0);
	beside_done(&beside);
	ck_assert_int_eq(chmod(".", 01777), 0);
	ck_assert_int_eq(beside_find(&beside, "link", O_PATH), -EACCES);
	beside_done(&beside);
	ck_assert_int_eq(lchown("link", 0, 0), 0);
	ck_assert_int_eq(beside_find(&beside, "link", O_PATH), 0);
}
END_TEST

START_TEST(no_umask_is_in_the_way)
{
	const mode_t old = umask(0222);
	struct stat st;

	make(_i == 0 ? "made" : "old");
	umask(old);
	ck_assert_int_eq(fstat(beside.fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777,
			  _i == 0 ? 0444 : beside.old.st_mode & 0777);
}
END_TEST

Suite *
beside_suite(void)
{
	Suite *s = suite_create("beside");
	TCase *t = tcase_create("beside");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, it_takes_the_name_behind_a_link);
	tcase_add_test(t, nothing_is_left_of_one_that_got_no_name);
	tcase_add_test(t, a_new_name_replaces_nothing);
	tcase_add_loop_test(t, another_file_by_its_name_is_not_ours, 0, 2);
	tcase_add_test(t, the_directory_is_the_one_that_was_found);
	tcase_add_loop_test(t, a_name_there_must_be, 0, 3);
	tcase_add_test(t, links_that_anybody_made_are_not_followed);
	tcase_add_loop_test(t, no_umask_is_in_the_way, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
