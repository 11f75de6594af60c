// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base.h"
#include "env.h"
#include "rig.h"
#include "record.h"
#include "suites.h"

enum { PAGE = 4096 };

static struct request q;
static struct side src;
static struct side dst;
static struct serial serial;
static struct record record;
static struct stats stats;

static void
begin(void)
{
	rig_open();
	q = rig_request(4);
	stats = (struct stats){0};
	src = rig_side(-1);
	dst = rig_side(rig_file("", 0));
}

static void
end(void)
{
	close(src.fd);
	close(dst.fd);
	rig_close();
}

static int
run(void)
{
	const struct env env = {
		.asked = &q, .hooks = &rig.hooks, .stats = &stats};

	serial_init(&serial, &env, &q, &src, &dst);
	record_init(&record, &serial);
	const int r = record_run(&record);
	record_done(&record);
	return r;
}

static void
check_run(const char *want)
{
	ck_assert_int_eq(run(), 0);
	rig_check_file(dst.fd, want, strlen(want));
	ck_assert_uint_eq(stats.bytes, strlen(want));
	rig_told(NOTICE_SYNCING);
}

static void
check_stats(uint64_t in_full, uint64_t in_partial, uint64_t out_full,
	    uint64_t out_partial)
{
	ck_assert_uint_eq(stats.in_full, in_full);
	ck_assert_uint_eq(stats.in_partial, in_partial);
	ck_assert_uint_eq(stats.out_full, out_full);
	ck_assert_uint_eq(stats.out_partial, out_partial);
}

START_TEST(a_short_record_is_written_as_one)
{
	src.fd = rig_packets();
	check_run("abcdefghij");
	check_stats(1, 3, 1, 3);
	ck_assert(record.intake.is_at_eof);
}
END_TEST

START_TEST(count_counts_reads)
{
	src.fd = rig_packets();
	q.count.blocks = 2;
	check_run("abcdef");
	check_stats(1, 1, 1, 1);
	ck_assert(!record.intake.is_at_eof);
}
END_TEST

START_TEST(count_in_bytes_ends_with_a_short_record)
{
	src.fd = rig_file("0123456789", 10);
	q.count = (struct request_amount){1, 3};
	check_run("0123456");
	check_stats(1, 1, 1, 1);
}
END_TEST

START_TEST(fullblock_fills_records)
{
	src.fd = rig_packets();
	q.iflags = FLAG_FULLBLOCK;
	q.ibs = q.obs = 6;
	check_run("abcdefghij");
	check_stats(1, 1, 1, 1);
}
END_TEST

START_TEST(records_are_collected_into_blocks_of_obs)
{
	src.fd = rig_packets();
	q.is_single_buffer = false;
	q.obs = 3;
	check_run("abcdefghij");
	check_stats(1, 3, 3, 1);
}
END_TEST

START_TEST(conv_sync_pads_short_records)
{
	src.fd = rig_packets();
	q.conv = CONV_SYNC;
	ck_assert_int_eq(run(), 0);
	rig_check_file(dst.fd, "ab\0\0cdefg\0\0\0hij\0", 16);
	check_stats(1, 3, 4, 0);
}
END_TEST

START_TEST(conv_sync_pads_lines_with_spaces)
{
	src.fd = rig_packets();
	q.is_single_buffer = false;
	q.conv = CONV_SYNC | CONV_BLOCK;
	q.cbs = 20;
	ck_assert_int_eq(run(), 0);
	rig_check_file(dst.fd, "ab  cdefg   hij     ", 20);
}
END_TEST

START_TEST(conv_swab_runs_over_the_ends_of_records)
{
	src.fd = rig_packets();
	q.is_single_buffer = false;
	q.conv = CONV_SWAB;
	check_run("badcfehgji");
}
END_TEST

START_TEST(conv_ucase_changes_every_byte)
{
	src.fd = rig_packets();
	q.is_single_buffer = false;
	q.conv = CONV_UCASE;
	check_run("ABCDEFGHIJ");
}
END_TEST

