// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "zeroer.h"

#include <assert.h>
#include <string.h>

#include "base.h"
#include "env.h"
#include "side.h"
#include "stats.h"

enum clear_way
zeroer_next(const struct zeroer *z, uint64_t off, uint64_t len,
	    uint64_t *ret_len)
{
	return clear_next(z->clear, z->base + off, len, ret_len);
}

bool
zeroer_has_room(const struct zeroer *z)
{
	return z->nr < RING_SPANS_BESIDE;
}

static uint64_t
end_of(const struct zeroer_span *span)
{
	return span->off + span->len;
}

// The writer finds them in the order in which the reads have ended. What
// touches is one; the first may be out, so that it must not begin sooner.
void
zeroer_put(struct zeroer *z, struct zeroer_span span)
{
	unsigned i = z->nr;

	assert(zeroer_has_room(z));
	while (i > 0 && z->spans[i - 1].off > span.off)
		i--;
	struct zeroer_span *at = &z->spans[i];
	if (i > 0 && end_of(&at[-1]) == span.off &&
	    at[-1].is_skipped == span.is_skipped) {
		at[-1].len += span.len;
		return;
	}
	memmove(at + 1, at, (z->nr - i) * sizeof(*at));
	*at = span;
	z->nr++;
}

// As far as the jobs may be ahead of the oldest of them.
static uint64_t
reach(const struct zeroer *z)
{
	return (uint64_t)RING_SPAN * z->ring->depth * z->ring->job_size;
}

bool
zeroer_is_behind(const struct zeroer *z)
{
	return z->clear != NULL && z->nr > 0 &&
	       (!zeroer_has_room(z) ||
		z->ring->next > end_of(&z->spans[0]) + reach(z));
}

// Behind a failure nothing is begun.
static void
drop_behind_end(struct zeroer *z)
{
	while (z->nr > 0 && z->spans[z->nr - 1].off >= z->ring->end)
		z->nr--;
}

// What is before a failure, and not so far ahead that much of what was there
// would be lost by one.
static bool
has_next(const struct zeroer *z)
{
	return !z->is_stopped && z->nr > 0 &&
	       z->spans[0].off < z->ring->end &&
	       z->spans[0].off <= ring_prefix(z->ring) + reach(z);
}

static long
zeroer_make(struct job_call *call, uint64_t pos, uint64_t len)
{
	struct zeroer *z = container_of(call, struct zeroer, call);

	return clear_some(z->clear, pos, len);
}

static void
zeroer_fail(struct zeroer *z, int error)
{
	const uint64_t pos = z->clear->error_pos;
	const struct event failure = {
		.kind = FAILURE_WRITE,
		.error = error,
		.name = z->clear->side->name,
		.off = pos > z->base ? pos - z->base : 0,
		.len = CLEAR_ALIGN,
	};

	event_keep_first(z->failure, &failure);
	// Where it was for nothing that is in hand, holes are not told apart.
	ring_cut(z->ring, failure.off,
		 z->nr > 0 ? z->spans[0].skipped : z->ring->skipped);
}

// The first n bytes of what was out are zeros now.
static void
zeroer_advance(struct zeroer *z, uint64_t off, uint64_t n)
{
	unsigned i = 0;

	// Others may have come before it meanwhile.
	while (z->spans[i].off != off)
		i++;
	assert(i < z->nr);
	ring_mark_at(z->ring, off, n,
		     z->clear->is_written ? MAP_DONE : MAP_HOLE);
	struct zeroer_span *span = &z->spans[i];
	span->off += n;
	span->len -= n;
	if (span->is_skipped)
		span->skipped += n;
	if (span->len == 0)
		memmove(span, span + 1, (--z->nr - i) * sizeof(*span));
}

static void
zeroer_on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	struct zeroer *z = container_of(iocb, struct zeroer, job.iocb);

	(void)ctx;
	(void)res2;
	z->is_out = false;
	clear_count(z->clear, z->env->stats);
	if (res < 0)
		zeroer_fail(z, (int)-res);
	else if (res > 0)
		zeroer_advance(z, z->job.off, (uint64_t)res);
}

void
zeroer_start(struct zeroer *z)
{
	if (z->clear == NULL || z->is_out)
		return;
	drop_behind_end(z);
	if (!z->clear->is_owing && !has_next(z))
		return;
	// What it owes does not ask where.
	const struct zeroer_span first = z->nr > 0 ? z->spans[0]
						   : (struct zeroer_span){0};
	const struct job_io io = {
		.op = JOB_CALL,
		.route = JOB_BY_HELPER,
		.pos = z->base + first.off,
		.len = first.len,
		.call = &z->call,
		.on_done = zeroer_on_done,
	};
	z->call.make = zeroer_make;
	z->job = (struct job){.off = first.off};
	z->is_out = true;
	aio_queue(z->aio, &z->job, &io);
}

bool
zeroer_is_done(const struct zeroer *z)
{
	if (z->clear == NULL)
		return true;
	return !z->is_out && !z->clear->is_owing &&
	       (z->is_stopped || z->nr == 0 ||
		z->spans[0].off >= z->ring->end);
}

uint64_t
zeroer_prefix_skipped(const struct zeroer *z)
{
	const uint64_t skipped = ring_prefix_skipped(z->ring);

	return z->nr > 0 ? min_u64(skipped, z->spans[0].skipped) : skipped;
}
