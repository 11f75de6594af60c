// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The engine of an NBD server on a scripted libnbd: a handle is a list of
// requests, which end when the test says so.

#include "config.h"

#include <check.h>

#include "suites.h"

#ifdef HAVE_LIBNBD
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base.h"
#include "engine.h"
#include "extent.h"
#include "job.h"
#include "nbd_engine.h"
#include "nbd_holes.h"
#include "nbd_library.h"

enum { NR_JOBS = 8, LEN = 64, SIZE = 1000, NR_HANDLES = 3 };

struct script_request {
	int command;
	uint64_t off;
	uint64_t len;
	uint32_t flags;
	nbd_completion_callback done;
	nbd_extent_callback extent;
	bool is_released; // it ends at the next look
	int error;
};

struct nbd_handle {
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct script_request requests[NR_JOBS];
	unsigned nr; // taken so far
	unsigned nr_ended;
	bool is_eager; // requests end within the call
	bool is_dying, is_lost, is_closed;
	int refuse; // the next request, with this errno
	unsigned nr_disconnects;
};

static struct nbd_handle handles[NR_HANDLES];
static int last_errno;
static struct engine *engine;
static struct job jobs[NR_JOBS];
static unsigned char bytes[NR_JOBS * LEN];

/* libnbd */

static void
end_request(struct nbd_handle *h, struct script_request *r, int error)
{
	ck_assert_int_eq(r->done.callback(r->done.user_data, &error), 1);
	r->done.callback = NULL;
	h->nr_ended++;
}

static int64_t
take(struct nbd_handle *h, struct script_request request)
{
	pthread_mutex_lock(&h->lock);
	ck_assert(!h->is_lost && !h->is_closed);
	if (h->refuse != 0) {
		last_errno = h->refuse;
		h->refuse = 0;
		pthread_mutex_unlock(&h->lock);
		return -1;
	}
	struct script_request *r = &h->requests[h->nr++];
	*r = request;
	if (h->is_eager)
		end_request(h, r, 0);
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	return h->nr;
}

static int64_t
script_pread(struct nbd_handle *h, void *buf, size_t len, uint64_t off,
	     nbd_completion_callback done, uint32_t flags)
{
	memset(buf, (int)off, len);
	return take(
		h, (struct script_request){
			   IO_CMD_PREAD, off, len, flags, done, {0}, false, 0});
}

static int64_t
script_pwrite(struct nbd_handle *h, const void *buf, size_t len, uint64_t off,
	      nbd_completion_callback done, uint32_t flags)
{
	(void)buf;
	return take(
		h,
		(struct script_request){
			IO_CMD_PWRITE, off, len, flags, done, {0}, false, 0});
}

static int64_t
script_zero(struct nbd_handle *h, uint64_t len, uint64_t off,
	    nbd_completion_callback done, uint32_t flags)
{
	return take(
		h, (struct script_request){
			   NBD_CMD_ZERO, off, len, flags, done, {0}, false, 0});
}

static int64_t
script_flush(struct nbd_handle *h, nbd_completion_callback done, uint32_t flags)
{
	return take(h,
		    (struct script_request){
			    IO_CMD_FDSYNC, 0, 0, flags, done, {0}, false, 0});
}

// Every other 100 bytes are zeros, from the second ones on; two spans at most.
static int64_t
script_block_status(struct nbd_handle *h, uint64_t len, uint64_t off,
		    nbd_extent_callback extent, nbd_completion_callback done,
		    uint32_t flags)
{
	const uint32_t first = 100 - (uint32_t)(off % 100);
	uint32_t entries[] = {first, off / 100 % 2 ? LIBNBD_STATE_ZERO : 0, 100,
			      off / 100 % 2 ? 0 : LIBNBD_STATE_ZERO};
	int error = 0;

	(void)extent.callback(extent.user_data, "base:allocation", off, entries,
			      ARRAY_LEN(entries), &error);
	return take(h, (struct script_request){NBD_CMD_EXTENTS, off, len, flags,
					       done, extent, false, 0});
}

static bool
is_up(struct nbd_handle *h)
{
	pthread_mutex_lock(&h->lock);
	const bool is_lost = h->is_lost;
	pthread_mutex_unlock(&h->lock);
	return !is_lost;
}

static int
script_is_ready(struct nbd_handle *h)
{
	return is_up(h);
}

static int
script_is_processing(struct nbd_handle *h)
{
	(void)h;
	return 0;
}

