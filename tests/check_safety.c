// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base.h"
#include "claim.h"
#include "overlap.h"
#include "safety.h"
#include "suites.h"

static struct request q;
static struct facts src;
static struct facts dst;
static struct safety safety;

// A file of 1 MiB onto a disk.
static void
begin(void)
{
	q = (struct request){.dst = "/dev/aiodd-nonesuch",
			     .ibs = 512,
			     .obs = 4096,
			     .count.blocks = REQUEST_NO_LIMIT};
	src = (struct facts){.kind = FACTS_FILE, .size = MIB};
	dst = (struct facts){.kind = FACTS_BLOCK, .size = GIB};
	safety_init(&safety);
}

static void
check_reach(uint64_t wanted)
{
	ck_assert_uint_eq(overlap_reach(&q, &src, &dst), wanted);
}

START_TEST(what_is_not_the_device_is_no_claim_on_it)
{
	const int fd = memfd_create("file", MFD_CLOEXEC);

	ck_assert_int_lt(claim_open(fd, "/dev/null", makedev(0xfff, 0),
				    CLAIM_TO_LOOK), 0);
	close(fd);
}
END_TEST

START_TEST(a_copy_reaches_as_far_as_its_source)
{
	check_reach(MIB);
	src.pos = 7;
	check_reach(MIB - 7);
	src.size = 5;
	check_reach(0);
}
END_TEST

START_TEST(skip_shortens_and_seek_moves)
{
	q.skip = (struct request_amount){2, 1};
	check_reach(MIB - 1025);
	q.seek = (struct request_amount){3, 5};
	check_reach(MIB - 1025 + 3 * 4096 + 5);
	dst.pos = 100;
	check_reach(MIB - 1025 + 3 * 4096 + 105);
}
END_TEST

START_TEST(conv_sync_fills_the_last_record)
{
	src.size = MIB + 1;
	q.conv = CONV_SYNC;
	check_reach(MIB + q.ibs);
}
END_TEST

START_TEST(count_ends_it)
{
	q.count = (struct request_amount){3, 1};
	check_reach(1537);
	src.kind = FACTS_ZERO;
	check_reach(1537);
	q.count = (struct request_amount){0, 0};
	check_reach(0);
}
END_TEST

START_TEST(what_has_no_known_end_reaches_nowhere)
{
	src.kind = FACTS_ZERO;
	check_reach(0);
	q.seek.blocks = 1;
	check_reach(0);
	q.count.blocks = INT64_MAX - 1;
	check_reach(0);
	src.kind = FACTS_STREAM;
	q.count.blocks = 1;
	check_reach(0);
}
END_TEST

START_TEST(records_that_change_their_length_reach_nowhere)
{
	q.conv = CONV_UNBLOCK;
	check_reach(0);
}
END_TEST

START_TEST(a_seek_beyond_all_offsets_is_not_for_us)
{
	q.seek.blocks = INT64_MAX / 4096;
	check_reach((uint64_t)INT64_MAX / 4096 * 4096 + MIB);
	q.seek.blocks = INT64_MAX;
	check_reach(0);
}
END_TEST

static void
check_path(const char *path, int wanted)
{
	q.dst = path;
	ck_assert_int_eq(safety_check_path(&safety, &q), wanted);
}

START_TEST(a_missing_name_in_dev_is_refused)
{
	check_path("/dev/aiodd-nonesuch", -EPERM);
	ck_assert_int_eq(safety.reason, REQUEST_FORCE_MISSING);
	check_path("/tmp/../dev/aiodd-nonesuch", -EPERM);
}
END_TEST

START_TEST(other_names_are_not_refused)
{
	check_path("/dev/null", 0);
	check_path("/devaiodd-nonesuch", 0);
	check_path("aiodd-nonesuch", 0);
	check_path("/dev/fd/999", 0);
	check_path("", 0);
	check_path(NULL, 0);
}
END_TEST

START_TEST(force_nocreat_and_dd_let_it_pass)
{
	q.force = REQUEST_FORCE_MISSING;
	check_path("/dev/aiodd-nonesuch", 0);
	q.force = ~(unsigned)REQUEST_FORCE_MISSING;
	check_path("/dev/aiodd-nonesuch", -EPERM);
	q.conv = CONV_NOCREAT;
	check_path("/dev/aiodd-nonesuch", 0);
	q.conv = 0;
	q.is_dd = true;
	check_path("/dev/aiodd-nonesuch", 0);
}
END_TEST

static void
check_refused(enum request_force reason)
{
	ck_assert_int_eq(safety_check(&safety, &q, &src, &dst, -1), -EPERM);
	ck_assert_int_eq(safety.reason, reason);
}

static void
check_allowed(void)
{
	ck_assert_int_eq(safety_check(&safety, &q, &src, &dst, -1), 0);
}

