// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aio.h"
#include "base.h"
#include "copy.h"
#include "feeder.h"
#include "rig.h"
#include "stats.h"
#include "suites.h"
#include "tap.h"

enum { DEPTH = 6, JOB_LEN = 512, ALIGN = 512 };

static uint64_t random_state;

static uint64_t
below(uint64_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695;
	return (random_state >> 33) % n;
}

/* A stream that gives what it is told to */

static struct script {
	size_t len; // bytes of it
	size_t given;
	size_t at_most;	  // in one read; 0: any number
	ssize_t end;	  // 0 or -errno, behind them
	unsigned nr_ends; // reads that had it
} script;

static unsigned char
byte_at(size_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

static ssize_t
script_read(void *ctx, void *buf, size_t len)
{
	const size_t left = script.len - script.given;
	unsigned char *bytes = buf;

	(void)ctx;
	ck_assert_uint_gt(len, 0);
	if (below(7) == 0)
		return -EINTR;
	if (left == 0) {
		script.nr_ends++;
		return script.end;
	}
	const size_t n = (size_t)min_u64(
		min_u64(len, left),
		script.at_most > 0 ? script.at_most : 1 + below(2 * JOB_LEN));
	for (size_t i = 0; i < n; i++)
		bytes[i] = byte_at(script.given + i);
	script.given += n;
	return (ssize_t)n;
}

static void
script_stop(void *ctx)
{
	(void)ctx; // it never waits
}

static const struct fill script_fill = {.read = script_read,
					.stop = script_stop};

static void
begin(size_t len, ssize_t end)
{
	random_state = 1;
	script = (struct script){.len = len, .end = end};
}

/* Through the dispatcher alone */

static struct aio aio;
static struct engine *engine;
static struct job jobs[DEPTH];
static unsigned char bufs[DEPTH][JOB_LEN];
static long got[DEPTH];
static unsigned nr_fired;

static void
on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	const size_t nr = (size_t)(container_of(iocb, struct job, iocb) - jobs);

	(void)ctx;
	ck_assert_int_eq(res2, 0);
	ck_assert_uint_eq(nr, nr_fired); // first in, first out
	got[nr] = res;
	nr_fired++;
}

static void
open_feeder(struct fill fill, uint64_t pos)
{
	engine = feeder_new(fill, pos);
	ck_assert_ptr_nonnull(engine);
	aio_init(&aio, NULL);
	aio_serve(&aio, engine);
	nr_fired = 0;
	for (unsigned i = 0; i < DEPTH; i++)
		jobs[i] = (struct job){.buf = bufs[i]};
}

static void
close_feeder(void)
{
	aio_done(&aio);
	engine_free(engine);
}

static void
ask(unsigned nr, uint64_t pos, size_t len)
{
	aio_queue(&aio, &jobs[nr],
		  &(struct job_io){.op = JOB_READ,
				   .route = JOB_BY_CACHE,
				   .own = engine,
				   .fd = -1,
				   .pos = pos,
				   .len = len,
				   .on_done = on_done});
	aio_submit(&aio);
}

static void
wait_for(unsigned nr)
{
	struct pollfd news = {.fd = aio_news_fd(&aio, AIO_OWN),
			      .events = POLLIN};

	while (nr_fired < nr) {
		ck_assert_int_eq(poll(&news, 1, -1), 1);
		ck_assert_int_eq(aio_reap(&aio), 0);
	}
}

static void
check_bytes(unsigned nr, size_t from)
{
	for (size_t i = 0; i < (size_t)got[nr]; i++)
		ck_assert_uint_eq(bufs[nr][i], byte_at(from + i));
}

START_TEST(each_request_is_filled_in_its_turn)
{
	begin(3 * JOB_LEN + 100, 0);
	script.at_most = (size_t)_i;
	open_feeder(script_fill, 0);
	for (unsigned i = 0; i < DEPTH; i++)
		ask(i, (uint64_t)i * JOB_LEN, JOB_LEN);
	wait_for(DEPTH);
	for (unsigned i = 0; i < DEPTH; i++) {
		ck_assert_int_eq(got[i], i < 3 ? JOB_LEN : i == 3 ? 100 : 0);
		check_bytes(i, (size_t)i * JOB_LEN);
	}
	ck_assert_uint_eq(script.nr_ends, 1); // a terminal would go on
	close_feeder();
}
END_TEST

START_TEST(an_error_stays_and_what_came_before_it_is_given)
{
	begin(JOB_LEN + 10, -EIO);
	open_feeder(script_fill, 0);
	ask(0, 0, JOB_LEN);
	ask(1, JOB_LEN, JOB_LEN);
	ask(2, 2 * JOB_LEN, JOB_LEN);
	wait_for(3);
	ask(3, JOB_LEN + 10, 5);
	wait_for(4);
	ck_assert_int_eq(got[0], JOB_LEN);
	ck_assert_int_eq(got[1], 10);
	ck_assert_int_eq(got[2], -EIO);
	ck_assert_int_eq(got[3], -EIO);
	check_bytes(1, JOB_LEN);
	ck_assert_uint_eq(script.nr_ends, 1);
	close_feeder();
}
END_TEST

