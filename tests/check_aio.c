// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base.h"
#include "fake_aio.h"
#include "job.h"
#include "kaio.h"
#include "submitter.h"
#include "rig.h"
#include "suites.h"

enum { DEPTH = 4, LEN = 8 };

// What the callbacks got, in order.
struct fired {
	io_context_t ctx;
	struct job *job;
	long res;
	long res2;
};

static struct fake_aio fake;
static struct kaio *kaio;
static struct aio aio;
static struct job jobs[DEPTH];
static unsigned char bytes[DEPTH][LEN];
static struct fired fired[DEPTH * 2];
static unsigned nr_fired;
static int fd;

static void
on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	fired[nr_fired++] = (struct fired){
		ctx, container_of(iocb, struct job, iocb), res, res2};
}

static void
open_fd(void)
{
	fd = memfd_create("aio", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "0123456789abcdef", 16, 0), 16);
	fake = (struct fake_aio){0};
	memset(jobs, 0, sizeof(jobs));
	memset(bytes, 0, sizeof(bytes));
	nr_fired = 0;
	fake_aio_use(&fake);
}

static void
open_aio(void)
{
	open_fd();
	ck_assert_int_eq(
		kaio_new(&kaio, &fake_aio_kernel, DEPTH, &aio.counters), 0);
	aio_init(&aio, &kaio->engine);
	fake.aio = &aio;
}

static void
open_inline(void)
{
	open_fd();
	aio_init(&aio, NULL);
}

static void
close_fd(void)
{
	close(fd);
}

static void
close_aio(void)
{
	aio_done(&aio);
	close_fd();
}

static void
queue(unsigned i, enum job_op op, enum job_route route, io_callback_t callback)
{
	jobs[i].buf = bytes[i];
	aio_queue(&aio, &jobs[i],
		  &(struct job_io){.op = op,
				   .route = route,
				   .fd = fd,
				   .pos = i,
				   .len = 2,
				   .on_done = callback});
}

static void
queue_reads(unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		queue(i, JOB_READ, JOB_BY_AIO, on_done);
}

// Everything that is pending, to the callbacks.
static void
drain(void)
{
	fake_aio_complete_all(&fake);
	ck_assert_int_eq(aio_reap(&aio), 0);
}

static void
check_all_agree(uint64_t nr)
{
	ck_assert_uint_eq(aio_nr_out(&aio), 0);
	aio_done(&aio);
	ck_assert_uint_eq(aio.counters.submitted, nr);
	ck_assert_uint_eq(aio.counters.announced, nr);
	ck_assert_uint_eq(aio.counters.reaped, nr);
}

START_TEST(a_callback_gets_the_context_the_iocb_and_the_results)
{
	queue_reads(2);
	aio_submit(&aio);
	fake_aio_complete(&fake, 1);
	fake.ready[0].res2 = 77;
	fake_aio_complete(&fake, 0);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(nr_fired, 2);
	ck_assert_ptr_eq(fired[0].ctx, kaio->engine.ctx);
	ck_assert_ptr_eq(fired[0].job, &jobs[1]);
	ck_assert_int_eq(fired[0].res, 2);
	ck_assert_int_eq(fired[0].res2, 77);
	ck_assert_ptr_eq(fired[1].job, &jobs[0]);
	ck_assert_int_eq(fired[1].res2, 0);
	ck_assert_mem_eq(bytes[0], "01", 2);
	ck_assert_mem_eq(bytes[1], "12", 2);
}
END_TEST

START_TEST(an_error_arrives_as_a_negative_number)
{
	fake.faults[0] = (struct fake_fault){fd, 0, 1, EIO};
	queue_reads(1);
	aio_submit(&aio);
	drain();
	ck_assert_int_eq(fired[0].res, -EIO);
}
END_TEST

START_TEST(no_more_is_reaped_than_was_announced)
{
	queue_reads(DEPTH);
	aio_submit(&aio);
	fake_aio_complete_all(&fake);
	ck_assert_uint_eq(fake_aio_set_count(aio_news_fd(&aio, AIO_ASYNC), 2),
			  DEPTH);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(nr_fired, 2);
	ck_assert_uint_eq(fake.nr_ready, 2);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(nr_fired, 2);
	fake_aio_set_count(aio_news_fd(&aio, AIO_ASYNC), DEPTH - 2);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(nr_fired, DEPTH);
	check_all_agree(DEPTH);
}
END_TEST

