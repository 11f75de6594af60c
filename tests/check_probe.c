// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "rig.h"
#include "probe.h"
#include "suites.h"

static struct facts facts;

static void
begin(void)
{
	rig_open();
	facts = (struct facts){0};
}

START_TEST(a_regular_file_is_one)
{
	const int fd = rig_file("0123456789", 10);
	struct stat st;

	ck_assert_int_eq(lseek(fd, 3, SEEK_SET), 3);
	ck_assert_int_eq(fstat(fd, &st), 0);
	probe_descriptor(fd, &facts);
	ck_assert_int_eq(facts.kind, FACTS_FILE);
	ck_assert_uint_eq(facts.size, 10);
	ck_assert_uint_eq(facts.pos, 3);
	ck_assert_uint_eq(facts.dev, st.st_dev);
	ck_assert_uint_eq(facts.ino, st.st_ino);
	ck_assert_uint_eq(facts.sector, 512);
	ck_assert(!facts.is_append && !facts.is_direct);
	close(fd);
}
END_TEST

START_TEST(a_sparse_file_has_less_than_its_size)
{
	const int fd = memfd_create("sparse", MFD_CLOEXEC);

	ck_assert_int_eq(ftruncate(fd, MIB), 0);
	ck_assert_int_eq(pwrite(fd, "x", 1, 0), 1);
	probe_descriptor(fd, &facts);
	ck_assert_uint_eq(facts.size, MIB);
	ck_assert_uint_gt(facts.allocated, 0);
	ck_assert_uint_lt(facts.allocated, MIB);
	close(fd);
}
END_TEST

START_TEST(memory_files_have_no_direct_io)
{
	const int fd = memfd_create("memory", MFD_CLOEXEC);

	probe_descriptor(fd, &facts);
	ck_assert_int_eq(facts.kind, FACTS_FILE);
	ck_assert_uint_eq(facts.dio_align, 0);
	close(fd);
}
END_TEST

// By samples: all or nothing of a large file is no estimate.
START_TEST(the_page_cache_of_a_large_file_is_sampled)
{
	const uint64_t size = 80 * MIB;
	const int fd = rig_file("", 0);
	static char buf[MIB];

	// It has its blocks, and no write is waited for.
	if (fallocate(fd, 0, 0, (off_t)size) < 0) {
		close(fd);
		return;
	}
	for (uint64_t off = 0; off < size; off += MIB)
		ck_assert_int_eq(pread(fd, buf, MIB, (off_t)off), MIB);
	probe_descriptor(fd, &facts);
	ck_assert(facts.cached == 0 || facts.cached == size);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	probe_descriptor(fd, &facts);
	// A memory file keeps its pages.
	ck_assert(facts.cached <= size / 10 || facts.cached == size);
	close(fd);
}
END_TEST

START_TEST(the_page_cache_holds_what_was_just_written)
{
	const int fd = rig_pattern_file(MIB);

	probe_descriptor(fd, &facts);
	// 0 where the kernel has no cachestat(2).
	ck_assert(facts.cached == 0 || facts.cached >= MIB);
	ck_assert_uint_gt(facts.memory, MIB);
	close(fd);
}
END_TEST

START_TEST(messages_that_go_to_the_same_file_are_seen)
{
	const int fd = rig_file("", 0), other_fd = rig_file("", 0);

	probe_descriptor(fd, &facts);
	probe_messages(&facts, fd);
	ck_assert(facts.has_messages);
	probe_messages(&facts, other_fd);
	ck_assert(!facts.has_messages);
	close(fd);
	close(other_fd);
}
END_TEST

// It will be another file.
START_TEST(what_is_replaced_has_no_bytes_and_no_number)
{
	const int fd = rig_pattern_file(MIB);

	probe_descriptor(fd, &facts);
	ck_assert_uint_eq(facts.size, MIB);
	probe_replaced(&facts);
	ck_assert_uint_eq(facts.size + facts.allocated + facts.ino, 0);
	ck_assert_int_eq(facts.kind, FACTS_FILE);
	close(fd);
}
END_TEST

START_TEST(flags_of_the_descriptor_are_seen)
{
	const int fd = rig_file("", 0);
	const int append_fd = open(rig_path(fd), O_WRONLY | O_APPEND);

	probe_descriptor(append_fd, &facts);
	ck_assert(facts.is_append);
	ck_assert(!facts.is_direct);
	close(append_fd);
	close(fd);
}
END_TEST

