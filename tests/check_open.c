// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "cut.h"
#include "look.h"
#include "open.h"
#include "rig.h"
#include "side.h"
#include "suites.h"

static struct request q;
static struct side side;

static void
begin(void)
{
	rig_open();
	q = (struct request){.ibs = 512, .obs = 512};
}

static int
flags_of(int fd)
{
	return fcntl(fd, F_GETFL);
}

// A pipe in the place of standard input. Returns the other end.
static int
inherit_pipe(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	close(fds[0]);
	return fds[1];
}

/* The source */

START_TEST(a_source_is_opened_on_standard_input)
{
	char byte;
	const int fd = rig_file("x", 1);

	q.src = rig_path(fd);
	ck_assert_int_eq(open_src(&side, &q, &rig.hooks), 0);
	ck_assert_int_eq(side.fd, 0);
	ck_assert_int_eq(side.direct_fd, -1);
	ck_assert_ptr_eq(side.name, q.src);
	ck_assert_int_eq(read(0, &byte, 1), 1);
	ck_assert_int_eq(side_close(&side), 0);
	ck_assert_int_eq(side_close(&side), -EBADF);
	close(fd);
}
END_TEST

START_TEST(a_source_that_cannot_be_opened_is_told)
{
	q.src = "/aiodd no such file";
	ck_assert_int_eq(open_src(&side, &q, &rig.hooks), -ENOENT);
	const struct event *told = rig_told(FAILURE_OPEN);
	ck_assert_int_eq(told->error, ENOENT);
	ck_assert_ptr_eq(told->name, q.src);
}
END_TEST

START_TEST(without_a_name_it_is_the_standard_input)
{
	const int other = inherit_pipe();

	ck_assert_int_eq(open_src(&side, &q, &rig.hooks), 0);
	ck_assert_str_eq(side.name, "standard input");
	close(other);
}
END_TEST

