// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "job.h"

#include <assert.h>
#include <errno.h>

static void
prep_call(struct iocb *iocb, const struct job_io *io)
{
	*iocb = (struct iocb){.aio_fildes = -1, .aio_lio_opcode = JOB_CMD_CALL};
	iocb->u.c.buf = io->call;
	iocb->u.c.nbytes = io->len;
	iocb->u.c.offset = (long long)io->pos;
}

void
job_prep(struct job *job, const struct job_io *io, int eventfd)
{
	unsigned char *buf = job->buf + io->from;
	const long long pos = (long long)io->pos;

	switch (io->op) {
	case JOB_READ:
		io_prep_pread(&job->iocb, io->fd, buf, io->len, pos);
		break;
	case JOB_WRITE:
		io_prep_pwrite(&job->iocb, io->fd, buf, io->len, pos);
		break;
	case JOB_FSYNC:
		io_prep_fsync(&job->iocb, io->fd);
		break;
	case JOB_FDSYNC:
		io_prep_fdsync(&job->iocb, io->fd);
		break;
	case JOB_CALL:
		prep_call(&job->iocb, io);
		break;
	}
	io_set_callback(&job->iocb, io->on_done);
	if (eventfd >= 0)
		io_set_eventfd(&job->iocb, eventfd);
}

bool
job_reroute(struct job *job, long res)
{
	switch (-res) {
	case EINVAL:
	case EAGAIN:
	case EOPNOTSUPP:
	case ENOMEM:
		break;
	default:
		return false;
	}
	if (job->route >= JOB_BY_CACHE)
		return false;
	job->route++;
	return true;
}

static const bool legal_moves[JOB_NR_STATES][JOB_NR_STATES] = {
	[JOB_FREE] = {[JOB_READING] = true},
	[JOB_READING] = {[JOB_FILLED] = true, [JOB_FREE] = true},
	[JOB_FILLED] = {[JOB_READY] = true},
	[JOB_READY] = {[JOB_CHECKING] = true,
		       [JOB_WRITING] = true,
		       [JOB_FREE] = true},
	[JOB_CHECKING] = {[JOB_WRITING] = true, [JOB_FREE] = true},
	[JOB_WRITING] = {[JOB_FREE] = true, [JOB_READY] = true},
};

void
job_move(struct job *job, enum job_state to)
{
	assert(legal_moves[job->state][to]);
	job->state = to;
}

void
job_list_put(struct job_list *list, struct job *job)
{
	job->next = NULL;
	if (list->first == NULL)
		list->first = job;
	else
		list->last->next = job;
	list->last = job;
}

struct job *
job_list_take(struct job_list *list)
{
	struct job *job = list->first;

	if (job != NULL)
		list->first = job->next;
	return job;
}

unsigned
job_list_take_events(struct job_list *list, struct io_event *events,
		     unsigned max)
{
	struct job *job;
	unsigned nr = 0;

	while (nr < max && (job = job_list_take(list)) != NULL)
		events[nr++] = (struct io_event){
			.data = job->iocb.data,
			.obj = &job->iocb,
			.res = (unsigned long)job->res,
		};
	return nr;
}
