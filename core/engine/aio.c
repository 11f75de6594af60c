// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "aio.h"

#include <assert.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "job.h"
#include "submitter.h"

#define STALL_NS (20 * 1000 * 1000)

// What the calls of kernel AIO are answered with, if at all.
static void
try_calls(void)
{
	io_context_t ctx = NULL;
	struct io_event event;

	(void)prctl(PR_SET_DUMPABLE, 0); // nobody wants a core of it
	if (io_setup(1, &ctx) == 0) {
		(void)io_submit(ctx, 0, NULL);
		(void)io_getevents(ctx, 0, 1, &event, NULL);
		(void)io_destroy(ctx);
	}
	(void)syscall(SYS_exit_group, 0); // made by a raw call as well
}

// A seccomp filter may kill whoever makes such a call, and we can do without:
// so let a child try. It gives no SIGCHLD, and is there to be waited for also
// where that is ignored.
static bool
is_deadly(void)
{
	const int no_signal = 0;
	int status;
	pid_t pid;

	if (prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER)
		return false;
	const pid_t child = (pid_t)syscall(SYS_clone, no_signal, 0, 0, 0, 0);
	if (child == 0)
		try_calls();
	if (child < 0)
		return true;
	do {
		pid = waitpid(child, &status, __WALL);
	} while (pid < 0 && errno == EINTR);
	return pid != child || !WIFEXITED(status);
}

static int
setup(int depth, io_context_t *ctx)
{
	return is_deadly() ? -EPERM : io_setup(depth, ctx);
}

const struct aio_kernel aio_kernel_linux = {
	.setup = setup,
	.destroy = io_destroy,
	.submit = io_submit,
	.getevents = io_getevents,
};

static int
aio_open_context(struct aio *aio)
{
	aio->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	aio->refused_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (aio->eventfd < 0 || aio->refused_fd < 0)
		return -errno;
	return aio->kernel->setup((int)aio->depth, &aio->ctx);
}

int
aio_init(struct aio *aio, const struct aio_kernel *kernel, unsigned depth)
{
	int r = 0;

	*aio = (struct aio){.kernel = kernel,
			    .eventfd = -1,
			    .refused_fd = -1,
			    .depth = depth};
	aio->queue = calloc(depth, sizeof(struct iocb *));
	aio->inline_queue = calloc(depth, sizeof(struct iocb *));
	aio->batch = calloc(depth, sizeof(struct iocb *));
	aio->ready = calloc(depth, sizeof(struct io_event));
	aio->events = calloc(depth, sizeof(struct io_event));
	if (aio->queue == NULL || aio->inline_queue == NULL ||
	    aio->batch == NULL || aio->ready == NULL || aio->events == NULL)
		r = -ENOMEM;
	if (r == 0 && kernel != NULL)
		r = aio_open_context(aio);
	if (r < 0)
		aio_done(aio);
	return r;
}

static void
aio_end_submitters(struct aio *aio)
{
	for (unsigned op = 0; op < AIO_NR_SUBMITTERS; op++) {
		if (aio->submitters[op] != NULL)
			aio->counters.submitted +=
				submitter_free(aio->submitters[op]);
		aio->submitters[op] = NULL;
	}
}

void
aio_done(struct aio *aio)
{
	aio_end_submitters(aio);
	if (aio->ctx != NULL) {
		assert(aio->counters.submitted == aio->counters.announced);
		assert(aio->counters.announced == aio->counters.reaped);
		(void)aio->kernel->destroy(aio->ctx); // nothing is in flight
	}
	if (aio->eventfd >= 0)
		(void)close(aio->eventfd); // only counts
	if (aio->refused_fd >= 0)
		(void)close(aio->refused_fd);
	free(aio->queue);
	free(aio->inline_queue);
	free(aio->batch);
	free(aio->ready);
	free(aio->events);
	*aio = (struct aio){.eventfd = -1,
			    .refused_fd = -1,
			    .counters = aio->counters};
}

