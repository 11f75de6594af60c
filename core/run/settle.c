// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "settle.h"

#include <assert.h>
#include <errno.h>

#include "base.h"
#include "bulk.h"
#include "copy.h"
#include "env.h"
#include "event.h"
#include "growth.h"
#include "hooks.h"
#include "ranges.h"

#define DRAIN_LEN (64 * KIB)

enum bulk_verdict
settle_nothing(struct bulk *b)
{
	return growth_trim(b, 0, 0) < 0 ? BULK_FAILED : BULK_RECORDS;
}

// The copy goes on at a record boundary before what was written: a record
// that is then left out must leave nothing behind.
static enum bulk_verdict
step_back(struct bulk *b, uint64_t n, enum bulk_verdict verdict)
{
	const uint64_t whole = round_down(n, b->plan.unit);

	if (whole < n && growth_cut_back(b, n, whole) < 0)
		verdict = BULK_FAILED;
	return bulk_advance(b, whole, verdict);
}

// The record engine may get further. Not on a device that is full: the page
// cache has room, and takes what the device refuses.
static bool
can_retry_write(const struct bulk *b, const struct copy *copy)
{
	const int error = copy->failure.error;
	const bool is_full = error == ENOSPC || error == EDQUOT;

	return writer_can_retry(error) && copy->writer.nr_broken == 0 &&
	       !(is_full && facts_is_device(&b->dst->facts));
}

// What was written around the page cache may be in it as it was before.
static void
drop_cache(struct bulk *b, uint64_t next, uint64_t nr_cached)
{
	const struct plan *plan = &b->plan;

	// The kernel itself sees to other files; verify= says the same.
	const struct facts *dst = &b->dst->facts;
	const bool is_late = plan_is_direct(&plan->dst) &&
			     (facts_is_device(dst) || dst->is_remote);

	if (is_late && next > 0 &&
	    b->dst->ops->drop_cache(b->dst, plan->dst_off, next) < 0 &&
	    !b->request->is_dd && !b->request->verify)
		hooks_tell(b->env->hooks,
			   (struct event){.kind = NOTICE_CACHE_KEPT,
					  .name = b->dst->name});
	if ((b->request->oflags & FLAG_DIRECT) && nr_cached > 0)
		b->needs_fsync = true;
}

// Byte n of the stretch could not be written: whatever goes into its record has
// been read before, and dd counts it. A record that ends with the source has
// words of its own.
static enum event_kind
count_refused(struct bulk *b, uint64_t n, uint64_t reached)
{
	const struct request *q = b->request;
	const struct plan *plan = &b->plan;
	const uint64_t base = b->rest.done - n;
	const uint64_t end = round_down(n, q->obs) + q->obs;
	uint64_t left = plan->count_len;

	if (facts_has_offsets(&b->src->facts))
		left = min_u64(left, b->src->facts.size - plan->src_off);
	else if (plan->src.method == PLAN_FEED)
		left = min_u64(left, reached);
	const uint64_t read = base + min_u64(round_up(end, q->ibs), left);
	b->env->stats->in_full = read / q->ibs - b->env->stats->in_marred;
	b->env->stats->in_partial =
		(read % q->ibs != 0) + b->env->stats->in_marred;
	return q->is_single_buffer || left < end ? FAILURE_WRITE
						 : FAILURE_WRITE_TO;
}

// No completions any more: all has ended, and the rest goes without them.
// Without kernel AIO it is the loop itself that cannot sleep.
static enum bulk_verdict
settle_lost(struct bulk *b, uint64_t n)
{
	const bool was_aio = plan_uses_aio(&b->plan);

	b->refused.aio_error = -EPERM;
	return step_back(b, n, was_aio ? BULK_AGAIN : BULK_RECORDS);
}

