// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "vouch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "env.h"
#include "imprint.h"
#include "rig.h"
#include "suites.h"

enum { LEN = 3 * MANIFEST_RANGE + 100 };

static unsigned char bytes[LEN];
static struct request q;
static struct env env;
static struct vouch v;
static struct side src, dst;

static int
make(const char *name, const void *buf, size_t len)
{
	const int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, buf, len), (ssize_t)len);
	return fd;
}

static struct side
side_of(const char *name)
{
	struct side side = rig_side(make(name, bytes, LEN));

	side.name = name;
	side.ops->probe(&side, -1);
	side.buffered_fd = side.fd;
	return side;
}

static void
begin(void)
{
	rig_open();
	rig_enter_dir();
	for (size_t i = 0; i < LEN; i++)
		bytes[i] = (unsigned char)(i % 253);
	q = rig_request(512);
	q.src = "src";
	q.dst = "dst";
	q.manifest = "m";
	env = (struct env){.asked = &q, .hooks = &rig.hooks};
	src = side_of("src");
	dst = side_of("dst");
}

static void
end(void)
{
	vouch_done(&v);
	close(src.fd);
	close(dst.fd);
	rig_leave_dir();
	rig_close();
}

// A whole run.
static void
run(void)
{
	ck_assert_int_eq(vouch_open(&v, &env, VOUCH_WRITE), 0);
	ck_assert_int_eq(vouch_check(&v, &dst, &dst), 0);
	ck_assert_int_eq(vouch_begin(&v, &src, &dst, LEN), 0);
	ck_assert_int_eq(manifest_touch(&v.manifest, 0, LEN), 0);
	manifest_put(&v.manifest, 0, LEN, bytes);
	ck_assert_int_eq(vouch_end(&v, &src, &dst, LEN), 0);
	vouch_done(&v);
}

// The next run, up to where it is known whether the manifest counts.
static bool
counts(void)
{
	rig.nr_told = 0;
	ck_assert_int_eq(vouch_open(&v, &env, VOUCH_WRITE), 0);
	ck_assert_int_eq(vouch_check(&v, &dst, &dst), 0);
	ck_assert(vouch_is_kept(&v) == (rig.nr_told == 0));
	return vouch_is_kept(&v);
}

static void
doubts(enum vouch_fault fault)
{
	ck_assert(!counts());
	ck_assert_uint_eq(rig_told(NOTICE_MANIFEST)->fault, fault);
	ck_assert_str_eq(rig_told(NOTICE_MANIFEST)->name, "m");
}

START_TEST(the_next_run_relies_on_it)
{
	run();
	ck_assert(counts());
	ck_assert_ptr_nonnull(vouch_manifest(&v));
	ck_assert_int_eq(manifest_ask(&v.manifest, 0, LEN, bytes),
			 MANIFEST_SAME);
}
END_TEST

START_TEST(without_the_operand_nothing_is_made)
{
	q.manifest = NULL;
	ck_assert_int_eq(vouch_open(&v, &env, VOUCH_WRITE), 0);
	ck_assert_int_eq(vouch_check(&v, &dst, &dst), 0);
	ck_assert_int_eq(vouch_begin(&v, &src, &dst, LEN), 0);
	ck_assert_int_eq(vouch_end(&v, &src, &dst, LEN), 0);
	ck_assert_ptr_null(vouch_manifest(&v));
	ck_assert_int_lt(access("m", F_OK), 0);
}
END_TEST

START_TEST(nothing_is_made_by_looking)
{
	ck_assert_int_eq(vouch_open(&v, &env, VOUCH_LOOK), 0);
	ck_assert_int_eq(vouch_check(&v, &dst, &dst), 0);
	vouch_done(&v);
	ck_assert_int_lt(access("m", F_OK), 0);
	ck_assert_int_lt(vouch_open(&v, &env, VOUCH_NEED), 0);
	ck_assert_uint_eq(rig_told(FAILURE_MANIFEST)->fault, VOUCH_NONE);
	ck_assert_int_lt(access("m", F_OK), 0);
}
END_TEST

START_TEST(where_nothing_is_written_none_is_needed)
{
	q.compare = REQUEST_COMPARE_ONLY;
	ck_assert_int_eq(vouch_open(&v, &env, VOUCH_LOOK), 0);
	ck_assert_int_eq(vouch_check(&v, &dst, &dst), 0);
	ck_assert_uint_eq(rig_told(NOTICE_MANIFEST)->fault, VOUCH_NONE);
	ck_assert(!vouch_is_kept(&v));
}
END_TEST