// It begins at some place, and there may be gaps of any length.
START_TEST(what_nobody_asks_for_is_dropped)
{
	begin(5000, 0);
	open_feeder(script_fill, 70000);
	ask(0, 70000 + 3, 100);
	ask(1, 70000 + 103, 100);
	ask(2, 70000 + 4000, 200);
	ask(3, 70000 + 4990, 200);
	ask(4, 70000 + 9000, 200);
	wait_for(5);
	ck_assert_int_eq(got[0], 100);
	check_bytes(0, 3);
	check_bytes(1, 103);
	ck_assert_int_eq(got[2], 200);
	check_bytes(2, 4000);
	ck_assert_int_eq(got[3], 10);
	check_bytes(3, 4990);
	ck_assert_int_eq(got[4], 0);
	close_feeder();
}
END_TEST

/* A descriptor that has to be waited for */

// All that is in the pipe has been read.
static void
wait_until_read(int fd)
{
	int left = 1;

	while (left > 0) {
		ck_assert_int_eq(ioctl(fd, FIONREAD, &left), 0);
		(void)poll(NULL, 0, 1);
	}
}

static struct tap tap;
static int fds[2];

static void
open_pipe(int flags)
{
	ck_assert_int_eq(pipe2(fds, flags), 0);
	ck_assert_int_eq(tap_init(&tap, fds[0]), 0);
	open_feeder(tap_fill(&tap), 0);
}

static void
close_pipe(void)
{
	close_feeder();
	tap_done(&tap);
	close(fds[0]);
	close(fds[1]);
}

START_TEST(a_read_that_waits_ends_when_nobody_wants_it)
{
	open_pipe(0);
	ask(0, 0, JOB_LEN);
	ask(1, JOB_LEN, JOB_LEN);
	if (_i > 0) {
		ck_assert_int_eq(write(fds[1], "abc", 3), 3);
		wait_until_read(fds[0]);
	}
	engine_stop(engine);
	engine_stop(engine);
	wait_for(2);
	ck_assert_int_eq(got[0], _i > 0 ? 3 : -ECANCELED);
	ck_assert_int_eq(got[1], -ECANCELED);
	close_pipe();
}
END_TEST

START_TEST(a_stream_that_waits_may_be_abandoned)
{
	open_pipe(0);
	ask(0, 0, JOB_LEN);
	ask(1, JOB_LEN, JOB_LEN);
	aio_abandon(&aio);
	ck_assert_uint_eq(nr_fired, 0);
	ck_assert_uint_eq(aio_nr_out(&aio), 0);
	close_pipe();
}
END_TEST

START_TEST(who_does_not_wait_is_told_that_there_is_nothing)
{
	open_pipe(O_NONBLOCK);
	ck_assert_int_eq(write(fds[1], "abc", 3), 3);
	ask(0, 0, JOB_LEN);
	wait_for(1);
	ask(1, 3, JOB_LEN);
	wait_for(2);
	ck_assert_int_eq(got[0], 3);
	ck_assert_int_eq(got[1], -EAGAIN);
	close_pipe();
}
END_TEST

// A socket says so once, and then that it has ended.
START_TEST(an_error_of_a_socket_is_no_end)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(tap_init(&tap, fds[0]), 0);
	ck_assert_int_eq(write(fds[1], "abc", 3), 3);
	ck_assert_int_eq(write(fds[0], "unread", 6), 6);
	close(fds[1]);
	open_feeder(tap_fill(&tap), 0);
	ask(0, 0, JOB_LEN);
	wait_for(1);
	ask(1, 3, JOB_LEN);
	wait_for(2);
	ck_assert_int_eq(got[0], 3);
	ck_assert_int_eq(got[1], -ECONNRESET);
	fds[1] = -1;
	close_pipe();
}
END_TEST

START_TEST(what_is_closed_has_no_tap)
{
	ck_assert_int_eq(tap_init(&tap, -1), -EBADF);
}
END_TEST

/* Through the ring */

static struct side src;
static struct side dst;
static struct copy copy;