START_TEST(a_wake_up_without_a_count_reaps_nothing)
{
	queue_reads(1);
	aio_submit(&aio);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(fake.nr_reaps, 0);
	drain();
	check_all_agree(1);
}
END_TEST

START_TEST(an_interrupted_getevents_is_called_again)
{
	fake.nr_eintr = 3;
	queue_reads(2);
	aio_submit(&aio);
	drain();
	ck_assert_uint_eq(nr_fired, 2);
	check_all_agree(2);
}
END_TEST

START_TEST(a_refused_getevents_waits_for_all_and_gives_up)
{
	queue_reads(3);
	aio_submit(&aio);
	fake_aio_complete(&fake, 0);
	fake.getevents_error = -EPERM;
	ck_assert_int_eq(aio_reap(&aio), -EPERM);
	ck_assert_uint_eq(fake.nr_pending, 0);
	ck_assert_ptr_null(kaio->engine.ctx);
	ck_assert_uint_eq(nr_fired, 0);
	ck_assert_uint_eq(aio_nr_out(&aio), 0);
}
END_TEST

START_TEST(what_a_short_submit_left_is_submitted_in_order)
{
	fake.accept_max = 1;
	queue_reads(DEPTH);
	aio_submit(&aio);
	ck_assert_uint_eq(fake.nr_submits, DEPTH);
	for (unsigned i = 0; i < DEPTH; i++)
		ck_assert_ptr_eq(fake.log[i].obj, &jobs[i].iocb);
	drain();
	check_all_agree(DEPTH);
}
END_TEST

START_TEST(one_io_submit_takes_the_whole_queue)
{
	queue_reads(DEPTH);
	aio_submit(&aio);
	ck_assert_uint_eq(fake.nr_submits, 1);
	aio_submit(&aio);
	ck_assert_uint_eq(fake.nr_submits, 1);
	drain();
}
END_TEST

START_TEST(EAGAIN_comes_back_like_any_error)
{
	fake.nr_eagain = 1;
	queue_reads(2);
	aio_submit(&aio);
	drain();
	ck_assert_uint_eq(nr_fired, 2);
	ck_assert_ptr_eq(fired[0].job, &jobs[0]);
	ck_assert_int_eq(fired[0].res, -EAGAIN);
	ck_assert_int_eq(fired[1].res, 2);
	check_all_agree(1);
}
END_TEST

// The refusal may be in the list, and not yet in the count: it is no event.
static int
getevents_one(io_context_t ctx, long min, long nr, struct io_event *events,
	      struct timespec *timeout)
{
	(void)nr;
	return fake_aio_kernel.getevents(ctx, min, 1, events, timeout);
}

START_TEST(what_was_announced_is_reaped_in_as_many_calls_as_it_takes)
{
	static struct aio_kernel kernel;

	kernel = fake_aio_kernel;

	kernel.getevents = getevents_one;
	aio_done(&aio);
	ck_assert_int_eq(kaio_new(&kaio, &kernel, DEPTH, &aio.counters), 0);
	aio_init(&aio, &kaio->engine);
	queue_reads(3);
	aio_submit(&aio);
	fake_aio_complete_all(&fake);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(nr_fired, 3);
	check_all_agree(3);
}
END_TEST

static int
submit_nothing(io_context_t ctx, long nr, struct iocb **iocbs)
{
	(void)ctx;
	(void)nr;
	(void)iocbs;
	return -EPERM;
}

static unsigned nr_refused;

static void
on_refused(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	(void)ctx;
	(void)iocb;
	(void)res2;
	nr_refused += res == -EPERM;
}

