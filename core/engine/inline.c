// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "inline.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base.h"

long
inline_call(const struct iocb *iocb)
{
	const int fd = iocb->aio_fildes;
	void *buf = iocb->u.c.buf;
	const size_t len = iocb->u.c.nbytes;
	const off_t pos = iocb->u.c.offset;
	ssize_t n = -1;

	switch (iocb->aio_lio_opcode) {
	case IO_CMD_PREAD:
		n = pread(fd, buf, len, pos);
		break;
	case IO_CMD_PWRITE:
		n = pwrite(fd, buf, len, pos);
		break;
	case IO_CMD_FSYNC:
		n = fsync(fd);
		break;
	case IO_CMD_FDSYNC:
		n = fdatasync(fd);
		break;
	case JOB_CMD_CALL:
		return ((struct job_call *)buf)->make(buf, (uint64_t)pos, len);
	default:
		errno = EINVAL; // as io_submit
	}
	return n < 0 ? -errno : n;
}

static void
inline_queue(struct engine *engine, struct iocb **iocbs, unsigned nr)
{
	struct inline_engine *inl = container_of(engine, struct inline_engine,
						 engine);

	for (unsigned i = 0; i < nr; i++) {
		struct job *job = container_of(iocbs[i], struct job, iocb);

		job->res = inline_call(iocbs[i]);
		job_list_put(&inl->ended, job);
		(*inl->nr_calls)++;
	}
}

static int
inline_take(struct engine *engine, struct io_event *events, unsigned max)
{
	struct inline_engine *inl = container_of(engine, struct inline_engine,
						 engine);

	return (int)job_list_take_events(&inl->ended, events, max);
}

static void
inline_abandon(struct engine *engine)
{
	struct inline_engine *inl = container_of(engine, struct inline_engine,
						 engine);

	inl->ended = (struct job_list){0}; // no call is under way
}

static void
inline_free(struct engine *engine)
{
	(void)engine; // it holds nothing
}

static const struct engine_ops inline_ops = {
	.queue = inline_queue,
	.take = inline_take,
	.abandon = inline_abandon,
	.free = inline_free,
};

void
inline_init(struct inline_engine *inl, uint64_t *nr_calls)
{
	*inl = (struct inline_engine){
		.engine = {.ops = &inline_ops, .news_fd = -1},
		.nr_calls = nr_calls,
	};
}
