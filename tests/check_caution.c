// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <endian.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base.h"
#include "caution.h"
#include "file.h"
#include "plan.h"
#include "probe.h"
#include "rig.h"
#include "suites.h"

static struct request q;
static struct plan plan;
static struct side src;
static struct side dst;

// A file of 10 MiB into an empty one, with 8 MiB to spare.
static void
begin(void)
{
	rig_open();
	q = rig_request(512);
	q.dst = "/nonesuch";
	plan = (struct plan){.way = PLAN_BULK};
	file_init(&src, -1, "src", false);
	src.facts = (struct facts){.kind = FACTS_FILE,
				   .size = 10 * MIB,
				   .allocated = 10 * MIB};
	file_init(&dst, -1, "dst", false);
	dst.facts = (struct facts){.kind = FACTS_FILE, .free = 8 * MIB};
}

static void
end(void)
{
	if (src.fd >= 0)
		close(src.fd);
	rig_close();
}

static uint64_t
space(void)
{
	return caution_space(&q, &plan, &src.facts, &dst.facts);
}

static unsigned
told(enum event_kind kind)
{
	rig.nr_told = 0;
	caution_tell(&q, &plan, &src, &dst, &rig.hooks);
	ck_assert_uint_eq(rig.nr_told, rig_count_told(kind));
	return rig.nr_told;
}

/* Room */

START_TEST(a_copy_needs_what_is_read)
{
	ck_assert_uint_eq(space(), 10 * MIB);
	q.skip.blocks = 2048;
	q.seek.blocks = 4096;
	ck_assert_uint_eq(space(), 9 * MIB);
	q.count = (struct request_amount){1024, 0};
	ck_assert_uint_eq(space(), MIB / 2);
}
END_TEST

START_TEST(holes_that_are_kept_need_nothing)
{
	src.facts.allocated = 3 * MIB;
	ck_assert_uint_eq(space(), 10 * MIB);
	plan.holes = PLAN_HOLES_KEEP;
	ck_assert_uint_eq(space(), 3 * MIB);
	// So much of it can be data, or all be holes.
	q.count = (struct request_amount){4096, 0};
	ck_assert_uint_eq(space(), 0);
	q.count = (struct request_amount){16384, 0};
	ck_assert_uint_eq(space(), MIB);
}
END_TEST

START_TEST(what_is_written_over_has_its_blocks)
{
	q.conv = CONV_NOTRUNC;
	dst.facts.size = dst.facts.allocated = 4 * MIB;
	ck_assert_uint_eq(space(), 6 * MIB);
	q.seek.blocks = 6144;
	ck_assert_uint_eq(space(), 9 * MIB);
	q.seek.blocks = 8192;
	ck_assert_uint_eq(space(), 10 * MIB);
	q.seek.blocks = 0;
	dst.facts.allocated = MIB; // with holes
	ck_assert_uint_eq(space(), 9 * MIB);
	dst.facts.size = dst.facts.allocated = GIB;
	ck_assert_uint_eq(space(), 0);
	dst.facts.is_append = true;
	ck_assert_uint_eq(space(), 10 * MIB);
}
END_TEST

START_TEST(what_is_cut_off_is_free)
{
	dst.facts.size = 5 * MIB;
	dst.facts.allocated = 3 * MIB;
	probe_cut(&dst.facts);
	ck_assert_uint_eq(dst.facts.free, 11 * MIB);
	ck_assert_uint_eq(space(), 10 * MIB);
	ck_assert_uint_eq(told(NOTICE_SPACE), 0);
	dst.facts.free = UINT64_MAX;
	dst.facts.allocated = MIB;
	probe_cut(&dst.facts);
	ck_assert_uint_eq(dst.facts.free, UINT64_MAX);
}
END_TEST

START_TEST(what_cannot_be_known_is_not_said)
{
	q.conv = CONV_SPARSE;
	ck_assert_uint_eq(space(), 0);
	q.conv = 0;
	src.facts = (struct facts){.kind = FACTS_STREAM};
	ck_assert_uint_eq(space(), 0);
	src.facts = (struct facts){.kind = FACTS_ZERO};
	ck_assert_uint_eq(space(), 0);
}
END_TEST

START_TEST(too_little_room_is_told_with_both_figures)
{
	ck_assert_uint_eq(told(NOTICE_SPACE), 1);
	ck_assert_str_eq(rig_told(NOTICE_SPACE)->name, "dst");
	ck_assert_uint_eq(rig_told(NOTICE_SPACE)->off, 8 * MIB);
	ck_assert_uint_eq(rig_told(NOTICE_SPACE)->len, 10 * MIB);
	dst.facts.free = 10 * MIB;
	ck_assert_uint_eq(told(NOTICE_SPACE), 0);
	dst.facts.free = UINT64_MAX;
	ck_assert_uint_eq(told(NOTICE_SPACE), 0);
}
END_TEST