START_TEST(the_limit_on_file_sizes_is_seen)
{
	const int fd = rig_file("", 0);
	struct rlimit old, low;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = (struct rlimit){(rlim_t)1 << 40, old.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
	probe_descriptor(fd, &facts);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	ck_assert_uint_eq(facts.max_size, (uint64_t)1 << 40);
	close(fd);
}
END_TEST

static const struct {
	const char *path;
	enum facts_kind kind;
} paths[] = {
	{"/dev/null", FACTS_NULL},
	{"/dev/zero", FACTS_ZERO},
	{"/dev/full", FACTS_STREAM},
	{"/dev/urandom", FACTS_STREAM},
	{"/tmp", FACTS_STREAM},
	{"/proc/version", FACTS_STREAM},
	{"/proc/self/status", FACTS_STREAM}, // qemu-user has its own maps
};

START_TEST(odd_files_are_streams)
{
	const int fd = open(paths[_i].path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	probe_descriptor(fd, &facts);
	ck_assert_int_eq(facts.kind, paths[_i].kind);
	close(fd);
	ck_assert_int_eq(probe_path(paths[_i].path, &facts), 0);
	ck_assert_int_eq(facts.kind, paths[_i].kind);
}
END_TEST

START_TEST(a_pipe_is_a_stream)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	facts.kind = FACTS_FILE;
	probe_descriptor(fds[0], &facts);
	ck_assert_int_eq(facts.kind, FACTS_STREAM);
	ck_assert_uint_eq(facts.size, 0);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

// Not what drops of a message what a read has no room for.
START_TEST(a_stream_of_bytes_is_told_from_one_of_messages)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	probe_descriptor(fds[0], &facts);
	ck_assert(facts.is_flow);
	close(fds[0]);
	close(fds[1]);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		ck_assert_int_eq(socketpair(AF_UNIX, types[i], 0, fds), 0);
		probe_descriptor(fds[0], &facts);
		ck_assert_int_eq(facts.is_flow, types[i] == SOCK_STREAM);
		close(fds[0]);
		close(fds[1]);
	}
	ck_assert_int_eq(probe_path("/dev/urandom", &facts), 0);
	ck_assert(facts.is_flow);
	ck_assert_int_eq(probe_path("/dev/tty", &facts), 0);
	ck_assert(!facts.is_flow);
}
END_TEST

START_TEST(what_is_not_open_is_a_stream)
{
	facts.kind = FACTS_FILE;
	probe_descriptor(-1, &facts);
	ck_assert_int_eq(facts.kind, FACTS_STREAM);
}
END_TEST

START_TEST(a_path_tells_what_a_descriptor_would)
{
	const int fd = rig_file("0123456789", 10);
	struct facts by_path;

	probe_descriptor(fd, &facts);
	ck_assert_int_eq(probe_path(rig_path(fd), &by_path), 0);
	ck_assert_int_eq(by_path.kind, facts.kind);
	ck_assert_uint_eq(by_path.size, facts.size);
	ck_assert_uint_eq(by_path.dev, facts.dev);
	ck_assert_uint_eq(by_path.ino, facts.ino);
	ck_assert_uint_eq(by_path.dio_align, facts.dio_align);
	close(fd);
}
END_TEST

START_TEST(a_missing_file_is_a_new_one_in_its_directory)
{
	struct stat st;

	ck_assert_int_eq(stat("/var/tmp", &st), 0);
	ck_assert_int_eq(probe_path("/var/tmp/aiodd no such file", &facts), 0);
	ck_assert_int_eq(facts.kind, FACTS_FILE);
	ck_assert_uint_eq(facts.size, 0);
	ck_assert_uint_eq(facts.dev, st.st_dev);
	ck_assert_uint_ne(facts.ino, st.st_ino);
}
END_TEST

START_TEST(a_path_to_nowhere_is_an_error)
{
	ck_assert_int_eq(probe_path("/aiodd no such/directory", &facts),
			 -ENOENT);
	ck_assert_int_eq(probe_path("/dev/null/file", &facts), -ENOTDIR);
}
END_TEST

Suite *
probe_suite(void)
{
	Suite *s = suite_create("probe");
	TCase *t = tcase_create("probe");

	tcase_add_checked_fixture(t, begin, rig_close);
	tcase_add_test(t, a_regular_file_is_one);
	tcase_add_test(t, a_sparse_file_has_less_than_its_size);
	tcase_add_test(t, memory_files_have_no_direct_io);
	tcase_add_test(t, the_page_cache_holds_what_was_just_written);
	tcase_add_test(t, the_page_cache_of_a_large_file_is_sampled);
	tcase_add_test(t, messages_that_go_to_the_same_file_are_seen);
	tcase_add_test(t, what_is_replaced_has_no_bytes_and_no_number);
	tcase_add_test(t, flags_of_the_descriptor_are_seen);
	tcase_add_test(t, the_limit_on_file_sizes_is_seen);
	tcase_add_loop_test(t, odd_files_are_streams, 0, ARRAY_LEN(paths));
	tcase_add_test(t, a_pipe_is_a_stream);
	tcase_add_test(t, a_stream_of_bytes_is_told_from_one_of_messages);
	tcase_add_test(t, what_is_not_open_is_a_stream);
	tcase_add_test(t, a_path_tells_what_a_descriptor_would);
	tcase_add_test(t, a_missing_file_is_a_new_one_in_its_directory);
	tcase_add_test(t, a_path_to_nowhere_is_an_error);
	suite_add_tcase(s, t);
	return s;
}