static enum bulk_verdict
settle_refused(struct bulk *b, const struct copy *copy, uint64_t n,
	       struct event failure)
{
	failure.off += b->plan.dst_off;
	(void)bulk_advance(b, n, BULK_FAILED); // as it is
	failure.kind = count_refused(b, n, copy->reader.reached);
	hooks_tell(b->env->hooks, failure);
	return BULK_FAILED;
}

// Of the source, where count= has not ended it.
static bool
is_at_end(const struct bulk *b, uint64_t n)
{
	return n < b->plan.len || (!facts_is_endless(&b->src->facts) &&
				   b->plan.src_off + n >= b->src->facts.size);
}

// What has been written of the record stays, and is not read again: what could
// be read once may not be readable twice, and the digests have it.
static enum bulk_verdict
settle_obstacle(struct bulk *b, uint64_t n)
{
	b->rest.is_within = true;
	return b->plan.is_whole ? step_back(b, n, BULK_OBSTACLE)
				: bulk_advance(b, n, BULK_OBSTACLE);
}

// As dd what a bad disk answers depends on what it is asked for.
static bool
can_go_round(const struct bulk *b, const struct event *failure)
{
	const struct request *q = b->request;

	return failure->kind == FAILURE_READ && !q->is_dd &&
	       (q->conv & CONV_NOERROR) && facts_has_offsets(&b->src->facts);
}

// What is between and behind the ranges has not all been read. Whoever writes
// the stream wants it to be, and it has to end where the image does.
static enum bulk_verdict
drain(struct bulk *b, uint64_t from)
{
	const struct side *src = b->src;
	const struct hooks *h = b->env->hooks;
	unsigned char buf[DRAIN_LEN];
	ssize_t n = 1;

	while (n != 0 && from <= src->ranges->size) {
		if (h->must_stop(h->ctx))
			return BULK_STOPPED;
		n = src->ops->read(src, buf, sizeof(buf));
		if (n < 0 && n != -EINTR) {
			side_tell(src, h, FAILURE_READ, (int)-n);
			return BULK_FAILED;
		}
		from += n > 0 ? (uint64_t)n : 0;
	}
	b->is_longer = from > src->ranges->size;
	b->is_shorter = from < src->ranges->size;
	return b->is_longer || b->is_shorter ? BULK_STOPPED : BULK_DONE;
}

// What a stream has given is not to be had again, and what it will not give
// is told by whoever has read it.
static enum bulk_verdict
settle_fed(struct bulk *b, const struct copy *copy, enum copy_verdict verdict)
{
	const uint64_t n = ring_prefix(&copy->ring);
	struct event failure = copy->failure;

	if (verdict == COPY_LOST)
		failure = (struct event){.kind = FAILURE_WRITE,
					 .error = EIO,
					 .name = b->dst->name,
					 .off = n};
	if (failure.kind == FAILURE_WRITE)
		return settle_refused(b, copy, n, failure);
	if (failure.kind == FAILURE_READ) {
		failure.off += b->plan.src_off;
		(void)bulk_advance(b, n, BULK_FAILED); // as it is
		hooks_tell(b->env->hooks, failure);
		return BULK_FAILED;
	}
	if (b->src->ranges != NULL && n == b->src->ranges->size &&
	    n < b->plan.count_len)
		return bulk_advance(b, n, drain(b, copy->reader.read_end));
	// A device that is full is told by who has the next record for it.
	return bulk_advance(b, n,
			    n == b->plan.len && n < b->plan.count_len
				    ? BULK_RECORDS
				    : BULK_DONE);
}

// What was written since the last flush may be gone: the copy goes back to
// where it is safe, and to where a stretch can begin.
static enum bulk_verdict
go_back(struct bulk *b, uint64_t n, const struct side *side, uint64_t lost)
{
	const uint64_t start = b->plan.dst_off - b->rest.done;
	uint64_t done = b->rest.done + n;

	b->rest.counted = max_u64(b->rest.counted, done);
	if (lost < start + done)
		done = lost - min_u64(lost, start);
	done = round_down(done, b->plan.resume_unit);
	hooks_tell(b->env->hooks, (struct event){.kind = NOTICE_REGAINED,
						 .name = side->name,
						 .off = start + done});
	n = done - min_u64(done, b->rest.done);
	b->rest.done = min_u64(done, b->rest.done);
	return bulk_advance(b, n, BULK_AGAIN);
}