static int
script_get_fd(struct nbd_handle *h)
{
	return is_up(h) ? h->fd : -1;
}

static unsigned
script_get_direction(struct nbd_handle *h)
{
	(void)h;
	return LIBNBD_AIO_DIRECTION_READ;
}

static int
script_notify_read(struct nbd_handle *h)
{
	eventfd_t count;

	(void)eventfd_read(h->fd, &count);
	pthread_mutex_lock(&h->lock);
	h->is_lost = h->is_dying;
	for (unsigned i = 0; i < h->nr; i++) {
		struct script_request *r = &h->requests[i];

		if (r->done.callback != NULL && (r->is_released || h->is_lost))
			end_request(h, r, h->is_lost ? ENOTCONN : r->error);
	}
	pthread_mutex_unlock(&h->lock);
	return h->is_lost ? -1 : 0;
}

static int
script_errno(void)
{
	return last_errno;
}

static int
script_disconnect(struct nbd_handle *h, uint32_t flags)
{
	(void)flags;
	h->nr_disconnects++;
	return 0;
}

static void
script_close(struct nbd_handle *h)
{
	h->is_closed = true;
}

static const struct nbd_library script = {
	.aio_pread = script_pread,
	.aio_pwrite = script_pwrite,
	.aio_zero = script_zero,
	.aio_flush = script_flush,
	.aio_block_status = script_block_status,
	.aio_is_ready = script_is_ready,
	.aio_is_processing = script_is_processing,
	.aio_get_fd = script_get_fd,
	.aio_get_direction = script_get_direction,
	.aio_notify_read = script_notify_read,
	.aio_disconnect = script_disconnect,
	.get_errno = script_errno,
	.close = script_close,
};

/* The test */

static void
begin(void)
{
	for (unsigned i = 0; i < NR_HANDLES; i++) {
		handles[i] = (struct nbd_handle){
			.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
		pthread_mutex_init(&handles[i].lock, NULL);
		pthread_cond_init(&handles[i].changed, NULL);
	}
	memset(jobs, 0, sizeof(jobs));
	engine = NULL;
}

static void
end(void)
{
	engine_free(engine);
	for (unsigned i = 0; i < NR_HANDLES; i++)
		close(handles[i].fd);
}

static void
connect_to(unsigned nr, bool is_durable)
{
	struct nbd_handle *given[NR_HANDLES];

	for (unsigned i = 0; i < nr; i++)
		given[i] = &handles[i];
	const struct nbd_engine_export export = {
		.size = SIZE, .is_durable = is_durable, .is_flushed = true};

	ck_assert_int_eq(nbd_engine_new(&engine, &script, given, nr, &export),
			 0);
}

static void
on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	(void)ctx;
	(void)iocb;
	(void)res;
	(void)res2;
}

static void
queue(unsigned i, enum job_op op, uint64_t pos, size_t len)
{
	struct iocb *iocb = &jobs[i].iocb;

	jobs[i].buf = bytes + i * LEN;
	job_prep(&jobs[i],
		 &(struct job_io){.op = op,
				  .fd = -1,
				  .pos = pos,
				  .len = len,
				  .on_done = on_done},
		 engine->news_fd);
	engine_queue(engine, &iocb, 1);
}

