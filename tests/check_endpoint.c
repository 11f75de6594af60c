// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "rig.h"
#include "endpoint.h"
#include "probe.h"
#include "suites.h"

static struct request q;
static struct endpoint ep;

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
	ck_assert_int_eq(endpoint_open_src(&ep, &q, &rig.hooks), 0);
	ck_assert_int_eq(ep.fd, 0);
	ck_assert_int_eq(ep.direct_fd, -1);
	ck_assert_ptr_eq(ep.name, q.src);
	ck_assert_int_eq(read(0, &byte, 1), 1);
	ck_assert_int_eq(endpoint_close(&ep), 0);
	ck_assert_int_eq(endpoint_close(&ep), -EBADF);
	close(fd);
}
END_TEST

START_TEST(a_source_that_cannot_be_opened_is_told)
{
	q.src = "/aiodd no such file";
	ck_assert_int_eq(endpoint_open_src(&ep, &q, &rig.hooks), -ENOENT);
	const struct event *told = rig_told(FAILURE_OPEN);
	ck_assert_int_eq(told->error, ENOENT);
	ck_assert_ptr_eq(told->name, q.src);
}
END_TEST

START_TEST(without_a_name_it_is_the_standard_input)
{
	const int other = inherit_pipe();

	ck_assert_int_eq(endpoint_open_src(&ep, &q, &rig.hooks), 0);
	ck_assert_str_eq(ep.name, "standard input");
	close(other);
}
END_TEST