// More than one call of the engine takes: those that are left have been
// counted, and are no completions.
START_TEST(many_refusals_announce_nothing)
{
	enum { MANY = 200 };
	static struct job many[MANY];
	static struct aio_kernel kernel;

	kernel = fake_aio_kernel;

	nr_refused = 0;
	kernel.submit = submit_nothing;
	aio_done(&aio);
	ck_assert_int_eq(kaio_new(&kaio, &kernel, MANY, &aio.counters), 0);
	aio_init(&aio, &kaio->engine);
	for (unsigned i = 0; i < MANY; i++)
		aio_queue(&aio, &many[i],
			  &(struct job_io){.op = JOB_READ,
					   .route = JOB_BY_AIO,
					   .fd = fd,
					   .len = 1,
					   .on_done = on_refused});
	aio_submit(&aio);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(nr_refused, MANY);
	ck_assert_uint_eq(aio.counters.announced, 0);
}
END_TEST

START_TEST(a_refusal_that_is_not_counted_yet_announces_nothing)
{
	fake.first_error = -EINVAL;
	queue_reads(3);
	aio_submit(&aio);
	fake_aio_complete_all(&fake);
	ck_assert_uint_eq(fake_aio_set_count(aio_news_fd(&aio, AIO_ASYNC), 1),
			  3);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(nr_fired, 1);
	ck_assert_int_eq(fired[0].res, -EINVAL);
	ck_assert_uint_eq(aio.counters.announced, 0);
	fake_aio_set_count(aio_news_fd(&aio, AIO_ASYNC), 2);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(nr_fired, 3);
	check_all_agree(2);
}
END_TEST

START_TEST(an_error_of_io_submit_is_that_of_the_first)
{
	fake.first_error = -EINVAL;
	queue_reads(3);
	aio_submit(&aio);
	drain();
	ck_assert_uint_eq(nr_fired, 3);
	ck_assert_ptr_eq(fired[0].job, &jobs[0]);
	ck_assert_int_eq(fired[0].res, -EINVAL);
	ck_assert_int_eq(fired[1].res, 2);
	check_all_agree(2);
}
END_TEST

static int
submit_slowly(io_context_t ctx, long nr, struct iocb **iocbs)
{
	rig_clock_ns += 25000000;
	return fake_aio_kernel.submit(ctx, nr, iocbs);
}

START_TEST(a_submit_that_sleeps_is_counted_as_a_stall)
{
	struct aio_kernel slow = fake_aio_kernel;

	rig_clock_ns = 1;
	queue_reads(1);
	aio_submit(&aio);
	ck_assert_uint_eq(aio.counters.stalls, 0);
	slow.submit = submit_slowly;
	kaio->submitters[KAIO_READS]->kernel = &slow;
	queue(1, JOB_READ, JOB_BY_AIO, on_done);
	aio_submit(&aio);
	ck_assert_uint_eq(aio.counters.stalls, 1);
	ck_assert_uint_eq(aio.counters.longest_ns, 25000000);
	rig_clock_ns = 0;
	drain();
}
END_TEST

static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;

// A disk whose queue is full.
static int
submit_no_reads(io_context_t ctx, long nr, struct iocb **iocbs)
{
	if (iocbs[0]->aio_lio_opcode == IO_CMD_PREAD) {
		pthread_mutex_lock(&reading);
		pthread_mutex_unlock(&reading);
	}
	return fake_aio_kernel.submit(ctx, nr, iocbs);
}

static void
await_fired(unsigned nr)
{
	struct pollfd news = {.fd = aio_news_fd(&aio, AIO_ASYNC),
			      .events = POLLIN};

	while (nr_fired < nr) {
		ck_assert_int_eq(poll(&news, 1, -1), 1);
		ck_assert_int_eq(aio_reap(&aio), 0);
	}
}

START_TEST(a_read_that_sleeps_in_io_submit_keeps_no_write_waiting)
{
	struct aio_kernel full = fake_aio_kernel;

	fake.is_eager = true;
	kaio_start_submitters(kaio);
	full.submit = submit_no_reads;
	kaio->submitters[KAIO_READS]->kernel = &full;
	kaio->submitters[KAIO_WRITES]->kernel = &full;
	pthread_mutex_lock(&reading);
	queue_reads(1);
	queue(1, JOB_WRITE, JOB_BY_AIO, on_done);
	aio_submit(&aio);
	await_fired(1);
	ck_assert_uint_eq(nr_fired, 1);
	ck_assert_ptr_eq(fired[0].job, &jobs[1]);
	pthread_mutex_unlock(&reading);
	await_fired(2);
	ck_assert_ptr_eq(fired[1].job, &jobs[0]);
}
END_TEST

