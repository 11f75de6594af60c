// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "mapkeep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "env.h"
#include "rig.h"
#include "suites.h"

enum { LEN = 4096 };

static const struct mapfile_status begun = {.phase = '?', .pass = 1};
static unsigned char bytes[LEN];
static struct request q;
static struct env env;
static struct mapkeep k;
static struct side src, dst;

static void
make(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static struct side
side_of(const char *name)
{
	const int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	struct side side = rig_side(fd);

	ck_assert_int_eq(pwrite(fd, bytes, LEN, 0), LEN);
	side.name = name;
	side.ops->probe(&side, -1);
	return side;
}

static void
begin(void)
{
	rig_open();
	rig_enter_dir();
	q = rig_request(512);
	q.src = "src";
	q.dst = "dst";
	q.map = "m";
	env = (struct env){.asked = &q, .hooks = &rig.hooks};
	src = side_of("src");
	dst = side_of("dst");
}

static void
end(void)
{
	mapkeep_done(&k);
	close(src.fd);
	close(dst.fd);
	rig_leave_dir();
	rig_close();
}

static int
open_and_check(uint64_t src_off, uint64_t dst_off)
{
	rig.nr_told = 0;
	mapkeep_done(&k);
	ck_assert_int_eq(mapkeep_open(&k, &env), 0);
	return mapkeep_check(&k, &src, &dst, src_off, dst_off);
}

static void
save(void)
{
	ck_assert_int_eq(mapkeep_save(&k, &k.mapfile.map, &begun), 0);
}

static void
mark(uint64_t off, uint64_t len, enum map_state state)
{
	ck_assert_int_eq(map_mark(&k.mapfile.map, off, len, state), 0);
}

static void
check_told(unsigned fault)
{
	ck_assert_uint_eq(rig_told(FAILURE_MAP)->fault, fault);
	ck_assert_str_eq(rig_told(FAILURE_MAP)->name, "m");
}

// A whole run: half of it was rescued.
static void
run(void)
{
	ck_assert_int_eq(open_and_check(0, 0), 0);
	mark(0, LEN / 2, MAP_DONE);
	save();
	mapkeep_done(&k);
}

START_TEST(without_the_operand_nothing_is_done)
{
	q.map = NULL;
	ck_assert_int_eq(open_and_check(0, 0), 0);
	mapkeep_done(&k);
	ck_assert_int_lt(access("m", F_OK), 0);
}
END_TEST

START_TEST(a_new_one_is_made_by_the_first_save)
{
	ck_assert_int_eq(open_and_check(0, 0), 0);
	ck_assert(k.is_new);
	ck_assert_uint_eq(k.mapfile.map.len, LEN);
	ck_assert_uint_eq(k.mapfile.map.totals[MAP_TODO], LEN);
	ck_assert_int_lt(access("m", F_OK), 0);
	save();
	ck_assert_int_eq(access("m", F_OK), 0);
}
END_TEST

START_TEST(an_empty_file_is_new)
{
	make("m", "");
	ck_assert_int_eq(open_and_check(0, 0), 0);
	ck_assert(k.is_new);
	save();
}
END_TEST

START_TEST(the_next_run_goes_on_from_it)
{
	run();
	ck_assert_int_eq(open_and_check(0, 0), 0);
	ck_assert(!k.is_new);
	ck_assert_uint_eq(k.mapfile.map.totals[MAP_DONE], LEN / 2);
	ck_assert_int_eq(mapkeep_save(&k, &k.mapfile.map,
				      &(struct mapfile_status){7, '-', 3}),
			 0);
	ck_assert_int_eq(open_and_check(0, 0), 0);
	ck_assert_uint_eq(k.mapfile.status.pos, 7);
	ck_assert_int_eq(k.mapfile.status.phase, '-');
	ck_assert_uint_eq(k.mapfile.status.pass, 3);
}
END_TEST

START_TEST(saving_keeps_mode_and_owner)
{
	struct stat st;

	make("m", "");
	ck_assert_int_eq(chmod("m", 0640), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown("m", 1, 2), 0);
	ck_assert_int_eq(open_and_check(0, 0), 0);
	save();
	save();
	ck_assert_int_eq(stat("m", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	if (geteuid() == 0)
		ck_assert(st.st_uid == 1 && st.st_gid == 2);
	ck_assert_uint_eq(st.st_nlink, 1);
}
END_TEST

START_TEST(a_link_stays_and_leads_to_the_new_file)
{
	struct stat st;

	make("target", "");
	ck_assert_int_eq(symlink("target", "m"), 0);
	ck_assert_int_eq(open_and_check(0, 0), 0);
	save();
	ck_assert_int_eq(lstat("m", &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(stat("target", &st), 0);
	ck_assert_int_gt(st.st_size, 0);
}
END_TEST

START_TEST(nothing_else_is_left_in_the_directory)
{
	ck_assert_int_eq(open_and_check(0, 0), 0);
	save();
	make("taken", "");
	ck_assert_int_eq(rename("taken", "m"), 0);
	ck_assert_int_eq(mapkeep_save(&k, &k.mapfile.map, &begun), -EEXIST);
	mapkeep_done(&k);
	// dst, m and src.
	ck_assert_int_eq(system("test \"$(ls -A | wc -l)\" -eq 3"), 0);
}
END_TEST

START_TEST(what_a_killed_run_has_left_is_removed)
{
	static const char *const names[] = {
		".m.aiodd-abcdef", ".n.aiodd-abcdef", ".m.aiodd-ABCDEF",
		".m.aiodd-abcde", "m.aiodd-abcdef"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		make(names[i], MAPFILE_TITLE "version 1\n");
	make(".m.aiodd-others", "# Mapfile. Created by GNU ddrescue\n");
	make(".m.aiodd-aaaaaa", "");
	ck_assert_int_eq(symlink(names[1], ".m.aiodd-bbbbbb"), 0);
	ck_assert_int_eq(mkfifo(".m.aiodd-cccccc", 0600), 0);
	ck_assert_int_eq(open_and_check(0, 0), 0);
	ck_assert_int_eq(access(names[0], F_OK), 0);
	save();
	ck_assert_int_lt(access(names[0], F_OK), 0);
	mapkeep_done(&k);
	// Those of others, dst, m and src.
	ck_assert_int_eq(system("test \"$(ls -A | wc -l)\" -eq 11"), 0);
}
END_TEST

START_TEST(one_run_at_a_time_whatever_is_saved)
{
	struct mapkeep other;

	run();
	ck_assert_int_eq(open_and_check(0, 0), 0);
	for (int i = 0; i < 3; i++) {
		rig.nr_told = 0;
		ck_assert_int_lt(mapkeep_open(&other, &env), 0);
		check_told(OURS_IN_USE);
		mapkeep_done(&other);
		save();
	}
	mapkeep_done(&k);
	ck_assert_int_eq(open_and_check(0, 0), 0);
}
END_TEST

// Both have found none.
START_TEST(the_second_of_two_new_runs_cannot_save)
{
	struct mapkeep other;

	ck_assert_int_eq(mapkeep_open(&other, &env), 0);
	ck_assert_int_eq(mapkeep_check(&other, &src, &dst, 0, 0), 0);
	ck_assert_int_eq(open_and_check(0, 0), 0);
	save();
	ck_assert_int_eq(mapkeep_save(&other, &other.mapfile.map, &begun),
			 -EEXIST);
	mapkeep_done(&other);
	save();
}
END_TEST

START_TEST(one_that_was_removed_is_made_again)
{
	run();
	ck_assert_int_eq(open_and_check(0, 0), 0);
	ck_assert_int_eq(unlink("m"), 0);
	save();
	ck_assert_int_eq(access("m", F_OK), 0);
}
END_TEST

START_TEST(one_that_cannot_be_saved_is_told)
{
	ck_assert_int_eq(open_and_check(0, 0), 0);
	ck_assert_int_eq(mapkeep_tell_unsaved(&k, -ENOSPC), -ENOSPC);
	check_told(MAPKEEP_UNSAVED);
	ck_assert_int_eq(rig_told(FAILURE_MAP)->error, ENOSPC);
}
END_TEST

static void
refuses(unsigned fault)
{
	rig.nr_told = 0;
	mapkeep_done(&k);
	ck_assert_int_eq(mapkeep_open(&k, &env), -EINVAL);
	check_told(fault);
}

START_TEST(a_damaged_one_is_not_touched)
{
	make("m", "0 ?\n0 8 +\n9 8 +\n");
	refuses(MAPKEEP_DAMAGED);
	ck_assert_uint_eq(rig_told(FAILURE_MAP)->len, 3);
	ck_assert_int_eq(system("grep -q '^9 8 +$' m"), 0);
}
END_TEST

START_TEST(an_image_by_mistake_is_not_read)
{
	make("m", "");
	ck_assert_int_eq(truncate("m", INT64_C(1) << 40), 0);
	ck_assert_int_eq(mapkeep_open(&k, &env), -EFBIG);
	check_told(OURS_ERROR);
}
END_TEST

START_TEST(it_is_no_side_of_the_copy)
{
	ck_assert_int_eq(link("dst", "m"), 0);
	refuses(OURS_SIDE);
}
END_TEST

START_TEST(what_is_copied_must_be_there)
{
	run();
	q.dst = "new";
	refuses(MAPKEEP_PAST_DST);
	q.dst = "dst";
	ck_assert_int_eq(ftruncate(dst.fd, LEN / 2), 0);
	dst.ops->probe(&dst, -1);
	ck_assert_int_eq(open_and_check(0, 0), 0);
	ck_assert_int_eq(ftruncate(dst.fd, LEN / 2 - 1), 0);
	dst.ops->probe(&dst, -1);
	ck_assert_int_eq(open_and_check(0, 0), -EINVAL);
	check_told(MAPKEEP_PAST_DST);
}
END_TEST

// One of ddrescue, which does not say whose it is.
static const struct {
	const char *text;
	int r;
	uint64_t todo; // of LEN
} lengths[] = {
	{"0 ?\n0 8 +\n", 0, LEN - 8},
	{"0 ?\n8 8 -\n", 0, LEN - 8},
	{"0 ?\n0 8 +\n8 0x7FFFFFFFFFFFFFF7 ?\n", 0, LEN - 8},
	{"0 ?\n0 8 +\n8 4089 -\n", 0, 0},
	{"0 ?\n0 4096 +\n4096 1 ?\n", 0, 0},
	{"0 ?\n0 4097 +\n", -EINVAL, 0},
	{"0 ?\n0 4097 -\n4097 1 ?\n", -EINVAL, 0},
};

START_TEST(the_map_becomes_as_long_as_the_source)
{
	make("m", lengths[_i].text);
	ck_assert_int_eq(open_and_check(0, 0), lengths[_i].r);
	if (lengths[_i].r < 0) {
		check_told(MAPKEEP_PAST_SRC);
		return;
	}
	ck_assert_uint_eq(k.mapfile.map.len, LEN);
	ck_assert_uint_eq(k.mapfile.map.totals[MAP_TODO], lengths[_i].todo);
}
END_TEST

START_TEST(a_place_in_the_destination_is_another_one)
{
	make("m", "0 ?\n0 2048 +\n");
	ck_assert_int_eq(open_and_check(0, LEN - 2048), 0);
	ck_assert_int_eq(open_and_check(0, LEN - 2047), -EINVAL);
	check_told(MAPKEEP_PAST_DST);
	ck_assert_int_eq(open_and_check(LEN, 0), 0);
}
END_TEST

// Refused, but for force=map.
static void
check_other(unsigned fault)
{
	ck_assert_int_eq(open_and_check(0, 0), -EPERM);
	check_told(fault);
	q.force = REQUEST_FORCE_MAP;
	ck_assert_int_eq(open_and_check(0, 0), 0);
	ck_assert_uint_eq(rig.nr_told, 0);
}

START_TEST(a_map_of_another_source_is_refused)
{
	const struct timespec times[2] = {{.tv_sec = 7}, {.tv_sec = 7}};

	run();
	ck_assert_int_eq(futimens(src.fd, times), 0);
	check_other(MAPKEEP_OTHER_SRC);
	save();
	q.force = 0;
	ck_assert_int_eq(open_and_check(0, 0), 0);
}
END_TEST

START_TEST(a_map_of_another_destination_is_refused)
{
	run();
	close(dst.fd);
	ck_assert_int_eq(rename("dst", "old"), 0);
	dst = side_of("dst");
	check_other(MAPKEEP_OTHER_DST);
}
END_TEST

START_TEST(a_destination_that_is_written_is_the_same)
{
	const struct timespec times[2] = {{.tv_sec = 7}, {.tv_sec = 7}};

	run();
	ck_assert_int_eq(ftruncate(dst.fd, 2 * LEN), 0);
	ck_assert_int_eq(futimens(dst.fd, times), 0);
	dst.ops->probe(&dst, -1);
	ck_assert_int_eq(open_and_check(0, 0), 0);
}
END_TEST

START_TEST(a_map_of_another_place_is_refused)
{
	run();
	ck_assert_int_eq(open_and_check(512, 512), 0);
	ck_assert_int_eq(open_and_check(512, 0), -EPERM);
	check_told(MAPKEEP_OTHER_PLACE);
	ck_assert_int_eq(open_and_check(0, 512), -EPERM);
	check_told(MAPKEEP_OTHER_PLACE);
}
END_TEST

START_TEST(both_sides_need_offsets)
{
	const struct side file = src;

	src.facts = (struct facts){.kind = FACTS_STREAM};
	ck_assert_int_eq(open_and_check(0, 0), -EINVAL);
	check_told(MAPKEEP_SRC_STREAM);
	src = file;
	dst.facts.is_append = true;
	ck_assert_int_eq(open_and_check(0, 0), -EINVAL);
	check_told(MAPKEEP_DST_STREAM);
}
END_TEST

START_TEST(looking_neither_locks_nor_writes)
{
	struct mapkeep other;

	run();
	ck_assert_int_eq(open_and_check(0, 0), 0);
	q.plan_only = true;
	ck_assert_int_eq(mapkeep_open(&other, &env), 0);
	ck_assert_uint_eq(other.mapfile.map.totals[MAP_DONE], LEN / 2);
	mapkeep_done(&other);
}
END_TEST

Suite *
mapkeep_suite(void)
{
	Suite *s = suite_create("mapkeep");
	TCase *t = tcase_create("mapkeep");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, without_the_operand_nothing_is_done);
	tcase_add_test(t, a_new_one_is_made_by_the_first_save);
	tcase_add_test(t, an_empty_file_is_new);
	tcase_add_test(t, the_next_run_goes_on_from_it);
	tcase_add_test(t, saving_keeps_mode_and_owner);
	tcase_add_test(t, a_link_stays_and_leads_to_the_new_file);
	tcase_add_test(t, nothing_else_is_left_in_the_directory);
	tcase_add_test(t, what_a_killed_run_has_left_is_removed);
	tcase_add_test(t, one_run_at_a_time_whatever_is_saved);
	tcase_add_test(t, the_second_of_two_new_runs_cannot_save);
	tcase_add_test(t, one_that_was_removed_is_made_again);
	tcase_add_test(t, one_that_cannot_be_saved_is_told);
	tcase_add_test(t, a_damaged_one_is_not_touched);
	tcase_add_test(t, an_image_by_mistake_is_not_read);
	tcase_add_test(t, it_is_no_side_of_the_copy);
	tcase_add_test(t, what_is_copied_must_be_there);
	tcase_add_loop_test(t, the_map_becomes_as_long_as_the_source, 0,
			    ARRAY_LEN(lengths));
	tcase_add_test(t, a_place_in_the_destination_is_another_one);
	tcase_add_test(t, a_map_of_another_source_is_refused);
	tcase_add_test(t, a_map_of_another_destination_is_refused);
	tcase_add_test(t, a_destination_that_is_written_is_the_same);
	tcase_add_test(t, a_map_of_another_place_is_refused);
	tcase_add_test(t, both_sides_need_offsets);
	tcase_add_test(t, looking_neither_locks_nor_writes);
	suite_add_tcase(s, t);
	return s;
}