// BULK_RECORDS: it does not come back.
static enum bulk_verdict
reconnect(struct bulk *b, uint64_t n, struct side *side)
{
	uint64_t lost = UINT64_MAX;
	const int r = side->ops->reconnect != NULL
			      ? side->ops->reconnect(side, b->env->hooks, &lost)
			      : -EOPNOTSUPP;

	if (r == -ECANCELED)
		return bulk_advance(b, n, BULK_STOPPED);
	return r == 0 ? go_back(b, n, side, lost) : BULK_RECORDS;
}

// The server of a side that is gone. Of a destination that has all of it, too:
// it has to be there when it is made durable. NULL: none is.
static struct side *
find_lost(const struct bulk *b, const struct event *failure)
{
	struct side *dst = b->dst;

	assert(dst != NULL && b->src != NULL);
	if (failure->kind == EVENT_NONE)
		return dst->ops->reconnect != NULL &&
				       request_writes(b->request) &&
				       facts_is_disk(&dst->facts) &&
				       dst->ops->sync(dst, true,
						      b->env->hooks) ==
					       -ENOTCONN
			       ? dst
			       : NULL;
	if (failure->error != ENOTCONN)
		return NULL;
	// What is there is read, too.
	return failure->kind == FAILURE_WRITE || failure->name == dst->name
		       ? dst
		       : b->src;
}

enum bulk_verdict
settle_copy(struct bulk *b, const struct copy *copy, enum copy_verdict verdict)
{
	const struct event *failure = &copy->failure;
	const uint64_t n = ring_prefix(&copy->ring);
	const bool is_trimmed = growth_trim(b, n, copy->ring.next) == 0;

	drop_cache(b, copy->ring.next, copy->writer.nr_cached);
	if (copy->is_stopped)
		return bulk_advance(b, n, BULK_STOPPED);
	if (b->plan.src.method == PLAN_FEED)
		return settle_fed(b, copy, verdict);
	if (verdict == COPY_LOST && is_trimmed)
		return settle_lost(b, n);
	struct side *lost = is_trimmed ? find_lost(b, failure) : NULL;
	if (lost != NULL) {
		const enum bulk_verdict again = reconnect(b, n, lost);

		if (again != BULK_RECORDS)
			return again;
	}
	if (failure->kind == FAILURE_WRITE &&
	    !(is_trimmed && can_retry_write(b, copy)))
		return settle_refused(b, copy, n, *failure);
	if (!is_trimmed)
		return bulk_advance(b, n, BULK_FAILED);
	if (failure->kind == EVENT_NONE && n == b->plan.count_len)
		return bulk_advance(b, n, BULK_DONE);
	if (failure->kind == EVENT_NONE && is_at_end(b, n))
		return bulk_advance(b, n, BULK_RECORDS);
	if (can_go_round(b, failure))
		return settle_obstacle(b, n);
	return step_back(b, n, BULK_RECORDS);
}

enum bulk_verdict
settle_regain(struct bulk *b, const struct event *failure, uint64_t n)
{
	struct side *lost = find_lost(b, failure);

	if (lost == NULL)
		return failure->kind == EVENT_NONE ? BULK_DONE : BULK_RECORDS;
	return lost == b->dst ? reconnect(b, n, lost) : BULK_RECORDS;
}

enum bulk_verdict
settle_branch(struct bulk *b, uint64_t n, uint64_t next)
{
	const bool is_trimmed = growth_trim(b, n, next) == 0 &&
				growth_extend(b, n) == 0;

	drop_cache(b, next, b->writer != NULL ? b->writer->nr_cached : 0);
	return bulk_advance(b, n, is_trimmed ? BULK_DONE : BULK_FAILED);
}
