// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "rig.h"
#include "suites.h"

enum { NOBODY = 65534 };

static struct commit commit;
static struct request request;
static bool is_root;

static void
make(const char *path, mode_t mode, uid_t owner)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(fchown(fd, owner, (gid_t)-1), 0);
	close(fd);
}

static void
make_dir(const char *path, mode_t mode)
{
	ck_assert_int_eq(mkdir(path, mode), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

// As somebody who is neither root nor the owner of anything here: a directory
// where all may make files, but only owners may replace them, and one where
// only root may.
static void
begin(void)
{
	rig_open();
	rig_enter_dir();
	commit = (struct commit){.beside.target = NULL};
	request = rig_request(512);
	request.commit = REQUEST_COMMIT_RENAME;
	is_root = geteuid() == 0;
	if (!is_root)
		return;
	ck_assert_int_eq(chmod(".", 0755), 0);
	make_dir("sticky", S_ISVTX | 0777);
	make("sticky/theirs", 0666, 1);
	ck_assert_int_eq(chown("sticky", 1, (gid_t)-1), 0);
	make_dir("closed", 0755);
	make("closed/open", 0666, 1);
	make_dir("free", 0777);
	make("free/open", 0666, 1);
	ck_assert_int_eq(symlink("open", "free/link"), 0);
	// The real one as well: an older glibc asks for that.
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, 0), 0);
}

static void
end(void)
{
	if (is_root)
		ck_assert_int_eq(setresuid(0, 0, 0), 0);
	commit_done(&commit);
	rig_leave_dir();
	rig_close();
}

static const struct {
	const char *dst;
	int error;
	enum event_kind kind;
} refused[] = {
	{"sticky/theirs", EPERM, FAILURE_RENAME},
	{"closed/open", EACCES, FAILURE_OPEN},
	{"closed/new", EACCES, FAILURE_OPEN},
	{"nowhere/new", ENOENT, FAILURE_OPEN},
};

START_TEST(a_look_meets_what_opening_would)
{
	if (!is_root)
		return;
	request.dst = refused[_i].dst;
	ck_assert_int_eq(commit_look(&request, &rig.hooks),
			 -refused[_i].error);
	ck_assert_int_eq(rig_told(refused[_i].kind)->error, refused[_i].error);
	ck_assert_uint_eq(rig.nr_told, 1);
}
END_TEST

START_TEST(what_could_get_no_name_is_not_made)
{
	struct side dst;

	if (!is_root)
		return;
	request.dst = refused[_i].dst;
	ck_assert_int_eq(commit_open(&commit, &dst, &request, &rig.hooks),
			 -refused[_i].error);
	ck_assert_int_eq(rig_told(refused[_i].kind)->error, refused[_i].error);
	ck_assert_uint_eq(rig.nr_told, 1);
	ck_assert_ptr_null(commit.beside.temp);
}
END_TEST

START_TEST(a_look_finds_nothing_where_nothing_is_wrong)
{
	static const char *const names[] = {"free/open", "free/new",
					    "sticky/new"};

	if (!is_root)
		return;
	request.dst = names[_i];
	ck_assert_int_eq(commit_look(&request, &rig.hooks), 0);
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

START_TEST(who_comes_first_keeps_the_name)
{
	struct side dst;

	if (!is_root)
		return;
	request.dst = "free/new";
	request.conv = _i ? CONV_EXCL : 0;
	ck_assert_int_eq(commit_open(&commit, &dst, &request, &rig.hooks), 0);
	make("free/new", 0600, (uid_t)-1);
	ck_assert_int_eq(commit_rename(&commit, &rig.hooks),
			 _i ? -EEXIST : 0);
	ck_assert_uint_eq(rig_count_told(FAILURE_RENAME), (unsigned)_i);
}
END_TEST

static const struct {
	const char *dst;
	unsigned conv, oflags;
	enum request_commit commit;
	int error;
	enum event_kind kind;
} checked[] = {
	{"free/open", CONV_EXCL, 0, REQUEST_COMMIT_RENAME, EEXIST,
	 FAILURE_OPEN},
	{"free/link", 0, FLAG_NOFOLLOW, REQUEST_COMMIT_RENAME, ELOOP,
	 FAILURE_OPEN},
	{"free/open", 0, FLAG_DIRECTORY, REQUEST_COMMIT_RENAME, ENOTDIR,
	 FAILURE_OPEN},
	{"free/new", CONV_NOCREAT, 0, REQUEST_COMMIT_RENAME, ENOENT,
	 FAILURE_OPEN},
	{"free", 0, 0, REQUEST_COMMIT_RENAME, 0, FAILURE_COMMIT_FILE},
	{"free/open", 0, 0, REQUEST_COMMIT_FIRST_LAST, 0,
	 FAILURE_COMMIT_DISK},
};

START_TEST(what_cannot_be_committed_is_told_before_all_else)
{
	if (!is_root)
		return;
	request.dst = checked[_i].dst;
	request.conv |= checked[_i].conv;
	request.oflags |= checked[_i].oflags;
	request.commit = checked[_i].commit;
	ck_assert_int_lt(commit_check(&request, &rig.hooks), 0);
	ck_assert_int_eq(rig_told(checked[_i].kind)->error, checked[_i].error);
	ck_assert_uint_eq(rig.nr_told, 1);
}
END_TEST

START_TEST(a_link_is_followed_and_a_file_is_none)
{
	if (!is_root)
		return;
	request.dst = _i ? "free/open" : "free/link";
	request.oflags = _i ? FLAG_NOFOLLOW : 0;
	ck_assert_int_eq(commit_check(&request, &rig.hooks), 0);
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

Suite *
commit_suite(void)
{
	Suite *suite = suite_create("commit");
	TCase *tcase = tcase_create("commit");

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, a_look_meets_what_opening_would, 0,
			    ARRAY_LEN(refused));
	tcase_add_loop_test(tcase, what_could_get_no_name_is_not_made, 0,
			    ARRAY_LEN(refused));
	tcase_add_loop_test(tcase, a_look_finds_nothing_where_nothing_is_wrong,
			    0, 3);
	tcase_add_loop_test(tcase,
			    what_cannot_be_committed_is_told_before_all_else,
			    0, ARRAY_LEN(checked));
	tcase_add_loop_test(tcase, who_comes_first_keeps_the_name, 0, 2);
	tcase_add_loop_test(tcase, a_link_is_followed_and_a_file_is_none, 0, 2);
	return suite;
}