START_TEST(a_stop_comes_before_the_open)
{
	rig.must_stop = true;
	q.src = "/dev/null";
	ck_assert_int_eq(endpoint_open_src(&ep, &q, &rig.hooks), -ECANCELED);
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

START_TEST(flags_of_the_source_are_opened_with_it)
{
	q.src = "/dev/null";
	q.iflags = FLAG_NONBLOCK | FLAG_SYNC;
	ck_assert_int_eq(endpoint_open_src(&ep, &q, &rig.hooks), 0);
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
	ck_assert_int_eq(endpoint_open_src(&ep, &q, &rig.hooks), 0);
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
	ck_assert_int_eq(endpoint_open_src(&ep, &q, &rig.hooks), -ENOTDIR);
	ck_assert_int_eq(rig_told(FAILURE_SET_FLAGS)->error, ENOTDIR);
	close(other);
}
END_TEST

START_TEST(an_inherited_directory_is_one)
{
	const int fd = open("/", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(dup2(fd, 0), 0);
	q.iflags = FLAG_DIRECTORY;
	ck_assert_int_eq(endpoint_open_src(&ep, &q, &rig.hooks), 0);
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
		ck_assert_int_eq(endpoint_open_dst(&ep, &q, &rig.hooks), 0);
		ck_assert(!endpoint_is_cut(&q));
		return;
	}
	ck_assert_int_eq(stat(q.dst, &before), 0);
	ck_assert_int_eq(endpoint_open_dst(&ep, &q, &rig.hooks), 0);
	ck_assert_int_eq(stat(q.dst, &after), 0);
	ck_assert_int_eq(before.st_size, after.st_size);
	ck_assert(endpoint_is_cut(&q));
	probe_descriptor(ep.fd, &ep.facts);
	ck_assert_int_eq(endpoint_cut_dst(&ep, &q, &rig.hooks), 0);
}

// What ftruncate alone would leave as it is, such as the buffer of tracefs.
START_TEST(what_only_open_can_cut_is_opened_again)
{
	const int fd = rig_file("0123456789", 10);

	q.dst = rig_path(fd);
	q.oflags = FLAG_APPEND;
	ck_assert_int_eq(endpoint_open_dst(&ep, &q, &rig.hooks), 0);
	ep.facts.kind = FACTS_STREAM;
	ck_assert_int_eq(endpoint_cut_dst(&ep, &q, &rig.hooks), 0);
	ck_assert_int_eq(ep.fd, 1);
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
	ck_assert_int_eq(ep.fd, 1);
	ck_assert_int_eq(rig_size(fd), 0);
	ck_assert_int_eq(write(1, "ab", 2), 2);
	rig_check_file(fd, "ab", 2);
	close(fd);
}
END_TEST

START_TEST(conv_notrunc_keeps_what_is_there)
{
	const int fd = rig_file("0123456789", 10);

	q.dst = rig_path(fd);
	q.conv = CONV_NOTRUNC;
	q.seek.blocks = (uint64_t)_i;
	ck_assert_int_eq(endpoint_open_dst(&ep, &q, &rig.hooks), 0);
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
	ck_assert_int_eq(endpoint_open_dst(&ep, &q, &rig.hooks), -EOVERFLOW);
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
	ck_assert_int_eq(endpoint_open_dst(&ep, &q, &rig.hooks), 0);
	const int r = endpoint_cut_dst(&ep, &q, &rig.hooks);
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
	ck_assert_int_eq(endpoint_open_dst(&ep, &q, &rig.hooks), -EEXIST);
	rig.nr_told = 0;
	q.dst = "/var/tmp/aiodd no such file";
	q.conv = CONV_NOCREAT;
	ck_assert_int_eq(endpoint_open_dst(&ep, &q, &rig.hooks), -ENOENT);
	ck_assert_ptr_eq(rig_told(FAILURE_OPEN)->name, q.dst);
	close(fd);
}
END_TEST

START_TEST(append_reaches_an_inherited_destination)
{
	const int fd = rig_file("0123456789", 10);

	ck_assert_int_eq(dup2(fd, 1), 1);
	q.oflags = FLAG_APPEND;
	ck_assert_int_eq(endpoint_open_dst(&ep, &q, &rig.hooks), 0);
	ck_assert_int_eq(rig_size(fd), 10);
	ck_assert(flags_of(fd) & O_APPEND);
	close(fd);
}
END_TEST

/* Descriptions of our own */

START_TEST(a_direct_description_leaves_the_given_one_alone)
{
	const int fd = rig_pattern_file(8192);

	ep = rig_endpoint(fd);
	const int r = endpoint_open_direct(&ep, O_RDONLY);
	if (r == 0) { // the file system here has it
		ck_assert_int_gt(ep.direct_fd, 2);
		ck_assert(flags_of(ep.direct_fd) & O_DIRECT);
		ck_assert(fcntl(ep.direct_fd, F_GETFD) & FD_CLOEXEC);
	} else {
		ck_assert_int_eq(r, -EINVAL);
	}
	ck_assert(!(flags_of(fd) & O_DIRECT));
	endpoint_close_extra(&ep);
	ck_assert_int_eq(ep.direct_fd, -1);
	ck_assert_int_ge(flags_of(fd), 0);
	close(fd);
}
END_TEST

START_TEST(a_buffered_descriptor_serves_as_it_is)
{
	const int fd = rig_file("", 0);

	ep = rig_endpoint(fd);
	ck_assert_int_eq(endpoint_open_buffered(&ep, O_RDONLY), 0);
	ck_assert_int_eq(ep.buffered_fd, fd);
	endpoint_close_extra(&ep);
	ck_assert_int_ge(flags_of(fd), 0);
	close(fd);
}
END_TEST

START_TEST(beside_a_direct_one_a_buffered_one_is_opened)
{
	const int fd = rig_file("", 0);

	ep = rig_endpoint(open(rig_path(fd), O_RDWR | O_DIRECT));
	if (ep.fd >= 0) { // the file system here has it
		ck_assert_int_eq(endpoint_open_buffered(&ep, O_WRONLY), 0);
		ck_assert_int_ne(ep.buffered_fd, ep.fd);
		ck_assert(!(flags_of(ep.buffered_fd) & O_DIRECT));
		ck_assert(flags_of(ep.fd) & O_DIRECT);
		endpoint_close_extra(&ep);
		close(ep.fd);
	}
	close(fd);
}
END_TEST

START_TEST(the_first_error_of_a_close_is_kept)
{
	const int fd = rig_file("", 0);

	ep = rig_endpoint(fd);
	ep.direct_fd = INT_MAX;
	endpoint_close_extra(&ep);
	ck_assert_int_eq(ep.close_error, -EBADF);
	ck_assert_int_eq(endpoint_close(&ep), -EBADF);
	ck_assert_int_eq(flags_of(fd), -1);
}
END_TEST

START_TEST(an_offset_is_put_or_refused)
{
	const int fd = rig_file("", 0);

	ep = rig_endpoint(fd);
	ck_assert_int_eq(endpoint_put(&ep, 5), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 5);
	ck_assert_int_eq(endpoint_put(&ep, UINT64_MAX), -EINVAL);
	ep.facts.kind = FACTS_NULL;
	ck_assert_int_eq(endpoint_put(&ep, UINT64_MAX), 0);
	close(fd);
}
END_TEST

START_TEST(nobody_gets_more_access_than_was_given)
{
	const int fd = rig_file("", 0);

	ep = rig_endpoint(open(rig_path(fd), O_RDONLY));
	ck_assert_int_eq(endpoint_open_direct(&ep, O_WRONLY), -EBADF);
	ck_assert_int_eq(ep.direct_fd, -1);
	close(ep.fd);
	close(fd);
}
END_TEST

// A mode that forbids it has no say over what is open already.
START_TEST(what_is_open_for_both_is_read_back_without_a_path)
{
	const int fd = rig_file("text", 4);
	struct endpoint back;
	char buf[4];

	ep = rig_endpoint(fd);
	ck_assert_int_eq(fchmod(fd, 0), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	const int r = endpoint_open_back(&ep, &back);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(r, 0);
	ck_assert_int_gt(back.buffered_fd, 2);
	ck_assert_int_eq(pread(back.buffered_fd, buf, 4, 0), 4);
	endpoint_close_extra(&back);
	close(fd);
}
END_TEST

START_TEST(a_closed_standard_error_stays_closed)
{
	const int fd = rig_file("", 0);
	const int saved = fcntl(2, F_DUPFD_CLOEXEC, 10);

	ep = rig_endpoint(fd);
	close(2);
	const int r = endpoint_open_direct(&ep, O_RDONLY);
	const int stderr_flags = flags_of(2);
	dup2(saved, 2);
	close(saved);
	ck_assert_int_eq(stderr_flags, -1);
	ck_assert(r < 0 || ep.direct_fd > 2);
	endpoint_close_extra(&ep);
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
	const int looked = endpoint_look_src(&ep, &q, &rig.hooks);
	check_told_alike(looked, endpoint_open_src(&ep, &q, &rig.hooks));
}
END_TEST

START_TEST(a_look_at_a_directory_meets_the_first_read)
{
	q.src = _i == 0 ? "dir" : NULL;
	const int fd = open("dir", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	close(fd);
	ck_assert_int_eq(endpoint_look_src(&ep, &q, &rig.hooks), 0);
	q.count.blocks = 1;
	ck_assert_int_eq(endpoint_look_src(&ep, &q, &rig.hooks), -EISDIR);
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
	ck_assert_int_eq(endpoint_look_src(&ep, &q, &rig.hooks), -EBADF);
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
	const int looked = endpoint_look_dst(&ep, &q, &rig.hooks);
	// Nothing is made or cut by that.
	struct stat st;
	ck_assert_int_lt(access("none", F_OK), 0);
	ck_assert_int_eq(stat("file", &st), 0);
	ck_assert_int_eq(st.st_size, 100);
	check_told_alike(looked, endpoint_open_dst(&ep, &q, &rig.hooks));
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
endpoint_suite(void)
{
	Suite *s = suite_create("endpoint");
	TCase *t = tcase_create("extra");

	suite_add_tcase(s, src_tcase());
	suite_add_tcase(s, dst_tcase());
	suite_add_tcase(s, look_tcase());
	tcase_add_checked_fixture(t, begin, rig_close);
	tcase_add_test(t, a_direct_description_leaves_the_given_one_alone);
	tcase_add_test(t, a_buffered_descriptor_serves_as_it_is);
	tcase_add_test(t, beside_a_direct_one_a_buffered_one_is_opened);
	tcase_add_test(t, the_first_error_of_a_close_is_kept);
	tcase_add_test(t, an_offset_is_put_or_refused);
	tcase_add_test(t, nobody_gets_more_access_than_was_given);
	tcase_add_test(t, what_is_open_for_both_is_read_back_without_a_path);
	tcase_add_test(t, a_closed_standard_error_stays_closed);
	suite_add_tcase(s, t);
	return s;
}