// Whatever has become of it: that is what is to be found out.
START_TEST(it_attests_its_own_destination)
{
	run();
	ck_assert_int_eq(pwrite(dst.fd, "x", 1, 5), 1);
	ck_assert_int_eq(vouch_open(&v, &env, VOUCH_NEED), 0);
	ck_assert_int_eq(vouch_attests(&v, &dst), 0);
	ck_assert_int_lt(vouch_attests(&v, &src), 0);
	ck_assert_uint_eq(rig_told(FAILURE_MANIFEST)->fault, VOUCH_OTHER);
	vouch_done(&v);
	ck_assert_int_eq(vouch_open(&v, &env, VOUCH_WRITE), 0);
	ck_assert_int_eq(vouch_forget(&v, &src, &dst), 0);
	vouch_done(&v);
	rig.nr_told = 0;
	ck_assert_int_eq(vouch_open(&v, &env, VOUCH_NEED), 0);
	ck_assert_int_lt(vouch_attests(&v, &dst), 0);
	ck_assert_uint_eq(rig_told(FAILURE_MANIFEST)->fault, VOUCH_EMPTY);
}
END_TEST

START_TEST(a_destination_that_was_changed_is_read)
{
	run();
	ck_assert_int_eq(pwrite(dst.fd, "x", 1, 5), 1);
	// It may have got the same time.
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
					  {.tv_sec = 7}};
	ck_assert_int_eq(futimens(dst.fd, times), 0);
	doubts(VOUCH_CHANGED);
}
END_TEST

START_TEST(another_file_of_the_name_is_read)
{
	run();
	ck_assert_int_eq(rename("src", "dst"), 0);
	const struct side other = side_of("other");
	struct side was = dst;

	dst = other;
	doubts(VOUCH_OTHER);
	close(dst.fd);
	dst = was;
}
END_TEST

// As where the times say nothing.
START_TEST(samples_are_read)
{
	unsigned char byte;
	const int fd = dst.fd;

	run();
	bytes[MANIFEST_RANGE + 9] ^= 1;
	const int other = make("sample", bytes, LEN);
	ck_assert_int_eq(vouch_open(&v, &env, VOUCH_WRITE), 0);
	struct side back = dst;
	back.fd = back.buffered_fd = other;
	ck_assert_int_eq(vouch_check(&v, &dst, &back), 0);
	ck_assert_uint_eq(rig_told(NOTICE_MANIFEST)->fault, VOUCH_DIFFERS);
	close(other);
	ck_assert_int_eq(pread(fd, &byte, 1, 0), 1);
}
END_TEST

START_TEST(what_is_damaged_is_made_new)
{
	run();
	const int fd = open("m", O_RDWR | O_CLOEXEC);
	unsigned char byte;
	ck_assert_int_eq(pread(fd, &byte, 1, 100), 1);
	byte ^= 1; // whatever it is
	ck_assert_int_eq(pwrite(fd, &byte, 1, 100), 1);
	close(fd);
	ck_assert_int_lt(vouch_open(&v, &env, VOUCH_NEED), 0);
	ck_assert_uint_eq(rig_told(FAILURE_MANIFEST)->fault, VOUCH_DAMAGED);
	vouch_done(&v);
	doubts(VOUCH_DAMAGED);
	vouch_done(&v);
	run();
	ck_assert(counts());
}
END_TEST

START_TEST(a_run_that_is_cut_off_has_a_file_read)
{
	run();
	ck_assert(counts());
	ck_assert_int_eq(vouch_begin(&v, &src, &dst, LEN), 0);
	ck_assert_int_eq(manifest_touch(&v.manifest, 0, 1), 0);
	vouch_done(&v);
	ck_assert(counts()); // not yet
	vouch_done(&v);
	const struct timespec times[2] = {{.tv_sec = 7}, {.tv_sec = 7}};
	ck_assert_int_eq(futimens(dst.fd, times), 0);
	doubts(VOUCH_CHANGED);
}
END_TEST

static void
refuses(unsigned fault)
{
	rig.nr_told = 0;
	ck_assert_int_lt(vouch_open(&v, &env, VOUCH_WRITE), 0);
	ck_assert_uint_eq(rig_told(FAILURE_MANIFEST)->fault, fault);
	vouch_done(&v);
}

START_TEST(no_other_file_is_written_to)
{
	close(make("diary", "Dear diary,\n", 12));
	q.manifest = "diary";
	refuses(VOUCH_FOREIGN);
	q.manifest = "src";
	refuses(OURS_SIDE);
	q.manifest = "dst";
	refuses(OURS_SIDE);
	ck_assert_int_eq(link("dst", "link"), 0);
	q.manifest = "link";
	refuses(OURS_SIDE);
	q.dst = "new";
	q.manifest = "./new";
	refuses(OURS_SIDE);
	q.manifest = ".";
	refuses(OURS_NO_FILE);
	q.manifest = "/dev/null";
	refuses(OURS_NO_FILE);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	q.manifest = "fifo";
	refuses(OURS_NO_FILE);
	q.manifest = "none/m";
	refuses(OURS_ERROR);
	q.manifest = "/dev/aiodd-none";
	refuses(OURS_NO_DEVICE);
}
END_TEST

START_TEST(one_run_at_a_time)
{
	struct vouch other;

	run();
	ck_assert_int_eq(vouch_open(&other, &env, VOUCH_WRITE), 0);
	refuses(OURS_IN_USE);
	vouch_done(&other);
	ck_assert(counts());
}
END_TEST

