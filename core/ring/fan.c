// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "fan.h"

#include <errno.h>

#include "base.h"
#include "env.h"
#include "hooks.h"
#include "loan.h"
#include "side.h"
#include "writeback.h"

static bool
is_out(const struct fan_branch *b)
{
	return b->is_left || b->failure.kind != EVENT_NONE;
}

// All that write its bytes are through.
static void
finish(struct ring *ring, struct job *job)
{
	ring_mark(ring, job, job->len, MAP_DONE);
	ring_put(ring, job);
}

// A leg gives back what it has borrowed.
static void
give_back(struct fan_branch *b, struct job *leg)
{
	struct job *job = loan_end(leg);

	if (job != NULL && --job->nr_left == 0)
		finish(b->fan->ring, job);
}

static void
on_put(struct job *leg)
{
	give_back(container_of(leg->writer, struct fan_branch, writer), leg);
}

static void
fail(struct fan_branch *b, enum event_kind kind, int error)
{
	const uint64_t off = ring_prefix(&b->ring);

	event_keep_first(&b->failure, &(struct event){.kind = kind,
						      .error = error,
						      .name = b->side->name,
						      .off = off});
	ring_cut(&b->ring, off, 0);
}

// More comes than there is room for.
static void
note_full(struct fan_branch *b)
{
	event_keep_first(&b->failure, &(struct event){.kind = FAILURE_WRITE,
						      .error = ENOSPC,
						      .name = b->side->name,
						      .off = b->ring.end});
}

static void
take(struct fan_branch *b, struct job *job)
{
	const uint64_t room = b->ring.end - min_u64(job->off, b->ring.end);

	if (b->is_left)
		return;
	if (room < job->len)
		note_full(b);
	if (room == 0)
		return;
	struct job *leg = ring_take_at(&b->ring, job->off,
				       (size_t)min_u64(job->len, room));
	if (leg == NULL) {
		fail(b, FAILURE_WRITE, ENOMEM);
		return;
	}
	leg->len = leg->want;
	leg->is_zeros = job->is_zeros;
	leg->writer = &b->writer;
	job->nr_left++;
	job_move(leg, JOB_READING);
	if (loan_begin(leg, job) < 0) {
		fail(b, FAILURE_WRITE, ENOMEM);
		ring_put(&b->ring, leg);
	} else {
		ring_fill(&b->ring, leg);
	}
}

static void
hand_over(struct fan *fan, struct job *job)
{
	struct ring *ring = fan->ring;

	if (job->off >= ring->end) {
		ring_put(ring, job);
		return;
	}
	job->len = (size_t)min_u64(job->len, ring->end - job->off);
	job_move(job, JOB_WRITING);
	job->nr_left = 1; // ours, until all have theirs
	for (unsigned i = 0; i < fan->nr; i++)
		take(&fan->branches[i], job);
	if (--job->nr_left == 0)
		finish(ring, job);
}

// Where the end of its requests is not to be had, all have ended.
static void
lose(struct fan_branch *b)
{
	fail(b, FAILURE_WRITE, EIO);
	b->is_left = true;
	for (unsigned i = 0; i < b->ring.depth; i++)
		if (b->ring.jobs[i].lender != NULL)
			give_back(b, &b->ring.jobs[i]);
}

bool
fan_may_come_back(const struct fan_branch *b)
{
	return b->failure.error == ENOTCONN && !b->is_stalled &&
	       b->side->ops->reconnect != NULL;
}

// At once, but only when an earlier one cannot come any more.
static void
tell(struct fan_branch *b)
{
	struct event failure = b->failure;

	if (failure.kind == EVENT_NONE || b->is_told || fan_may_come_back(b) ||
	    (!b->is_left && !ring_is_drained(&b->ring)))
		return;
	b->is_told = true;
	failure.off += b->plan->dst_off;
	if (b->env->hooks != NULL)
		hooks_tell(b->env->hooks, failure);
}

void
fan_step(struct fan *fan)
{
	struct ring *ring = fan->ring;

	for (unsigned i = 0; i < fan->nr; i++) {
		struct fan_branch *b = &fan->branches[i];

		if (!b->is_left && aio_reap(b->aio) < 0)
			lose(b);
	}
	while (ring->ready != NULL)
		hand_over(fan, ring_take_ready(ring));
	for (unsigned i = 0; i < fan->nr; i++) {
		struct fan_branch *b = &fan->branches[i];

		if (!b->is_left) {
			writer_start(&b->writer);
			zeroer_start(&b->zeroer);
			aio_submit(b->aio);
		}
		tell(b);
	}
}

bool
fan_has_work(const struct fan *fan)
{
	if (fan->ring->ready != NULL)
		return true;
	for (unsigned i = 0; i < fan->nr; i++) {
		const struct fan_branch *b = &fan->branches[i];

		if (!b->is_left &&
		    (aio_has_work(b->aio) || writer_can_start(&b->writer)))
			return true;
	}
	return false;
}

bool
fan_is_done(const struct fan *fan)
{
	for (unsigned i = 0; i < fan->nr; i++) {
		const struct fan_branch *b = &fan->branches[i];

		if (!b->is_left &&
		    (!zeroer_is_done(&b->zeroer) || !ring_is_drained(&b->ring)))
			return false;
	}
	return true;
}