START_TEST(no_word_of_room_where_it_is_not_asked_for)
{
	dst.facts.free = 0;
	src.facts.size = src.facts.allocated = MIB - 1;
	ck_assert_uint_eq(told(NOTICE_SPACE), 0);
	src.facts.size = src.facts.allocated = MIB;
	ck_assert_uint_eq(told(NOTICE_SPACE), 1);
	q.is_dd = true;
	ck_assert_uint_eq(told(NOTICE_SPACE), 0);
	q.is_dd = false;
	dst.facts.kind = FACTS_BLOCK;
	ck_assert_uint_eq(told(NOTICE_SPACE), 0);
}
END_TEST

/* Partition tables */

// An image with such a GPT, onto a disk of its size that does not exist.
static void
begin_image(uint32_t sector)
{
	unsigned char disk[8192] = {0};
	const uint64_t values[] = {htole64(1), htole64(10 * MIB / sector - 1)};

	memcpy(disk + sector, "EFI PART", 8);
	memcpy(disk + sector + 24, values, sizeof(values));
	src.fd = rig_file(disk, sizeof(disk));
	dst.facts = (struct facts){.kind = FACTS_BLOCK,
				   .rdev = makedev(0, 1),
				   .sector = 512,
				   .size = 10 * MIB};
}

START_TEST(an_image_that_fits_its_disk_needs_no_word)
{
	begin_image(512);
	ck_assert_uint_eq(told(NOTICE_BACKUP), 0);
}
END_TEST

START_TEST(an_image_for_other_sectors_is_told)
{
	begin_image(4096);
	ck_assert_uint_eq(told(NOTICE_SECTORS), 1);
	ck_assert_uint_eq(rig_told(NOTICE_SECTORS)->off, 4096);
	ck_assert_uint_eq(rig_told(NOTICE_SECTORS)->len, 512);
	dst.facts.sector = 4096;
	ck_assert_uint_eq(told(NOTICE_SECTORS), 0);
}
END_TEST

START_TEST(a_backup_that_is_not_at_the_end_is_told)
{
	begin_image(512);
	dst.facts.size += 512;
	ck_assert_uint_eq(told(NOTICE_BACKUP), 1);
	dst.facts.size -= 512;
	// It is not copied.
	q.count = (struct request_amount){20479, 0};
	ck_assert_uint_eq(told(NOTICE_BACKUP), 1);
	q.count = (struct request_amount){20480, 0};
	ck_assert_uint_eq(told(NOTICE_BACKUP), 0);
}
END_TEST

START_TEST(what_is_no_disk_image_there_needs_no_word)
{
	begin_image(4096);
	q.skip.blocks = 1;
	ck_assert_uint_eq(told(NOTICE_SECTORS), 0);
	q.skip.blocks = 0;
	q.seek.blocks = 1;
	ck_assert_uint_eq(told(NOTICE_SECTORS), 0);
	q.seek.blocks = 0;
	q.conv = CONV_SWAB;
	ck_assert_uint_eq(told(NOTICE_SECTORS), 0);
	q.conv = 0;
	q.count = (struct request_amount){8, 0}; // without the header
	ck_assert_uint_eq(told(NOTICE_SECTORS), 0);
	q.count.blocks = REQUEST_NO_LIMIT;
	q.is_dd = true;
	ck_assert_uint_eq(told(NOTICE_SECTORS), 0);
	q.is_dd = false;
	src.facts.kind = FACTS_STREAM;
	ck_assert_uint_eq(told(NOTICE_SECTORS), 0);
	src.facts.kind = FACTS_FILE;
	ck_assert_uint_eq(told(NOTICE_SECTORS), 1);
}
END_TEST

START_TEST(a_source_that_is_not_open_is_opened_to_look)
{
	begin_image(4096);
	q.plan_only = true;
	q.src = rig_path(src.fd);
	close(src.fd);
	src.fd = -1;
	ck_assert_uint_eq(told(NOTICE_SECTORS), 0); // it is gone
	begin_image(4096);
	q.src = rig_path(src.fd);
	const int fd = src.fd;
	src.fd = -1;
	ck_assert_uint_eq(told(NOTICE_SECTORS), 1);
	src.fd = fd;
}
END_TEST

Suite *
caution_suite(void)
{
	Suite *suite = suite_create("caution");
	TCase *tc = tcase_create("caution");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, a_copy_needs_what_is_read);
	tcase_add_test(tc, holes_that_are_kept_need_nothing);
	tcase_add_test(tc, what_is_written_over_has_its_blocks);
	tcase_add_test(tc, what_is_cut_off_is_free);
	tcase_add_test(tc, what_cannot_be_known_is_not_said);
	tcase_add_test(tc, too_little_room_is_told_with_both_figures);
	tcase_add_test(tc, no_word_of_room_where_it_is_not_asked_for);
	tcase_add_test(tc, an_image_that_fits_its_disk_needs_no_word);
	tcase_add_test(tc, an_image_for_other_sectors_is_told);
	tcase_add_test(tc, a_backup_that_is_not_at_the_end_is_told);
	tcase_add_test(tc, what_is_no_disk_image_there_needs_no_word);
	tcase_add_test(tc, a_source_that_is_not_open_is_opened_to_look);
	suite_add_tcase(suite, tc);
	return suite;
}