START_TEST(who_only_reads_keeps_nobody_from_reading)
{
	struct vouch other;

	run();
	ck_assert_int_eq(vouch_open(&other, &env, VOUCH_LOOK), 0);
	refuses(OURS_IN_USE);
	vouch_done(&v);
	ck_assert_int_eq(vouch_open(&v, &env, VOUCH_NEED), 0);
	vouch_done(&v);
	vouch_done(&other);
	ck_assert_int_eq(vouch_open(&other, &env, VOUCH_WRITE), 0);
	ck_assert_int_lt(vouch_open(&v, &env, VOUCH_LOOK), 0);
	vouch_done(&other);
}
END_TEST

START_TEST(a_file_that_is_new_is_locked_as_well)
{
	struct vouch other;

	ck_assert_int_eq(vouch_open(&v, &env, VOUCH_WRITE), 0);
	ck_assert_int_eq(vouch_begin(&v, &src, &dst, LEN), 0);
	ck_assert_int_lt(vouch_open(&other, &env, VOUCH_WRITE), 0);
	ck_assert_uint_eq(rig_told(FAILURE_MANIFEST)->fault, OURS_IN_USE);
	vouch_done(&other);
}
END_TEST

START_TEST(a_map_goes_on_without_it)
{
	char name[NAME_MAX];

	// With .ranges it is too long.
	memset(name, 'm', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	q.manifest = NULL;
	q.map = name;
	ck_assert_int_eq(vouch_open(&v, &env, VOUCH_WRITE), 0);
	ck_assert_uint_eq(rig_told(NOTICE_MANIFEST)->fault, OURS_ERROR);
	ck_assert_int_eq(rig_told(NOTICE_MANIFEST)->error, ENAMETOOLONG);
	ck_assert_int_eq(vouch_check(&v, &dst, &dst), 0);
	ck_assert_int_eq(vouch_begin(&v, &src, &dst, LEN), 0);
	ck_assert_ptr_null(v.path);
	ck_assert(!vouch_is_kept(&v));
}
END_TEST

START_TEST(a_link_of_somebody_else_is_not_followed)
{
	run();
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir("open", 0), 0);
	ck_assert_int_eq(chown("open", 1, 1), 0);
	ck_assert_int_eq(chmod("open", 01777), 0);
	ck_assert_int_eq(symlink("../m", "open/m"), 0);
	q.manifest = "open/m";
	ck_assert(counts());
	vouch_done(&v);
	ck_assert_int_eq(lchown("open/m", 2, 2), 0);
	refuses(OURS_ERROR);
}
END_TEST

START_TEST(an_imprint_survives_its_file)
{
	unsigned char id[IMPRINT_SIZE];
	struct imprint a = imprint_take(&dst), b;

	ck_assert_int_eq(a.kind, IMPRINT_FILE);
	ck_assert_uint_eq(a.size, LEN);
	ck_assert_str_eq(a.name, "dst");
	imprint_format(&a, id);
	b = imprint_parse(id);
	ck_assert(imprint_is_unchanged(&a, &b));
	b.mtime_ns++;
	ck_assert(imprint_is_same(&a, &b) && !imprint_is_unchanged(&a, &b));
	b = imprint_take(&src);
	ck_assert(!imprint_is_same(&a, &b));
	memset(id, 0xff, sizeof(id));
	b = imprint_parse(id);
	ck_assert_int_eq(b.kind, IMPRINT_NONE);
	ck_assert(!imprint_is_same(&b, &b));
	id[0] = IMPRINT_DISK;
	memset(id + 1, 0, 3);
	b = imprint_parse(id);
	ck_assert_int_eq(b.kind, IMPRINT_DISK);
	ck_assert_uint_eq(strlen(b.name), IMPRINT_NAME_MAX - 1);
}
END_TEST

Suite *
vouch_suite(void)
{
	Suite *suite = suite_create("vouch");
	TCase *tcase = tcase_create("vouch");

	if (!digest_is_available(DIGEST_XXH128))
		return suite;
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, the_next_run_relies_on_it);
	tcase_add_test(tcase, without_the_operand_nothing_is_made);
	tcase_add_test(tcase, nothing_is_made_by_looking);
	tcase_add_test(tcase, where_nothing_is_written_none_is_needed);
	tcase_add_test(tcase, it_attests_its_own_destination);
	tcase_add_test(tcase, a_destination_that_was_changed_is_read);
	tcase_add_test(tcase, another_file_of_the_name_is_read);
	tcase_add_test(tcase, samples_are_read);
	tcase_add_test(tcase, what_is_damaged_is_made_new);
	tcase_add_test(tcase, a_run_that_is_cut_off_has_a_file_read);
	tcase_add_test(tcase, no_other_file_is_written_to);
	tcase_add_test(tcase, one_run_at_a_time);
	tcase_add_test(tcase, who_only_reads_keeps_nobody_from_reading);
	tcase_add_test(tcase, a_file_that_is_new_is_locked_as_well);
	tcase_add_test(tcase, a_map_goes_on_without_it);
	tcase_add_test(tcase, a_link_of_somebody_else_is_not_followed);
	tcase_add_test(tcase, an_imprint_survives_its_file);
	suite_add_tcase(suite, tcase);
	return suite;
}
