// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "copy.h"
#include "engine.h"
#include "helper.h"
#include "inline.h"
#include "rig.h"
#include "stats.h"
#include "suites.h"

enum { DEPTH = 5, JOB_LEN = 512, LEN = 23 * JOB_LEN + 9, ALIGN = 512 };

// An engine that carries out what it is told to, when it is told to. The
// program knows nothing of it.
struct script {
	struct engine engine;
	struct iocb *pending[DEPTH];
	unsigned nr_pending;
	struct io_event ended[DEPTH];
	unsigned nr_ended;
	int lost; // what take says from now on: -errno
	bool is_freed;
};

static struct script script;
static struct aio aio;

static struct script *
script_of(struct engine *engine)
{
	return container_of(engine, struct script, engine);
}

static void
script_queue(struct engine *engine, struct iocb **iocbs, unsigned nr)
{
	struct script *s = script_of(engine);

	ck_assert_uint_le(s->nr_pending + s->nr_ended + nr, DEPTH);
	for (unsigned i = 0; i < nr; i++)
		s->pending[s->nr_pending++] = iocbs[i];
}

static int
script_take(struct engine *engine, struct io_event *events, unsigned max)
{
	struct script *s = script_of(engine);
	const unsigned nr = (unsigned)min_u64(s->nr_ended, max);
	eventfd_t count;

	if (s->lost != 0)
		return s->lost;
	memcpy(events, s->ended, nr * sizeof(events[0]));
	s->nr_ended -= nr;
	memmove(s->ended, s->ended + nr, s->nr_ended * sizeof(events[0]));
	if (s->nr_ended == 0)
		(void)eventfd_read(engine->news_fd, &count);
	return (int)nr;
}

static void
script_abandon(struct engine *engine)
{
	struct script *s = script_of(engine);

	s->nr_pending = s->nr_ended = 0;
}

static void
script_free(struct engine *engine)
{
	script_of(engine)->is_freed = true;
	(void)close(engine->news_fd);
}

static const struct engine_ops script_ops = {
	.queue = script_queue,
	.take = script_take,
	.abandon = script_abandon,
	.free = script_free,
};

static void
script_end(unsigned nr, long res)
{
	struct iocb *iocb = script.pending[nr];

	script.nr_pending--;
	memmove(script.pending + nr, script.pending + nr + 1,
		(script.nr_pending - nr) * sizeof(script.pending[0]));
	script.ended[script.nr_ended++] = (struct io_event){
		.data = iocb->data,
		.obj = iocb,
		.res = (unsigned long)res,
		.res2 = 5};
	ck_assert_int_eq(eventfd_write(script.engine.news_fd, 1), 0);
}

static void
open_script(void)
{
	script = (struct script){
		.engine = {.ops = &script_ops,
			   .news_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)}};
	aio_init(&aio, &script.engine);
}

/* Through the dispatcher alone */

static struct job jobs[DEPTH];
static unsigned nr_fired[DEPTH];
static long got[DEPTH];

static void
on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	const struct job *job = container_of(iocb, struct job, iocb);

	ck_assert_ptr_null(ctx);
	nr_fired[job - jobs]++;
	got[job - jobs] = res;
	ck_assert_int_eq(res2, 5);
}

static void
queue_all(enum job_op op, int fd)
{
	memset(jobs, 0, sizeof(jobs));
	memset(nr_fired, 0, sizeof(nr_fired));
	for (unsigned i = 0; i < DEPTH; i++)
		aio_queue(&aio, &jobs[i],
			  &(struct job_io){
				  .op = op, .fd = fd, .on_done = on_done});
	aio_submit(&aio);
}

START_TEST(each_callback_fires_once_in_any_order)
{
	static const unsigned orders[][DEPTH] = {
		{0, 0, 0, 0, 0}, {4, 3, 2, 1, 0}, {2, 0, 1, 1, 0}};

	open_script();
	queue_all(JOB_READ, -1);
	for (unsigned i = 0; i < DEPTH; i++) {
		const unsigned nr = orders[_i][i];
		const struct job *job = container_of(script.pending[nr],
						     struct job, iocb);

		script_end(nr, 100 + (job - jobs));
		if (i == 1)
			ck_assert_int_eq(aio_reap(&aio), 0);
	}
	ck_assert_uint_eq(aio_nr_out(&aio), 3);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_int_eq(aio_reap(&aio), 0);
	for (unsigned i = 0; i < DEPTH; i++) {
		ck_assert_uint_eq(nr_fired[i], 1);
		ck_assert_int_eq(got[i], 100 + i);
	}
	aio_done(&aio);
	ck_assert(script.is_freed);
	ck_assert_uint_eq(script.engine.queued, DEPTH);
	ck_assert_uint_eq(script.engine.taken, DEPTH);
}
END_TEST

