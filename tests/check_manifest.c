// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "little.h"
#include "manifest_sample.h"
#include "rig.h"
#include "suites.h"

#define R MANIFEST_RANGE

enum { NR = 6, RECORDS = 2 * MANIFEST_HEADER_SIZE };

static unsigned char disk[NR * R + 1000];
static struct manifest m;
static struct manifest_ids ids;
static int fd;

// Each range is another.
static void
fill(unsigned char from)
{
	for (size_t i = 0; i < sizeof(disk); i++)
		disk[i] = (unsigned char)(from + i / R + i % 251);
}

static void
setup(void)
{
	fd = rig_file("", 0);
	fill(1);
	memset(ids.dst, 'd', sizeof(ids.dst));
	memset(ids.src, 's', sizeof(ids.src));
	ck_assert_int_eq(manifest_open(&m, fd), -ENODATA);
}

static void
teardown(void)
{
	(void)close(fd);
}

static void
write_range(uint64_t off, size_t len)
{
	ck_assert_int_eq(manifest_touch(&m, off, len), 0);
	manifest_put(&m, off, len, disk + off);
}

// A first run that writes len bytes.
static void
make(uint64_t len)
{
	ck_assert_int_eq(manifest_begin(&m, &ids, len, false), 0);
	write_range(0, (size_t)len);
	ck_assert_int_eq(manifest_end(&m, len, len, &ids), 0);
}

static void
reopen(void)
{
	ck_assert_int_eq(manifest_open(&m, fd), 0);
}

static enum manifest_answer
ask(uint64_t off, size_t len)
{
	return manifest_ask(&m, off, len, disk + off);
}

START_TEST(what_was_put_is_known_in_the_next_run)
{
	make(sizeof(disk));
	reopen();
	ck_assert(m.header.is_complete);
	ck_assert_uint_eq(m.header.len, sizeof(disk));
	ck_assert_mem_eq(&m.header.ids, &ids, sizeof(ids));
	ck_assert_uint_eq(manifest_known(&m), sizeof(disk));
	ck_assert_int_eq(ask(0, sizeof(disk)), MANIFEST_SAME);
	ck_assert_int_eq(ask(R, 2 * R), MANIFEST_SAME);
	ck_assert_int_eq(ask(NR * R, 1000), MANIFEST_SAME);
	// Not what ends or begins in the middle of a range.
	ck_assert_int_eq(ask(NR * R, 999), MANIFEST_UNKNOWN);
	ck_assert_int_eq(ask(0, R - 1), MANIFEST_UNKNOWN);
	ck_assert_int_eq(ask(512, R), MANIFEST_UNKNOWN);
	disk[3 * R] ^= 1;
	ck_assert_int_eq(ask(2 * R, 2 * R), MANIFEST_OTHER);
	ck_assert_int_eq(ask(2 * R, R), MANIFEST_SAME);
}
END_TEST

// Whole ranges, and the last one where the copy ends with it.
START_TEST(holes_are_known_as_zeros)
{
	memset(disk + R, 0, 3 * R);
	memset(disk + 5 * R, 0, R + 1000);
	ck_assert_int_eq(manifest_begin(&m, &ids, sizeof(disk), false), 0);
	write_range(0, R);
	write_range(4 * R, R);
	manifest_put_hole(&m, R - 100, 3 * R + 200, _i == 0);
	manifest_put_hole(&m, 5 * R, R + 1000, _i == 1);
	ck_assert_int_eq(manifest_end(&m, sizeof(disk), sizeof(disk), &ids), 0);
	reopen();
	ck_assert_int_eq(ask(0, NR * R), MANIFEST_SAME);
	ck_assert_int_eq(ask(NR * R, 1000),
			 _i == 1 ? MANIFEST_SAME : MANIFEST_UNKNOWN);
}
END_TEST

START_TEST(a_digest_is_compared_like_its_bytes)
{
	unsigned char digest[DIGEST_XXH128_SIZE];

	make(3 * R + 7);
	reopen();
	digest_xxh128(m.header.seed, disk + 3 * R, 7, digest);
	ck_assert_int_eq(manifest_compare(&m, 3, 7, digest), MANIFEST_SAME);
	ck_assert_int_eq(manifest_compare(&m, 3, 8, digest), MANIFEST_UNKNOWN);
	ck_assert_int_eq(manifest_compare(&m, 2, R, digest), MANIFEST_OTHER);
	ck_assert_int_eq(manifest_compare(&m, 4, 7, digest), MANIFEST_UNKNOWN);
}
END_TEST

