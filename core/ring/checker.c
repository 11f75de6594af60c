// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "checker.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base.h"
#include "env.h"
#include "manifest.h"
#include "stats.h"

// Where the range of a manifest ends that has the byte at from.
static size_t
range_end(const struct checker *checker, const struct job *job, size_t from)
{
	const uint64_t pos = checker->base + job->off;
	const uint64_t end = round_down(pos + from, MANIFEST_RANGE) +
			     MANIFEST_RANGE;

	return (size_t)min_u64(end - pos, job->len);
}

// How many of the bytes at job->found are those that the manifest knows to be
// there, or how many are not.
static size_t
run_len(const struct checker *checker, const struct job *job, bool is_known)
{
	const struct manifest *m = checker->env->manifest;
	const uint64_t pos = checker->base + job->off;
	size_t at = job->found;

	if (m == NULL)
		return is_known ? 0 : job->len - at;
	while (at < job->len) {
		const size_t end = range_end(checker, job, at);
		const bool is_same = manifest_ask(m, pos + at, end - at,
						  job->buf + at) ==
				     MANIFEST_SAME;

		if (is_same != is_known)
			break;
		at = end;
	}
	return at - job->found;
}

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
	const size_t missing = run_len(checker, job, false);
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
is_known(const struct job *job)
{
	return job->known == job->len;
}

// What is known is as if it had been read.
static void
checker_go_on(struct checker *checker, struct job *job)
{
	const size_t known = run_len(checker, job, true);

	if (known < job->len)
		memcpy(job->buf + checker->ring->job_size + job->found,
		       job->buf + job->found, known);
	job->found += known;
	job->known += known;
	checker->env->stats->known += known;
	if (job->found < job->len)
		checker_request(checker, job);
	else
		checker_finish(checker, job);
}

void
checker_start(struct checker *checker, struct job *job)
{
	job_move(job, JOB_CHECKING);
	job->route = aio_first_route(checker->aio, checker->align);
	checker_go_on(checker, job);
}

// A place that cannot be read may be one that can be written. Where nothing is
// written it ends the copy.
static void
checker_fail(struct checker *checker, struct job *job, int error)
{
	if (checker->differ == NULL) {
		checker->env->stats->unchecked += job->len;
		checker->env->stats->known -= job->known;
		job->found = job->known = 0;
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
		checker_go_on(checker, job);
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

void
checker_count(const struct checker *checker, uint64_t off, size_t len)
{
	const uint64_t end = off + len, from = max_u64(off, checker->counted);

	checker->env->stats->same += end - min_u64(end, from);
}

size_t
checker_next_run(struct checker *checker, struct job *job)
{
	const struct same same = same_of(checker, job);
	const size_t skip = is_known(job) ? job->len - job->done
					  : same_skip(&same, job->done);

	checker_count(checker, job->off + job->done, skip);
	ring_mark(checker->ring, job, skip, MAP_SAME);
	return is_known(job) ? 0 : same_run(&same, job->done);
}

bool
checker_is_same(const struct checker *checker, const struct job *job,
		size_t len)
{
	const struct same same = same_of(checker, job);

	return is_known(job) || same_skip(&same, 0) >= len;
}

void
checker_tell(struct checker *checker, const struct job *job)
{
	const struct same same = same_of(checker, job);

	differ_tell(checker->differ, &same);
}