static void
open_copy(size_t len)
{
	static struct stats stats;
	static const struct env env = {.stats = &stats};
	static struct plan plan;
	const struct copy_parts parts = {.env = &env,
					 .plan = &plan,
					 .aio = &aio,
					 .src = &src,
					 .dst = &dst};

	plan = (struct plan){.way = PLAN_BULK,
			     .len = len,
			     .src = {PLAN_FEED, 0, "a test"},
			     .dst = {PLAN_INLINE, 0, "a test"},
			     .job_size = JOB_LEN,
			     .step = ALIGN,
			     .is_in_order = true,
			     .depth = DEPTH};
	src = rig_side(-1);
	src.engine = feeder_new(script_fill, 0);
	dst = rig_side(rig_file("", 0));
	dst.buffered_fd = dst.fd;
	aio_init(&aio, NULL);
	ck_assert_int_eq(copy_init(&copy, &parts), 0);
}

static enum copy_verdict
finish_copy(void)
{
	struct pollfd news = {.fd = aio_news_fd(&aio, AIO_OWN),
			      .events = POLLIN};
	enum copy_verdict verdict;

	while ((verdict = copy_step(&copy)) < COPY_DONE)
		if (verdict == COPY_WAIT)
			ck_assert_int_eq(poll(&news, 1, -1), 1);
	return verdict;
}

static void
check_copied(size_t len)
{
	unsigned char *found = malloc(len + 1);

	ck_assert_int_eq(pread(dst.fd, found, len + 1, 0), (ssize_t)len);
	for (size_t i = 0; i < len; i++)
		ck_assert_uint_eq(found[i], byte_at(i));
	free(found);
}

static void
close_copy(void)
{
	copy_done(&copy);
	aio_done(&aio);
	engine_free(src.engine);
	close(dst.fd);
}

// The stream ends before the stretch does, or has more than that.
START_TEST(the_ring_copies_a_stream_however_it_comes)
{
	const size_t stretch = 40 * JOB_LEN;

	begin(0, 0);
	random_state = (uint64_t)_i + 1;
	script.len = below(2 * stretch);
	const size_t len = (size_t)min_u64(script.len, stretch);
	open_copy(stretch);
	ck_assert_int_eq(finish_copy(), COPY_DONE);
	ck_assert_int_eq(copy.failure.kind, EVENT_NONE);
	ck_assert_uint_eq(ring_prefix(&copy.ring), len);
	ck_assert_uint_eq(copy.reader.reached, len);
	ck_assert_uint_eq(script.given, len); // and not a byte more
	check_copied(len);
	close_copy();
}
END_TEST

static unsigned
nr_reading(void)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < DEPTH; i++)
		nr += copy.ring.jobs[i].state == JOB_READING;
	return nr;
}

// The other buffers are not needed yet.
START_TEST(two_buffers_at_a_time_are_read_into)
{
	begin((size_t)40 * JOB_LEN, 0);
	open_copy(script.len);
	ck_assert_int_lt(copy_step(&copy), COPY_DONE);
	ck_assert_uint_eq(nr_reading(), 2);
	while (copy_step(&copy) < COPY_DONE)
		ck_assert_uint_le(nr_reading(), 2);
	check_copied(script.len);
	close_copy();
}
END_TEST

START_TEST(the_error_of_a_stream_is_behind_all_that_came)
{
	begin(0, -EIO);
	random_state = (uint64_t)_i + 1;
	script.len = below((uint64_t)20 * JOB_LEN);
	open_copy((size_t)40 * JOB_LEN);
	ck_assert_int_eq(finish_copy(), COPY_DONE);
	ck_assert_int_eq(copy.failure.kind, FAILURE_READ);
	ck_assert_int_eq(copy.failure.error, EIO);
	ck_assert_uint_eq(copy.failure.off, script.len);
	ck_assert_uint_eq(ring_prefix(&copy.ring), script.len);
	check_copied(script.len);
	close_copy();
}
END_TEST

Suite *
feeder_suite(void)
{
	Suite *s = suite_create("feeder");
	TCase *t = tcase_create("requests");

	tcase_add_loop_test(t, each_request_is_filled_in_its_turn, 0, 4);
	tcase_add_test(t, an_error_stays_and_what_came_before_it_is_given);
	tcase_add_test(t, what_nobody_asks_for_is_dropped);
	suite_add_tcase(s, t);

	t = tcase_create("tap");
	tcase_add_loop_test(t, a_read_that_waits_ends_when_nobody_wants_it, 0,
			    2);
	tcase_add_test(t, a_stream_that_waits_may_be_abandoned);
	tcase_add_test(t, who_does_not_wait_is_told_that_there_is_nothing);
	tcase_add_test(t, an_error_of_a_socket_is_no_end);
	tcase_add_test(t, what_is_closed_has_no_tap);
	suite_add_tcase(s, t);

	t = tcase_create("ring");
	tcase_add_loop_test(t, the_ring_copies_a_stream_however_it_comes, 0,
			    50);
	tcase_add_test(t, two_buffers_at_a_time_are_read_into);
	tcase_add_loop_test(t, the_error_of_a_stream_is_behind_all_that_came, 0,
			    20);
	suite_add_tcase(s, t);
	return s;
}
