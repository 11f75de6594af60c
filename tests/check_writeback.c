// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "writeback.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "rig.h"
#include "suites.h"

// A device that is done with a run when the test says so. The linker takes
// this call before that of the C library.
enum { CALLS_MAX = 64 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_open;       // every call ends at once
	bool is_busy;       // so do those that begin a run, if not
	unsigned nr_steps;  // so many more calls end
	uint64_t wait_ns;   // by the clock, each wait
	int error;          // of the next wait
	struct call {
		uint64_t off, len;
		bool is_wait;
	} calls[CALLS_MAX];
	unsigned nr_calls;
} device = {.lock = PTHREAD_MUTEX_INITIALIZER,
	    .changed = PTHREAD_COND_INITIALIZER,
	    .is_open = true};

int
sync_file_range(int fd, off_t off, off_t len, unsigned flags)
{
	const bool is_wait = (flags & SYNC_FILE_RANGE_WAIT_AFTER) != 0;
	const bool sleeps = is_wait || device.is_busy;

	(void)fd;
	pthread_mutex_lock(&device.lock);
	if (device.nr_calls < CALLS_MAX)
		device.calls[device.nr_calls++] = (struct call){
			(uint64_t)off, (uint64_t)len, is_wait};
	pthread_cond_broadcast(&device.changed);
	while (sleeps && !device.is_open && device.nr_steps == 0)
		pthread_cond_wait(&device.changed, &device.lock);
	if (sleeps && !device.is_open)
		device.nr_steps--;
	if (is_wait)
		rig_clock_ns += device.wait_ns;
	errno = is_wait ? device.error : 0;
	pthread_mutex_unlock(&device.lock);
	return errno != 0 ? -1 : 0;
}

static struct writeback *wb;
static int writeback_fails; // what writeback_free is to give

static void
open_writeback(void)
{
	device.is_open = device.is_busy = false;
	device.nr_steps = 0;
	device.wait_ns = SECOND_NS / 100; // 400 MiB a second, or more
	rig_clock_ns = SECOND_NS;
	device.error = 0;
	device.nr_calls = 0;
	writeback_fails = 0;
	wb = writeback_new(memfd_create("writeback", MFD_CLOEXEC));
	ck_assert_ptr_nonnull(wb);
}

static void
open_device(void)
{
	pthread_mutex_lock(&device.lock);
	device.is_open = true;
	pthread_cond_broadcast(&device.changed);
	pthread_mutex_unlock(&device.lock);
}

static void
step_device(int error)
{
	pthread_mutex_lock(&device.lock);
	device.error = error;
	device.nr_steps++;
	pthread_cond_broadcast(&device.changed);
	pthread_mutex_unlock(&device.lock);
}

static void
close_writeback(void)
{
	open_device();
	ck_assert_int_eq(writeback_free(wb), writeback_fails);
	device.error = 0; // other suites write, too
	rig_clock_ns = 0;
}

// Call number nr, when it has been made.
static struct call
await_call(unsigned nr)
{
	pthread_mutex_lock(&device.lock);
	while (device.nr_calls <= nr)
		pthread_cond_wait(&device.changed, &device.lock);
	const struct call call = device.calls[nr];
	pthread_mutex_unlock(&device.lock);
	return call;
}

static void
check_call(unsigned nr, uint64_t off, uint64_t len, bool is_wait)
{
	const struct call call = await_call(nr);

	ck_assert_uint_eq(call.off, off);
	ck_assert_uint_eq(call.len, len);
	ck_assert_int_eq(call.is_wait, is_wait);
}

static void
await_news(void)
{
	struct pollfd news = {.fd = writeback_fd(wb), .events = POLLIN};
	uint64_t count;

	ck_assert_int_eq(poll(&news, 1, -1), 1);
	ck_assert_int_eq(read(news.fd, &count, sizeof(count)), sizeof(count));
}

// MiB by MiB from off on.
static void
pass(uint64_t off, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		ck_assert_int_eq(writeback_pass(wb, off + i * MIB, MIB), 0);
}

