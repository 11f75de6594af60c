// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"
#include "nocache.h"
#include "suites.h"

static struct nocache nocache;
static off_t advised_off, advised_len;

// The linker takes it before that of the C library.
int
posix_fadvise(int fd, off_t off, off_t len, int advice)
{
	advised_off = off;
	advised_len = len;
	return syscall(SYS_fadvise64, fd, off, len, advice) < 0 ? errno : 0;
}

static void
check_advised(off_t off, off_t len)
{
	ck_assert_int_eq(advised_off, off);
	ck_assert_int_eq(advised_len, len);
}

static void
open_file(void)
{
	nocache = (struct nocache){.fd = memfd_create("file", MFD_CLOEXEC)};
	ck_assert_int_ge(nocache.fd, 0);
}

static void
close_file(void)
{
	close(nocache.fd);
}

START_TEST(little_is_held_back)
{
	nocache_pass(&nocache, 1000, 1000);
	ck_assert_uint_eq(nocache.pending, 1000);
	nocache_pass(&nocache, 256 * KIB - 1, 256 * KIB - 1001);
	ck_assert_uint_eq(nocache.pending, 256 * KIB - 1);
	nocache_pass(&nocache, 256 * KIB, 1);
	ck_assert_uint_eq(nocache.pending, 0);
	check_advised(0, 256 * KIB);
}
END_TEST

START_TEST(much_leaves_less_than_a_step)
{
	nocache_pass(&nocache, MIB + 5, MIB + 5);
	ck_assert_uint_eq(nocache.pending, 5);
	nocache_pass(&nocache, 2 * MIB + 9, MIB + 4);
	ck_assert_uint_eq(nocache.pending, 9);
	check_advised(MIB, MIB);
}
END_TEST

START_TEST(the_end_leaves_nothing)
{
	nocache_pass(&nocache, 77, 77);
	ck_assert_int_eq(nocache_finish(&nocache, 77, NOCACHE_PENDING), 0);
	ck_assert_uint_eq(nocache.pending, 0);
	check_advised(0, 77);
	nocache_pass(&nocache, 5000, 4);
	ck_assert_int_eq(nocache_finish(&nocache, 5000, NOCACHE_TO_EOF), 0);
	ck_assert_uint_eq(nocache.pending, 0);
	check_advised((off_t)round_down(4996, sysconf(_SC_PAGESIZE)), 0);
}
END_TEST

START_TEST(what_has_no_cache_says_so)
{
	struct nocache pipe_end;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	pipe_end = (struct nocache){.fd = fds[0]};
	nocache_pass(&pipe_end, MIB, MIB);
	ck_assert_int_eq(nocache_finish(&pipe_end, MIB, NOCACHE_PENDING), 0);
	ck_assert_int_eq(nocache_finish(&pipe_end, MIB, NOCACHE_TO_EOF),
			 -ESPIPE);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

Suite *
nocache_suite(void)
{
	Suite *s = suite_create("nocache");
	TCase *t = tcase_create("nocache");

	tcase_add_checked_fixture(t, open_file, close_file);
	tcase_add_test(t, little_is_held_back);
	tcase_add_test(t, much_leaves_less_than_a_step);
	tcase_add_test(t, the_end_leaves_nothing);
	tcase_add_test(t, what_has_no_cache_says_so);
	suite_add_tcase(s, t);
	return s;
}