// The header of a run that is cut off is ahead of it.
START_TEST(where_what_is_known_ends)
{
	ck_assert_uint_eq(manifest_known_end(&m), 0);
	make(sizeof(disk));
	reopen();
	ck_assert_uint_eq(manifest_known_end(&m), sizeof(disk));
	ck_assert_int_eq(manifest_begin(&m, &ids, sizeof(disk), true), 0);
	write_range(NR * R, 1000);
	write_range(2 * R, R);
	ck_assert_int_eq(manifest_sync(&m, 2 * R), 0);
	reopen();
	ck_assert_uint_gt(m.len, sizeof(disk));
	ck_assert_uint_eq(manifest_known_end(&m), 2 * R);
}
END_TEST

START_TEST(any_order_of_writes_is_recorded)
{
	static const int order[] = {5, 1, 0, 4, 2, 3};

	ck_assert_int_eq(manifest_begin(&m, &ids, sizeof(disk), false), 0);
	write_range(NR * R, 1000);
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		write_range((uint64_t)order[i] * R, R);
	ck_assert_int_eq(manifest_end(&m, sizeof(disk), sizeof(disk), &ids), 0);
	reopen();
	ck_assert_int_eq(ask(0, sizeof(disk)), MANIFEST_SAME);
}
END_TEST

START_TEST(the_ends_of_requests_that_are_no_ranges_are_not_known)
{
	ck_assert_int_eq(manifest_begin(&m, &ids, 4 * R, false), 0);
	write_range(512, 3 * R);
	write_range(512 + 3 * R, R - 512);
	ck_assert_int_eq(manifest_end(&m, 4 * R, 4 * R, &ids), 0);
	reopen();
	ck_assert_uint_eq(manifest_known(&m), 2 * R);
	ck_assert_int_eq(ask(R, 2 * R), MANIFEST_SAME);
	ck_assert_int_eq(ask(0, R), MANIFEST_UNKNOWN);
	ck_assert_int_eq(ask(3 * R, R), MANIFEST_UNKNOWN);
}
END_TEST

START_TEST(what_is_touched_is_not_known_until_it_is_put)
{
	make(sizeof(disk));
	reopen();
	ck_assert_int_eq(manifest_begin(&m, &ids, 0, true), 0);
	ck_assert_int_eq(ask(0, sizeof(disk)), MANIFEST_SAME);
	ck_assert_int_eq(manifest_touch(&m, R + 7, R), 0);
	ck_assert_int_eq(ask(R, R), MANIFEST_UNKNOWN);
	ck_assert_int_eq(ask(2 * R, R), MANIFEST_UNKNOWN);
	ck_assert_int_eq(ask(0, R), MANIFEST_SAME);
	ck_assert_int_eq(ask(3 * R, R), MANIFEST_SAME);
	manifest_put(&m, R, R, disk + R);
	ck_assert_int_eq(ask(R, R), MANIFEST_SAME);
	// A run that ends so has a gap.
	ck_assert_int_eq(manifest_end(&m, sizeof(disk), sizeof(disk), &ids), 0);
	reopen();
	ck_assert_uint_eq(manifest_known(&m), sizeof(disk) - R);
	ck_assert_int_eq(ask(2 * R, R), MANIFEST_UNKNOWN);
}
END_TEST

START_TEST(a_crash_leaves_nothing_known_of_what_may_be_lost)
{
	make(sizeof(disk));
	reopen();
	ck_assert_int_eq(manifest_begin(&m, &ids, 0, true), 0);
	fill(2);
	write_range(0, R);
	write_range(R, R);
	ck_assert_int_eq(manifest_sync(&m, R + R / 2), 0);
	write_range(2 * R, R);
	reopen(); // as if by the next process
	ck_assert(!m.header.is_complete);
	ck_assert_uint_eq(m.header.done, R);
	ck_assert_uint_gt(m.header.reach, sizeof(disk));
	ck_assert_int_eq(ask(0, R), MANIFEST_SAME);
	ck_assert_int_eq(ask(R, R), MANIFEST_UNKNOWN);
	ck_assert_int_eq(ask(2 * R, R), MANIFEST_UNKNOWN);
	// Nor when another one has begun, and was cut off at once.
	ck_assert_int_eq(manifest_begin(&m, &ids, 0, true), 0);
	reopen();
	ck_assert_int_eq(ask(0, R), MANIFEST_SAME);
	ck_assert_int_eq(ask(R, R), MANIFEST_UNKNOWN);
	ck_assert_int_eq(ask(2 * R, R), MANIFEST_UNKNOWN);
	ck_assert_uint_eq(manifest_known(&m), R);
}
END_TEST