START_TEST(a_stop_comes_before_the_open)
{
	rig.must_stop = true;
	q.src = "/dev/null";
	ck_assert_int_eq(open_src(&side, &q, &rig.hooks), -ECANCELED);
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

START_TEST(flags_of_the_source_are_opened_with_it)
{
	q.src = "/dev/null";
	q.iflags = FLAG_NONBLOCK | FLAG_SYNC;
	ck_assert_int_eq(open_src(&side, &q, &rig.hooks), 0);
	ck_assert(flags_of(0) & O_NONBLOCK);
	ck_assert_int_eq(flags_of(0) & O_SYNC, O_SYNC);
}
END_TEST

START_TEST(nobody_else_sees_nonblock_or_direct_but_as_dd)
{
	const int other = inherit_pipe();
	const int shared = fcntl(0, F_DUPFD_CLOEXEC, 10);
	char byte;

	q.iflags = FLAG_NONBLOCK | FLAG_DIRECT;
	q.is_dd = _i != 0;
	ck_assert_int_eq(open_src(&side, &q, &rig.hooks), 0);
	ck_assert_int_eq((flags_of(shared) & O_NONBLOCK) != 0, q.is_dd);
	ck_assert_int_eq((flags_of(shared) & O_DIRECT) != 0, q.is_dd);
	// It is heeded all the same.
	ck_assert_int_eq(read(0, &byte, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(shared);
	close(other);
}
END_TEST

START_TEST(an_inherited_file_is_no_directory)
{
	const int other = inherit_pipe();

	q.iflags = FLAG_DIRECTORY;
	ck_assert_int_eq(open_src(&side, &q, &rig.hooks), -ENOTDIR);
	ck_assert_int_eq(rig_told(FAILURE_SET_FLAGS)->error, ENOTDIR);
	close(other);
}
END_TEST

START_TEST(an_inherited_directory_is_one)
{
	const int fd = open("/", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(dup2(fd, 0), 0);
	q.iflags = FLAG_DIRECTORY;
	ck_assert_int_eq(open_src(&side, &q, &rig.hooks), 0);
	close(fd);
}
END_TEST

/* The destination */

enum { OURS, DD };

// As dd it is cut at once, otherwise when it is said.
static void
open_and_cut(void)
{
	struct stat before, after;

	if (q.is_dd) {
		ck_assert_int_eq(open_dst(&side, &q, &rig.hooks), 0);
		ck_assert(!cut_is_due(&q));
		return;
	}
	ck_assert_int_eq(stat(q.dst, &before), 0);
	ck_assert_int_eq(open_dst(&side, &q, &rig.hooks), 0);
	ck_assert_int_eq(stat(q.dst, &after), 0);
	ck_assert_int_eq(before.st_size, after.st_size);
	ck_assert(cut_is_due(&q));
	side.ops->probe(&side, -1);
	ck_assert_int_eq(cut_dst(&side, &q, &rig.hooks), 0);
}

// What ftruncate alone would leave as it is, such as the buffer of tracefs.
START_TEST(what_only_open_can_cut_is_opened_again)
{
	const int fd = rig_file("0123456789", 10);

	q.dst = rig_path(fd);
	q.oflags = FLAG_APPEND;
	ck_assert_int_eq(open_dst(&side, &q, &rig.hooks), 0);
	side.facts.kind = FACTS_STREAM;
	ck_assert_int_eq(cut_dst(&side, &q, &rig.hooks), 0);
	ck_assert_int_eq(side.fd, 1);
	ck_assert_int_eq(rig_size(fd), 0);
	ck_assert(flags_of(1) & O_APPEND);
	ck_assert(!(fcntl(1, F_GETFD) & FD_CLOEXEC));
	close(fd);
}
END_TEST

START_TEST(a_destination_is_opened_on_standard_output_and_cut)
{
	const int fd = rig_file("0123456789", 10);

	q.dst = rig_path(fd);
	q.is_dd = _i == DD;
	open_and_cut();
	ck_assert_int_eq(side.fd, 1);
	ck_assert_int_eq(rig_size(fd), 0);
	ck_assert_int_eq(write(1, "ab", 2), 2);
	rig_check_file(fd, "ab", 2);
	close(fd);
}
END_TEST

// A tape is read to where the seek ends.
START_TEST(a_destination_with_a_seek_can_be_read)
{
	const int fd = rig_file("0123456789", 10);

	q.dst = rig_path(fd);
	q.seek.blocks = _i;
	open_and_cut();
	ck_assert_int_eq(flags_of(1) & O_ACCMODE, _i ? O_RDWR : O_WRONLY);
	close(fd);
}
END_TEST

START_TEST(conv_notrunc_keeps_what_is_there)
{
	const int fd = rig_file("0123456789", 10);

	q.dst = rig_path(fd);
	q.conv = CONV_NOTRUNC;
	q.seek.blocks = (uint64_t)_i;
	ck_assert_int_eq(open_dst(&side, &q, &rig.hooks), 0);
	ck_assert_int_eq(rig_size(fd), 10);
	close(fd);
}
END_TEST

START_TEST(seek_cuts_the_file_where_the_copy_begins)
{
	const int fd = rig_file("0123456789", 10);

	q.dst = rig_path(fd);
	q.obs = 3;
	q.seek = (struct request_amount){2, 1};
	q.is_dd = _i == DD;
	open_and_cut();
	rig_check_file(fd, "0123456", 7);
	close(fd);
}
END_TEST

START_TEST(what_cannot_be_cut_need_not_be)
{
	q.dst = "/dev/null";
	q.seek.blocks = _i & 1;
	q.is_dd = _i >> 1 == DD;
	open_and_cut();
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

START_TEST(a_size_that_no_file_has_is_told)
{
	const int fd = rig_file("", 0);

	q.dst = rig_path(fd);
	q.seek.blocks = INT64_MAX / 512 + 1;
	ck_assert_int_eq(open_dst(&side, &q, &rig.hooks), -EOVERFLOW);
	const struct event *told = rig_told(FAILURE_SEEK_TOO_LARGE);
	ck_assert_uint_eq(told->off, q.seek.blocks);
	ck_assert_uint_eq(told->len, 512);
	close(fd);
}
END_TEST

START_TEST(a_size_that_this_file_system_refuses_is_told)
{
	const int fd = rig_file("", 0);

	q.dst = rig_path(fd);
	q.seek.blocks = INT64_MAX / 512;
	ck_assert_int_eq(open_dst(&side, &q, &rig.hooks), 0);
	const int r = cut_dst(&side, &q, &rig.hooks);
	if (r < 0) { // XFS and tmpfs take it
		const struct event *told = rig_told(FAILURE_TRUNCATE);

		ck_assert_int_eq(told->error, -r);
		ck_assert_uint_eq(told->off, q.seek.blocks * 512);
	}
	close(fd);
}
END_TEST

START_TEST(conv_excl_and_nocreat_are_kept)
{
	const int fd = rig_file("", 0);

	q.dst = rig_path(fd);
	q.conv = CONV_EXCL;
	ck_assert_int_eq(open_dst(&side, &q, &rig.hooks), -EEXIST);
	rig.nr_told = 0;
	q.dst = "/var/tmp/aiodd no such file";
	q.conv = CONV_NOCREAT;
	ck_assert_int_eq(open_dst(&side, &q, &rig.hooks), -ENOENT);
	ck_assert_ptr_eq(rig_told(FAILURE_OPEN)->name, q.dst);
	close(fd);
}
END_TEST

START_TEST(append_reaches_an_inherited_destination)
{
	const int fd = rig_file("0123456789", 10);

	ck_assert_int_eq(dup2(fd, 1), 1);
	q.oflags = FLAG_APPEND;
	ck_assert_int_eq(open_dst(&side, &q, &rig.hooks), 0);
	ck_assert_int_eq(rig_size(fd), 10);
	ck_assert(flags_of(fd) & O_APPEND);
	close(fd);
}
END_TEST

/* What opening would meet, by looking */

static void
open_dir(void)
{
	begin();
	rig_enter_dir();
	ck_assert_int_eq(mkdir("dir", 0700), 0);
	ck_assert_int_eq(mknod("file", S_IFREG | 0600, 0), 0);
	ck_assert_int_eq(mknod("socket", S_IFSOCK | 0600, 0), 0);
	ck_assert_int_eq(symlink("file", "link"), 0);
	ck_assert_int_eq(symlink("none", "dangling"), 0);
	ck_assert_int_eq(symlink("loop", "loop"), 0);
}

static void
close_dir(void)
{
	rig_leave_dir();
	rig_close();
}

// Both have returned r, and told the same.
static void
check_told_alike(int looked, int opened)
{
	ck_assert_int_eq(looked, opened);
	ck_assert_uint_eq(rig.nr_told, opened == 0 ? 0 : 2);
	for (unsigned i = 0; i < rig.nr_told; i++) {
		ck_assert_int_eq(rig.told[i].kind, rig.told[0].kind);
		ck_assert_int_eq(rig.told[i].error, rig.told[0].error);
		ck_assert_str_eq(rig.told[i].name ? rig.told[i].name : "",
				 rig.told[0].name ? rig.told[0].name : "");
	}
}

static const struct {
	const char *src;
	unsigned iflags;
} srcs[] = {
	{"file", 0},         {"link", 0},
	{"none", 0},         {"", 0},
	{"file/x", 0},       {"none/x", 0},
	{"dangling", 0},     {"loop", 0},
	{"socket", 0},       {"file", FLAG_DIRECTORY},
	{"link", FLAG_NOFOLLOW}, {"dangling", FLAG_NOFOLLOW},
	{"file", FLAG_NOFOLLOW | FLAG_NOATIME},
};

START_TEST(a_look_at_a_source_meets_what_opening_it_does)
{
	q.src = srcs[_i].src;
	q.iflags = srcs[_i].iflags;
	q.count.blocks = REQUEST_NO_LIMIT;
	const int looked = look_src(&side, &q, &rig.hooks);
	check_told_alike(looked, open_src(&side, &q, &rig.hooks));
}
END_TEST

START_TEST(a_look_at_a_directory_meets_the_first_read)
{
	q.src = _i == 0 ? "dir" : NULL;
	const int fd = open("dir", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	close(fd);
	ck_assert_int_eq(look_src(&side, &q, &rig.hooks), 0);
	q.count.blocks = 1;
	ck_assert_int_eq(look_src(&side, &q, &rig.hooks), -EISDIR);
	ck_assert_int_eq(rig_told(FAILURE_READ)->error, EISDIR);
}
END_TEST

START_TEST(a_look_at_a_closed_descriptor_meets_the_first_read)
{
	const int fd = rig_file("", 0);

	q.count.blocks = 1;
	if (_i == 0) {
		close(STDIN_FILENO);
	} else {
		const int other = open(rig_path(fd), O_WRONLY | O_CLOEXEC);

		ck_assert_int_eq(dup2(other, STDIN_FILENO), STDIN_FILENO);
		close(other);
	}
	ck_assert_int_eq(look_src(&side, &q, &rig.hooks), -EBADF);
	ck_assert_int_eq(rig_told(FAILURE_READ)->error, EBADF);
	close(fd);
}
END_TEST

static const struct {
	const char *dst;
	unsigned oflags;
	unsigned conv;
	uint64_t seek;
} dsts[] = {
	{"file", 0, 0, 0},
	{"file", 0, 0, 1},
	{"link", 0, 0, 0},
	{"none", 0, 0, 0},
	{"dangling", 0, 0, 0},
	{"dir", 0, 0, 0},
	{"dir", 0, 0, 1},
	{"", 0, 0, 0},
	{"none/", 0, 0, 0},
	{"none/x", 0, 0, 0},
	{"file/x", 0, 0, 0},
	{"loop", 0, 0, 0},
	{"socket", 0, 0, 0},
	{"file", 0, CONV_EXCL, 0},
	{"dangling", 0, CONV_EXCL, 0},
	{"none", 0, CONV_EXCL, 0},
	{"none", 0, CONV_NOCREAT, 0},
	{"dangling", 0, CONV_NOCREAT, 0},
	{"file", FLAG_DIRECTORY, CONV_NOCREAT, 0},
	{"link", FLAG_NOFOLLOW, 0, 0},
	{"file", FLAG_NOFOLLOW, 0, 0},
	{"file", 0, 0, INT64_MAX},
	{"file", 0, CONV_NOTRUNC, INT64_MAX},
};

START_TEST(a_look_at_a_destination_meets_what_opening_it_does)
{
	q.dst = dsts[_i].dst;
	q.oflags = dsts[_i].oflags;
	q.conv = dsts[_i].conv;
	q.seek.blocks = dsts[_i].seek;
	ck_assert_int_eq(truncate("file", 100), 0);
	const int looked = look_dst(&side, &q, &rig.hooks);
	// Nothing is made or cut by that.
	struct stat st;
	ck_assert_int_lt(access("none", F_OK), 0);
	ck_assert_int_eq(stat("file", &st), 0);
	ck_assert_int_eq(st.st_size, 100);
	check_told_alike(looked, open_dst(&side, &q, &rig.hooks));
}
END_TEST

static TCase *
look_tcase(void)
{
	TCase *t = tcase_create("look");

	tcase_add_checked_fixture(t, open_dir, close_dir);
	tcase_add_loop_test(t, a_look_at_a_source_meets_what_opening_it_does,
			    0, ARRAY_LEN(srcs));
	tcase_add_loop_test(t, a_look_at_a_directory_meets_the_first_read, 0,
			    2);
	tcase_add_loop_test(t,
			    a_look_at_a_closed_descriptor_meets_the_first_read,
			    0, 2);
	tcase_add_loop_test(t,
			    a_look_at_a_destination_meets_what_opening_it_does,
			    0, ARRAY_LEN(dsts));
	return t;
}

static TCase *
src_tcase(void)
{
	TCase *t = tcase_create("source");

	tcase_add_checked_fixture(t, begin, rig_close);
	tcase_add_test(t, a_source_is_opened_on_standard_input);
	tcase_add_test(t, a_source_that_cannot_be_opened_is_told);
	tcase_add_test(t, without_a_name_it_is_the_standard_input);
	tcase_add_test(t, a_stop_comes_before_the_open);
	tcase_add_test(t, flags_of_the_source_are_opened_with_it);
	tcase_add_loop_test(t, nobody_else_sees_nonblock_or_direct_but_as_dd, 0,
			    2);
	tcase_add_test(t, an_inherited_file_is_no_directory);
	tcase_add_test(t, an_inherited_directory_is_one);
	return t;
}

static TCase *
dst_tcase(void)
{
	TCase *t = tcase_create("destination");

	tcase_add_checked_fixture(t, begin, rig_close);
	tcase_add_loop_test(t,
			    a_destination_is_opened_on_standard_output_and_cut,
			    0, 2);
	tcase_add_loop_test(t, a_destination_with_a_seek_can_be_read, 0, 2);
	tcase_add_loop_test(t, conv_notrunc_keeps_what_is_there, 0, 2);
	tcase_add_loop_test(t, seek_cuts_the_file_where_the_copy_begins,
			    0, 2);
	tcase_add_test(t, what_only_open_can_cut_is_opened_again);
	tcase_add_loop_test(t, what_cannot_be_cut_need_not_be,
			    0, 4);
	tcase_add_test(t, a_size_that_no_file_has_is_told);
	tcase_add_test(t, a_size_that_this_file_system_refuses_is_told);
	tcase_add_test(t, conv_excl_and_nocreat_are_kept);
	tcase_add_test(t, append_reaches_an_inherited_destination);
	return t;
}

Suite *
open_suite(void)
{
	Suite *s = suite_create("open");

	suite_add_tcase(s, src_tcase());
	suite_add_tcase(s, dst_tcase());
	suite_add_tcase(s, look_tcase());
	return s;
}
