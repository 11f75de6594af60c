// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "verify.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "aio.h"
#include "base.h"
#include "cache.h"
#include "env.h"
#include "fake_aio.h"
#include "hasher.h"
#include "rig.h"
#include "stats.h"
#include "suites.h"

static bool has_no_epoll;

// The linker takes it before that of the C library.
int
epoll_create1(int flags)
{
	errno = ENOSYS;
	return has_no_epoll ? -1 : (int)syscall(SYS_epoll_create1, flags);
}

enum { LEN = 3 * 256 * 1024 + 777 };

static struct request q;
static struct stats stats;
static struct side src;
static struct side dst;
static struct side back;
static struct hasher *written;
static struct env env;
static struct verify verify;

static struct side
side_at(int fd)
{
	struct side ep = rig_side(fd);

	ep.ops->probe(&ep, -1);
	return ep;
}

// A copy from the offset 100 to the offset 4096, as it should be.
static void
begin(void)
{
	unsigned char *bytes = calloc(1, 4096 + LEN);

	rig_open();
	has_no_epoll = false;
	src = side_at(rig_pattern_file(100 + LEN));
	ck_assert_int_eq(pread(src.fd, bytes + 4096, LEN, 100), LEN);
	dst = side_at(rig_file(bytes, 4096 + LEN));
	ck_assert_int_eq(fsync(dst.fd), 0);
	ck_assert_int_eq(dst.ops->open_back(&dst, &back), 0);
	ck_assert_int_eq(hasher_new(&written, 1U << HASH_RANGES), 0);
	hasher_put(written, 0, bytes + 4096, LEN);
	ck_assert_int_eq(hasher_finish(written, LEN, NULL), 0);
	free(bytes);
	q = rig_request(512);
	stats = (struct stats){.bytes = LEN};
	env = (struct env){.asked = &q,
			   .hooks = &rig.hooks,
			   .stats = &stats,
			   .hasher = written,
			   .kernel = &aio_kernel_linux};
	verify = (struct verify){.env = &env,
				 .src = &src,
				 .dst = &dst,
				 .back = &back,
				 .differ = {.env = &env,
					    .kind = FAILURE_DIFFERS,
					    .name = dst.name,
					    .dst_off = 4096},
				 .src_off = 100,
				 .dst_off = 4096,
				 .len = LEN};
}

static void
end(void)
{
	has_no_epoll = false;
	verify_done(&verify);
	hasher_free(written);
	side_close_extra(&back);
	close(src.fd);
	close(dst.fd);
	rig_close();
}

static void
flip(uint64_t off)
{
	unsigned char byte;

	ck_assert_int_eq(pread(dst.fd, &byte, 1, (off_t)off), 1);
	byte ^= 0x40;
	ck_assert_int_eq(pwrite(dst.fd, &byte, 1, (off_t)off), 1);
	ck_assert_int_eq(fsync(dst.fd), 0);
}

static void
check_range(unsigned nr, uint64_t off, uint64_t len)
{
	const struct event *f = &rig.told[nr];

	ck_assert_int_eq(f->kind, FAILURE_DIFFERS);
	ck_assert_uint_eq(f->off, off);
	ck_assert_uint_eq(f->len, len);
}

START_TEST(a_good_copy_passes)
{
	static const enum request_io ios[] = {
		REQUEST_IO_AUTO, REQUEST_IO_INLINE, REQUEST_IO_AIO};

	q.io = ios[_i];
	ck_assert_int_eq(verify_run(&verify), 0);
	ck_assert_uint_eq(rig.nr_told, 0);
	ck_assert_uint_eq(stats.verified, LEN);
	ck_assert_uint_eq(stats.bytes, LEN);
}
END_TEST

// A page that somebody has locked in memory stays in the page cache.
START_TEST(a_page_cache_that_cannot_be_emptied_is_told)
{
	uint64_t cached;

	// Before 6.5, and under valgrind, nobody can say what is cached.
	if (cache_count(dst.fd, 0, LEN, &cached) < 0)
		return;
	// Sanitizers make nothing of mlock.
	char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_LOCKED,
			  dst.fd, 4096);

	ck_assert_ptr_ne(page, MAP_FAILED);
	ck_assert_int_eq(verify_run(&verify), 0);
	ck_assert_str_eq(rig_told(NOTICE_CACHE_KEPT)->name, "it");
	munmap(page, 4096);
}
END_TEST

START_TEST(each_bad_byte_is_told_with_both_values)
{
	static const uint64_t offs[] = {0, 256 * KIB - 1, 256 * KIB, LEN - 1};
	const uint64_t off = 4096 + offs[_i];

	flip(off);
	ck_assert_int_eq(verify_run(&verify), -EBADMSG);
	ck_assert_uint_eq(rig.nr_told, 1);
	check_range(0, off, 1);
	ck_assert_int_ge(rig.told[0].wrote, 0);
	ck_assert_int_eq(rig.told[0].wrote ^ rig.told[0].found, 0x40);
}
END_TEST

START_TEST(bad_bytes_that_are_near_are_one_range)
{
	flip(4096 + 1000);
	flip(4096 + 1400);
	flip(4096 + 5000);
	ck_assert_int_eq(verify_run(&verify), -EBADMSG);
	ck_assert_uint_eq(rig.nr_told, 2);
	check_range(0, 4096 + 1000, 401);
	check_range(1, 4096 + 5000, 1);
	ck_assert_uint_eq(stats.differing, 402);
}
END_TEST