START_TEST(what_lies_behind_the_reach_is_still_known_after_a_crash)
{
	const uint64_t far = 300 * MIB;

	ck_assert_int_eq(manifest_begin(&m, &ids, 0, false), 0);
	write_range(0, R);
	ck_assert_int_eq(manifest_touch(&m, far, R), 0);
	manifest_put(&m, far, R, disk);
	ck_assert_int_eq(manifest_end(&m, far + R, far + R, &ids), 0);
	reopen();
	ck_assert_int_eq(manifest_begin(&m, &ids, 0, true), 0);
	write_range(0, R);
	ck_assert(!manifest_is_beyond(&m, 200 * MIB, R));
	ck_assert(manifest_is_beyond(&m, far, R));
	reopen();
	ck_assert_int_eq(ask(0, R), MANIFEST_UNKNOWN);
	ck_assert_int_eq(manifest_ask(&m, far, R, disk), MANIFEST_SAME);
}
END_TEST

START_TEST(what_is_written_again_below_the_mark_lowers_it)
{
	ck_assert_int_eq(manifest_begin(&m, &ids, 0, false), 0);
	write_range(0, 2 * R);
	ck_assert_int_eq(manifest_sync(&m, 2 * R), 0);
	ck_assert_uint_eq(m.header.done, 2 * R);
	ck_assert(manifest_is_beyond(&m, R + 1, 1));
	ck_assert_int_eq(manifest_touch(&m, R + 1, 1), 0);
	reopen();
	ck_assert_uint_eq(m.header.done, R);
	ck_assert_int_eq(ask(0, R), MANIFEST_SAME);
	ck_assert_int_eq(ask(R, R), MANIFEST_UNKNOWN);
}
END_TEST

START_TEST(records_of_bytes_found_there_are_kept_as_they_are)
{
	struct manifest_header before;

	make(sizeof(disk));
	reopen();
	ck_assert_int_eq(manifest_begin(&m, &ids, 0, true), 0);
	before = m.header;
	manifest_put(&m, 0, sizeof(disk), disk);
	ck_assert_uint_eq(m.header.generation, before.generation);
	ck_assert_uint_eq(m.header.reach, 0);
}
END_TEST

// The copy, the length before it, and that of the destination.
static const struct {
	uint64_t old, from, end, size;
	uint64_t known; // at least, and what is known is right
	uint64_t len;
} ends[] = {
	{3 * R + 10, 0, 3 * R + 10, 3 * R + 10, 3 * R + 10, 3 * R + 10},
	// It has grown, within a range and beyond it.
	{3 * R + 10, 0, 3 * R + 20, 3 * R + 20, 3 * R + 20, 3 * R + 20},
	{3 * R + 10, 0, 4 * R, 4 * R, 4 * R, 4 * R},
	{3 * R + 10, 0, 5 * R + 1, 5 * R + 1, 5 * R + 1, 5 * R + 1},
	// It is cut.
	{3 * R + 10, 0, 2 * R, 2 * R, 2 * R, 2 * R},
	{3 * R + 10, 0, 2 * R + 5, 2 * R + 5, 2 * R + 5, 2 * R + 5},
	{3 * R, 0, R + 5, R + 5, R + 5, R + 5},
	// The rest stays.
	{5 * R + 10, 0, 2 * R, 6 * R, 5 * R + 10, 5 * R + 10},
	{5 * R + 10, 0, 2 * R + 5, 6 * R, 4 * R + 10, 5 * R + 10},
	// Only what is behind.
	{3 * R + 10, 4 * R, 5 * R, 6 * R, 4 * R, 5 * R},
	{3 * R, 4 * R, 5 * R, 6 * R, 4 * R, 5 * R},
	{3 * R + 10, R, 2 * R, 6 * R, 3 * R + 10, 3 * R + 10},
};

START_TEST(the_ends_of_old_and_new_are_right)
{
	make(ends[_i].old);
	reopen();
	ck_assert_int_eq(manifest_begin(&m, &ids, 0, true), 0);
	const uint64_t from = ends[_i].from, end = ends[_i].end;
	for (uint64_t i = from; i < end; i++)
		disk[i] ^= 0x55;
	write_range(from, (size_t)(end - from));
	ck_assert_int_eq(manifest_end(&m, end, ends[_i].size, &ids), 0);
	reopen();
	ck_assert_uint_eq(m.header.len, ends[_i].len);
	ck_assert_uint_eq(manifest_known(&m), ends[_i].known);
	for (uint64_t off = 0; off < m.len; off += R)
		ck_assert_int_ne(ask(off, (size_t)min_u64(R, m.len - off)),
				 MANIFEST_OTHER);
	// What was behind the end does not come back.
	ck_assert_int_eq(manifest_begin(&m, &ids, 0, true), 0);
	write_range(6 * R, 10);
	ck_assert_int_eq(manifest_end(&m, 6 * R + 10, 6 * R + 10, &ids), 0);
	reopen();
	for (uint64_t off = 0; off < m.len; off += R)
		ck_assert_int_ne(ask(off, (size_t)min_u64(R, m.len - off)),
				 MANIFEST_OTHER);
}
END_TEST

