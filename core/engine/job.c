// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "job.h"

#include <assert.h>
#include <errno.h>

void
job_prep(struct job *job, const struct job_io *io)
{
	unsigned char *buf = job->buf + io->from;
	const long long pos = (long long)io->pos;

	if (io->op == JOB_READ)
		io_prep_pread(&job->iocb, io->fd, buf, io->len, pos);
	else
		io_prep_pwrite(&job->iocb, io->fd, buf, io->len, pos);
	io_set_callback(&job->iocb, io->on_done);
	if (io->eventfd >= 0)
		io_set_eventfd(&job->iocb, io->eventfd);
}

enum job_route
job_first_route(uint32_t align, int eventfd)
{
	if (align == 0)
		return JOB_BY_CACHE;
	return eventfd < 0 ? JOB_BY_CALL : JOB_BY_AIO;
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
	if (job->route == JOB_BY_CACHE)
		return false;
	job->route++;
	return true;
}

static const bool legal_moves[JOB_NR_STATES][JOB_NR_STATES] = {
	[JOB_FREE] = {[JOB_READING] = true},
	[JOB_READING] = {[JOB_FILLED] = true, [JOB_FREE] = true},
	[JOB_FILLED] = {[JOB_READY] = true},
	[JOB_READY] = {[JOB_WRITING] = true, [JOB_FREE] = true},
	[JOB_WRITING] = {[JOB_FREE] = true, [JOB_READY] = true},
};

void
job_move(struct job *job, enum job_state to)
{
	assert(legal_moves[job->state][to]);
	job->state = to;
}