START_TEST(a_bad_stretch_is_one_range)
{
	for (uint64_t off = 200 * KIB; off <= 600 * KIB; off += 500)
		flip(4096 + off);
	ck_assert_int_eq(verify_run(&verify), -EBADMSG);
	ck_assert_uint_eq(rig.nr_told, 1);
	check_range(0, 4096 + 200 * KIB, 400 * KIB / 500 * 500 + 1);
}
END_TEST

START_TEST(what_was_converted_is_told_by_whole_ranges)
{
	q.conv = CONV_UCASE;
	flip(4096 + 300000);
	ck_assert_int_eq(verify_run(&verify), -EBADMSG);
	ck_assert_uint_eq(rig.nr_told, 1);
	check_range(0, 4096 + 256 * KIB, 256 * KIB);
	ck_assert_int_eq(rig.told[0].wrote, -1);
}
END_TEST

START_TEST(the_last_range_is_no_longer_than_the_copy)
{
	q.conv = CONV_UCASE;
	flip(4096 + LEN - 1);
	ck_assert_int_eq(verify_run(&verify), -EBADMSG);
	check_range(0, 4096 + 3 * 256 * KIB, 777);
}
END_TEST

START_TEST(a_copy_that_ends_too_early_differs)
{
	ck_assert_int_eq(ftruncate(dst.fd, 4096 + 300000), 0);
	ck_assert_int_eq(fsync(dst.fd), 0);
	ck_assert_int_eq(verify_run(&verify), -EBADMSG);
	ck_assert_uint_eq(rig.nr_told, 1);
	check_range(0, 4096 + 300000, LEN - 300000);
}
END_TEST

START_TEST(a_bad_byte_before_the_early_end_is_told)
{
	flip(4096 + 5);
	flip(4096 + 2 * 256 * KIB + 100);
	ck_assert_int_eq(ftruncate(dst.fd, 4096 + 2 * 256 * KIB + 5000), 0);
	ck_assert_int_eq(fsync(dst.fd), 0);
	ck_assert_int_eq(verify_run(&verify), -EBADMSG);
	ck_assert_uint_eq(rig.nr_told, 3);
	check_range(0, 4096 + 5, 1);
	check_range(1, 4096 + 2 * 256 * KIB + 100, 1);
	check_range(2, 4096 + 2 * 256 * KIB + 5000,
		    LEN - (2 * 256 * KIB + 5000));
}
END_TEST

START_TEST(what_is_outside_the_copy_does_not_matter)
{
	flip(4095);
	ck_assert_int_eq(pwrite(dst.fd, "more", 4, 4096 + LEN), 4);
	ck_assert_int_eq(verify_run(&verify), 0);
}
END_TEST

START_TEST(nothing_is_good)
{
	verify.len = 0;
	ck_assert_int_eq(verify_run(&verify), 0);
}
END_TEST

START_TEST(it_goes_without_kernel_aio)
{
	struct fake_aio fake = {.setup_error = -ENOSYS};

	fake_aio_use(&fake);
	env.kernel = &fake_aio_kernel;
	flip(4096 + 9);
	ck_assert_int_eq(verify_run(&verify), -EBADMSG);
	check_range(0, 4096 + 9, 1);
}
END_TEST

START_TEST(it_goes_without_a_loop)
{
	has_no_epoll = true;
	ck_assert_int_eq(verify_run(&verify), 0);
	ck_assert_uint_eq(stats.verified, LEN);
	verify_done(&verify);
	flip(4096 + LEN - 1);
	ck_assert_int_eq(verify_run(&verify), -EBADMSG);
	check_range(0, 4096 + LEN - 1, 1);
}
END_TEST

START_TEST(a_signal_stops_it)
{
	rig.must_stop = true;
	ck_assert_int_eq(verify_run(&verify), -ECANCELED);
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

START_TEST(what_cannot_be_read_is_told)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	side_close_extra(&back);
	back.buffered_fd = fds[0];
	back.facts.dio_align = 0;
	ck_assert_int_lt(verify_run(&verify), 0);
	ck_assert_int_eq(rig_told(FAILURE_VERIFY)->error, ESPIPE);
	close(fds[1]);
}
END_TEST

Suite *
verify_suite(void)
{
	Suite *s = suite_create("verify");
	TCase *t = tcase_create("verify");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_loop_test(t, a_good_copy_passes, 0, 3);
	tcase_add_test(t, a_page_cache_that_cannot_be_emptied_is_told);
	tcase_add_loop_test(t, each_bad_byte_is_told_with_both_values, 0, 4);
	tcase_add_test(t, bad_bytes_that_are_near_are_one_range);
	tcase_add_test(t, a_bad_stretch_is_one_range);
	tcase_add_test(t, what_was_converted_is_told_by_whole_ranges);
	tcase_add_test(t, the_last_range_is_no_longer_than_the_copy);
	tcase_add_test(t, a_copy_that_ends_too_early_differs);
	tcase_add_test(t, a_bad_byte_before_the_early_end_is_told);
	tcase_add_test(t, what_is_outside_the_copy_does_not_matter);
	tcase_add_test(t, nothing_is_good);
	tcase_add_test(t, it_goes_without_kernel_aio);
	tcase_add_test(t, it_goes_without_a_loop);
	tcase_add_test(t, a_signal_stops_it);
	tcase_add_test(t, what_cannot_be_read_is_told);
	if (digest_is_available(DIGEST_XXH128))
		suite_add_tcase(s, t);
	return s;
}