static void
spoil(off_t at)
{
	unsigned char byte;

	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
}

// One byte of each field of the header that counts, and of the other one.
static const off_t fields[] = {8,   12,	 16,  24,  32,	40,  48,   56,	 64,
			       192, 320, 324, 328, 336, 848, 4079, 4080, 4095};

START_TEST(a_spoilt_header_is_not_believed)
{
	make(sizeof(disk));
	for (off_t slot = 0; slot < RECORDS; slot += MANIFEST_HEADER_SIZE) {
		spoil(slot + fields[_i]);
		ck_assert_int_eq(manifest_open(&m, fd), -EBADMSG);
		spoil(slot + fields[_i]);
	}
	reopen();
	// A new one can be made of it.
	spoil(fields[_i]);
	ck_assert_int_eq(manifest_open(&m, fd), -EBADMSG);
	make(sizeof(disk));
	reopen();
	ck_assert_int_eq(ask(0, sizeof(disk)), MANIFEST_SAME);
}
END_TEST

// With a sum that is right.
static void
forge(size_t at, size_t len, uint64_t value)
{
	unsigned char block[MANIFEST_HEADER_SIZE];
	const off_t off = m.header.generation % 2 ? MANIFEST_HEADER_SIZE : 0;

	ck_assert_int_eq(pread(fd, block, sizeof(block), off), sizeof(block));
	little_put(block + at, len, value);
	digest_xxh128(0, block, sizeof(block) - 16, block + sizeof(block) - 16);
	ck_assert_int_eq(pwrite(fd, block, sizeof(block), off), sizeof(block));
}

static const struct {
	size_t at, len;
	uint64_t value;
	int r;
} forged[] = {
	{8, 4, 2, -EPROTO},
	{12, 4, 65536, -EPROTO},
	{16, 8, UINT64_MAX, -EBADMSG},
	{16, 8, INT64_MAX, 0},
	{16, 8, 0, 0},
	{16, 8, R - 1, 0},
	{24, 8, 7, 0},
	{32, 8, UINT64_MAX, -EBADMSG},
	{40, 8, 1, -EBADMSG}, // done is behind reach
	{48, 8, UINT64_MAX, -EBADMSG},
	{48, 8, INT64_MAX, 0},
	{56, 4, 2, -EBADMSG},
	{324, 4, 513, -EBADMSG},
};

START_TEST(what_cannot_be_is_refused_and_the_rest_harmless)
{
	make(sizeof(disk));
	reopen();
	forge(forged[_i].at, forged[_i].len, forged[_i].value);
	ck_assert_int_eq(manifest_open(&m, fd), forged[_i].r);
	if (forged[_i].r < 0)
		return;
	disk[0] ^= 1;
	ck_assert_int_ne(ask(0, sizeof(disk)), MANIFEST_SAME);
	ck_assert_uint_le(manifest_known(&m), sizeof(disk) + R);
	ck_assert_int_eq(manifest_begin(&m, &ids, sizeof(disk), true), 0);
	write_range(0, sizeof(disk));
	ck_assert_int_eq(manifest_end(&m, sizeof(disk), sizeof(disk), &ids), 0);
	reopen();
	ck_assert_int_eq(ask(0, R), MANIFEST_SAME);
}
END_TEST

START_TEST(any_length_of_the_file_is_harmless)
{
	static const off_t lens[] = {RECORDS + 5 * 16 + 3, RECORDS + 1, RECORDS,
				     RECORDS - 1,	   5000,	4096};

	make(sizeof(disk));
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		ck_assert_int_eq(ftruncate(fd, lens[i]), 0);
		const int r = manifest_open(&m, fd);

		ck_assert(r == 0 || r == -EBADMSG);
		if (r < 0)
			continue;
		ck_assert_uint_le(manifest_known(&m), 6 * R);
		ck_assert_int_ne(ask(0, sizeof(disk)), MANIFEST_SAME);
	}
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(manifest_open(&m, fd), -ENODATA);
}
END_TEST