static void
wait_taken(struct nbd_handle *h, unsigned nr)
{
	pthread_mutex_lock(&h->lock);
	while (h->nr < nr)
		pthread_cond_wait(&h->changed, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

static void
release(struct nbd_handle *h, unsigned i, int error)
{
	pthread_mutex_lock(&h->lock);
	h->requests[i].is_released = true;
	h->requests[i].error = error;
	pthread_mutex_unlock(&h->lock);
	(void)eventfd_write(h->fd, 1);
}

static void
lose(struct nbd_handle *h)
{
	pthread_mutex_lock(&h->lock);
	h->is_dying = true;
	pthread_mutex_unlock(&h->lock);
	(void)eventfd_write(h->fd, 1);
}

// The next one to end, when the engine says that there is one.
static struct io_event
next_event(void)
{
	struct pollfd news = {.fd = engine->news_fd, .events = POLLIN};
	struct io_event event;

	do {
		ck_assert_int_eq(poll(&news, 1, -1), 1);
	} while (engine_take(engine, &event, 1) == 0);
	return event;
}

static void
check_next(unsigned i, long res)
{
	const struct io_event event = next_event();

	ck_assert_ptr_eq(event.obj, &jobs[i].iocb);
	ck_assert_ptr_eq(event.data, (void *)on_done);
	ck_assert_int_eq((long)event.res, res);
}

START_TEST(each_request_ends_once_and_in_any_order)
{
	connect_to(1, false);
	queue(0, JOB_READ, 64, LEN);
	queue(1, JOB_WRITE, 128, LEN);
	queue(2, JOB_READ, 192, LEN);
	wait_taken(&handles[0], 3);
	release(&handles[0], 2, 0);
	check_next(2, LEN);
	release(&handles[0], 1, EIO);
	check_next(1, -EIO);
	release(&handles[0], 0, 0);
	check_next(0, LEN);
	ck_assert_uint_eq(bytes[2 * LEN], 192);
	ck_assert_int_eq(engine_nr_out(engine), 0);
}
END_TEST

START_TEST(what_ends_before_the_call_returns_is_taken)
{
	handles[0].is_eager = true;
	connect_to(1, false);
	queue(0, JOB_WRITE, 0, LEN);
	check_next(0, LEN);
	ck_assert_int_eq(engine_nr_out(engine), 0);
}
END_TEST

START_TEST(a_request_that_is_not_taken_has_ended)
{
	handles[0].refuse = ENOMEM;
	connect_to(1, false);
	queue(0, JOB_WRITE, 0, LEN);
	check_next(0, -ENOMEM);
	ck_assert_uint_eq(handles[0].nr, 0);
}
END_TEST

START_TEST(a_read_ends_where_the_export_does)
{
	handles[0].is_eager = true;
	connect_to(1, false);
	queue(0, JOB_READ, SIZE - 10, LEN);
	check_next(0, 10);
	queue(1, JOB_READ, SIZE, LEN);
	check_next(1, 0);
	queue(2, JOB_READ, UINT64_C(1) << 40, LEN);
	check_next(2, 0);
	ck_assert_uint_eq(handles[0].nr, 1);
}
END_TEST

START_TEST(the_connection_with_the_fewest_gets_the_next)
{
	connect_to(3, false);
	for (unsigned i = 0; i < 6; i++)
		queue(i, JOB_READ, i, 1);
	for (unsigned i = 0; i < 3; i++)
		wait_taken(&handles[i], 2);
	release(&handles[1], 0, 0);
	(void)next_event();
	queue(6, JOB_READ, 6, 1);
	wait_taken(&handles[1], 3);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < handles[i].nr; k++)
			release(&handles[i], k, 0);
	for (unsigned i = 0; i < 6; i++)
		(void)next_event();
}
END_TEST

START_TEST(all_of_a_lost_connection_has_ended)
{
	connect_to(1, false);
	queue(0, JOB_READ, 0, LEN);
	queue(1, JOB_WRITE, LEN, LEN);
	wait_taken(&handles[0], 2);
	lose(&handles[0]);
	check_next(0, -ENOTCONN);
	check_next(1, -ENOTCONN);
	queue(2, JOB_READ, 0, LEN);
	check_next(2, -ENOTCONN);
	ck_assert_int_eq(nbd_engine_call(engine, IO_CMD_FDSYNC, NULL, 0, 0),
			 -ENOTCONN);
}
END_TEST

START_TEST(others_do_the_work_of_a_lost_connection)
{
	connect_to(2, false);
	queue(0, JOB_READ, 0, LEN);
	wait_taken(&handles[0], 1);
	lose(&handles[0]);
	check_next(0, -ENOTCONN);
	for (unsigned i = 1; i < 4; i++)
		queue(i, JOB_READ, i, LEN);
	wait_taken(&handles[1], 3);
	for (unsigned i = 1; i < 4; i++) {
		release(&handles[1], i - 1, 0);
		check_next(i, LEN);
	}
}
END_TEST

START_TEST(a_call_is_waited_for_and_counts_as_nobodys)
{
	handles[0].is_eager = true;
	connect_to(1, false);
	ck_assert_int_eq(nbd_engine_call(engine, NBD_CMD_ZERO, NULL, 500, 100),
			 500);
	ck_assert_int_eq(nbd_engine_call(engine, IO_CMD_FDSYNC, NULL, 0, 0), 0);
	ck_assert_int_eq(handles[0].requests[0].command, NBD_CMD_ZERO);
	ck_assert_uint_eq(handles[0].requests[0].off, 100);
	ck_assert_int_eq(handles[0].requests[1].command, IO_CMD_FDSYNC);
	ck_assert_int_eq(engine_nr_out(engine), 0);
}
END_TEST

START_TEST(durable_writes_say_so)
{
	handles[0].is_eager = true;
	connect_to(1, true);
	queue(0, JOB_WRITE, 0, LEN);
	check_next(0, LEN);
	queue(1, JOB_READ, 0, LEN);
	check_next(1, LEN);
	ck_assert_uint_eq(handles[0].requests[0].flags, LIBNBD_CMD_FLAG_FUA);
	ck_assert_uint_eq(handles[0].requests[1].flags, 0);
}
END_TEST

START_TEST(what_is_not_flushed_is_known)
{
	handles[0].is_eager = true;
	connect_to(1, false);
	ck_assert_uint_eq(nbd_engine_unflushed(engine), UINT64_MAX);
	queue(0, JOB_WRITE, 128, LEN);
	check_next(0, LEN);
	queue(1, JOB_READ, 0, LEN);
	check_next(1, LEN);
	ck_assert_uint_eq(nbd_engine_unflushed(engine), 128);
	ck_assert_int_eq(nbd_engine_call(engine, NBD_CMD_ZERO, NULL, 10, 64),
			 10);
	ck_assert_uint_eq(nbd_engine_unflushed(engine), 64);
	ck_assert_int_eq(nbd_engine_call(engine, IO_CMD_FDSYNC, NULL, 0, 0), 0);
	ck_assert_uint_eq(nbd_engine_unflushed(engine), UINT64_MAX);
}
END_TEST

START_TEST(a_flush_covers_what_was_written_before_it)
{
	connect_to(1, false);
	queue(0, JOB_WRITE, 100, LEN);
	wait_taken(&handles[0], 1);
	release(&handles[0], 0, 0);
	check_next(0, LEN);
	queue(1, JOB_FDSYNC, 0, 0);
	wait_taken(&handles[0], 2);
	queue(2, JOB_WRITE, 300, LEN);
	wait_taken(&handles[0], 3);
	release(&handles[0], 2, 0);
	check_next(2, LEN);
	ck_assert_uint_eq(nbd_engine_unflushed(engine), 100);
	release(&handles[0], 1, 0);
	check_next(1, 0);
	ck_assert_uint_eq(nbd_engine_unflushed(engine), 300);
}
END_TEST

// And is told again, since the server may not.
START_TEST(a_flush_that_fails_covers_nothing)
{
	connect_to(1, false);
	queue(0, JOB_WRITE, 100, LEN);
	wait_taken(&handles[0], 1);
	release(&handles[0], 0, 0);
	check_next(0, LEN);
	queue(1, JOB_FDSYNC, 0, 0);
	wait_taken(&handles[0], 2);
	release(&handles[0], 1, EIO);
	check_next(1, -EIO);
	ck_assert_uint_eq(nbd_engine_unflushed(engine), 100);
	pthread_mutex_lock(&handles[0].lock);
	handles[0].is_eager = true;
	pthread_mutex_unlock(&handles[0].lock);
	ck_assert_int_eq(nbd_engine_call(engine, IO_CMD_FDSYNC, NULL, 0, 0),
			 -EIO);
	// Whoever asks: a checkpoint queues it.
	queue(2, JOB_FDSYNC, 0, 0);
	check_next(2, -EIO);
}
END_TEST

START_TEST(a_gibibyte_is_flushed_by_the_engine_itself)
{
	handles[0].is_eager = true;
	connect_to(1, false);
	queue(0, JOB_WRITE, 0, GIB);
	check_next(0, GIB);
	wait_taken(&handles[0], 2);
	ck_assert_int_eq(handles[0].requests[1].command, IO_CMD_FDSYNC);
	queue(1, JOB_WRITE, GIB, LEN);
	check_next(1, LEN);
	ck_assert_uint_eq(handles[0].nr, 3);
	ck_assert_int_eq(engine_nr_out(engine), 0);
}
END_TEST

START_TEST(another_connection_takes_the_place_of_a_lost_one)
{
	struct nbd_handle *other = &handles[1];

	connect_to(1, false);
	queue(0, JOB_WRITE, 0, LEN);
	wait_taken(&handles[0], 1);
	lose(&handles[0]);
	check_next(0, -ENOTCONN);
	ck_assert_int_eq(nbd_engine_renew(engine, &other, 1), 0);
	ck_assert(handles[0].is_closed);
	other->is_eager = true;
	queue(1, JOB_WRITE, 0, LEN);
	check_next(1, LEN);
}
END_TEST

START_TEST(what_is_abandoned_is_not_waited_for)
{
	connect_to(2, false);
	queue(0, JOB_READ, 0, LEN);
	wait_taken(&handles[0], 1);
	engine_abandon(engine);
	ck_assert(handles[0].is_closed && handles[1].is_closed);
	ck_assert_int_eq(engine_nr_out(engine), 0);
	ck_assert_int_eq(nbd_engine_call(engine, IO_CMD_FDSYNC, NULL, 0, 0),
			 -ENOTCONN);
}
END_TEST

START_TEST(the_server_hears_of_the_end)
{
	connect_to(2, false);
	engine_free(engine);
	engine = NULL;
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_uint_eq(handles[i].nr_disconnects, 1);
		ck_assert(handles[i].is_closed);
	}
}
END_TEST

