// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base.h"
#include "fake_aio.h"
#include "job.h"
#include "submitter.h"
#include "suites.h"

enum { NR = 4 };

static struct fake_aio fake;
static struct submitter *submitter;
static struct job jobs[NR];
static struct iocb *iocbs[NR];
static unsigned char bytes[NR];
static struct io_event refused[NR];
static int fd;
static int announced_fd;
static int refused_fd;

static void
begin(void)
{
	io_context_t ctx = NULL;

	fake = (struct fake_aio){.is_eager = true};
	fake_aio_use(&fake);
	ck_assert_int_eq(fake_aio_kernel.setup(NR, &ctx), 0);
	fd = memfd_create("file", MFD_CLOEXEC);
	announced_fd = eventfd(0, EFD_CLOEXEC);
	refused_fd = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, NR), 0);
	for (unsigned i = 0; i < NR; i++) {
		jobs[i] = (struct job){.buf = &bytes[i]};
		iocbs[i] = &jobs[i].iocb;
		job_prep(&jobs[i],
			 &(struct job_io){
				 .op = JOB_READ, .fd = fd, .pos = i, .len = 1},
			 announced_fd);
	}
	submitter = submitter_new(&fake_aio_kernel, ctx, NR, refused_fd);
	ck_assert_ptr_nonnull(submitter);
	ck_assert_int_eq(submitter_start(submitter), 0);
}

static void
end(void)
{
	close(fd);
	close(announced_fd);
	close(refused_fd);
}

// Sleeps until so many were counted.
static void
wait_for(int counter, uint64_t nr)
{
	uint64_t sum = 0;
	eventfd_t count;

	while (sum < nr) {
		ck_assert_int_eq(eventfd_read(counter, &count), 0);
		sum += count;
	}
	ck_assert_uint_eq(sum, nr);
}

START_TEST(what_is_queued_is_submitted_in_order)
{
	fake.accept_max = 3;
	submitter_queue(submitter, iocbs, 1);
	submitter_queue(submitter, iocbs + 1, NR - 1);
	wait_for(announced_fd, NR);
	ck_assert_uint_eq(submitter_free(submitter), NR);
	for (unsigned i = 0; i < NR; i++)
		ck_assert_ptr_eq(fake.log[i].obj, iocbs[i]);
}
END_TEST

START_TEST(what_is_queued_last_is_submitted_before_the_end)
{
	submitter_queue(submitter, iocbs, NR);
	ck_assert_uint_eq(submitter_free(submitter), NR);
	ck_assert_uint_eq(fake.nr_completed, NR);
}
END_TEST

static unsigned
take_refused(unsigned max)
{
	uint64_t all;

	return submitter_take_refused(submitter, refused, max, &all);
}

START_TEST(what_is_refused_comes_back_with_the_reason)
{
	fake.first_error = -EINVAL;
	submitter_queue(submitter, iocbs, NR);
	wait_for(refused_fd, 1);
	ck_assert_uint_eq(take_refused(NR), 1);
	ck_assert_ptr_eq(refused[0].obj, iocbs[0]);
	ck_assert_int_eq((long)refused[0].res, -EINVAL);
	wait_for(announced_fd, NR - 1);
	ck_assert_uint_eq(take_refused(NR), 0);
	ck_assert_uint_eq(submitter_free(submitter), NR - 1);
}
END_TEST

START_TEST(a_full_kernel_refuses_with_EAGAIN)
{
	fake.nr_eagain = NR;
	submitter_queue(submitter, iocbs, NR);
	wait_for(refused_fd, NR);
	ck_assert_uint_eq(take_refused(1), 1);
	ck_assert_ptr_eq(refused[0].obj, iocbs[0]);
	ck_assert_uint_eq(take_refused(NR),
			  NR - 1);
	ck_assert_ptr_eq(refused[0].obj, iocbs[1]);
	for (unsigned i = 0; i < NR - 1; i++)
		ck_assert_int_eq((long)refused[i].res, -EAGAIN);
	ck_assert_uint_eq(submitter_free(submitter), 0);
}
END_TEST

static int
take_none(io_context_t ctx, long nr, struct iocb **of)
{
	(void)ctx;
	(void)nr;
	(void)of;
	return 0;
}

// Nothing says so; but who waits for it would wait for ever.
START_TEST(what_is_not_taken_is_refused)
{
	struct aio_kernel idle = fake_aio_kernel;

	submitter_free(submitter);
	idle.submit = take_none;
	submitter = submitter_new(&idle, NULL, NR, refused_fd);
	submitter_queue(submitter, iocbs, NR);
	ck_assert_uint_eq(take_refused(NR), NR);
	ck_assert_int_eq((long)refused[0].res, -EAGAIN);
	ck_assert_uint_eq(submitter_free(submitter), 0);
}
END_TEST

START_TEST(an_idle_thread_ends)
{
	ck_assert_uint_eq(submitter_free(submitter), 0);
}
END_TEST

Suite *
submitter_suite(void)
{
	Suite *s = suite_create("submitter");
	TCase *t = tcase_create("submitter");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, what_is_queued_is_submitted_in_order);
	tcase_add_test(t, what_is_queued_last_is_submitted_before_the_end);
	tcase_add_test(t, what_is_refused_comes_back_with_the_reason);
	tcase_add_test(t, a_full_kernel_refuses_with_EAGAIN);
	tcase_add_test(t, what_is_not_taken_is_refused);
	tcase_add_test(t, an_idle_thread_ends);
	suite_add_tcase(s, t);
	return s;
}
