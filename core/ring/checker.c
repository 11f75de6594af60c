// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "checker.h"

#include <assert.h>
#include <errno.h>

#include "base.h"
#include "env.h"
#include "manifest.h"
#include "stats.h"

static bool
can_go_direct(const struct checker *checker, const struct job *job)
{
	return checker->align > 0 && job->route != JOB_BY_CACHE &&
	       (checker->base + job->off + job->found) % checker->align == 0 &&
	       job->found % checker->align == 0;
}

// Ask for what is missing, in whole blocks where it goes direct: the kernel
// gives what there is.
static void
checker_request(struct checker *checker, struct job *job)
{
	const bool is_direct = can_go_direct(checker, job);
	const size_t missing = job->len - job->found;
	const struct job_io io = {
		.op = JOB_READ,
		.own = checker->side->engine,
		.route = is_direct ? job->route : JOB_BY_CACHE,
		.fd = side_fd(checker->side,
			      is_direct ? SIDE_DIRECT : SIDE_BUFFERED),
		.pos = checker->base + job->off + job->found,
		.from = checker->ring->job_size + job->found,
		.len = is_direct ? (size_t)round_up(missing, checker->align)
				 : missing,
		.on_done = checker_on_done,
	};

	assert(job->found + io.len <= checker->ring->job_size);
	aio_queue(checker->aio, job, &io);
}

static void
checker_finish(struct checker *checker, struct job *job)
{
	job->is_checked = true;
	checker->on_checked(job);
}

static bool
is_known(const struct checker *checker, const struct job *job)
{
	const struct manifest *m = checker->env->manifest;

	return m != NULL && manifest_ask(m, checker->base + job->off, job->len,
					 job->buf) == MANIFEST_SAME;
}

void
checker_start(struct checker *checker, struct job *job)
{
	job_move(job, JOB_CHECKING);
	job->route = aio_first_route(checker->aio, checker->align);
	if (!is_known(checker, job)) {
		checker_request(checker, job);
		return;
	}
	job->is_known = true;
	checker->env->stats->known += job->len;
	checker_finish(checker, job);
}

// A place that cannot be read may be one that can be written. Where nothing is
// written it ends the copy.
static void
checker_fail(struct checker *checker, struct job *job, int error)
{
	if (checker->differ == NULL) {
		checker->env->stats->unchecked += job->len;
		job->found = 0;
	} else {
		event_keep_first(checker->failure,
				 &(struct event){.kind = FAILURE_READ,
						 .error = error,
						 .name = checker->side->name,
						 .off = job->off + job->found,
						 .len = job->len - job->found});
		ring_cut(checker->ring, job->off + job->found,
			 job->skipped);
	}
	checker_finish(checker, job);
}

void
checker_on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	struct job *job = container_of(iocb, struct job, iocb);
	struct checker *checker = job->checker;

	(void)ctx;
	(void)res2; // always 0 for a read
	if (res == -EINTR || job_reroute(job, res)) {
		checker_request(checker, job);
	} else if (res < 0) {
		checker_fail(checker, job, (int)-res);
	} else if (res == 0) {
		checker_finish(checker, job);
	} else {
		job->found = (size_t)min_u64(job->found + (uint64_t)res,
					     job->len);
		if (job->found < job->len)
			checker_request(checker, job);
		else
			checker_finish(checker, job);
	}
}

static struct same
same_of(const struct checker *checker, const struct job *job)
{
	return (struct same){
		.bytes = job->buf,
		.found = job->buf + checker->ring->job_size,
		.len = job->len,
		.nr_found = (size_t)min_u64(job->found, job->len),
		.pos = checker->base + job->off,
		.unit = checker->unit,
	};
}

size_t
checker_next_run(struct checker *checker, struct job *job)
{
	const struct same same = same_of(checker, job);
	const size_t skip = job->is_known ? job->len - job->done
					  : same_skip(&same, job->done);

	checker->env->stats->same += skip;
	ring_mark(checker->ring, job, skip, MAP_SAME);
	return job->is_known ? 0 : same_run(&same, job->done);
}

bool
checker_is_same(const struct checker *checker, const struct job *job,
		size_t len)
{
	const struct same same = same_of(checker, job);

	return job->is_known || same_skip(&same, 0) >= len;
}

void
checker_tell(struct checker *checker, const struct job *job)
{
	const struct same same = same_of(checker, job);

	differ_tell(checker->differ, &same);
}