START_TEST(without_a_descriptor_there_is_none)
{
	struct rlimit old, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){0, old.rlim_max};
	const int fd = memfd_create("writeback", MFD_CLOEXEC);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	struct writeback *refused = writeback_new(fd);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert_ptr_null(refused);
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0); // it was given away
}
END_TEST

START_TEST(a_little_is_left_to_the_sync)
{
	pass(0, 3);
	ck_assert(!writeback_is_full(wb));
	ck_assert_uint_eq(writeback_reached(wb), 0);
	open_device();
	writeback_free(wb);
	ck_assert_uint_eq(device.nr_calls, 0);
	open_writeback();
}
END_TEST

START_TEST(what_has_come_meanwhile_is_the_next_run)
{
	pass(100, 4);
	check_call(0, 100, 4 * MIB, false);
	check_call(1, 100, 4 * MIB, true);
	pass(100 + 4 * MIB, 5);
	step_device(0);
	check_call(2, 100 + 4 * MIB, 5 * MIB, false);
	check_call(3, 100 + 4 * MIB, 5 * MIB, true);
	pass(100 + 9 * MIB, 4);
	step_device(0);
	check_call(4, 100 + 9 * MIB, 4 * MIB, false);
}
END_TEST

START_TEST(a_slow_device_gets_short_runs)
{
	device.wait_ns = SECOND_NS;
	pass(0, 4);
	check_call(1, 0, 4 * MIB, true);
	pass(4 * MIB, 9);
	step_device(0);
	check_call(2, 4 * MIB, 4 * MIB, false);
	step_device(0);
	check_call(3, 8 * MIB, 4 * MIB, false);
}
END_TEST

START_TEST(a_run_is_begun_before_the_one_before_is_waited_for)
{
	device.is_busy = true;
	pass(0, 4);
	check_call(0, 0, 4 * MIB, false);
	pass(4 * MIB, 5);
	step_device(0);
	check_call(1, 4 * MIB, 4 * MIB, false); // no more at once
	step_device(0);
	check_call(2, 0, 4 * MIB, true);
}
END_TEST

START_TEST(what_is_out_is_counted)
{
	pass(100, 4);
	check_call(1, 100, 4 * MIB, true);
	ck_assert_uint_eq(writeback_reached(wb), 100);
	step_device(0);
	while (writeback_reached(wb) == 100)
		await_news();
	ck_assert_uint_eq(writeback_reached(wb), 100 + 4 * MIB);
}
END_TEST

START_TEST(the_cache_is_full_until_the_device_has_some)
{
	pass(0, 15);
	ck_assert(!writeback_is_full(wb));
	pass(15 * MIB, 1);
	ck_assert(writeback_is_full(wb));
	await_call(1);
	step_device(0);
	while (writeback_reached(wb) == 0)
		await_news();
	ck_assert(!writeback_is_full(wb));
}
END_TEST

START_TEST(a_fast_device_lets_the_cache_be_further_ahead)
{
	open_device();
	for (unsigned i = 0; i < 64; i++) {
		pass(i * 4 * MIB, 4);
		while (writeback_reached(wb) < (i + 1) * 4 * MIB)
			await_news();
	}
	device.is_open = false;
	pass(256 * MIB, 17);
	ck_assert(!writeback_is_full(wb));
}
END_TEST

START_TEST(holes_do_not_count)
{
	for (unsigned i = 0; i < 15; i++)
		pass(i * GIB, 1);
	ck_assert(!writeback_is_full(wb));
	pass(15 * GIB, 1);
	ck_assert(writeback_is_full(wb));
}
END_TEST

START_TEST(what_went_another_way_is_out)
{
	pass(0, 4);
	step_device(0);
	while (writeback_reached(wb) == 0)
		await_news();
	pass(GIB, 1);
	ck_assert_uint_eq(writeback_reached(wb), GIB);
	pass(GIB + MIB, 3);
	check_call(2, GIB, 4 * MIB, false);
}
END_TEST

