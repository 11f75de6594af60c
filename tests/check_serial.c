// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "env.h"
#include "pace.h"
#include "rig.h"
#include "serial.h"
#include "serial_holes.h"
#include "serial_read.h"
#include "serial_write.h"
#include "splice.h"
#include "stats.h"
#include "suites.h"

static struct request q;
static struct env env;
static struct stats stats;
static struct side src;
static struct side dst;
static struct serial serial;
static unsigned char buf[64];

static void
begin(void)
{
	rig_open();
	q = rig_request(4);
	src = dst = rig_side(-1);
}

static void
end(void)
{
	if (src.fd >= 0)
		close(src.fd);
	if (dst.fd >= 0)
		close(dst.fd);
	rig_close();
}

static void
start(void)
{
	env = (struct env){.asked = &q, .hooks = &rig.hooks, .stats = &stats};
	serial_init(&serial, &env, &q, &src, &dst);
}

static void
check_read(size_t len, const char *want)
{
	ck_assert_int_eq(serial_read(&serial, buf, len), (ssize_t)strlen(want));
	ck_assert_mem_eq(buf, want, strlen(want));
}

static void
check_written(const char *bytes, size_t want, int want_error)
{
	int error;

	ck_assert_uint_eq(serial_write(&serial, (const unsigned char *)bytes,
				       strlen(bytes), &error),
			  want);
	ck_assert_int_eq(error, want_error);
}

static off_t
pos_of(int fd)
{
	return lseek(fd, 0, SEEK_CUR);
}

static void
open_packets(void)
{
	src.fd = rig_packets();
	start();
}