START_TEST(a_loss_gives_all_buffers_back_without_a_callback)
{
	open_script();
	queue_all(JOB_WRITE, -1);
	script_end(1, 1);
	script.lost = -EPIPE;
	ck_assert_int_eq(aio_reap(&aio), -EPIPE);
	ck_assert_uint_eq(aio_nr_out(&aio), 0);
	ck_assert_uint_eq(script.nr_pending, 0);
	for (unsigned i = 0; i < DEPTH; i++)
		ck_assert_uint_eq(nr_fired[i], 0);
	aio_done(&aio);
	ck_assert(script.is_freed);
}
END_TEST

// In a process of its own, which the assertion kills.
START_TEST(what_was_queued_must_be_taken)
{
	const struct rlimit no_core = {0, 0};
	int status;
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		(void)close(STDERR_FILENO);
		open_script();
		queue_all(JOB_READ, -1);
		while (script.nr_pending > 0)
			script_end(0, 1);
		aio_done(&aio);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
END_TEST

/* Through the ring */

static struct side src;
static struct side dst;
static struct plan plan;
static struct copy copy;
static uint64_t random_state;

static uint64_t
below(uint64_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695;
	return (random_state >> 33) % n;
}

static struct side
side_of(const char *name)
{
	struct side side = rig_side(memfd_create(name, MFD_CLOEXEC));

	ck_assert_int_ge(side.fd, 0);
	side.direct_fd = side.buffered_fd = side.fd;
	return side;
}

static void
open_copy(void)
{
	static struct stats stats;
	static const struct env env = {.stats = &stats};
	const struct plan_side by_aio = {PLAN_AIO, ALIGN, "a test"};
	const struct copy_parts parts = {.env = &env,
					 .plan = &plan,
					 .aio = &aio,
					 .src = &src,
					 .dst = &dst};
	unsigned char bytes[LEN];

	for (size_t i = 0; i < LEN; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251);
	src = side_of("source");
	dst = side_of("destination");
	ck_assert_int_eq(pwrite(src.fd, bytes, LEN, 0), LEN);
	plan = (struct plan){.way = PLAN_BULK,
			     .len = LEN,
			     .src = by_aio,
			     .dst = by_aio,
			     .job_size = JOB_LEN,
			     .step = ALIGN,
			     .depth = DEPTH};
	open_script();
	ck_assert_int_eq(copy_init(&copy, &parts), 0);
}

static void
close_copy(void)
{
	copy_done(&copy);
	aio_done(&aio);
	ck_assert(script.is_freed);
	close(src.fd);
	close(dst.fd);
}

// Any of them, as a kernel would, or short, or not at all.
static void
carry_out(void)
{
	const unsigned nr = (unsigned)below(script.nr_pending);
	struct iocb *iocb = script.pending[nr];
	const size_t len = iocb->u.c.nbytes;

	switch (below(6)) {
	case 0:
		script_end(nr, -EINTR);
		break;
	case 1:
		script_end(nr, -EAGAIN);
		break;
	case 2:
		iocb->u.c.nbytes = 1 + below(len);
		script_end(nr, inline_call(iocb));
		iocb->u.c.nbytes = len;
		break;
	default:
		script_end(nr, inline_call(iocb));
	}
}

static void
check_copied(void)
{
	unsigned char want[LEN], found[LEN];

	ck_assert_int_eq(pread(src.fd, want, LEN, 0), LEN);
	ck_assert_int_eq(pread(dst.fd, found, LEN, 0), LEN);
	ck_assert_mem_eq(found, want, LEN);
}

START_TEST(the_ring_copies_by_any_engine)
{
	enum copy_verdict verdict;

	random_state = (uint64_t)_i + 1;
	open_copy();
	while ((verdict = copy_step(&copy)) < COPY_DONE) {
		ck_assert(verdict == COPY_RUN || script.nr_pending > 0 ||
			  script.nr_ended > 0);
		if (script.nr_pending > 0)
			carry_out();
	}
	ck_assert_int_eq(verdict, COPY_DONE);
	ck_assert_uint_eq(ring_prefix(&copy.ring), LEN);
	ck_assert_int_eq(copy.failure.kind, EVENT_NONE);
	check_copied();
	close_copy();
	ck_assert_uint_gt(script.engine.queued, 2 * (LEN / JOB_LEN) - 1);
	ck_assert_uint_eq(script.engine.queued, script.engine.taken);
}
END_TEST

START_TEST(an_error_of_any_engine_cuts_the_copy)
{
	open_copy();
	ck_assert_int_eq(copy_step(&copy), COPY_WAIT);
	script_end(2, -EIO);
	while (copy_step(&copy) < COPY_DONE)
		while (script.nr_pending > 0)
			script_end(0, inline_call(script.pending[0]));
	ck_assert_uint_eq(ring_prefix(&copy.ring), 2 * JOB_LEN);
	ck_assert_int_eq(copy.failure.kind, FAILURE_READ);
	ck_assert_uint_eq(copy.failure.off, 2 * JOB_LEN);
	close_copy();
}
END_TEST

START_TEST(a_lost_engine_ends_the_copy)
{
	open_copy();
	ck_assert_int_eq(copy_step(&copy), COPY_WAIT);
	script.lost = -EIO;
	ck_assert_int_eq(copy_step(&copy), COPY_LOST);
	ck_assert_uint_eq(script.nr_pending, 0);
	close_copy();
}
END_TEST

/* The thread */

static pthread_t main_thread;

static void
on_helped(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	(void)res2;
	(void)ctx;
	nr_fired[container_of(iocb, struct job, iocb) - jobs]++;
	got[container_of(iocb, struct job, iocb) - jobs] = res;
}

static void
help(unsigned nr, enum job_op op, int fd)
{
	nr_fired[nr] = 0;
	jobs[nr] = (struct job){0};
	aio_queue(&aio, &jobs[nr],
		  &(struct job_io){.op = op, .fd = fd, .on_done = on_helped});
}

START_TEST(a_thread_syncs_and_says_how_it_ended)
{
	const int fd = memfd_create("helped", MFD_CLOEXEC);
	struct pollfd news;

	aio_init(&aio, helper_new());
	news = (struct pollfd){.fd = aio_news_fd(&aio, AIO_ASYNC),
			       .events = POLLIN};
	ck_assert_int_gt(news.fd, STDERR_FILENO);
	help(0, JOB_FSYNC, fd);
	help(1, JOB_FDSYNC, fd);
	help(2, JOB_FSYNC, -1);
	aio_submit(&aio);
	while (aio_nr_out(&aio) > 0) {
		ck_assert_int_eq(poll(&news, 1, -1), 1);
		ck_assert_int_eq(aio_reap(&aio), 0);
	}
	ck_assert_int_eq(poll(&news, 1, 0), 0);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(nr_fired[i], 1);
	ck_assert_int_eq(got[0], 0);
	ck_assert_int_eq(got[1], 0);
	ck_assert_int_eq(got[2], -EBADF);
	aio_done(&aio);
	close(fd);
}
END_TEST

static long
make_call(struct job_call *call, uint64_t pos, uint64_t len)
{
	(void)call;
	return pos == 7 && !pthread_equal(pthread_self(), main_thread)
		       ? (long)len
		       : -EINVAL;
}

// Longer than any buffer.
START_TEST(a_call_is_made_by_the_helper)
{
	struct job_call call = {.make = make_call};
	struct pollfd news;

	main_thread = pthread_self();
	aio_init(&aio, NULL);
	ck_assert_int_eq(aio_news_fd(&aio, AIO_HELPER), -1);
	aio_add_helper(&aio);
	news = (struct pollfd){.fd = aio_news_fd(&aio, AIO_HELPER),
			       .events = POLLIN};
	jobs[0] = (struct job){0};
	aio_queue(&aio, &jobs[0],
		  &(struct job_io){.op = JOB_CALL,
				   .route = JOB_BY_HELPER,
				   .pos = 7,
				   .len = SIZE_MAX / 4,
				   .call = &call,
				   .on_done = on_helped});
	ck_assert(aio_has_work(&aio));
	aio_submit(&aio);
	ck_assert(!aio_has_work(&aio));
	ck_assert_uint_eq(aio_nr_out(&aio), 1);
	ck_assert_int_eq(poll(&news, 1, -1), 1);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_int_eq(got[0], SIZE_MAX / 4);
	ck_assert_int_eq(poll(&news, 1, 0), 0);
	aio_done(&aio);
}
END_TEST

START_TEST(a_thread_may_be_abandoned)
{
	int fds[2];

	aio_init(&aio, helper_new());
	ck_assert_int_eq(pipe(fds), 0);
	help(0, JOB_FSYNC, fds[0]);
	help(1, JOB_FSYNC, fds[1]);
	aio_submit(&aio);
	aio_abandon(&aio);
	ck_assert_uint_eq(aio_nr_out(&aio), 0);
	ck_assert_int_eq(aio_reap(&aio), 0);
	ck_assert_uint_eq(nr_fired[0] + nr_fired[1], 0);
	const int news_fd = aio_news_fd(&aio, AIO_ASYNC);
	aio_done(&aio);
	ck_assert_int_lt(fcntl(news_fd, F_GETFD), 0);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

Suite *
engine_suite(void)
{
	Suite *s = suite_create("engine");
	TCase *t = tcase_create("dispatcher");

	tcase_add_loop_test(t, each_callback_fires_once_in_any_order, 0, 3);
	tcase_add_test(t, a_loss_gives_all_buffers_back_without_a_callback);
	tcase_add_test(t, what_was_queued_must_be_taken);
	suite_add_tcase(s, t);

	t = tcase_create("ring");
	tcase_add_loop_test(t, the_ring_copies_by_any_engine, 0, 50);
	tcase_add_test(t, an_error_of_any_engine_cuts_the_copy);
	tcase_add_test(t, a_lost_engine_ends_the_copy);
	suite_add_tcase(s, t);

	t = tcase_create("helper");
	tcase_add_test(t, a_thread_syncs_and_says_how_it_ended);
	tcase_add_test(t, a_call_is_made_by_the_helper);
	tcase_add_test(t, a_thread_may_be_abandoned);
	suite_add_tcase(s, t);
	return s;
}