START_TEST(what_comes_again_is_passed_over)
{
	open_device();
	pass(0, 6);
	pass(3 * MIB, 3); // a step back
	pass(5 * MIB, 3); // a part of which is new
	while (writeback_reached(wb) < 8 * MIB)
		await_news();
	for (unsigned i = 0; i < device.nr_calls; i++)
		ck_assert_uint_le(device.calls[i].len, 8 * MIB);
}
END_TEST

START_TEST(a_call_that_is_not_to_be_had_is_done_without)
{
	static const int errors[] = {ENOSYS, EPERM, EINVAL, ESPIPE};

	pass(0, 16);
	step_device(errors[_i]);
	while (writeback_is_full(wb)) // for ever, if it were not told
		await_news();
	pass(16 * MIB, 40);
	ck_assert(!writeback_is_full(wb));
}
END_TEST

START_TEST(an_error_is_told_at_the_next_pass)
{
	pass(0, 16);
	step_device(EIO);
	while (writeback_is_full(wb)) // for ever, if it were not told
		await_news();
	writeback_fails = -EIO;
	ck_assert_int_eq(writeback_pass(wb, 16 * MIB, MIB), -EIO);
	ck_assert_int_eq(writeback_pass(wb, 17 * MIB, MIB), -EIO);
	ck_assert_uint_eq(writeback_reached(wb), 0);
	ck_assert(!writeback_is_full(wb));
}
END_TEST

static atomic_bool is_freed;

// Lets the device answer once the other thread of the test sleeps.
static void *
open_when_asleep(void *path)
{
	char state = 0;

	while (state != 'S' && !is_freed) {
		FILE *stat = fopen(path, "r");

		ck_assert_ptr_nonnull(stat);
		ck_assert_int_eq(fscanf(stat, "%*d (%*[^)]) %c", &state), 1);
		fclose(stat);
	}
	ck_assert(!is_freed);
	open_device();
	return NULL;
}

START_TEST(its_thread_has_ended_when_it_is_freed)
{
	pthread_t opener;
	char path[64];

	pass(0, 4);
	check_call(1, 0, 4 * MIB, true);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)gettid());
	is_freed = false;
	ck_assert_int_eq(pthread_create(&opener, NULL, open_when_asleep, path),
			 0);
	ck_assert_int_eq(writeback_free(wb), 0);
	is_freed = true;
	ck_assert_int_eq(pthread_join(opener, NULL), 0);
	open_writeback();
}
END_TEST

START_TEST(small_pieces_are_passed_like_large_ones)
{
	for (unsigned i = 0; i < 4 * MIB / 512; i++)
		ck_assert_int_eq(writeback_pass(wb, i * 512, 512), 0);
	check_call(0, 0, 4 * MIB, false);
}
END_TEST

Suite *
writeback_suite(void)
{
	Suite *s = suite_create("writeback");
	TCase *t = tcase_create("writeback");

	tcase_add_checked_fixture(t, open_writeback, close_writeback);
	tcase_add_test(t, without_a_descriptor_there_is_none);
	tcase_add_test(t, a_little_is_left_to_the_sync);
	tcase_add_test(t, what_has_come_meanwhile_is_the_next_run);
	tcase_add_test(t, a_slow_device_gets_short_runs);
	tcase_add_test(t, a_run_is_begun_before_the_one_before_is_waited_for);
	tcase_add_test(t, what_is_out_is_counted);
	tcase_add_test(t, the_cache_is_full_until_the_device_has_some);
	tcase_add_test(t, a_fast_device_lets_the_cache_be_further_ahead);
	tcase_add_test(t, holes_do_not_count);
	tcase_add_test(t, what_went_another_way_is_out);
	tcase_add_test(t, what_comes_again_is_passed_over);
	tcase_add_loop_test(t, a_call_that_is_not_to_be_had_is_done_without, 0,
			    4);
	tcase_add_test(t, an_error_is_told_at_the_next_pass);
	tcase_add_test(t, its_thread_has_ended_when_it_is_freed);
	tcase_add_test(t, small_pieces_are_passed_like_large_ones);
	suite_add_tcase(s, t);
	return s;
}
