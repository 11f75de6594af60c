// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "label.h"
#include "rig.h"
#include "suites.h"

static unsigned char disk[8192];
static struct label label;

static void
put_header(size_t at, uint64_t own, uint64_t alternate)
{
	const uint64_t values[] = {htole64(own), htole64(alternate)};

	memcpy(disk + at, "EFI PART", 8);
	memcpy(disk + at + 24, values, sizeof(values));
}

static void
begin(void)
{
	memset(disk, 0, sizeof(disk));
	label = (struct label){7, 7};
}

static bool
is_found(uint32_t sector)
{
	return label_parse(&label, disk, sizeof(disk), sector);
}

START_TEST(a_header_says_the_sector_and_where_the_backup_ends)
{
	put_header(512, 1, 65535);
	ck_assert(is_found(512));
	ck_assert_uint_eq(label.sector, 512);
	ck_assert_uint_eq(label.end, 32 * MIB);
	ck_assert(!is_found(4096));
	put_header(4096, 1, 8191);
	ck_assert(is_found(4096));
	ck_assert_uint_eq(label.sector, 4096);
	ck_assert_uint_eq(label.end, 32 * MIB);
}
END_TEST

START_TEST(what_is_no_header_is_none)
{
	ck_assert(!is_found(512));
	put_header(512, 65535, 1); // the backup
	ck_assert(!is_found(512));
	put_header(512, 1, 65535);
	disk[519] = 't';
	ck_assert(!is_found(512));
	ck_assert_uint_eq(label.sector, 7);
}
END_TEST

START_TEST(a_sector_beyond_all_bytes_is_looked_for_nowhere)
{
	put_header(0, 1, 65535);
	ck_assert(!is_found(0));
	ck_assert(!is_found(511));
	ck_assert(!is_found(4097));
	ck_assert(!is_found(UINT32_MAX));
	ck_assert(!is_found(UINT32_MAX - 91));
}
END_TEST

START_TEST(a_header_that_is_cut_off_is_none)
{
	put_header(512, 1, 65535);
	for (size_t len = 0; len < 512 + 92; len++)
		ck_assert(!label_parse(&label, disk, len, 512));
	ck_assert(label_parse(&label, disk, 512 + 92, 512));
}
END_TEST

START_TEST(a_backup_beyond_all_offsets_ends_there)
{
	put_header(512, 1, UINT64_MAX);
	ck_assert(is_found(512));
	ck_assert_uint_eq(label.end, UINT64_MAX);
	put_header(512, 1, UINT64_MAX / 512);
	ck_assert(is_found(512));
	ck_assert_uint_eq(label.end, UINT64_MAX);
	put_header(512, 1, 0);
	ck_assert(is_found(512));
	ck_assert_uint_eq(label.end, 512);
}
END_TEST

static bool
is_there(size_t len, uint32_t sector)
{
	return label_find(&label, disk, len, sector);
}

START_TEST(the_sector_of_the_disk_is_looked_for_first)
{
	put_header(512, 1, 10);
	put_header(4096, 1, 20);
	ck_assert(is_there(sizeof(disk), 4096));
	ck_assert_uint_eq(label.sector, 4096);
	ck_assert(is_there(sizeof(disk), 512));
	ck_assert_uint_eq(label.sector, 512);
	ck_assert(is_there(1024, 4096));
	ck_assert_uint_eq(label.sector, 512);
	ck_assert(!is_there(0, 4096));
}
END_TEST

Suite *
label_suite(void)
{
	Suite *suite = suite_create("label");
	TCase *tc = tcase_create("label");

	tcase_add_checked_fixture(tc, begin, NULL);
	tcase_add_test(tc, a_header_says_the_sector_and_where_the_backup_ends);
	tcase_add_test(tc, what_is_no_header_is_none);
	tcase_add_test(tc, a_sector_beyond_all_bytes_is_looked_for_nowhere);
	tcase_add_test(tc, a_header_that_is_cut_off_is_none);
	tcase_add_test(tc, a_backup_beyond_all_offsets_ends_there);
	tcase_add_test(tc, the_sector_of_the_disk_is_looked_for_first);
	suite_add_tcase(suite, tc);
	return suite;
}