static int
probe_read(struct aio *aio, int fd)
{
	unsigned char byte;
	struct job job = {.buf = &byte};
	struct iocb *iocbs[] = {&job.iocb};
	struct io_event event;
	eventfd_t count;

	job_prep(&job, &(struct job_io){.op = JOB_READ,
					.fd = fd,
					.len = 1,
					.eventfd = aio->eventfd});
	int r = aio->kernel->submit(aio->ctx, 1, iocbs);
	if (r != 1)
		return r < 0 ? r : -EAGAIN;
	do {
		r = aio->kernel->getevents(aio->ctx, 1, 1, &event, NULL);
	} while (r == -EINTR);
	if (r != 1)
		return r < 0 ? r : -EIO;
	if (eventfd_read(aio->eventfd, &count) < 0)
		return -errno;
	return (long)event.res == 1 ? 0 : -EIO;
}

static int
aio_probe(struct aio *aio)
{
	const int fd = memfd_create("probe", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = pwrite(fd, "", 1, 0) == 1 ? probe_read(aio, fd) : -EIO;
	(void)close(fd); // a memory file
	return r;
}

void
aio_start_submitters(struct aio *aio)
{
	bool is_complete = true;

	for (unsigned op = 0; op < AIO_NR_SUBMITTERS; op++) {
		aio->submitters[op] = submitter_new(aio->kernel, aio->ctx,
						    aio->depth,
						    aio->refused_fd);
		is_complete &= aio->submitters[op] != NULL;
	}
	if (!is_complete)
		aio_end_submitters(aio);
}

int
aio_open(struct aio *aio, const struct aio_kernel *kernel, unsigned depth)
{
	int r = aio_init(aio, kernel, depth);

	if (r < 0)
		return r;
	r = aio_probe(aio);
	if (r < 0)
		aio_done(aio);
	else
		aio_start_submitters(aio);
	return r;
}

void
aio_queue(struct aio *aio, struct iocb *iocb)
{
	assert(aio->nr_queued < aio->depth);
	aio->queue[aio->nr_queued++] = iocb;
}

void
aio_queue_inline(struct aio *aio, struct iocb *iocb)
{
	assert(aio->nr_inline < aio->depth);
	aio->inline_queue[aio->nr_inline++] = iocb;
}

// A completion that did not come from the kernel's ring.
static void
aio_complete(struct aio *aio, struct iocb *iocb, long res)
{
	assert(aio->nr_ready < aio->depth);
	aio->ready[aio->nr_ready++] =
		(struct io_event){.data = iocb->data,
				  .obj = iocb,
				  .res = (unsigned long)res};
}

static void
aio_run_inline(struct aio *aio, struct iocb *iocb)
{
	const bool is_read = iocb->aio_lio_opcode == IO_CMD_PREAD;
	void *buf = iocb->u.c.buf;
	const size_t len = iocb->u.c.nbytes;
	const off_t pos = iocb->u.c.offset;
	const ssize_t n = is_read ? pread(iocb->aio_fildes, buf, len, pos)
				  : pwrite(iocb->aio_fildes, buf, len, pos);

	aio->counters.inlined++;
	aio_complete(aio, iocb, n < 0 ? -errno : n);
}

static void
aio_drop_queued(struct aio *aio, unsigned nr)
{
	aio->nr_queued -= nr;
	memmove(aio->queue, aio->queue + nr,
		aio->nr_queued * sizeof(aio->queue[0]));
}

// One io_submit. True: there is more that it may take.
static bool
aio_submit_some(struct aio *aio)
{
	const int r = aio->kernel->submit(aio->ctx, aio->nr_queued, aio->queue);

	if (r > 0) {
		aio->counters.submitted += (uint64_t)r;
		aio->nr_out += (unsigned)r;
		aio_drop_queued(aio, (unsigned)r);
		return true;
	}
	if ((r == -EAGAIN || r == 0) && aio->nr_out > 0)
		return false;
	// With nothing in flight no completion will make room: go round.
	if (r == -EAGAIN || r == 0)
		aio_run_inline(aio, aio->queue[0]);
	else
		aio_complete(aio, aio->queue[0], r);
	aio_drop_queued(aio, 1);
	return true;
}

static void
aio_submit_op(struct aio *aio, enum job_op op)
{
	const short opcode = op == JOB_READ ? IO_CMD_PREAD : IO_CMD_PWRITE;
	unsigned nr = 0;

	for (unsigned i = 0; i < aio->nr_queued; i++)
		if (aio->queue[i]->aio_lio_opcode == opcode)
			aio->batch[nr++] = aio->queue[i];
	if (nr > 0)
		submitter_queue(aio->submitters[op], aio->batch, nr);
}

static void
aio_submit_kernel(struct aio *aio)
{
	if (aio->submitters[0] != NULL) {
		aio_submit_op(aio, JOB_WRITE);
		aio_submit_op(aio, JOB_READ);
		aio->nr_out += aio->nr_queued;
		aio->nr_queued = 0;
	}
	while (aio->nr_queued > 0 && aio_submit_some(aio))
		;
}

void
aio_submit(struct aio *aio)
{
	const uint64_t start_ns = clock_ns();

	if (aio->nr_queued > 0)
		aio_submit_kernel(aio);
	for (unsigned i = 0; i < aio->nr_inline; i++)
		aio_run_inline(aio, aio->inline_queue[i]);
	aio->nr_inline = 0;

	const uint64_t slept_ns = clock_ns() - start_ns;
	aio->counters.stalls += slept_ns > STALL_NS;
	aio->counters.longest_ns = max_u64(aio->counters.longest_ns, slept_ns);
}

void
aio_on_announced(void *ctx)
{
	struct aio *aio = ctx;
	eventfd_t count;

	if (eventfd_read(aio->eventfd, &count) == 0)
		aio->counters.announced += count;
}

void
aio_on_refused(void *ctx)
{
	struct aio *aio = ctx;
	eventfd_t count;

	if (eventfd_read(aio->refused_fd, &count) < 0)
		return;
	for (unsigned op = 0; op < AIO_NR_SUBMITTERS; op++) {
		const unsigned nr = submitter_take_refused(
			aio->submitters[op], aio->ready + aio->nr_ready);

		aio->nr_ready += nr;
		aio->nr_out -= nr;
	}
}

static void
aio_fire(struct aio *aio, const struct io_event *events, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		const io_callback_t callback = (io_callback_t)events[i].data;

		callback(aio->ctx, events[i].obj, (long)events[i].res,
			 (long)events[i].res2);
	}
}