START_TEST(a_file_of_something_else_is_not_ours)
{
	static const char text[] = "Dear diary,\n";
	const int zeros = rig_file("", 0);

	ck_assert_int_eq(pwrite(fd, text, sizeof(text), 0), sizeof(text));
	ck_assert_int_eq(manifest_open(&m, fd), -EILSEQ);
	ck_assert_int_eq(ftruncate(zeros, RECORDS + 1), 0);
	ck_assert_int_eq(manifest_open(&m, zeros), -EILSEQ);
	(void)close(zeros);
}
END_TEST

static int nr_reads;

static int
read_disk(void *ctx, void *buf, size_t len, uint64_t off)
{
	const uint64_t *bad = ctx;

	ck_assert_uint_le(off + len, sizeof(disk));
	memcpy(buf, disk + off, len);
	nr_reads++;
	if (bad != NULL && off == *bad)
		((unsigned char *)buf)[len - 1] ^= 1;
	return 0;
}

static int
fail_read(void *ctx, void *buf, size_t len, uint64_t off)
{
	(void)ctx;
	(void)buf;
	(void)len;
	(void)off;
	return -EIO;
}

START_TEST(samples_find_another_destination)
{
	uint64_t first = 0, last = NR * R;

	nr_reads = 0;
	make(sizeof(disk));
	ck_assert_int_eq(manifest_sample(&m, read_disk, NULL), 0);
	ck_assert_int_eq(nr_reads, 0); // the run that has written it
	reopen();
	ck_assert_int_eq(manifest_sample(&m, read_disk, NULL), 0);
	ck_assert_int_ge(nr_reads, 8 + MANIFEST_SAMPLE_NR / 2);
	ck_assert_int_eq(manifest_sample(&m, read_disk, &first), -EBADMSG);
	ck_assert_int_eq(manifest_sample(&m, read_disk, &last), -EBADMSG);
	ck_assert_int_eq(manifest_sample(&m, fail_read, NULL), -EIO);
}
END_TEST

START_TEST(what_cannot_be_written_is_told_at_the_end)
{
	char path[64];

	make(sizeof(disk));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	const int read_only = open(path, O_RDONLY);
	ck_assert_int_eq(manifest_open(&m, read_only), 0);
	manifest_put(&m, 0, R, disk); // it is there
	ck_assert_int_eq(m.error, 0);
	ck_assert_int_lt(manifest_touch(&m, 0, R), 0);
	ck_assert_int_lt(m.error, 0);
	ck_assert_int_eq(manifest_end(&m, sizeof(disk), sizeof(disk), &ids),
			 m.error);
	(void)close(read_only);
	reopen();
	ck_assert_int_eq(ask(0, sizeof(disk)), MANIFEST_SAME);
}
END_TEST

Suite *
manifest_suite(void)
{
	Suite *suite = suite_create("manifest");
	TCase *tcase = tcase_create("manifest");

	if (!digest_is_available(DIGEST_XXH128))
		return suite;
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_was_put_is_known_in_the_next_run);
	tcase_add_loop_test(tcase, holes_are_known_as_zeros, 0, 2);
	tcase_add_test(tcase, a_digest_is_compared_like_its_bytes);
	tcase_add_test(tcase, where_what_is_known_ends);
	tcase_add_test(tcase, any_order_of_writes_is_recorded);
	tcase_add_test(tcase,
		       the_ends_of_requests_that_are_no_ranges_are_not_known);
	tcase_add_test(tcase, what_is_touched_is_not_known_until_it_is_put);
	tcase_add_test(tcase, a_crash_leaves_nothing_known_of_what_may_be_lost);
	tcase_add_test(tcase,
		       what_lies_behind_the_reach_is_still_known_after_a_crash);
	tcase_add_test(tcase, what_is_written_again_below_the_mark_lowers_it);
	tcase_add_test(tcase,
		       records_of_bytes_found_there_are_kept_as_they_are);
	tcase_add_loop_test(tcase, the_ends_of_old_and_new_are_right, 0,
			    ARRAY_LEN(ends));
	tcase_add_loop_test(tcase, a_spoilt_header_is_not_believed, 0,
			    ARRAY_LEN(fields));
	tcase_add_loop_test(tcase,
			    what_cannot_be_is_refused_and_the_rest_harmless, 0,
			    ARRAY_LEN(forged));
	tcase_add_test(tcase, any_length_of_the_file_is_harmless);
	tcase_add_test(tcase, a_file_of_something_else_is_not_ours);
	tcase_add_test(tcase, samples_find_another_destination);
	tcase_add_test(tcase, what_cannot_be_written_is_told_at_the_end);
	suite_add_tcase(suite, tcase);
	return suite;
}
