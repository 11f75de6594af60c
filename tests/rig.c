// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "rig.h"

#include <check.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "aio_kernel.h"
#include "base.h"
#include "file.h"

struct rig rig;
_Atomic uint64_t rig_clock_ns;

// The linker takes it before that of the C library.
int
clock_gettime(clockid_t clock, struct timespec *now)
{
	const uint64_t ns = rig_clock_ns, second = 1000000000;

	if (ns == 0)
		return (int)syscall(SYS_clock_gettime, clock, now);
	*now = (struct timespec){(time_t)(ns / second), (long)(ns % second)};
	return 0;
}

static void
on_notice(void *ctx, const struct event *f)
{
	struct rig *b = ctx;

	ck_assert_uint_lt(b->nr_told, RIG_TOLD_MAX);
	b->told[b->nr_told++] = *f;
}

static bool
must_stop(void *ctx)
{
	const struct rig *b = ctx;

	return b->must_stop;
}

static void
on_signal(void *ctx, int signo)
{
	(void)ctx;
	(void)signo;
}

void
rig_open(void)
{
	rig_clock_ns = 0;
	rig = (struct rig){.hooks = {.ctx = &rig,
				     .notice = on_notice,
				     .message_fd = -1,
				     .must_stop = must_stop,
				     .signalled = on_signal}};
	sigemptyset(&rig.hooks.signals);
	for (int fd = 0; fd < 2; fd++)
		rig.saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
}

void
rig_close(void)
{
	for (int fd = 0; fd < 2; fd++) {
		if (rig.saved[fd] < 0)
			continue;
		(void)dup2(rig.saved[fd], fd);
		(void)close(rig.saved[fd]);
	}
}

static char dir[32];
static int old_dir;

void
rig_enter_dir(void)
{
	snprintf(dir, sizeof(dir), "/var/tmp/aiodd-rig.XXXXXX");
	old_dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(old_dir, 0);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

void
rig_leave_dir(void)
{
	char command[64];

	ck_assert_int_eq(fchdir(old_dir), 0);
	close(old_dir);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
}

int
rig_file(const void *bytes, size_t len)
{
	int fd = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fd = memfd_create("rig", MFD_CLOEXEC);
	ck_assert_int_gt(fd, 2);
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

int
rig_pattern_file(size_t len)
{
	unsigned char *bytes = malloc(len);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)((i * UINT64_C(2654435761)) >> 13);
	const int fd = rig_file(bytes, len);
	free(bytes);
	return fd;
}

const char *
rig_path(int fd)
{
	static char paths[2][32];
	static unsigned next;
	char *path = paths[next++ % 2];

	snprintf(path, sizeof(paths[0]), "/proc/self/fd/%d", fd);
	return path;
}

int
rig_packets(void)
{
	static const char *const packets[] = {"ab", "cdef", "g", "hij"};
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_DIRECT), 0);
	for (size_t i = 0; i < ARRAY_LEN(packets); i++)
		ck_assert_int_eq(write(fds[1], packets[i], strlen(packets[i])),
				 (ssize_t)strlen(packets[i]));
	close(fds[1]);
	return fds[0];
}

struct side
rig_side(int fd)
{
	struct side side;

	file_init(&side, fd, "it", false);
	return side;
}

struct request
rig_request(uint64_t bs)
{
	return (struct request){.ibs = bs,
				.obs = bs,
				.count.blocks = REQUEST_NO_LIMIT,
				.is_single_buffer = true};
}

static bool
needs(bool has, const char *what)
{
	if (!has)
		printf("# SKIP what needs %s\n", what);
	return has;
}

bool
rig_has_aio(void)
{
	io_context_t ctx = NULL;
	const bool has = aio_kernel_linux.setup(1, &ctx) == 0;

	if (has)
		(void)aio_kernel_linux.destroy(ctx);
	return needs(has, "kernel AIO");
}

bool
rig_reads_itself(void)
{
	const char byte = 'a';
	char got = 0;
	const int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	const bool has = pread(fd, &got, 1, (off_t)(uintptr_t)&byte) == 1 &&
			 got == byte;

	if (fd >= 0)
		close(fd);
	return needs(has, "its own memory in /proc");
}

off_t
rig_size(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_size;
}

void
rig_check_file(int fd, const void *want, size_t len)
{
	unsigned char *got = malloc(len + 1);

	ck_assert_int_eq(pread(fd, got, len + 1, 0), (ssize_t)len);
	ck_assert(memcmp(got, want, len) == 0);
	free(got);
}

void
rig_check_same(int fd, int want_fd)
{
	const off_t size = rig_size(want_fd);
	unsigned char *want = malloc((size_t)size + 1);

	ck_assert_int_eq(pread(want_fd, want, (size_t)size, 0), size);
	rig_check_file(fd, want, (size_t)size);
	free(want);
}

unsigned
rig_count_told(enum event_kind kind)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < rig.nr_told; i++)
		nr += rig.told[i].kind == kind;
	return nr;
}

const struct event *
rig_told(enum event_kind kind)
{
	ck_assert_uint_eq(rig_count_told(kind), 1);
	for (unsigned i = 0; i < rig.nr_told; i++)
		if (rig.told[i].kind == kind)
			return &rig.told[i];
	return NULL;
}
