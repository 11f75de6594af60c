// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "job.h"
#include "suites.h"

static void
on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	(void)ctx;
	(void)iocb;
	(void)res;
	(void)res2;
}

// Prepare an iocb that has nothing but ones in it.
static void
prep_dirty(struct job *job, unsigned char *buf, enum job_op op, int eventfd)
{
	memset(&job->iocb, 0xff, sizeof(job->iocb));
	job->buf = buf;
	job_prep(job,
		 &(struct job_io){.op = op,
				  .fd = 7,
				  .pos = UINT64_C(0x123456789a),
				  .from = 512,
				  .len = 1024,
				  .on_done = on_done},
		 eventfd);
}

static void
check_common(const struct job *job, const unsigned char *buf)
{
	const struct iocb *iocb = &job->iocb;

	ck_assert(iocb->data == (void *)on_done);
	ck_assert_uint_eq(iocb->key, 0);
	ck_assert_int_eq(iocb->aio_rw_flags, 0);
	ck_assert_int_eq(iocb->aio_reqprio, 0);
	ck_assert_int_eq(iocb->aio_fildes, 7);
	ck_assert_ptr_eq(iocb->u.c.buf, buf + 512);
	ck_assert_uint_eq(iocb->u.c.nbytes, 1024);
	ck_assert_int_eq(iocb->u.c.offset, 0x123456789a);
	ck_assert_int_eq(iocb->u.c.__pad3, 0);
}

START_TEST(prep_leaves_nothing_of_the_request_before)
{
	unsigned char buf[2048];
	struct job job = {0};

	prep_dirty(&job, buf, JOB_READ, 9);
	check_common(&job, buf);
	ck_assert_int_eq(job.iocb.aio_lio_opcode, IO_CMD_PREAD);
	prep_dirty(&job, buf, JOB_WRITE, 9);
	check_common(&job, buf);
	ck_assert_int_eq(job.iocb.aio_lio_opcode, IO_CMD_PWRITE);
}
END_TEST

START_TEST(prep_names_the_eventfd_after_the_prep_that_clears_it)
{
	unsigned char buf[2048];
	struct job job = {0};

	prep_dirty(&job, buf, JOB_READ, 9);
	ck_assert_uint_eq(job.iocb.u.c.flags, 1); // IOCB_FLAG_RESFD
	ck_assert_uint_eq(job.iocb.u.c.resfd, 9);
}
END_TEST

START_TEST(prep_of_an_inline_request_announces_nothing)
{
	unsigned char buf[2048];
	struct job job = {0};

	prep_dirty(&job, buf, JOB_WRITE, -1);
	check_common(&job, buf);
	ck_assert_uint_eq(job.iocb.u.c.flags, 0);
	ck_assert_uint_eq(job.iocb.u.c.resfd, 0);
}
END_TEST

START_TEST(the_iocb_lies_in_its_job)
{
	struct job jobs[3] = {0};

	for (unsigned i = 0; i < 3; i++) {
		struct iocb *iocb = &jobs[i].iocb;

		ck_assert_ptr_eq(container_of(iocb, struct job, iocb),
				 &jobs[i]);
	}
}
END_TEST

static const bool legal[JOB_NR_STATES][JOB_NR_STATES] = {
	[JOB_FREE][JOB_READING] = true,	    [JOB_READING][JOB_FILLED] = true,
	[JOB_READING][JOB_FREE] = true,	    [JOB_FILLED][JOB_READY] = true,
	[JOB_READY][JOB_WRITING] = true,    [JOB_READY][JOB_FREE] = true,
	[JOB_READY][JOB_CHECKING] = true,   [JOB_CHECKING][JOB_FREE] = true,
	[JOB_CHECKING][JOB_WRITING] = true, [JOB_WRITING][JOB_FREE] = true,
	[JOB_WRITING][JOB_READY] = true,
};

// In a process of its own, which an assertion may kill.
static bool
is_move_refused(enum job_state from, enum job_state to)
{
	const struct rlimit no_core = {0, 0};
	int status;
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct job job = {.state = from};

		(void)setrlimit(RLIMIT_CORE, &no_core);
		(void)close(STDERR_FILENO);
		job_move(&job, to);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

START_TEST(only_the_moves_of_the_table_are_legal)
{
	const enum job_state from = _i / JOB_NR_STATES;
	const enum job_state to = _i % JOB_NR_STATES;
	struct job job = {.state = from};

	if (!legal[from][to]) {
		ck_assert(is_move_refused(from, to));
		return;
	}
	job_move(&job, to);
	ck_assert_int_eq(job.state, to);
}
END_TEST

Suite *
job_suite(void)
{
	Suite *s = suite_create("job");
	TCase *t = tcase_create("job");

	tcase_add_test(t, prep_leaves_nothing_of_the_request_before);
	tcase_add_test(t, prep_names_the_eventfd_after_the_prep_that_clears_it);
	tcase_add_test(t, prep_of_an_inline_request_announces_nothing);
	tcase_add_test(t, the_iocb_lies_in_its_job);
	tcase_add_loop_test(t, only_the_moves_of_the_table_are_legal, 0,
			    JOB_NR_STATES * JOB_NR_STATES);
	suite_add_tcase(s, t);
	return s;
}
