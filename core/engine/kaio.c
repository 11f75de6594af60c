// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "kaio.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base.h"
#include "fd.h"
#include "job.h"
#include "submitter.h"

static struct kaio *
kaio_of(struct engine *engine)
{
	return container_of(engine, struct kaio, engine);
}

static void
kaio_submit(struct kaio *kaio, enum kaio_submitter to, struct iocb **iocbs,
	    unsigned nr)
{
	unsigned nr_batch = 0;

	for (unsigned i = 0; i < nr; i++) {
		const bool is_read = iocbs[i]->aio_lio_opcode == IO_CMD_PREAD;

		if (is_read == (to == KAIO_READS))
			kaio->batch[nr_batch++] = iocbs[i];
	}
	if (nr_batch > 0)
		submitter_queue(kaio->submitters[to], kaio->batch, nr_batch);
}

static void
kaio_queue(struct engine *engine, struct iocb **iocbs, unsigned nr)
{
	struct kaio *kaio = kaio_of(engine);

	// Writes before reads, so that the ring drains before it fills.
	kaio_submit(kaio, KAIO_WRITES, iocbs, nr);
	kaio_submit(kaio, KAIO_READS, iocbs, nr);
}

// One eventfd counts what the kernel completes and what the submitters were
// refused. The count is taken first: a refusal that comes in between is in
// their list already, and not yet in the count, so announced can lag behind
// the kernel's ring, but never lead.
static unsigned
kaio_take_news(struct kaio *kaio, struct io_event *events, unsigned max)
{
	uint64_t *announced = &kaio->counters->announced;
	eventfd_t count;
	uint64_t refused = 0, all;
	unsigned nr = 0;

	if (eventfd_read(kaio->engine.news_fd, &count) == 0)
		kaio->counted += count;
	for (unsigned i = 0; i < KAIO_NR_SUBMITTERS; i++) {
		nr += submitter_take_refused(kaio->submitters[i], events + nr,
					     max - nr, &all);
		refused += all;
	}
	// Also those that events had no room for have been counted.
	if (kaio->counted > refused)
		*announced = max_u64(*announced, kaio->counted - refused);
	return nr;
}