static pthread_mutex_t grace = PTHREAD_MUTEX_INITIALIZER;

static int
destroy_slowly(io_context_t ctx)
{
	pthread_mutex_lock(&grace);
	pthread_mutex_unlock(&grace);
	return fake_aio_kernel.destroy(ctx);
}

START_TEST(a_context_may_go_while_others_work)
{
	struct aio_kernel slow = fake_aio_kernel;

	slow.destroy = destroy_slowly;
	kaio->kernel = &slow;
	queue_reads(2);
	aio_submit(&aio);
	drain();
	pthread_mutex_lock(&grace);
	aio_start_done(&aio);
	ck_assert_int_eq(aio_news_fd(&aio, AIO_ASYNC), -1);
	pthread_mutex_unlock(&grace);
	check_all_agree(2);
}
END_TEST

START_TEST(a_context_that_is_refused_holds_nothing)
{
	struct kaio *refused = NULL;

	fake.setup_error = -EAGAIN;
	ck_assert_int_eq(kaio_new(&refused, &fake_aio_kernel, DEPTH, NULL),
			 -EAGAIN);
	ck_assert_ptr_null(refused);
}
END_TEST

START_TEST(an_open_kernel_has_gone_the_whole_way_round)
{
	fake.is_eager = true; // it reaps, to see whether it may
	ck_assert_int_eq(aio_open(&aio, &fake_aio_kernel, DEPTH), 0);
	ck_assert_uint_eq(fake.nr_log, 1);
	ck_assert_uint_eq(fake.nr_reaps, 1);
	ck_assert_int_eq(aio_first_route(&aio, 512), JOB_BY_AIO);
	ck_assert_int_eq(aio_reap(&aio), 0);
	check_all_agree(0);
}
END_TEST

static void
check_refused(int error)
{
	ck_assert_int_eq(aio_open(&aio, &fake_aio_kernel, DEPTH), error);
	ck_assert_int_eq(aio_news_fd(&aio, AIO_ASYNC), -1);
	ck_assert_int_eq(aio_first_route(&aio, 512), JOB_BY_CALL);
	ck_assert_int_eq(aio_first_route(&aio, 0), JOB_BY_CACHE);
	aio_done(&aio);
}

START_TEST(a_kernel_that_refuses_leaves_the_inline_engine)
{
	fake.setup_error = -ENOSYS;
	check_refused(-ENOSYS);
	fake.setup_error = 0;
	fake.first_error = -EINVAL;
	check_refused(-EINVAL);
	fake.nr_eagain = 1;
	check_refused(-EAGAIN);
	fake.is_eager = true;
	fake.getevents_error = -EPERM;
	check_refused(-EPERM);
}
END_TEST

START_TEST(an_inline_request_completes_at_the_next_reap)
{
	memcpy(bytes[1], "XY", 2);
	queue(0, JOB_READ, JOB_BY_CALL, on_done);
	queue(1, JOB_WRITE, JOB_BY_CACHE, on_done);
	ck_assert(aio_has_work(&aio));
	aio_submit(&aio);
	ck_assert_uint_eq(nr_fired, 0);
	ck_assert(aio_has_work(&aio));
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(nr_fired, 2);
	ck_assert_ptr_eq(fired[1].job, &jobs[1]);
	ck_assert_int_eq(fired[1].res, 2);
	ck_assert_int_eq(fired[1].res2, 0);
	ck_assert_mem_eq(bytes[0], "01", 2);
	ck_assert_int_eq(pread(fd, bytes[2], 4, 0), 4);
	ck_assert_mem_eq(bytes[2], "0XY3", 4);
	ck_assert_uint_eq(aio.counters.inlined, 2);
	ck_assert(!aio_has_work(&aio));
}
END_TEST

