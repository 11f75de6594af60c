// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "fake_aio.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base.h"
#include "file.h"

#define READ_PAINT 0xee	  // in a buffer that the kernel is to fill
#define IOCB_FLAG_RESFD 1 // of the kernel; libaio.h has no name for it

static struct fake_aio *next_fake;

// A thread may submit while the test completes and reaps.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void
fake_aio_use(struct fake_aio *fake)
{
	next_fake = fake;
}

// An assertion of Check writes to a file, and these are many.
static void
must(bool is_true, const char *what)
{
	if (!is_true)
		ck_abort_msg("not true: %s", what);
}

static struct fake_aio *
fake_of(io_context_t ctx)
{
	return (struct fake_aio *)(void *)ctx;
}

// splitmix64
uint64_t
fake_aio_below(struct fake_aio *fake, uint64_t n)
{
	uint64_t z = fake->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

// Chance trouble, one time in n.
static bool
is_trouble(struct fake_aio *fake, uint64_t n)
{
	return fake->is_trouble && fake_aio_below(fake, n) == 0;
}

static uint64_t
sum_of(const unsigned char *buf, size_t len)
{
	uint64_t sum = len;

	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + buf[i];
	return sum;
}

static int
fake_setup(int depth, io_context_t *ctx)
{
	struct fake_aio *fake = next_fake;

	ck_assert_ptr_null(*ctx); // or the kernel says EINVAL
	if (fake->setup_error != 0)
		return fake->setup_error;
	fake->depth = depth;
	*ctx = (io_context_t)(void *)fake;
	return 0;
}

static const struct fake_fault *
fault_of(const struct fake_aio *fake, const struct fake_request *request)
{
	for (unsigned i = 0; i < FAKE_NR_FAULTS; i++) {
		const struct fake_fault *fault = &fake->faults[i];

		if (fault->fd == request->fd && request->pos < fault->to &&
		    request->pos + request->len > fault->from)
			return fault;
	}
	return NULL;
}

static bool
is_misaligned(const struct fake_aio *fake, const struct fake_request *request)
{
	return fake->align > 0 && ((uintptr_t)request->buf % fake->align != 0 ||
				   request->pos % fake->align != 0 ||
				   request->len % fake->align != 0);
}

static size_t
moved_len(struct fake_aio *fake, size_t len)
{
	if (is_trouble(fake, 3))
		return (size_t)(1 + fake_aio_below(fake, len));
	if (fake->nr_short == 0)
		return len;
	fake->nr_short--;
	return (size_t)min_u64(len, fake->short_len);
}

static long
carry_out(struct fake_aio *fake, const struct fake_request *request)
{
	const struct fake_fault *fault = fault_of(fake, request);
	ssize_t n;

	if (is_misaligned(fake, request))
		return -EINVAL;
	if (fault != NULL)
		return -fault->error;
	const size_t len = moved_len(fake, request->len);
	if (request->op == IO_CMD_PREAD)
		n = pread(request->fd, request->buf, len, (off_t)request->pos);
	else
		n = pwrite(request->fd, request->buf, len, (off_t)request->pos);
	return n < 0 ? -errno : n;
}

static void
complete(struct fake_aio *fake, unsigned pending)
{
	must(pending < fake->nr_pending && fake->nr_ready < FAKE_MAX,
	     "there is such a request");
	const struct fake_request request = fake->pending[pending];

	must(sum_of(request.buf, request.len) == request.sum,
	     "nobody touches a buffer that the kernel has");
	fake->nr_pending--;
	memmove(&fake->pending[pending], &fake->pending[pending + 1],
		(fake->nr_pending - pending) * sizeof(request));
	fake->ready[fake->nr_ready++] = (struct io_event){
		.data = request.data,
		.obj = request.obj,
		.res = (unsigned long)carry_out(fake, &request),
	};
	fake->nr_completed++;
	must(eventfd_write(request.eventfd, 1) == 0, "the eventfd is one");
}

void
fake_aio_complete(struct fake_aio *fake, unsigned pending)
{
	pthread_mutex_lock(&lock);
	complete(fake, pending);
	pthread_mutex_unlock(&lock);
}

void
fake_aio_complete_all(struct fake_aio *fake)
{
	pthread_mutex_lock(&lock);
	while (fake->nr_pending > 0)
		complete(fake, 0);
	pthread_mutex_unlock(&lock);
}

void
fake_aio_complete_last(struct fake_aio *fake)
{
	pthread_mutex_lock(&lock);
	if (fake->nr_pending > 0)
		complete(fake, fake->nr_pending - 1);
	pthread_mutex_unlock(&lock);
}

void
fake_aio_complete_any(struct fake_aio *fake)
{
	pthread_mutex_lock(&lock);
	if (fake->nr_pending > 0)
		complete(fake,
			 (unsigned)fake_aio_below(fake, fake->nr_pending));
	pthread_mutex_unlock(&lock);
}

uint64_t
fake_aio_set_count(int eventfd, uint64_t nr)
{
	eventfd_t old = 0;

	(void)eventfd_read(eventfd, &old);
	must(eventfd_write(eventfd, nr) == 0, "the eventfd is one");
	return old;
}

static void
take(struct fake_aio *fake, struct iocb *iocb)
{
	struct fake_request request = {
		.obj = iocb,
		.data = iocb->data,
		.op = iocb->aio_lio_opcode,
		.fd = iocb->aio_fildes,
		.buf = iocb->u.c.buf,
		.len = iocb->u.c.nbytes,
		.pos = (uint64_t)iocb->u.c.offset,
		.eventfd = (int)iocb->u.c.resfd,
	};

	must(iocb->u.c.flags == IOCB_FLAG_RESFD, "each request announces");
	for (unsigned i = 0; i < fake->nr_pending; i++)
		must(fake->pending[i].obj != iocb, "an iocb is there once");
	if (request.op == IO_CMD_PREAD)
		memset(request.buf, READ_PAINT, request.len);
	request.sum = sum_of(request.buf, request.len);
	must(fake->nr_pending < (unsigned)fake->depth, "there is room");
	fake->pending[fake->nr_pending++] = request;
	fake->log[fake->nr_log++ % FAKE_LOG_MAX] = request;
	if (fake->is_eager)
		complete(fake, fake->nr_pending - 1);
}

static int
submit(struct fake_aio *fake, long nr, struct iocb **iocbs)
{
	long limit = fake->accept_max > 0 ? (long)fake->accept_max : nr;

	fake->nr_submits++;
	must(nr > 0, "there is something to submit");
	if (fake->first_error != 0) {
		const int error = fake->first_error;

		fake->first_error = 0;
		return error;
	}
	if (fake->nr_eagain > 0) {
		fake->nr_eagain--;
		return -EAGAIN;
	}
	if (is_trouble(fake, 4))
		return -EAGAIN;
	if (is_trouble(fake, 3))
		limit = 1 + (long)fake_aio_below(fake, (uint64_t)nr);
	if (limit > nr)
		limit = nr;
	for (long i = 0; i < limit; i++)
		take(fake, iocbs[i]);
	return (int)limit;
}

static int
fake_submit(io_context_t ctx, long nr, struct iocb **iocbs)
{
	pthread_mutex_lock(&lock);
	const int r = submit(fake_of(ctx), nr, iocbs);
	pthread_mutex_unlock(&lock);
	return r;
}

static int
getevents(struct fake_aio *fake, long min_nr, long nr, struct io_event *events)
{
	must(nr >= min_nr, "nr >= min_nr");
	if (fake->getevents_error != 0)
		return fake->getevents_error;
	if (fake->nr_eintr > 0) {
		fake->nr_eintr--;
		return -EINTR;
	}
	if (is_trouble(fake, 4))
		return -EINTR;
	must((long)fake->nr_ready >= min_nr, "io_getevents does not sleep");
	must(fake->aio == NULL ||
		     (uint64_t)nr <= fake->aio->counters.announced -
					     fake->aio->counters.reaped,
	     "no more is reaped than was announced");
	const unsigned got = (unsigned)min_u64((uint64_t)nr, fake->nr_ready);
	memcpy(events, fake->ready, got * sizeof(*events));
	fake->nr_ready -= got;
	memmove(fake->ready, fake->ready + got,
		fake->nr_ready * sizeof(*events));
	fake->nr_reaps++;
	return (int)got;
}

static int
fake_getevents(io_context_t ctx, long min_nr, long nr, struct io_event *events,
	       struct timespec *timeout)
{
	must(timeout == NULL, "there is no timeout");
	pthread_mutex_lock(&lock);
	const int r = getevents(fake_of(ctx), min_nr, nr, events);
	pthread_mutex_unlock(&lock);
	return r;
}

// Waits for what is in flight, as the kernel does.
static int
fake_destroy(io_context_t ctx)
{
	struct fake_aio *fake = fake_of(ctx);

	fake_aio_complete_all(fake);
	fake->nr_ready = 0;
	return 0;
}

const struct aio_kernel fake_aio_kernel = {
	.setup = fake_setup,
	.destroy = fake_destroy,
	.submit = fake_submit,
	.getevents = fake_getevents,
};

// Not periodic in any job size.
static unsigned char
pattern_byte(uint64_t off)
{
	return (unsigned char)(1 + (off + off / 255 * 7) % 255);
}

static int
open_memory(size_t len)
{
	const int fd = memfd_create("fake", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	unsigned char *bytes = malloc(len + 1);
	for (size_t i = 0; i < len; i++)
		bytes[i] = pattern_byte(i);
	ck_assert_int_eq(pwrite(fd, bytes, len, 0), (ssize_t)len);
	free(bytes);
	return fd;
}

// The two descriptors differ, so that the log tells them apart.
static void
open_side(struct side *ep, const char *name, size_t len)
{
	file_init(ep, open_memory(len), name, false);
	ep->buffered_fd = ep->fd;
	ep->direct_fd = dup(ep->fd);
	ck_assert_int_ge(ep->direct_fd, 0);
}

void
fake_copy_open(struct fake_copy *c, size_t src_len)
{
	const struct plan_side side = {PLAN_AIO, FAKE_ALIGN, "a test"};

	*c = (struct fake_copy){.fake.align = FAKE_ALIGN};
	open_side(&c->src, "source", src_len);
	open_side(&c->dst, "destination", 0);
	c->plan = (struct plan){.way = PLAN_BULK,
				.len = src_len,
				.src = side,
				.dst = side,
				.job_size = FAKE_JOB,
				.step = FAKE_ALIGN,
				.depth = 4};
	c->request = (struct request){.ibs = 512, .obs = 512};
	c->env = (struct env){.asked = &c->request, .stats = &c->stats};
}

void
fake_copy_make_inline(struct fake_copy *c, enum fake_inline side)
{
	const struct plan_side plan = {PLAN_INLINE, 0, "a test"};

	if (side == FAKE_INLINE_SRC)
		c->plan.src = plan;
	else
		c->plan.dst = plan;
}

void
fake_copy_make_void(struct plan_side *plan, struct side *side)
{
	const struct facts facts = {.kind = FACTS_NULL};

	plan->method = PLAN_NOTHING;
	file_set_facts(side, &facts);
}

void
fake_copy_start(struct fake_copy *c)
{
	const struct copy_parts parts = {.env = &c->env,
					 .plan = &c->plan,
					 .aio = &c->aio,
					 .src = &c->src,
					 .dst = &c->dst,
					 .back = c->back,
					 .differ = c->differ,
					 .clear = c->clear};

	fake_aio_use(&c->fake);
	c->fake.aio = &c->aio;
	ck_assert_int_eq(kaio_new(&c->kaio, &fake_aio_kernel, c->plan.depth,
				  &c->aio.counters),
			 0);
	aio_init(&c->aio, &c->kaio->engine);
	ck_assert_int_eq(copy_init(&c->copy, &parts), 0);
}

struct job *
fake_copy_job(struct fake_copy *c, unsigned nr)
{
	return &c->copy.ring.jobs[nr];
}

void
fake_copy_deliver(struct fake_copy *c)
{
	fake_aio_complete_all(&c->fake);
	ck_assert_int_eq(aio_reap(&c->aio), 0);
	aio_submit(&c->aio);
}

enum copy_verdict
fake_copy_step(struct fake_copy *c)
{
	return copy_step(&c->copy);
}

// The helper is a thread, which has its own time.
static bool
has_news(const struct fake_copy *c)
{
	struct pollfd news[] = {
		{.fd = aio_news_fd(&c->aio, AIO_ASYNC), .events = POLLIN},
		{.fd = aio_news_fd(&c->aio, AIO_HELPER), .events = POLLIN},
	};

	return poll(news, 2, c->copy.zeroer.is_out ? -1 : 0) >= 1;
}

enum copy_verdict
fake_copy_finish(struct fake_copy *c)
{
	enum copy_verdict verdict;

	for (unsigned n = 0; n < 100000; n++) {
		verdict = fake_copy_step(c);
		if (verdict >= COPY_DONE)
			return verdict;
		if (c->fake.nr_pending == 0) {
			must(verdict != COPY_WAIT || has_news(c),
			     "something can wake the copy");
			continue;
		}
		if (c->fake.random != 0) {
			fake_aio_complete_any(&c->fake);
			continue;
		}
		while (c->fake.nr_pending > 0)
			fake_aio_complete_last(&c->fake);
	}
	ck_abort_msg("the copy does not end");
}

static void
check_bytes(const struct fake_copy *c, uint64_t n)
{
	unsigned char *got = calloc(1, n + 1), *want = malloc(n + 1);

	ck_assert_int_eq(pread(c->src.fd, want, n, (off_t)c->plan.src_off),
			 (ssize_t)n);
	const ssize_t len = pread(c->dst.fd, got, n, (off_t)c->plan.dst_off);
	// Behind the last byte is a hole, whose size is set at the end.
	if (c->plan.sparse_unit == 0 && c->plan.holes != PLAN_HOLES_KEEP)
		ck_assert_int_eq(len, (ssize_t)n);
	for (uint64_t i = 0; i < n; i++)
		must(got[i] == want[i], "every byte was copied");
	free(got);
	free(want);
}

void
fake_copy_check(const struct fake_copy *c, uint64_t n)
{
	const struct ring *ring = &c->copy.ring;

	ck_assert(ring_is_drained(ring));
	ck_assert_uint_eq(ring_prefix(ring), n);
	for (unsigned i = 0; i < ring->depth; i++)
		ck_assert_int_eq(ring->jobs[i].state, JOB_FREE);
	ck_assert_uint_eq(c->copy.writer.nr_writing, 0);
	ck_assert_uint_eq(aio_nr_out(&c->aio), 0);
	if (c->plan.src.method != PLAN_NOTHING &&
	    c->plan.dst.method != PLAN_NOTHING)
		check_bytes(c, n);
}

void
fake_copy_close(struct fake_copy *c)
{
	const struct aio_counters *counters = &c->aio.counters;
	const bool is_lost = c->fake.getevents_error != 0;

	copy_done(&c->copy);
	aio_done(&c->aio);
	ck_assert_uint_eq(c->fake.nr_pending, 0);
	ck_assert_uint_eq(counters->submitted, c->fake.nr_completed);
	if (!is_lost) {
		ck_assert_uint_eq(counters->announced, counters->submitted);
		ck_assert_uint_eq(counters->reaped, counters->submitted);
	}
	(void)close(c->src.fd);
	(void)close(c->src.direct_fd);
	(void)close(c->dst.fd);
	(void)close(c->dst.direct_fd);
}

void
fake_copy_run(struct fake_copy *c, uint64_t n)
{
	fake_copy_start(c);
	ck_assert_int_eq(fake_copy_finish(c), COPY_DONE);
	fake_copy_check(c, n);
	fake_copy_close(c);
}
