// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "rig.h"
#include "side.h"
#include "suites.h"

static struct side side;

static int
flags_of(int fd)
{
	return fcntl(fd, F_GETFL);
}

/* Descriptions of our own */

START_TEST(a_direct_description_leaves_the_given_one_alone)
{
	const int fd = rig_pattern_file(8192);

	side = rig_side(fd);
	const int r = side.ops->open(&side, O_RDONLY, SIDE_DIRECT);
	if (r == 0) { // the file system here has it
		ck_assert_int_gt(side.direct_fd, 2);
		ck_assert(flags_of(side.direct_fd) & O_DIRECT);
		ck_assert(fcntl(side.direct_fd, F_GETFD) & FD_CLOEXEC);
	} else {
		ck_assert_int_eq(r, -EINVAL);
	}
	ck_assert(!(flags_of(fd) & O_DIRECT));
	side_close_extra(&side);
	ck_assert_int_eq(side.direct_fd, -1);
	ck_assert_int_ge(flags_of(fd), 0);
	close(fd);
}
END_TEST

START_TEST(a_buffered_descriptor_serves_as_it_is)
{
	const int fd = rig_file("", 0);

	side = rig_side(fd);
	ck_assert_int_eq(side.ops->open(&side, O_RDONLY, SIDE_BUFFERED), 0);
	ck_assert_int_eq(side.buffered_fd, fd);
	side_close_extra(&side);
	ck_assert_int_ge(flags_of(fd), 0);
	close(fd);
}
END_TEST

START_TEST(beside_a_direct_one_a_buffered_one_is_opened)
{
	const int fd = rig_file("", 0);

	side = rig_side(open(rig_path(fd), O_RDWR | O_DIRECT));
	if (side.fd >= 0) { // the file system here has it
		ck_assert_int_eq(
			side.ops->open(&side, O_WRONLY, SIDE_BUFFERED), 0);
		ck_assert_int_ne(side.buffered_fd, side.fd);
		ck_assert(!(flags_of(side.buffered_fd) & O_DIRECT));
		ck_assert(flags_of(side.fd) & O_DIRECT);
		side_close_extra(&side);
		close(side.fd);
	}
	close(fd);
}
END_TEST

START_TEST(the_first_error_of_a_close_is_kept)
{
	const int fd = rig_file("", 0);

	side = rig_side(fd);
	side.direct_fd = INT_MAX;
	side_close_extra(&side);
	ck_assert_int_eq(side.close_error, -EBADF);
	ck_assert_int_eq(side_close(&side), -EBADF);
	ck_assert_int_eq(flags_of(fd), -1);
}
END_TEST

START_TEST(an_offset_is_put_or_refused)
{
	const int fd = rig_file("", 0);

	side = rig_side(fd);
	ck_assert_int_eq(side.ops->put(&side, 5), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 5);
	ck_assert_int_eq(side.ops->put(&side, UINT64_MAX), -EINVAL);
	const struct facts null = {.kind = FACTS_NULL};
	file_set_facts(&side, &null);
	ck_assert_int_eq(side.ops->put(&side, UINT64_MAX), 0);
	close(fd);
}
END_TEST

START_TEST(nobody_gets_more_access_than_was_given)
{
	const int fd = rig_file("", 0);

	side = rig_side(open(rig_path(fd), O_RDONLY));
	ck_assert_int_eq(side.ops->open(&side, O_WRONLY, SIDE_DIRECT), -EBADF);
	ck_assert_int_eq(side.direct_fd, -1);
	close(side.fd);
	close(fd);
}
END_TEST

// A mode that forbids it has no say over what is open already.
START_TEST(what_is_open_for_both_is_read_back_without_a_path)
{
	const int fd = rig_file("text", 4);
	struct side back;
	char buf[4];

	side = rig_side(fd);
	ck_assert_int_eq(fchmod(fd, 0), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	const int r = side.ops->open_back(&side, &back);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(r, 0);
	ck_assert_int_gt(back.buffered_fd, 2);
	ck_assert_int_eq(pread(back.buffered_fd, buf, 4, 0), 4);
	side_close_extra(&back);
	close(fd);
}
END_TEST

START_TEST(a_closed_standard_error_stays_closed)
{
	const int fd = rig_file("", 0);
	const int saved = fcntl(2, F_DUPFD_CLOEXEC, 10);

	side = rig_side(fd);
	close(2);
	const int r = side.ops->open(&side, O_RDONLY, SIDE_DIRECT);
	const int stderr_flags = flags_of(2);
	dup2(saved, 2);
	close(saved);
	ck_assert_int_eq(stderr_flags, -1);
	ck_assert(r < 0 || side.direct_fd > 2);
	side_close_extra(&side);
	close(fd);
}
END_TEST

Suite *
side_suite(void)
{
	Suite *s = suite_create("side");
	TCase *t = tcase_create("descriptions");

	tcase_add_checked_fixture(t, rig_open, rig_close);
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