START_TEST(an_inline_error_arrives_as_one_of_the_kernel)
{
	queue(0, JOB_READ, JOB_BY_CALL, on_done);
	jobs[0].iocb.aio_fildes = -1;
	aio_submit(&aio);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_int_eq(fired[0].res, -EBADF);
}
END_TEST

static void
queue_again(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	on_done(ctx, iocb, res, res2);
	queue((unsigned)(fired[nr_fired - 1].job - jobs), JOB_READ, JOB_BY_CALL,
	      on_done);
	aio_submit(&aio);
}

START_TEST(a_callback_may_queue_and_submit)
{
	for (unsigned i = 0; i < DEPTH; i++)
		queue(i, JOB_READ, JOB_BY_CALL, queue_again);
	aio_submit(&aio);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(nr_fired, DEPTH);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(nr_fired, 2 * DEPTH);
	for (unsigned i = 0; i < 2 * DEPTH; i++)
		ck_assert_ptr_eq(fired[i].job, &jobs[i % DEPTH]);
}
END_TEST

START_TEST(without_a_kernel_there_is_nothing_to_announce)
{
	ck_assert_int_eq(aio_news_fd(&aio, AIO_ASYNC), -1);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert(!aio_has_work(&aio));
}
END_TEST

// The real one, where it lets us.
START_TEST(the_kernel_here_opens_or_says_why)
{
	struct aio real;
	const int r = aio_open(&real, &aio_kernel_linux, 1);

	aio_done(&real);
	ck_assert_msg(r == 0 || r == -ENOSYS || r == -EPERM || r == -EAGAIN,
		      "%s", strerror(-r));
}
END_TEST

static TCase *
kernel_tcase(void)
{
	TCase *t = tcase_create("kernel");

	tcase_add_checked_fixture(t, open_aio, close_aio);
	tcase_add_test(t, a_callback_gets_the_context_the_iocb_and_the_results);
	tcase_add_test(t, an_error_arrives_as_a_negative_number);
	tcase_add_test(t, no_more_is_reaped_than_was_announced);
	tcase_add_test(t, a_wake_up_without_a_count_reaps_nothing);
	tcase_add_test(t, an_interrupted_getevents_is_called_again);
	tcase_add_test(t, a_refused_getevents_waits_for_all_and_gives_up);
	tcase_add_test(t, what_a_short_submit_left_is_submitted_in_order);
	tcase_add_test(t, one_io_submit_takes_the_whole_queue);
	tcase_add_test(t, EAGAIN_comes_back_like_any_error);
	tcase_add_test(
		t, what_was_announced_is_reaped_in_as_many_calls_as_it_takes);
	tcase_add_test(t, many_refusals_announce_nothing);
	tcase_add_test(t, a_refusal_that_is_not_counted_yet_announces_nothing);
	tcase_add_test(t, an_error_of_io_submit_is_that_of_the_first);
	tcase_add_test(t, a_submit_that_sleeps_is_counted_as_a_stall);
	tcase_add_test(
		t, a_read_that_sleeps_in_io_submit_keeps_no_write_waiting);
	tcase_add_test(t, a_context_may_go_while_others_work);
	tcase_add_test(t, a_context_that_is_refused_holds_nothing);
	return t;
}

Suite *
aio_suite(void)
{
	Suite *s = suite_create("aio");
	TCase *t = tcase_create("inline");

	suite_add_tcase(s, kernel_tcase());
	tcase_add_checked_fixture(t, open_inline, close_aio);
	tcase_add_test(t, an_inline_request_completes_at_the_next_reap);
	tcase_add_test(t, an_inline_error_arrives_as_one_of_the_kernel);
	tcase_add_test(t, a_callback_may_queue_and_submit);
	tcase_add_test(t, without_a_kernel_there_is_nothing_to_announce);
	suite_add_tcase(s, t);

	t = tcase_create("open");
	tcase_add_checked_fixture(t, open_fd, close_fd);
	tcase_add_test(t, an_open_kernel_has_gone_the_whole_way_round);
	tcase_add_test(t, a_kernel_that_refuses_leaves_the_inline_engine);
	tcase_add_test(t, the_kernel_here_opens_or_says_why);
	suite_add_tcase(s, t);
	return s;
}
