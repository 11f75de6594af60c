// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "extent.h"
#include "fake_aio.h"
#include "file.h"
#include "hooks.h"
#include "rig.h"
#include "side.h"
#include "suites.h"
#include "zero.h"

static struct side side;

static int
flags_of(int fd)
{
	return fcntl(fd, F_GETFL);
}

/* Zeros that it makes by itself */

// What the others have is not what the claim of a device has done.
START_TEST(zeros_are_made_and_looked_at_by_one_descriptor)
{
	const int fd = rig_pattern_file(8192), other = rig_pattern_file(8192);
	unsigned char page[4096];

	side = rig_side(other);
	side.buffered_fd = side.direct_fd = other;
	side.clear_fd = fd;
	ck_assert_int_eq(side.ops->punch(&side, 0, 4096), 0);
	ck_assert_int_eq(
		side.ops->read_at(&side, SIDE_CLEAR, page, sizeof(page), 0),
		4096);
	ck_assert(zero_is_all(page, sizeof(page)));
	ck_assert_int_eq(
		side.ops->write_at(&side, SIDE_CLEAR, page, sizeof(page), 4096),
		4096);
	ck_assert_int_eq(pread(fd, page, sizeof(page), 4096), 4096);
	ck_assert(zero_is_all(page, sizeof(page)));
	ck_assert_int_eq(
		side.ops->read_at(&side, SIDE_BUFFERED, page, sizeof(page), 0),
		4096);
	ck_assert(!zero_is_all(page, sizeof(page)));
	close(fd);
	close(other);
}
END_TEST

/* A range of it */

// What each read gives, the last one from then on.
static struct {
	ssize_t gives[4];
	unsigned nr;
	uint64_t off;
	size_t len;
} reads;

static ssize_t
counted_read_at(const struct side *s, enum side_way way, void *buf, size_t len,
		uint64_t off)
{
	const unsigned last = ARRAY_LEN(reads.gives) - 1;

	(void)s;
	(void)buf;
	ck_assert_int_eq(way, SIDE_BUFFERED);
	reads.off = off;
	reads.len = len;
	return reads.gives[reads.nr < last ? reads.nr++ : last];
}

static const struct side_ops counted_ops = {.read_at = counted_read_at};

static bool
stop_at_third(void *ctx)
{
	(void)ctx;
	return reads.nr == 2;
}

START_TEST(a_range_is_read_by_as_many_reads_as_it_takes)
{
	static const struct {
		ssize_t gives[4];
		bool has_hooks;
		ssize_t want;
	} cases[] = {
		{{8}, false, 8},
		{{3, -EINTR, 1, 4}, false, 8},
		{{3, -EINTR, 1, 4}, true, -ECANCELED},
		{{3, 2, 0}, false, 5},
		{{0}, false, 0},
		{{3, -EIO}, true, -EIO},
	};
	const struct hooks hooks = {.must_stop = stop_at_third};
	unsigned char buf[8];

	side = (struct side){.ops = &counted_ops};
	reads.nr = 0;
	memcpy(reads.gives, cases[_i].gives, sizeof(reads.gives));
	ck_assert_int_eq(side_read_all(&side, SIDE_BUFFERED, buf, sizeof(buf),
				       100,
				       cases[_i].has_hooks ? &hooks : NULL),
			 cases[_i].want);
	ck_assert_uint_eq(reads.off + reads.len, 108);

	const ssize_t n = cases[_i].want;
	reads.nr = 0;
	ck_assert_int_eq(side_read_whole(&side, SIDE_BUFFERED, buf, sizeof(buf),
					 100,
					 cases[_i].has_hooks ? &hooks : NULL),
			 n < 0	 ? n
			 : n < 8 ? -EIO
				 : 0);
}
END_TEST

/* Descriptions of our own */

START_TEST(a_direct_description_leaves_the_given_one_alone)
{
	const int fd = rig_pattern_file(8192);

	side = rig_side(fd);
	const int r = side.ops->open(&side, O_RDONLY, SIDE_DIRECT);
	if (r == 0) { // the file system here has it
		ck_assert_int_gt(side.direct_fd, 2);
		ck_assert(flags_of(side.direct_fd) & O_DIRECT);
		ck_assert(fcntl(side.direct_fd, F_GETFD) & FD_CLOEXEC);
	} else {
		ck_assert_int_eq(r, -EINVAL);
	}
	ck_assert(!(flags_of(fd) & O_DIRECT));
	side_close_extra(&side);
	ck_assert_int_eq(side.direct_fd, -1);
	ck_assert_int_ge(flags_of(fd), 0);
	close(fd);
}
END_TEST

START_TEST(a_buffered_descriptor_serves_as_it_is)
{
	const int fd = rig_file("", 0);

	side = rig_side(fd);
	ck_assert_int_eq(side.ops->open(&side, O_RDONLY, SIDE_BUFFERED), 0);
	ck_assert_int_eq(side.buffered_fd, fd);
	side_close_extra(&side);
	ck_assert_int_ge(flags_of(fd), 0);
	close(fd);
}
END_TEST

