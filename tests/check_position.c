// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "position.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "env.h"
#include "rig.h"
#include "serial.h"
#include "serial_read.h"
#include "suites.h"

static struct request q;
static struct env env;
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
	env = (struct env){.asked = &q, .hooks = &rig.hooks};
	serial_init(&serial, &env, &q, &src, &dst);
}

static void
check_read(size_t len, const char *want)
{
	ck_assert_int_eq(serial_read(&serial, buf, len), (ssize_t)strlen(want));
	ck_assert_mem_eq(buf, want, strlen(want));
}

static void
open_packets(void)
{
	src.fd = rig_packets();
	start();
}

START_TEST(skip_moves_a_file)
{
	src.fd = rig_file("0123456789", 10);
	q.skip = (struct request_amount){1, 1};
	start();
	ck_assert_int_eq(position_skip(&serial), 0);
	ck_assert_uint_eq(serial.src_off, 5);
	check_read(4, "5678");
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

START_TEST(skip_past_the_end_of_a_file_is_worth_a_warning)
{
	src.fd = rig_file("0123456789", 10);
	q.skip.blocks = 3;
	start();
	ck_assert_int_eq(position_skip(&serial), 0);
	ck_assert_str_eq(rig_told(NOTICE_SKIP_PAST_END)->name, "it");
	check_read(4, "");
}
END_TEST

START_TEST(skip_to_no_offset_is_an_error)
{
	src.fd = rig_file("0123456789", 10);
	q.skip.blocks = INT64_MAX;
	start();
	ck_assert_int_eq(position_skip(&serial), -EOVERFLOW);
	ck_assert_int_eq(rig_told(FAILURE_SKIP)->error, EOVERFLOW);
}
END_TEST

START_TEST(skip_reads_what_cannot_be_moved)
{
	q.skip = (struct request_amount){2, 1};
	open_packets();
	ck_assert_int_eq(position_skip(&serial), 1);
	ck_assert_int_eq(position_skip_reading(&serial, buf), 0);
	check_read(4, "hij");
}
END_TEST

START_TEST(skip_past_the_end_of_a_pipe_is_worth_a_warning)
{
	q.skip.blocks = 5;
	open_packets();
	ck_assert_int_eq(position_skip(&serial), 1);
	ck_assert_int_eq(position_skip_reading(&serial, buf), 0);
	rig_told(NOTICE_SKIP_PAST_END);
}
END_TEST

START_TEST(seek_moves_a_file)
{
	dst.fd = rig_file("0123456789", 10);
	q.seek = (struct request_amount){1, 2};
	start();
	ck_assert_int_eq(position_seek(&serial), 0);
	ck_assert_int_eq(lseek(dst.fd, 0, SEEK_CUR), 6);
}
END_TEST

START_TEST(seek_tells_why_it_cannot_move)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	src.fd = fds[0];
	dst.fd = open(rig_path(fds[1]), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	close(fds[1]);
	q.seek = (struct request_amount){1, 2};
	start();
	ck_assert_int_eq(position_seek(&serial), 1);
	ck_assert_int_eq(serial.dst_seek_error, ESPIPE);
	// An empty pipe that does not wait cannot be read through.
	ck_assert_int_eq(position_seek_writing(&serial, buf), -EAGAIN);
	ck_assert_int_eq(rig_told(FAILURE_SEEK)->error, ESPIPE);
}
END_TEST

// What is there already stays, zeros come behind it.
START_TEST(seek_reads_what_cannot_be_moved)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	src.fd = fds[0];
	dst.fd = open(rig_path(fds[1]), O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(write(fds[1], "0123456789", 10), 10);
	close(fds[1]);
	q.seek = (struct request_amount){2, 1};
	start();
	ck_assert_int_eq(position_seek(&serial), 1);
	ck_assert_int_eq(position_seek_writing(&serial, buf), 0);
	check_read(4, "9");
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

START_TEST(bad_places_of_a_file_are_stepped_over)
{
	src.fd = rig_file("0123456789", 10);
	start();
	check_read(4, "0123");
	ck_assert(position_pass_bad(&serial, 3));
	ck_assert_uint_eq(serial.src_off, 7);
	check_read(4, "789");
}
END_TEST

START_TEST(an_offset_that_others_moved_is_worth_a_warning)
{
	src.fd = rig_file("0123456789", 10);
	start();
	check_read(4, "0123");
	ck_assert_int_eq(lseek(src.fd, 9, SEEK_SET), 9);
	ck_assert(position_pass_bad(&serial, 2));
	rig_told(NOTICE_BAD_OFFSET);
	check_read(4, "6789");
}
END_TEST

START_TEST(a_pipe_has_no_bad_places)
{
	open_packets();
	ck_assert(position_pass_bad(&serial, 4));
	ck_assert_uint_eq(rig.nr_told, 0);
	check_read(4, "ab");
}
END_TEST

START_TEST(a_bad_place_past_all_offsets_is_told)
{
	src.fd = rig_file("0123456789", 10);
	start();
	ck_assert(!position_pass_bad(&serial, INT64_MAX));
	ck_assert(!position_pass_bad(&serial, 1));
	ck_assert_uint_ge(rig.nr_told, 1);
}
END_TEST

Suite *
position_suite(void)
{
	Suite *s = suite_create("position");
	TCase *t = tcase_create("position");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, skip_moves_a_file);
	tcase_add_test(t, skip_past_the_end_of_a_file_is_worth_a_warning);
	tcase_add_test(t, skip_to_no_offset_is_an_error);
	tcase_add_test(t, skip_reads_what_cannot_be_moved);
	tcase_add_test(t, skip_past_the_end_of_a_pipe_is_worth_a_warning);
	tcase_add_test(t, seek_moves_a_file);
	tcase_add_test(t, seek_tells_why_it_cannot_move);
	tcase_add_test(t, seek_reads_what_cannot_be_moved);
	tcase_add_test(t, bad_places_of_a_file_are_stepped_over);
	tcase_add_test(t, an_offset_that_others_moved_is_worth_a_warning);
	tcase_add_test(t, a_pipe_has_no_bad_places);
	tcase_add_test(t, a_bad_place_past_all_offsets_is_told);
	suite_add_tcase(s, t);
	return s;
}