START_TEST(neither_other_files_nor_dd_are_refused)
{
	dst = src;
	check_allowed();
	ck_assert_int_eq(safety.claim, -1);
	dst = (struct facts){.kind = FACTS_STREAM};
	check_allowed();
	dst = (struct facts){.kind = FACTS_BLOCK, .rdev = 1};
	q.is_dd = true;
	check_allowed();
}
END_TEST

// No device has the number 0:1, so neither sysfs nor the kernel knows it.
START_TEST(what_cannot_be_looked_at_is_refused)
{
	dst.rdev = 1;
	check_refused(REQUEST_FORCE_UNCHECKED);
	ck_assert_int_ne(safety.unseen.error, 0);
	ck_assert_str_ne(safety.unseen.path, "");
	q.force = ~(unsigned)REQUEST_FORCE_UNCHECKED;
	check_refused(REQUEST_FORCE_UNCHECKED);
	q.force = REQUEST_FORCE_UNCHECKED;
	check_allowed();
	q.force = 0;
	dst = (struct facts){.kind = FACTS_STREAM, .error = ENOMEM};
	check_refused(REQUEST_FORCE_UNCHECKED);
	ck_assert_int_eq(safety.unseen.error, ENOMEM);
}
END_TEST

START_TEST(a_device_that_is_too_small_is_refused)
{
	dst.rdev = 1;
	q.force = REQUEST_FORCE_UNCHECKED;
	ck_assert_int_eq(safety_check(&safety, &q, &src, &dst, -1), 0);
	dst.size = MIB - 1;
	ck_assert_int_eq(safety_check(&safety, &q, &src, &dst, -1), -EPERM);
	ck_assert_int_eq(safety.reason, REQUEST_FORCE_SIZE);
	ck_assert_uint_eq(safety.size, MIB - 1);
	ck_assert_uint_eq(safety.reach, MIB);
	q.force |= REQUEST_FORCE_SIZE;
	ck_assert_int_eq(safety_check(&safety, &q, &src, &dst, -1), 0);
}
END_TEST

START_TEST(a_device_is_not_copied_onto_itself)
{
	src = dst;
	src.rdev = dst.rdev = 1;
	ck_assert_int_eq(safety_check(&safety, &q, &src, &dst, -1), -EPERM);
	ck_assert_int_eq(safety.reason, REQUEST_FORCE_OVERLAP);
}
END_TEST

START_TEST(a_loop_device_is_its_file)
{
	dst.rdev = 1;
	src.dev = dst.dev = 3;
	src.ino = dst.ino = 4;
	ck_assert_int_eq(safety_check(&safety, &q, &src, &dst, -1), -EPERM);
	ck_assert_int_eq(safety.reason, REQUEST_FORCE_OVERLAP);
	src.ino = 5;
	q.force = REQUEST_FORCE_UNCHECKED;
	ck_assert_int_eq(safety_check(&safety, &q, &src, &dst, -1), 0);
}
END_TEST

static const struct {
	unsigned conv;
	uint64_t skip;   // blocks of 512
	uint64_t seek;   // blocks of 4096, bytes behind them
	uint64_t bytes;
	uint64_t count;  // blocks of 512
	bool is_refused;
} onto_itself[] = {
	{0, 0, 0, 0, REQUEST_NO_LIMIT, true},              // emptied
	{0, 0, 0, 0, 0, true},
	{0, 0, 1, 0, REQUEST_NO_LIMIT, true},              // endless
	{0, 0, 256, 0, REQUEST_NO_LIMIT, true},
	{0, 0, 1, 0, 9, true},
	{0, 0, 1, 0, 8, false},                            // cut behind it
	{0, 8, 1, 0, 1, true},
	{0, 0, 0, 512, 1, true},                           // cut at 0
	{CONV_NOTRUNC, 0, 0, 0, REQUEST_NO_LIMIT, false},  // in place
	{CONV_NOTRUNC | CONV_SWAB, 0, 0, 0, REQUEST_NO_LIMIT, false},
	{CONV_NOTRUNC | CONV_SYNC, 0, 0, 0, REQUEST_NO_LIMIT, false},
	{CONV_NOTRUNC | CONV_BLOCK, 0, 0, 0, REQUEST_NO_LIMIT, true},
	{CONV_NOTRUNC | CONV_UNBLOCK, 0, 0, 0, 1, true},
	{CONV_NOTRUNC, 8, 1, 0, REQUEST_NO_LIMIT, false},
	{CONV_NOTRUNC, 9, 1, 0, REQUEST_NO_LIMIT, false},  // moved down
	{CONV_NOTRUNC, 7, 1, 0, REQUEST_NO_LIMIT, true},   // and up
	{CONV_NOTRUNC, 7, 1, 0, 2, true},
	{CONV_NOTRUNC, 7, 1, 0, 1, false},
	{CONV_NOTRUNC, 0, 256, 0, 2048, false},            // behind the end
	{CONV_NOTRUNC, 0, 256, 0, REQUEST_NO_LIMIT, true}, // endless
	{CONV_NOTRUNC, 0, 0, 512, 1, false},
};