START_TEST(beside_a_direct_one_a_buffered_one_is_opened)
{
	const int fd = rig_file("", 0);

	side = rig_side(open(rig_path(fd), O_RDWR | O_DIRECT));
	if (side.fd >= 0) { // the file system here has it
		ck_assert_int_eq(
			side.ops->open(&side, O_WRONLY, SIDE_BUFFERED), 0);
		ck_assert_int_ne(side.buffered_fd, side.fd);
		ck_assert(!(flags_of(side.buffered_fd) & O_DIRECT));
		ck_assert(flags_of(side.fd) & O_DIRECT);
		side_close_extra(&side);
		close(side.fd);
	}
	close(fd);
}
END_TEST

START_TEST(the_first_error_of_a_close_is_kept)
{
	const int fd = rig_file("", 0);

	side = rig_side(fd);
	side.direct_fd = INT_MAX;
	side_close_extra(&side);
	ck_assert_int_eq(side.close_error, -EBADF);
	ck_assert_int_eq(side_close(&side), -EBADF);
	ck_assert_int_eq(flags_of(fd), -1);
}
END_TEST

START_TEST(an_offset_is_put_or_refused)
{
	const int fd = rig_file("", 0);

	side = rig_side(fd);
	side.facts.kind = FACTS_FILE;
	ck_assert_int_eq(side_put(&side, 5), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 5);
	ck_assert_int_eq(side_put(&side, UINT64_MAX), -EINVAL);
	const struct facts null = {.kind = FACTS_NULL};
	file_set_facts(&side, &null);
	ck_assert_int_eq(side_put(&side, UINT64_MAX), 0);
	close(fd);
}
END_TEST

// Kernel text has offsets, but who goes back gets other text.
START_TEST(a_stream_stays_where_it_has_been_read_to)
{
	const int fd = rig_file("abc", 3);
	const struct facts stream = {.kind = FACTS_STREAM};

	side = rig_side(fd);
	file_set_facts(&side, &stream);
	ck_assert_int_eq(lseek(fd, 2, SEEK_SET), 2);
	ck_assert_int_eq(side_put(&side, 1), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 2);
	close(fd);
}
END_TEST

START_TEST(nobody_gets_more_access_than_was_given)
{
	const int fd = rig_file("", 0);

	side = rig_side(open(rig_path(fd), O_RDONLY));
	ck_assert_int_eq(side.ops->open(&side, O_WRONLY, SIDE_DIRECT), -EBADF);
	ck_assert_int_eq(side.direct_fd, -1);
	close(side.fd);
	close(fd);
}
END_TEST

