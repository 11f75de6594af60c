// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base.h"
#include "hold.h"
#include "rig.h"
#include "suites.h"

static struct hold *hold;
static unsigned char data[3 * HOLD_MAX];

static void
fill_data(void)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7 + i / 256 + 1);
}

static void
open_hold(uint64_t off, uint32_t sector)
{
	free(hold);
	hold = hold_new(off, sector);
	ck_assert_ptr_nonnull(hold);
}

static void
close_hold(void)
{
	free(hold);
	hold = NULL;
}

START_TEST(the_block_is_a_page_or_a_sector)
{
	open_hold(0, 512);
	ck_assert_uint_eq(hold->size, 4096);
	open_hold(0, 16384);
	ck_assert_uint_eq(hold->size, 16384);
	open_hold(0, UINT32_MAX);
	ck_assert_uint_eq(hold->size, HOLD_MAX);
}
END_TEST

START_TEST(only_the_block_is_taken)
{
	open_hold(10000, 512);
	ck_assert_uint_eq(hold_take(hold, 0, data, 10000), 0);
	ck_assert_uint_eq(hold_take(hold, 10000, data, 100), 100);
	ck_assert_uint_eq(hold_take(hold, 10100, data + 100, 9000), 3996);
	ck_assert_uint_eq(hold_take(hold, 14096, data, 9000), 0);
	ck_assert_uint_eq(hold_take(hold, UINT64_MAX, data, 1), 0);
	ck_assert_mem_eq(hold->block, data, 4096);
}
END_TEST

START_TEST(what_is_written_again_is_taken_again)
{
	open_hold(0, 4096);
	ck_assert_uint_eq(hold_take(hold, 0, data + 1, MIB / 16), 4096);
	ck_assert_uint_eq(hold_take(hold, 0, data, 512), 512);
	ck_assert_uint_eq(hold_take(hold, 512, data + 512, 4096), 3584);
	ck_assert_mem_eq(hold->block, data, 4096);
}
END_TEST

// As much as was copied, with zeros where nothing was taken.
START_TEST(the_block_is_written_where_it_belongs)
{
	const int fd = memfd_create("disk", MFD_CLOEXEC);
	unsigned char got[200], wanted[200];

	ck_assert_int_eq(write(fd, data, sizeof(data)), sizeof(data));
	open_hold(100, 512);
	ck_assert_uint_eq(hold_take(hold, 120, data, 40), 40);
	const struct side side = rig_side(fd);

	ck_assert_int_eq(hold_write(hold, &side, 80), 0);
	ck_assert_int_eq(pread(fd, got, sizeof(got), 0), sizeof(got));
	memcpy(wanted, data, sizeof(wanted));
	memset(wanted + 100, 0, 80);
	memcpy(wanted + 120, data, 40);
	ck_assert_mem_eq(got, wanted, sizeof(got));
	ck_assert_int_eq(hold_write(hold, &side, GIB), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), sizeof(data));
	ck_assert_int_eq(pread(fd, got, 1, 100 + 4095), 1);
	ck_assert_uint_eq(got[0], 0);
	ck_assert_int_eq(pread(fd, got, 1, 100 + 4096), 1);
	ck_assert_uint_eq(got[0], data[100 + 4096]);
	close(fd);
}
END_TEST

START_TEST(a_descriptor_that_cannot_be_written_says_so)
{
	open_hold(0, 512);
	struct side side = rig_side(-1);

	ck_assert_int_lt(hold_write(hold, &side, 100), 0);
	side = rig_side(open("/dev/null", O_RDONLY | O_CLOEXEC));
	ck_assert_int_lt(hold_write(hold, &side, 100), 0);
	close(side.fd);
}
END_TEST

Suite *
hold_suite(void)
{
	Suite *suite = suite_create("hold");
	TCase *tc = tcase_create("hold");

	tcase_add_unchecked_fixture(tc, fill_data, NULL);
	tcase_add_checked_fixture(tc, NULL, close_hold);
	tcase_add_test(tc, the_block_is_a_page_or_a_sector);
	tcase_add_test(tc, only_the_block_is_taken);
	tcase_add_test(tc, what_is_written_again_is_taken_again);
	tcase_add_test(tc, the_block_is_written_where_it_belongs);
	tcase_add_test(tc, a_descriptor_that_cannot_be_written_says_so);
	suite_add_tcase(suite, tc);
	return suite;
}