bool
fan_is_out(const struct fan *fan)
{
	for (unsigned i = 0; i < fan->nr; i++)
		if (!is_out(&fan->branches[i]))
			return false;
	return true;
}

// Without memory it is tried again at the next look.
static void
leave(struct fan_branch *b)
{
	fail(b, FAILURE_STALLED, 0);
	for (unsigned i = 0; i < b->ring.depth; i++) {
		struct job *leg = &b->ring.jobs[i];

		if (leg->lender == NULL)
			continue;
		if (loan_leave(leg, b->fan->ring->job_size) < 0)
			return;
		give_back(b, leg);
	}
	b->is_left = b->is_stalled = b->fan->is_stalled = true;
	tell(b);
}

static bool
has_others(const struct fan_branch *b)
{
	const struct fan *fan = b->fan;

	for (unsigned i = 0; i < fan->nr; i++)
		if (&fan->branches[i] != b && !is_out(&fan->branches[i]))
			return true;
	return false;
}

// It may have ended meanwhile, with nobody there to reap.
static bool
has_news(struct fan_branch *b)
{
	if (aio_reap(b->aio) < 0) {
		lose(b);
		return true;
	}
	return aio_nr_taken(b->aio) != b->nr_taken;
}

static void
look(struct fan_branch *b, bool is_waited, uint64_t ns)
{
	const uint64_t nr = aio_nr_taken(b->aio);

	if (nr != b->nr_taken || !is_waited || aio_nr_out(b->aio) == 0) {
		b->nr_taken = nr;
		b->waited_ns = 0;
		return;
	}
	b->waited_ns += ns;
	if (b->waited_ns >= FAN_PATIENCE_NS && has_others(b) && !has_news(b))
		leave(b);
}

void
fan_look(struct fan *fan, uint64_t now_ns)
{
	const struct ring *ring = fan->ring;
	const bool is_waited = !ring_has_free(ring) || ring->next >= ring->end;
	const uint64_t ns = min_u64(now_ns - fan->looked_ns, FAN_LOOK_MAX_NS);

	fan->looked_ns = now_ns;
	for (unsigned i = 0; i < fan->nr; i++)
		if (!fan->branches[i].is_left)
			look(&fan->branches[i], is_waited, ns);
}

void
fan_stop(struct fan *fan)
{
	for (unsigned i = 0; i < fan->nr; i++) {
		fan->branches[i].zeroer.is_stopped = true;
		fan->branches[i].writer.writeback = NULL;
	}
}

void
fan_let_go(struct fan *fan)
{
	if (fan->is_stalled)
		fan->ring->arena = NULL;
}

int
fan_watch(struct fan *fan, struct watch *watch)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < fan->nr; i++) {
		struct fan_branch *b = &fan->branches[i];

		r = watch_add_aio(watch, b->ended, b->aio);
		if (r == 0 && b->writer.writeback != NULL)
			r = watch_add(watch, &b->written_out,
				      writeback_fd(b->writer.writeback));
	}
	return r;
}

static struct sieve
make_sieve(struct fan_branch *b)
{
	return (struct sieve){
		.env = b->env,
		.ring = &b->ring,
		.base = b->plan->dst_off,
		.sparse_unit = b->plan->sparse_unit,
		.keeps_holes = b->plan->holes >= PLAN_HOLES_KEEP,
		.zeroer = &b->zeroer,
		.hold = b->hold,
	};
}

static int
init(struct fan_branch *b, struct fan *fan)
{
	const struct plan *plan = b->plan;
	const bool is_inline = plan->dst.method == PLAN_INLINE;

	b->fan = fan;
	b->zeroer = (struct zeroer){
		.env = b->env,
		.aio = b->aio,
		.ring = &b->ring,
		.failure = &b->failure,
		.clear = b->clear,
		.base = plan->dst_off,
	};
	b->writer = (struct writer){
		.env = b->env,
		.aio = b->aio,
		.ring = &b->ring,
		.failure = &b->failure,
		.side = b->side,
		.align = plan->dst.align,
		.is_one_by_one = plan->is_in_order,
		.base = plan->dst_off,
		.sieve = make_sieve(b),
		.writeback = is_inline ? b->writeback : NULL,
	};
	if (b->clear != NULL)
		aio_add_helper(b->aio);
	aio_serve(b->aio, b->side->engine);
	const int r = ring_init_lent(&b->ring, plan);
	b->ring.on_put = on_put;
	return r;
}

int
fan_init(struct fan *fan, struct fan_branch *branches, unsigned nr)
{
	*fan = (struct fan){.branches = branches, .nr = nr};
	for (unsigned i = 0; i < nr; i++) {
		const int r = init(&branches[i], fan);

		if (r == 0)
			continue;
		fan->nr = i;
		fan_done(fan);
		return r;
	}
	return 0;
}

void
fan_done(struct fan *fan)
{
	for (unsigned i = 0; i < fan->nr; i++)
		if (!fan->branches[i].is_stalled)
			ring_done(&fan->branches[i].ring);
}