START_TEST(holes_are_what_the_server_says_reads_as_zeros)
{
	struct nbd_holes holes = {.nr = 0};
	struct extent extent = {0};

	handles[0].is_eager = true;
	connect_to(1, false);
	ck_assert_int_eq(nbd_holes_find(&holes, engine, 350, 10, &extent), 0);
	ck_assert_uint_eq(extent.start, 10);
	ck_assert_uint_eq(extent.end, 100);
	// Known, but only zeros: what is behind it is asked for.
	ck_assert_int_eq(nbd_holes_find(&holes, engine, 350, 120, &extent), 0);
	ck_assert_uint_eq(extent.start, 200);
	ck_assert_uint_eq(extent.end, 300);
	ck_assert_uint_eq(handles[0].nr, 2);
	ck_assert_uint_eq(handles[0].requests[1].off, 200);
	ck_assert_uint_eq(handles[0].requests[1].len, 150);
	// Nothing but zeros up to the end.
	ck_assert_int_eq(nbd_holes_find(&holes, engine, 350, 310, &extent), 0);
	ck_assert_uint_eq(extent.start, 350);
	ck_assert_uint_eq(extent.end, 350);
	nbd_holes_done(&holes);
}
END_TEST

START_TEST(a_server_that_fails_to_say_so_has_told_nothing)
{
	struct nbd_holes holes = {.nr = 0};
	struct extent extent = {0};

	handles[0].refuse = EINVAL;
	connect_to(1, false);
	ck_assert_int_eq(nbd_holes_find(&holes, engine, 350, 10, &extent),
			 -EINVAL);
	nbd_holes_done(&holes);
}
END_TEST