START_TEST(conv_unblock_ends_the_last_line)
{
	src.fd = rig_file("ab  cd  e", 9);
	q.is_single_buffer = false;
	q.conv = CONV_UNBLOCK;
	q.cbs = 4;
	check_run("ab\ncd\ne\n");
}
END_TEST

START_TEST(conv_sparse_sets_the_size_at_the_end)
{
	src.fd = rig_file("abcd\0\0\0\0", 8);
	q.conv = CONV_SPARSE;
	ck_assert_int_eq(run(), 0);
	rig_check_file(dst.fd, "abcd\0\0\0\0", 8);
	ck_assert_uint_eq(stats.bytes, 8);
	check_stats(2, 0, 2, 0);
}
END_TEST

START_TEST(an_empty_source_makes_no_records)
{
	src.fd = rig_file("", 0);
	check_run("");
	check_stats(0, 0, 0, 0);
}
END_TEST

START_TEST(a_stop_leaves_what_was_done)
{
	src.fd = rig_packets();
	rig.must_stop = true;
	ck_assert_int_eq(run(), -ECANCELED);
	check_stats(0, 0, 0, 0);
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

START_TEST(a_full_destination_ends_the_run)
{
	src.fd = rig_packets();
	close(dst.fd);
	dst.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(run(), -ENOSPC);
	ck_assert_int_eq(rig_told(FAILURE_WRITE)->error, ENOSPC);
	check_stats(0, 1, 0, 0);
}
END_TEST

START_TEST(a_full_block_of_obs_has_words_of_its_own)
{
	src.fd = rig_packets();
	close(dst.fd);
	dst.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	q.is_single_buffer = false;
	q.obs = 5;
	ck_assert_int_eq(run(), -ENOSPC);
	ck_assert_int_eq(rig_told(FAILURE_WRITE_TO)->error, ENOSPC);
	ck_assert(record.has_quit);
	check_stats(1, 1, 0, 0);
}
END_TEST

// What is there is read, the rest of the way is zeros.
START_TEST(a_seek_goes_on_where_there_is_nothing_to_read)
{
	const struct env env = {
		.asked = &q, .hooks = &rig.hooks, .stats = &stats};
	char got[16];
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(write(fds[1], "0123", 4), 4);
	ck_assert_int_eq(shutdown(fds[1], SHUT_WR), 0);
	close(dst.fd);
	dst.fd = fds[0];
	q.seek = (struct request_amount){2, 1};
	serial_init(&serial, &env, &q, &src, &dst);
	record_init(&record, &serial);
	ck_assert_int_eq(record_seek(&record), 0);
	ck_assert_uint_eq(rig.nr_told, 0);
	ck_assert_int_eq(recv(fds[1], got, sizeof(got), MSG_DONTWAIT), 5);
	ck_assert_mem_eq(got, "\0\0\0\0", 5);
	record_done(&record);
	close(fds[1]);
}
END_TEST

START_TEST(memory_that_cannot_be_had_is_told)
{
	src.fd = rig_packets();
	q.ibs = UINT64_MAX;
	ck_assert_int_eq(run(), -ENOMEM);
	ck_assert_uint_eq(rig_told(FAILURE_SRC_MEMORY)->len, UINT64_MAX);
	ck_assert(record.is_out_of_memory);
	q.ibs = 4;
	q.obs = UINT64_MAX;
	q.is_single_buffer = false;
	ck_assert_int_eq(run(), -ENOMEM);
	ck_assert_uint_eq(rig_told(FAILURE_DST_MEMORY)->len, UINT64_MAX);
}
END_TEST

/* A source with a bad place: memory of our own with a page missing. */

static void
open_bad_source(void)
{
	unsigned char *pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(pages, MAP_FAILED);
	memset(pages, 'a', PAGE);
	memset(pages + 2 * PAGE, 'c', PAGE);
	munmap(pages + PAGE, PAGE);
	src.fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(src.fd, 0);
	ck_assert_int_ge(lseek(src.fd, (off_t)(uintptr_t)pages, SEEK_SET), 0);
	q.count.blocks = 3;
	q.ibs = q.obs = PAGE;
}

static void
check_pages(const char *want)
{
	const size_t nr = strlen(want);
	unsigned char pages[3 * PAGE];

	for (size_t i = 0; i < nr; i++)
		memset(pages + i * PAGE, want[i] == '0' ? 0 : want[i], PAGE);
	rig_check_file(dst.fd, pages, nr * PAGE);
}

START_TEST(a_read_error_ends_the_run_after_what_was_read)
{
	open_bad_source();
	ck_assert_int_eq(run(), -EIO);
	ck_assert_int_eq(rig_told(FAILURE_READ)->error, EIO);
	check_pages("a");
	check_stats(1, 0, 1, 0);
}
END_TEST

START_TEST(a_read_error_ends_the_run_but_not_before_the_flush)
{
	open_bad_source();
	q.is_single_buffer = false;
	q.obs = 2 * PAGE;
	ck_assert_int_eq(run(), -EIO);
	check_pages("a");
	check_stats(1, 0, 0, 1);
}
END_TEST

START_TEST(conv_noerror_goes_on_behind_the_bad_place)
{
	open_bad_source();
	q.conv = CONV_NOERROR;
	q.count.blocks = 2;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(rig_told(NOTICE_READ_SKIPPED)->error, EIO);
	check_pages("ac");
	check_stats(2, 0, 2, 0);
}
END_TEST

START_TEST(conv_noerror_and_sync_keep_the_place)
{
	open_bad_source();
	q.conv = CONV_NOERROR | CONV_SYNC;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(rig_told(NOTICE_READ_SKIPPED)->error, EIO);
	check_pages("a0c");
	check_stats(2, 1, 3, 0);
}
END_TEST

// Nothing says how far this source goes, so it goes no further.
START_TEST(conv_noerror_passes_over_nothing_behind_the_end)
{
	open_bad_source();
	src.facts.kind = FACTS_FILE;
	q.conv = CONV_NOERROR;
	ck_assert_int_eq(run(), -EIO);
	ck_assert_int_eq(rig_told(FAILURE_READ)->error, EIO);
	check_pages("a");
	check_stats(1, 0, 1, 0);
}
END_TEST

static void
add_read_error_tests(TCase *t)
{
	tcase_add_test(t, a_read_error_ends_the_run_after_what_was_read);
	tcase_add_test(t, a_read_error_ends_the_run_but_not_before_the_flush);
	tcase_add_test(t, conv_noerror_goes_on_behind_the_bad_place);
	tcase_add_test(t, conv_noerror_and_sync_keep_the_place);
	tcase_add_test(t, conv_noerror_passes_over_nothing_behind_the_end);
}

static TCase *
noerror_tcase(void)
{
	TCase *t = tcase_create("errors");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_full_destination_ends_the_run);
	tcase_add_test(t, a_full_block_of_obs_has_words_of_its_own);
	tcase_add_test(t, a_seek_goes_on_where_there_is_nothing_to_read);
	tcase_add_test(t, memory_that_cannot_be_had_is_told);
	if (rig_reads_itself())
		add_read_error_tests(t);
	return t;
}

Suite *
record_suite(void)
{
	Suite *s = suite_create("record");
	TCase *t = tcase_create("record");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_short_record_is_written_as_one);
	tcase_add_test(t, count_counts_reads);
	tcase_add_test(t, count_in_bytes_ends_with_a_short_record);
	tcase_add_test(t, fullblock_fills_records);
	tcase_add_test(t, records_are_collected_into_blocks_of_obs);
	tcase_add_test(t, conv_sync_pads_short_records);
	tcase_add_test(t, conv_sync_pads_lines_with_spaces);
	tcase_add_test(t, conv_swab_runs_over_the_ends_of_records);
	tcase_add_test(t, conv_ucase_changes_every_byte);
	tcase_add_test(t, conv_unblock_ends_the_last_line);
	tcase_add_test(t, conv_sparse_sets_the_size_at_the_end);
	tcase_add_test(t, an_empty_source_makes_no_records);
	tcase_add_test(t, a_stop_leaves_what_was_done);
	suite_add_tcase(s, t);
	suite_add_tcase(s, noerror_tcase());
	return s;
}
