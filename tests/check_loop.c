// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "loop.h"
#include "suites.h"

struct counted {
	struct loop_source source;
	unsigned nr_calls;
};

static struct loop loop;

static void
open_loop(void)
{
	ck_assert_int_eq(loop_init(&loop), 0);
}

static void
close_loop(void)
{
	loop_done(&loop);
}

static void
on_counted(void *ctx)
{
	struct counted *counted = ctx;
	eventfd_t value;

	ck_assert_int_eq(eventfd_read(counted->source.fd, &value), 0);
	counted->nr_calls++;
}

static void
add_counted(struct counted *counted)
{
	counted->nr_calls = 0;
	counted->source = (struct loop_source){
		eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), on_counted, counted};
	ck_assert_int_ge(counted->source.fd, 0);
	ck_assert_int_eq(loop_add(&loop, &counted->source), 0);
}

START_TEST(a_readable_source_is_handed_to_its_handler)
{
	struct counted a, b;

	add_counted(&a);
	add_counted(&b);
	eventfd_write(b.source.fd, 1);
	ck_assert_int_eq(loop_wait(&loop, -1), 0);
	ck_assert_uint_eq(a.nr_calls, 0);
	ck_assert_uint_eq(b.nr_calls, 1);
	eventfd_write(a.source.fd, 1);
	eventfd_write(b.source.fd, 1);
	ck_assert_int_eq(loop_wait(&loop, -1), 0);
	ck_assert_uint_eq(a.nr_calls, 1);
	ck_assert_uint_eq(b.nr_calls, 2);
	close(a.source.fd);
	close(b.source.fd);
}
END_TEST

START_TEST(a_look_does_not_wait)
{
	struct counted a;

	add_counted(&a);
	ck_assert_int_eq(loop_wait(&loop, 0), 0);
	ck_assert_uint_eq(a.nr_calls, 0);
	close(a.source.fd);
}
END_TEST

static void
ignore(int signo)
{
	(void)signo;
}

START_TEST(a_signal_cuts_the_wait_short)
{
	const struct itimerval soon = {.it_value.tv_usec = 2000,
				       .it_interval.tv_usec = 2000};
	const struct itimerval off = {0};
	struct sigaction old, act = {.sa_handler = ignore};
	struct counted a;

	add_counted(&a);
	sigaction(SIGALRM, &act, &old);
	setitimer(ITIMER_REAL, &soon, NULL);
	ck_assert_int_eq(loop_wait(&loop, -1), 0);
	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGALRM, &old, NULL);
	ck_assert_uint_eq(a.nr_calls, 0);
	close(a.source.fd);
}
END_TEST

START_TEST(what_cannot_be_watched_is_an_error)
{
	struct loop_source closed = {-1, on_counted, NULL};
	struct loop_source file = {memfd_create("file", MFD_CLOEXEC),
				   on_counted, NULL};

	ck_assert_int_eq(loop_add(&loop, &closed), -EBADF);
	ck_assert_int_eq(loop_add(&loop, &file), -EPERM);
	close(file.fd);
}
END_TEST

START_TEST(a_loop_that_is_gone_does_not_wait)
{
	struct loop gone;

	ck_assert_int_eq(loop_init(&gone), 0);
	loop_done(&gone);
	loop_done(&gone);
	ck_assert_int_eq(loop_wait(&gone, -1), -EBADF);
}
END_TEST

Suite *
loop_suite(void)
{
	Suite *s = suite_create("loop");
	TCase *t = tcase_create("loop");

	tcase_add_checked_fixture(t, open_loop, close_loop);
	tcase_add_test(t, a_readable_source_is_handed_to_its_handler);
	tcase_add_test(t, a_look_does_not_wait);
	tcase_add_test(t, a_signal_cuts_the_wait_short);
	tcase_add_test(t, what_cannot_be_watched_is_an_error);
	tcase_add_test(t, a_loop_that_is_gone_does_not_wait);
	suite_add_tcase(s, t);
	return s;
}