static void
add_tests(TCase *t)
{
	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, each_request_ends_once_and_in_any_order);
	tcase_add_test(t, what_ends_before_the_call_returns_is_taken);
	tcase_add_test(t, a_request_that_is_not_taken_has_ended);
	tcase_add_test(t, a_read_ends_where_the_export_does);
	tcase_add_test(t, the_connection_with_the_fewest_gets_the_next);
	tcase_add_test(t, all_of_a_lost_connection_has_ended);
	tcase_add_test(t, others_do_the_work_of_a_lost_connection);
	tcase_add_test(t, a_call_is_waited_for_and_counts_as_nobodys);
	tcase_add_test(t, durable_writes_say_so);
	tcase_add_test(t, what_is_not_flushed_is_known);
	tcase_add_test(t, a_flush_covers_what_was_written_before_it);
	tcase_add_test(t, a_flush_that_fails_covers_nothing);
	tcase_add_test(t, a_gibibyte_is_flushed_by_the_engine_itself);
	tcase_add_test(t, another_connection_takes_the_place_of_a_lost_one);
	tcase_add_test(t, what_is_abandoned_is_not_waited_for);
	tcase_add_test(t, the_server_hears_of_the_end);
	tcase_add_test(t, holes_are_what_the_server_says_reads_as_zeros);
	tcase_add_test(t, a_server_that_fails_to_say_so_has_told_nothing);
}
#else
static void
add_tests(TCase *t)
{
	(void)t; // it was left out
}
#endif

Suite *
nbd_suite(void)
{
	Suite *s = suite_create("nbd");
	TCase *t = tcase_create("nbd");

	add_tests(t);
	suite_add_tcase(s, t);
	return s;
}