// A mode that forbids it has no say over what is open already.
START_TEST(what_is_open_for_both_is_read_back_without_a_path)
{
	const int fd = rig_file("text", 4);
	struct side back;
	char buf[4];

	side = rig_side(fd);
	ck_assert_int_eq(fchmod(fd, 0), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	const int r = side.ops->open_back(&side, &back);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(r, 0);
	ck_assert_int_gt(back.buffered_fd, 2);
	ck_assert_int_eq(pread(back.buffered_fd, buf, 4, 0), 4);
	side_close_extra(&back);
	close(fd);
}
END_TEST

START_TEST(a_closed_standard_error_stays_closed)
{
	const int fd = rig_file("", 0);
	const int saved = fcntl(2, F_DUPFD_CLOEXEC, 10);

	side = rig_side(fd);
	close(2);
	const int r = side.ops->open(&side, O_RDONLY, SIDE_DIRECT);
	const int stderr_flags = flags_of(2);
	dup2(saved, 2);
	close(saved);
	ck_assert_int_eq(stderr_flags, -1);
	ck_assert(r < 0 || side.direct_fd > 2);
	side_close_extra(&side);
	close(fd);
}
END_TEST

/* A kind that the ring has never heard of */

// What it is to say, and what it was asked. Its bytes lie in memory files.
static struct {
	struct extent data;
	int write_out_error;
	unsigned nr_finds;
	uint64_t dropped;
	uint64_t written_out;
} script;

static void
scripted_find_data(const struct side *s, uint64_t pos, struct extent *extent)
{
	(void)s;
	script.nr_finds++;
	*extent = script.data;
	if (pos > extent->start)
		extent->start = pos;
	if (pos >= script.data.end)
		extent->start = extent->end = 8 * FAKE_JOB;
}

static ssize_t
scripted_read_at(const struct side *s, enum side_way way, void *buf, size_t len,
		 uint64_t off)
{
	(void)s;
	ck_assert_int_eq(way, SIDE_DIRECT);
	ck_assert_uint_eq(off % FAKE_ALIGN, 0);
	memset(buf, 'b', len);
	return (ssize_t)len;
}

static int
scripted_drop_cache(const struct side *s, uint64_t off, uint64_t len)
{
	(void)s;
	(void)off;
	script.dropped += len;
	return 0;
}

static int
scripted_write_out(const struct side *s, uint64_t off, uint64_t len)
{
	(void)s;
	(void)off;
	script.written_out += len;
	return script.write_out_error;
}

static const struct side_ops scripted_ops = {
	.find_data = scripted_find_data,
	.read_at = scripted_read_at,
	.drop_cache = scripted_drop_cache,
	.write_out = scripted_write_out,
};

static struct fake_copy c;

START_TEST(its_holes_are_left_out)
{
	unsigned char got[8 * FAKE_JOB], want[8 * FAKE_JOB] = {0};

	script.data = (struct extent){2 * FAKE_JOB, 4 * FAKE_JOB};
	fake_copy_open(&c, sizeof(got));
	c.src.ops = &scripted_ops;
	c.plan.holes = PLAN_HOLES_KEEP;
	ck_assert_int_eq(ftruncate(c.dst.fd, sizeof(got)), 0);
	fake_copy_start(&c);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	ck_assert_uint_gt(script.nr_finds, 0);
	ck_assert_uint_eq(c.fake.nr_log, 4); // two reads, two writes
	ck_assert_int_eq(pread(c.src.fd, want + 2 * FAKE_JOB, 2 * FAKE_JOB,
			       2 * FAKE_JOB), 2 * FAKE_JOB);
	ck_assert_int_eq(pread(c.dst.fd, got, sizeof(got), 0), sizeof(got));
	ck_assert_mem_eq(got, want, sizeof(got));
	fake_copy_close(&c);
}
END_TEST

START_TEST(its_page_cache_is_emptied_and_written_out)
{
	fake_copy_open(&c, FAKE_JOB + 5);
	c.dst.ops = &scripted_ops;
	fake_copy_run(&c, FAKE_JOB + 5);
	ck_assert_uint_eq(script.dropped, 5);
	ck_assert_uint_eq(script.written_out, 5);
}
END_TEST

START_TEST(what_it_refuses_late_is_a_failure)
{
	script.write_out_error = -EIO;
	fake_copy_open(&c, FAKE_JOB + 5);
	c.dst.ops = &scripted_ops;
	fake_copy_start(&c);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	ck_assert_int_eq(c.copy.failure.kind, FAILURE_WRITE);
	ck_assert_int_eq(c.copy.failure.error, EIO);
	ck_assert_uint_eq(ring_prefix(&c.copy.ring), FAKE_JOB);
	fake_copy_close(&c);
}
END_TEST

START_TEST(its_blocks_are_filled_up_with_what_it_has)
{
	unsigned char got[FAKE_ALIGN], want[FAKE_ALIGN];

	fake_copy_open(&c, FAKE_JOB + 5);
	c.dst.ops = &scripted_ops;
	c.dst.facts = (struct facts){.kind = FACTS_BLOCK};
	fake_copy_start(&c);
	ck_assert_int_eq(fake_copy_finish(&c), COPY_DONE);
	ck_assert_uint_eq(script.dropped + script.written_out, 0);
	memset(want, 'b', sizeof(want));
	ck_assert_int_eq(pread(c.src.fd, want, 5, FAKE_JOB), 5);
	ck_assert_int_eq(pread(c.dst.fd, got, sizeof(got), FAKE_JOB),
			 sizeof(got));
	ck_assert_mem_eq(got, want, sizeof(got));
	fake_copy_close(&c);
}
END_TEST

static void
begin_script(void)
{
	memset(&script, 0, sizeof(script));
}

static TCase *
scripted_tcase(void)
{
	TCase *t = tcase_create("scripted");

	tcase_add_checked_fixture(t, begin_script, NULL);
	tcase_add_test(t, its_holes_are_left_out);
	tcase_add_test(t, its_page_cache_is_emptied_and_written_out);
	tcase_add_test(t, what_it_refuses_late_is_a_failure);
	tcase_add_test(t, its_blocks_are_filled_up_with_what_it_has);
	return t;
}

Suite *
side_suite(void)
{
	Suite *s = suite_create("side");
	TCase *t = tcase_create("descriptions");

	tcase_add_checked_fixture(t, rig_open, rig_close);
	tcase_add_test(t, zeros_are_made_and_looked_at_by_one_descriptor);
	tcase_add_test(t, a_direct_description_leaves_the_given_one_alone);
	tcase_add_test(t, a_buffered_descriptor_serves_as_it_is);
	tcase_add_test(t, beside_a_direct_one_a_buffered_one_is_opened);
	tcase_add_test(t, the_first_error_of_a_close_is_kept);
	tcase_add_test(t, an_offset_is_put_or_refused);
	tcase_add_test(t, a_stream_stays_where_it_has_been_read_to);
	tcase_add_test(t, nobody_gets_more_access_than_was_given);
	tcase_add_test(t, what_is_open_for_both_is_read_back_without_a_path);
	tcase_add_test(t, a_closed_standard_error_stays_closed);
	tcase_add_loop_test(t, a_range_is_read_by_as_many_reads_as_it_takes, 0,
			    6);
	suite_add_tcase(s, t);
	suite_add_tcase(s, scripted_tcase());
	return s;
}