void
aio_abandon(struct aio *aio)
{
	aio_end_submitters(aio);
	if (aio->ctx != NULL)
		(void)aio->kernel->destroy(aio->ctx); // waits for all of it
	aio->ctx = NULL;
	aio->nr_queued = 0;
}

static int
aio_reap_kernel(struct aio *aio)
{
	struct aio_counters *count = &aio->counters;

	while (count->reaped < count->announced) {
		const uint64_t nr = min_u64(count->announced - count->reaped,
					    aio->depth);
		const int r = aio->kernel->getevents(aio->ctx, 1, (long)nr,
						     aio->events, NULL);
		if (r == -EINTR)
			continue;
		if (r <= 0) {
			aio_abandon(aio);
			return r < 0 ? r : -EIO;
		}
		count->reaped += (uint64_t)r;
		aio->nr_out -= (unsigned)r;
		aio_fire(aio, aio->events, (unsigned)r);
	}
	return 0;
}

int
aio_reap(struct aio *aio)
{
	const unsigned nr = aio->nr_ready;

	// The callbacks may queue, which must not disturb what is fired.
	memcpy(aio->events, aio->ready, nr * sizeof(aio->events[0]));
	aio->nr_ready = 0;
	aio_fire(aio, aio->events, nr);
	return aio_reap_kernel(aio);
}

bool
aio_has_work(const struct aio *aio)
{
	return aio->nr_ready > 0 || aio->nr_inline > 0 ||
	       aio->counters.announced > aio->counters.reaped ||
	       (aio->nr_queued > 0 && aio->nr_out == 0);
}
