// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "memory.h"
#include "rig.h"
#include "suites.h"

// Names are relative to the working directory.
static void
open_dir(void)
{
	static const char *const dirs[] = {"v1", "v1/a", "v1/a/b", "v2",
					   "v2/a", "v2/a/b", "v 3",
					   "v 3/a"};

	rig_enter_dir();
	for (unsigned i = 0; i < ARRAY_LEN(dirs); i++)
		ck_assert_int_eq(mkdir(dirs[i], 0700), 0);
}

static void
put(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

#define NOISE "22 1 254:0 / / rw - ext4 /dev/vda rw\n" \
	      "31 30 0:28 / v1 rw shared:3 - cgroup cgroup rw,cpu\n" \
	      "not a mount\n"
#define MOUNT_1 "34 30 0:31 / v1 rw shared:3 - cgroup cgroup rw,memory\n"
#define MOUNT_2 "35 30 0:40 / v2 rw,relatime - cgroup2 cgroup2 rw\n"

static const struct {
	const char *mounts;
	const char *groups;
	const char *file;
	const char *limit;
	uint64_t wanted;
} groups[] = {
	{MOUNT_1, "4:memory:/a/b\n", "v1/a/b/memory.limit_in_bytes",
	 "8388608\n", 8 * MIB},
	{MOUNT_1, "4:memory:/a/b\n", "v1/a/memory.limit_in_bytes", "8388608\n",
	 8 * MIB},
	{MOUNT_1, "4:memory:/a/b\n", "v1/memory.limit_in_bytes", "8388608\n",
	 8 * MIB},
	{NOISE MOUNT_1, "9:name=systemd:/\n4:cpu,memory:/a/b\n0::/\n",
	 "v1/a/b/memory.limit_in_bytes", "8388608\n", 8 * MIB},
	{MOUNT_2, "0::/a/b\n", "v2/a/b/memory.max", "8388608\n", 8 * MIB},
	{MOUNT_2, "0::/a/b\n", "v2/a/b/memory.high", "8388608\n", 8 * MIB},
	{MOUNT_2, "0::/a/b\n", "v2/a/memory.max", "8388608\n", 8 * MIB},
	{NOISE MOUNT_1 MOUNT_2, "4:memory:/\n0::/a/b\n", "v2/a/memory.max",
	 "8388608\n", 8 * MIB},
	// Not ours, or nothing.
	{MOUNT_2, "0::/a/b\n", "v2/a/b/memory.max", "max\n", UINT64_MAX},
	{MOUNT_2, "0::/a/b\n", "v2/a/b/memory.max", "", UINT64_MAX},
	{MOUNT_2, "0::/a\n", "v2/a/b/memory.max", "8388608\n", UINT64_MAX},
	{MOUNT_1, "3:cpu:/a/b\n", "v1/a/b/memory.limit_in_bytes",
	 "8388608\n", UINT64_MAX},
	{NOISE, "4:memory:/a/b\n", "v1/a/b/memory.limit_in_bytes",
	 "8388608\n", UINT64_MAX},
	{MOUNT_1, "nonsense\n4\n4:memory\n\n", "v1/memory.limit_in_bytes",
	 "8388608\n", UINT64_MAX},
	// In containers the mount begins at the group, or below it.
	{"35 30 0:40 /docker/x v2 rw - cgroup2 cgroup2 rw\n",
	 "0::/docker/x/a\n", "v2/a/memory.max", "8388608\n", 8 * MIB},
	{"35 30 0:40 /docker/x v2 rw - cgroup2 cgroup2 rw\n",
	 "0::/docker/x\n", "v2/memory.max", "8388608\n", 8 * MIB},
	{"35 30 0:40 /docker/x v2 rw - cgroup2 cgroup2 rw\n",
	 "0::/docker/xy/a\n", "v2/memory.max", "8388608\n", 8 * MIB},
	// A space, as the kernel writes it, and a name with a backslash.
	{"35 30 0:40 / v\\0403 rw - cgroup2 cgroup2 rw\n", "0::/a\n",
	 "v 3/a/memory.max", "8388608\n", 8 * MIB},
	{"35 30 0:40 /x\\040\\134y v\\0403 rw - cgroup2 cgroup2 rw\n",
	 "0::/x \\y/a\n", "v 3/a/memory.max", "8388608\n", 8 * MIB},
	{MOUNT_2, "0::/../a\n", "v2/memory.max", "8388608\n", 8 * MIB},
};

START_TEST(the_groups_above_limit_it)
{
	put("mountinfo", groups[_i].mounts);
	put("cgroup", groups[_i].groups);
	put(groups[_i].file, groups[_i].limit);
	ck_assert_uint_eq(memory_of_groups("."), groups[_i].wanted);
}
END_TEST

START_TEST(the_least_limit_counts)
{
	put("mountinfo", MOUNT_1 MOUNT_2);
	put("cgroup", "4:memory:/a/b\n0::/a/b\n");
	put("v1/memory.limit_in_bytes", "9223372036854771712\n");
	put("v1/a/memory.limit_in_bytes", "33554432\n");
	put("v2/a/b/memory.max", "67108864\n");
	put("v2/a/b/memory.high", "16777216\n");
	put("v2/a/memory.max", "50331648\n");
	ck_assert_uint_eq(memory_of_groups("."), 16 * MIB);
}
END_TEST

START_TEST(without_groups_there_is_no_limit)
{
	ck_assert_uint_eq(memory_of_groups("."), UINT64_MAX);
	put("cgroup", "0::/a\n");
	ck_assert_uint_eq(memory_of_groups("."), UINT64_MAX);
}
END_TEST

static const int resources[] = {RLIMIT_AS, RLIMIT_DATA};

START_TEST(so_do_limits_of_the_process)
{
	struct rlimit old, limit, now;

	ck_assert_uint_le(memory_allowed(), memory_of_machine());
	getrlimit(resources[_i], &old);
	// More than a sanitizer has mapped, and less than there is.
	limit = (struct rlimit){memory_of_machine() - MIB, old.rlim_max};
	ck_assert_int_eq(setrlimit(resources[_i], &limit), 0);
	getrlimit(resources[_i], &now);
	if (now.rlim_cur == old.rlim_cur) {
		puts("# SKIP: the limit is not taken, as under qemu-user");
		return;
	}
	ck_assert_uint_le(memory_allowed(), limit.rlim_cur);
	ck_assert_int_eq(setrlimit(resources[_i], &old), 0);
}
END_TEST

Suite *
memory_suite(void)
{
	Suite *s = suite_create("memory");
	TCase *t = tcase_create("memory");

	tcase_add_checked_fixture(t, open_dir, rig_leave_dir);
	tcase_add_loop_test(t, the_groups_above_limit_it, 0,
			    ARRAY_LEN(groups));
	tcase_add_test(t, the_least_limit_counts);
	tcase_add_test(t, without_groups_there_is_no_limit);
	tcase_add_loop_test(t, so_do_limits_of_the_process, 0,
			    ARRAY_LEN(resources));
	suite_add_tcase(s, t);
	return s;
}