START_TEST(a_record_is_one_read)
{
	open_packets();
	check_read(4, "ab");
	check_read(4, "cdef");
	check_read(4, "g");
	check_read(4, "hij");
	check_read(4, "");
	ck_assert_uint_eq(serial.src_off, 10);
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

START_TEST(fullblock_reads_until_the_record_is_full)
{
	q.iflags = FLAG_FULLBLOCK;
	open_packets();
	check_read(6, "abcdef");
	check_read(6, "ghij");
	check_read(6, "");
}
END_TEST

START_TEST(a_short_read_is_worth_one_warning)
{
	q.count.blocks = 4;
	open_packets();
	check_read(4, "ab");
	ck_assert_uint_eq(rig.nr_told, 0);
	check_read(4, "cdef");
	ck_assert_uint_eq(rig_told(NOTICE_PARTIAL_READ)->len, 2);
	check_read(4, "g");
	check_read(4, "hij");
	ck_assert_uint_eq(rig.nr_told, 1);
}
END_TEST

START_TEST(a_stop_comes_before_a_read)
{
	open_packets();
	rig.must_stop = true;
	ck_assert_int_eq(serial_read(&serial, buf, 4), -ECANCELED);
	rig.must_stop = false;
	check_read(4, "ab");
}
END_TEST

START_TEST(a_read_error_is_returned_and_not_told)
{
	src.fd = open("/", O_RDONLY | O_CLOEXEC);
	start();
	ck_assert_int_eq(serial_read(&serial, buf, 4), -EISDIR);
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

static void
on_tick(void *ctx)
{
	(void)ctx;
}

// A connection that is reset says so once, and then that it has ended; who
// shows the time asks in another way.
START_TEST(an_error_that_comes_once_is_no_end)
{
	int fds[2];

	if (_i > 0) {
		rig.hooks.tick = on_tick;
		rig.hooks.tick_ms = 1000;
	}
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(write(fds[1], "abc", 3), 3);
	ck_assert_int_eq(write(fds[0], "unread", 6), 6);
	close(fds[1]);
	src.fd = fds[0];
	start();
	check_read(4, "abc");
	ck_assert_int_eq(serial_read(&serial, buf, 4), -ECONNRESET);
}
END_TEST

START_TEST(a_record_is_written_where_the_descriptor_stands)
{
	dst.fd = rig_file("0123456789", 10);
	start();
	ck_assert_int_eq(lseek(dst.fd, 3, SEEK_SET), 3);
	check_written("ab", 2, 0);
	rig_check_file(dst.fd, "012ab56789", 10);
}
END_TEST

START_TEST(a_write_error_is_returned_and_not_told)
{
	dst.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	start();
	check_written("ab", 0, -ENOSPC);
	ck_assert_uint_eq(rig.nr_told, 0);
	rig.must_stop = true;
	check_written("ab", 0, -ECANCELED);
}
END_TEST

static void
write_zeros(size_t len)
{
	int error;

	memset(buf, 0, len);
	ck_assert_uint_eq(serial_write(&serial, buf, len, &error), len);
	ck_assert_int_eq(error, 0);
}

START_TEST(conv_sparse_steps_over_zeros)
{
	q.conv = CONV_SPARSE;
	dst.fd = rig_file("", 0);
	start();
	write_zeros(4);
	check_written("abcd", 4, 0);
	ck_assert_int_eq(serial_holes_end(&serial), 0);
	rig_check_file(dst.fd, "\0\0\0\0abcd", 8);
	write_zeros(4);
	ck_assert(serial.ended_in_hole);
	rig_check_file(dst.fd, "\0\0\0\0abcd", 8);
	ck_assert_int_eq(serial_holes_end(&serial), 0);
	rig_check_file(dst.fd, "\0\0\0\0abcd\0\0\0\0", 12);
}
END_TEST

START_TEST(a_hole_within_a_file_leaves_its_size)
{
	q.conv = CONV_SPARSE;
	dst.fd = rig_file("0123456789", 10);
	start();
	write_zeros(4);
	ck_assert_int_eq(serial_holes_end(&serial), 0);
	rig_check_file(dst.fd, "0123456789", 10);
}
END_TEST

START_TEST(zeros_go_into_a_pipe_as_they_are)
{
	int fds[2];

	q.conv = CONV_SPARSE;
	ck_assert_int_eq(pipe(fds), 0);
	src.fd = fds[0];
	dst.fd = fds[1];
	start();
	write_zeros(4);
	ck_assert(!serial.is_sparse);
	ck_assert_int_eq(serial_read(&serial, buf + 4, 8), 4);
	ck_assert_mem_eq(buf + 4, "\0\0\0\0", 4);
	ck_assert_int_eq(serial_holes_end(&serial), 0);
}
END_TEST

static void
start_paced(struct pace *pace, uint64_t *live)
{
	dst.fd = rig_file("", 0);
	start();
	pace_init(pace, 200, clock_ns());
	env.pace = pace;
	serial.live_bytes = live;
}

START_TEST(a_record_with_a_rate_is_written_in_pieces)
{
	struct pace pace;
	uint64_t live = 0;
	const uint64_t start_ns = clock_ns();

	start_paced(&pace, &live);
	check_written("12345678901234567890123456789", 29, 0);
	ck_assert_uint_eq(live, 29);
	ck_assert_uint_ge(clock_ns() - start_ns, 145 * 1000 * 1000);
	rig_check_file(dst.fd, "12345678901234567890123456789", 29);
}
END_TEST

START_TEST(a_hole_with_a_rate_takes_its_time)
{
	static const unsigned char zeros[30];
	struct pace pace;
	uint64_t live = 0;
	int error;
	const uint64_t start_ns = clock_ns();

	q.conv = CONV_SPARSE;
	start_paced(&pace, &live);
	ck_assert_uint_eq(serial_write(&serial, zeros, 30, &error), 30);
	ck_assert_int_eq(error, 0);
	ck_assert_uint_eq(live, 30);
	ck_assert_uint_ge(clock_ns() - start_ns, 150 * 1000 * 1000);
	ck_assert_int_eq(pos_of(dst.fd), 30);
}
END_TEST

START_TEST(a_stop_ends_the_wait_for_a_rate)
{
	struct pace pace;

	start_paced(&pace, NULL);
	rig.must_stop = true;
	check_written("123", 0, -ECANCELED);
	rig_check_file(dst.fd, "", 0);
}
END_TEST

START_TEST(a_short_direct_block_turns_direct_off)
{
	const int fd = rig_file("", 0);

	q.oflags = FLAG_DIRECT;
	dst.fd = open(rig_path(fd), O_WRONLY | O_DIRECT | O_CLOEXEC);
	if (dst.fd >= 0) { // the file system here has it
		start();
		check_written("abc", 3, 0);
		ck_assert(serial.is_direct_off);
		ck_assert(!(fcntl(dst.fd, F_GETFL) & O_DIRECT));
		rig_check_file(fd, "abc", 3);
	}
	close(fd);
}
END_TEST

START_TEST(a_cache_that_cannot_be_dropped_matters_to_count_0)
{
	q.iflags = FLAG_NOCACHE;
	open_packets();
	ck_assert_int_eq(serial_drop_cache(&serial, NOCACHE_TO_EOF), 0);
	ck_assert_uint_eq(rig.nr_told, 0);
	q.count = (struct request_amount){0, 0};
	ck_assert_int_eq(serial_drop_cache(&serial, NOCACHE_TO_EOF), -ESPIPE);
	ck_assert_int_eq(rig_told(FAILURE_DISCARD_CACHE)->error, ESPIPE);
}
END_TEST

START_TEST(what_is_written_is_counted_for_the_cache)
{
	q.oflags = FLAG_NOCACHE;
	dst.fd = rig_file("", 0);
	start();
	check_written("abc", 3, 0);
	check_written("de", 2, 0);
	ck_assert_uint_eq(serial.dst_nocache.pending, 5);
}
END_TEST

START_TEST(a_spliced_file_that_has_become_shorter_ends)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	src.fd = rig_pattern_file(1000);
	src.facts.size = 4 * MIB;
	dst.fd = fds[1];
	start();
	ck_assert_int_eq(splice_run(&serial), 0);
	ck_assert_uint_eq(stats.bytes, 1000);
	ck_assert_uint_eq(stats.out_full, 250);
	close(fds[0]);
}
END_TEST

static TCase *
read_tcase(void)
{
	TCase *t = tcase_create("read");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_record_is_one_read);
	tcase_add_test(t, fullblock_reads_until_the_record_is_full);
	tcase_add_test(t, a_short_read_is_worth_one_warning);
	tcase_add_test(t, a_stop_comes_before_a_read);
	tcase_add_test(t, a_read_error_is_returned_and_not_told);
	tcase_add_loop_test(t, an_error_that_comes_once_is_no_end, 0, 2);
	return t;
}

Suite *
serial_suite(void)
{
	Suite *s = suite_create("serial");
	TCase *t = tcase_create("write");

	suite_add_tcase(s, read_tcase());
	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_record_is_written_where_the_descriptor_stands);
	tcase_add_test(t, a_write_error_is_returned_and_not_told);
	tcase_add_test(t, conv_sparse_steps_over_zeros);
	tcase_add_test(t, a_hole_within_a_file_leaves_its_size);
	tcase_add_test(t, zeros_go_into_a_pipe_as_they_are);
	tcase_add_test(t, a_record_with_a_rate_is_written_in_pieces);
	tcase_add_test(t, a_hole_with_a_rate_takes_its_time);
	tcase_add_test(t, a_stop_ends_the_wait_for_a_rate);
	tcase_add_test(t, a_short_direct_block_turns_direct_off);
	tcase_add_test(t, a_cache_that_cannot_be_dropped_matters_to_count_0);
	tcase_add_test(t, what_is_written_is_counted_for_the_cache);
	tcase_add_test(t, a_spliced_file_that_has_become_shorter_ends);
	suite_add_tcase(s, t);
	return s;
}