START_TEST(a_file_onto_itself_must_not_meet_itself)
{
	src.dev = 3;
	src.ino = 4;
	dst = src;
	q.conv = onto_itself[_i].conv;
	q.skip.blocks = onto_itself[_i].skip;
	q.seek.blocks = onto_itself[_i].seek;
	q.seek.bytes = onto_itself[_i].bytes;
	q.count.blocks = onto_itself[_i].count;
	if (!onto_itself[_i].is_refused) {
		check_allowed();
		return;
	}
	check_refused(REQUEST_FORCE_OVERLAP);
	q.force = REQUEST_FORCE_OVERLAP;
	check_allowed();
}
END_TEST

START_TEST(what_an_overlay_shows_is_the_file_itself)
{
	src.dev = 3;
	src.ino = 4;
	src.changed_ns = 5;
	dst = src;
	dst.dev = 6;
	check_allowed();
	src.is_overlay = true;
	check_refused(REQUEST_FORCE_OVERLAP);
	dst.changed_ns++;
	check_allowed();
	dst.changed_ns--;
	dst.is_overlay = true;
	check_allowed();
}
END_TEST

START_TEST(an_empty_file_is_not_copied_onto_itself_either)
{
	src = dst = (struct facts){.kind = FACTS_FILE, .dev = 3, .ino = 4};
	q.seek.blocks = 1;
	check_refused(REQUEST_FORCE_OVERLAP);
}
END_TEST

START_TEST(what_is_appended_to_its_source_must_end)
{
	src.dev = 3;
	src.ino = 4;
	dst = src;
	dst.is_append = true;
	q.dst = NULL;
	check_refused(REQUEST_FORCE_OVERLAP);
	q.count.blocks = MIB / 512 + 1;
	check_refused(REQUEST_FORCE_OVERLAP);
	q.count.blocks = MIB / 512;
	check_allowed();
}
END_TEST

START_TEST(a_padded_record_is_not_read_again)
{
	src.dev = 3;
	src.ino = 4;
	src.size = MIB + 1;
	dst = src;
	q.conv = CONV_NOTRUNC | CONV_SYNC;
	check_refused(REQUEST_FORCE_OVERLAP);
}
END_TEST

START_TEST(a_device_without_a_name_is_a_number)
{
	char name[DISK_NAME_MAX];

	ck_assert_str_eq(disk_name(1, name, sizeof(name)), "0:1");
	ck_assert_uint_eq(disk_whole(1), 1);
}
END_TEST

Suite *
safety_suite(void)
{
	Suite *suite = suite_create("safety");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_add_test(tcase, a_copy_reaches_as_far_as_its_source);
	tcase_add_test(tcase, what_is_not_the_device_is_no_claim_on_it);
	tcase_add_test(tcase, skip_shortens_and_seek_moves);
	tcase_add_test(tcase, conv_sync_fills_the_last_record);
	tcase_add_test(tcase, count_ends_it);
	tcase_add_test(tcase, what_has_no_known_end_reaches_nowhere);
	tcase_add_test(tcase, records_that_change_their_length_reach_nowhere);
	tcase_add_test(tcase, a_seek_beyond_all_offsets_is_not_for_us);
	tcase_add_test(tcase, a_missing_name_in_dev_is_refused);
	tcase_add_test(tcase, other_names_are_not_refused);
	tcase_add_test(tcase, force_nocreat_and_dd_let_it_pass);
	tcase_add_test(tcase, neither_other_files_nor_dd_are_refused);
	tcase_add_test(tcase, what_cannot_be_looked_at_is_refused);
	tcase_add_loop_test(tcase, a_file_onto_itself_must_not_meet_itself, 0,
			    ARRAY_LEN(onto_itself));
	tcase_add_test(tcase, what_an_overlay_shows_is_the_file_itself);
	tcase_add_test(tcase, an_empty_file_is_not_copied_onto_itself_either);
	tcase_add_test(tcase, what_is_appended_to_its_source_must_end);
	tcase_add_test(tcase, a_padded_record_is_not_read_again);
	tcase_add_test(tcase, a_device_that_is_too_small_is_refused);
	tcase_add_test(tcase, a_device_is_not_copied_onto_itself);
	tcase_add_test(tcase, a_loop_device_is_its_file);
	tcase_add_test(tcase, a_device_without_a_name_is_a_number);
	suite_add_tcase(suite, tcase);
	return suite;
}