static int
kaio_take(struct engine *engine, struct io_event *events, unsigned max)
{
	struct kaio *kaio = kaio_of(engine);
	struct aio_counters *count = kaio->counters;
	const unsigned refused = kaio_take_news(kaio, events, max);
	const uint64_t nr = min_u64(count->announced - count->reaped,
				    max - refused);
	uint64_t got = 0;

	// Who stops at less would not be woken for the rest.
	while (got < nr) {
		const int r = kaio->kernel->getevents(
			engine->ctx, 1, (long)(nr - got),
			events + refused + got, NULL);

		if (r == -EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? r : -EIO;
		got += (uint64_t)r;
		count->reaped += (uint64_t)r;
	}
	return (int)(refused + got);
}

static void
kaio_end_submitters(struct kaio *kaio)
{
	// One that never began has no counters.
	for (unsigned i = 0; i < KAIO_NR_SUBMITTERS; i++) {
		if (kaio->submitters[i] != NULL)
			kaio->counters->submitted +=
				submitter_free(kaio->submitters[i]);
		kaio->submitters[i] = NULL;
	}
}

static void
kaio_abandon(struct engine *engine)
{
	struct kaio *kaio = kaio_of(engine);

	kaio_end_submitters(kaio);
	(void)kaio->kernel->destroy(engine->ctx); // waits for all of it
	engine->ctx = NULL;
}

// What the threads still had to count.
static void
kaio_check(struct kaio *kaio)
{
	struct io_event none;

	(void)kaio_take_news(kaio, &none, 0);
	kaio_end_submitters(kaio);
	assert(kaio->counters->submitted == kaio->counters->announced);
	assert(kaio->counters->announced == kaio->counters->reaped);
}

static void
kaio_free(struct engine *engine)
{
	struct kaio *kaio = kaio_of(engine);

	if (engine->ctx != NULL) {
		kaio_check(kaio);
		(void)kaio->kernel->destroy(engine->ctx); // nothing is out
	}
	kaio_end_submitters(kaio);
	if (engine->news_fd >= 0)
		(void)close(engine->news_fd); // only counts
	free(kaio->batch);
	free(kaio);
}

// With no request out whose end anybody waits for.
static void
kaio_drop(struct kaio *kaio)
{
	if (kaio->engine.ctx != NULL)
		kaio_abandon(&kaio->engine);
	kaio_free(&kaio->engine);
}

static const struct engine_ops kaio_ops = {
	.queue = kaio_queue,
	.take = kaio_take,
	.abandon = kaio_abandon,
	.free = kaio_free,
};

static int
kaio_init(struct kaio *kaio, unsigned depth)
{
	struct engine *engine = &kaio->engine;

	engine->news_fd = fd_move_up(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	if (engine->news_fd < 0)
		return engine->news_fd;
	kaio->batch = calloc(depth, sizeof(kaio->batch[0]));
	if (kaio->batch == NULL)
		return -ENOMEM;
	const int r = kaio->kernel->setup((int)depth, &engine->ctx);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < KAIO_NR_SUBMITTERS; i++) {
		kaio->submitters[i] = submitter_new(kaio->kernel, engine->ctx,
						    depth, engine->news_fd);
		if (kaio->submitters[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

int
kaio_new(struct kaio **ret, const struct aio_kernel *kernel, unsigned depth,
	 struct aio_counters *counters)
{
	struct kaio *kaio = calloc(1, sizeof(*kaio));

	if (kaio == NULL)
		return -ENOMEM;
	*kaio = (struct kaio){.engine = {.ops = &kaio_ops},
			      .kernel = kernel,
			      .counters = counters};
	const int r = kaio_init(kaio, depth);
	if (r < 0)
		kaio_drop(kaio);
	else
		*ret = kaio;
	return r;
}

void
kaio_start_submitters(struct kaio *kaio)
{
	for (unsigned i = 0; i < KAIO_NR_SUBMITTERS; i++)
		(void)submitter_start(kaio->submitters[i]);
}

static int
probe_read(struct kaio *kaio, int fd)
{
	unsigned char byte;
	struct job job = {.buf = &byte};
	struct iocb *iocbs[] = {&job.iocb};
	struct io_event event;
	eventfd_t count;

	job_prep(&job, &(struct job_io){.op = JOB_READ, .fd = fd, .len = 1},
		 kaio->engine.news_fd);
	int r = kaio->kernel->submit(kaio->engine.ctx, 1, iocbs);
	if (r != 1)
		return r < 0 ? r : -EAGAIN;
	do {
		r = kaio->kernel->getevents(kaio->engine.ctx, 1, 1, &event,
					    NULL);
	} while (r == -EINTR);
	if (r != 1)
		return r < 0 ? r : -EIO;
	if (eventfd_read(kaio->engine.news_fd, &count) < 0)
		return -errno;
	return (long)event.res == 1 ? 0 : -EIO;
}

static int
kaio_probe(struct kaio *kaio)
{
	const int fd = memfd_create("probe", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = pwrite(fd, "", 1, 0) == 1 ? probe_read(kaio, fd) : -EIO;
	(void)close(fd); // a memory file
	return r;
}

int
kaio_open(struct engine **ret, const struct aio_kernel *kernel, unsigned depth,
	  struct aio_counters *counters)
{
	struct kaio *kaio;
	int r = kaio_new(&kaio, kernel, depth, counters);

	if (r < 0)
		return r;
	r = kaio_probe(kaio);
	if (r < 0) {
		kaio_drop(kaio);
	} else {
		kaio_start_submitters(kaio);
		*ret = &kaio->engine;
	}
	return r;
}
