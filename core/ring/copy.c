// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "copy.h"

#include <assert.h>

#include "base.h"
#include "clock.h"
#include "fan.h"
#include "hasher.h"
#include "hooks.h"
#include "ranges.h"
#include "request.h"
#include "stats.h"
#include "writeback.h"

// How long a run of inline requests may keep signals and the timer waiting.
// Looking after each cost a tenth of a copy in the page cache.
#define LOOK_NS (1000 * 1000)

static enum ring_order
order_of(const struct copy_parts *parts)
{
	if (parts->env->hasher != NULL)
		return RING_AFTER_RELEASE;
	return parts->plan->is_any_order ? RING_ANY_ORDER : RING_AFTER_READS;
}

static struct reader
make_reader(struct copy *copy, const struct copy_parts *parts)
{
	const struct plan *plan = parts->plan;

	return (struct reader){
		.env = parts->env,
		.aio = parts->aio,
		.ring = &copy->ring,
		.failure = &copy->failure,
		.side = parts->src,
		.align = plan->src.align,
		.base = plan->src_off,
		.holes = plan->holes,
		.zeroer = &copy->zeroer,
	};
}

// Through the page cache where the writes go there: it knows best.
static uint32_t
back_align(const struct copy_parts *parts)
{
	const bool is_direct = plan_is_direct(&parts->plan->dst);

	if (parts->back->engine != NULL)
		return parts->plan->dst.align;
	return is_direct && side_fd(parts->back, SIDE_DIRECT) >= 0
		       ? parts->plan->dst.align
		       : 0;
}

static struct checker
make_checker(struct copy *copy, const struct copy_parts *parts)
{
	if (!parts->plan->is_compared)
		return (struct checker){0};
	return (struct checker){
		.env = parts->env,
		.aio = parts->aio,
		.ring = &copy->ring,
		.failure = &copy->failure,
		.side = parts->back,
		.align = back_align(parts),
		.base = parts->plan->dst_off,
		.counted = parts->counted -
			   min_u64(parts->counted, parts->base),
		.unit = (size_t)max_u64(SAME_UNIT, parts->plan->dst.align),
		.differ = parts->differ,
		.on_checked = writer_on_checked,
	};
}

static struct sieve
make_sieve(struct copy *copy, const struct copy_parts *parts)
{
	const struct plan *plan = parts->plan;

	return (struct sieve){
		.env = parts->env,
		.ring = &copy->ring,
		.base = plan->dst_off,
		.sparse_unit = plan->sparse_unit,
		.zeroer = &copy->zeroer,
		.checker = plan->is_compared ? &copy->checker : NULL,
		.hold = parts->hold,
	};
}

static struct writer
make_writer(struct copy *copy, const struct copy_parts *parts)
{
	const struct plan *plan = parts->plan;
	const bool is_inline = plan->dst.method == PLAN_INLINE;

	return (struct writer){
		.env = parts->env,
		.aio = parts->aio,
		.ring = &copy->ring,
		.failure = &copy->failure,
		.side = parts->dst,
		.align = plan->dst.align,
		.is_one_by_one = plan->is_in_order,
		.base = plan->dst_off,
		.sieve = make_sieve(copy, parts),
		.writeback = is_inline ? parts->writeback : NULL,
	};
}

static struct zeroer
make_zeroer(struct copy *copy, const struct copy_parts *parts)
{
	return (struct zeroer){
		.env = parts->env,
		.aio = parts->aio,
		.ring = &copy->ring,
		.failure = &copy->failure,
		.clear = parts->clear,
		.base = parts->plan->dst_off,
	};
}

int
copy_init(struct copy *copy, const struct copy_parts *parts)
{
	const struct env *env = parts->env;

	*copy = (struct copy){
		.aio = parts->aio,
		.reader = make_reader(copy, parts),
		.checker = make_checker(copy, parts),
		.writer = make_writer(copy, parts),
		.zeroer = make_zeroer(copy, parts),
		.fan = parts->fan,
		.env = env,
		.base = parts->base,
		.skipped_base = env->stats->skipped,
		.is_reading_back = parts->is_reading_back,
		.src = parts->src,
		.dst = parts->dst,
	};
	watch_init(&copy->watch);
	if (env->hasher != NULL)
		copy->digest_base = hasher_nr_done(env->hasher);
	if (parts->clear != NULL)
		aio_add_helper(parts->aio);
	aio_serve(parts->aio, parts->src->engine);
	aio_serve(parts->aio, parts->dst->engine);
	if (parts->fan != NULL)
		parts->fan->ring = &copy->ring;
	const int r = ring_init(&copy->ring, parts->plan, order_of(parts));
	for (unsigned i = 0; r == 0 && i < copy->ring.depth; i++) {
		copy->ring.jobs[i].reader = &copy->reader;
		copy->ring.jobs[i].checker = &copy->checker;
		copy->ring.jobs[i].writer = &copy->writer;
	}
	return r;
}

int
copy_open_loop(struct copy *copy)
{
	struct watch *watch = &copy->watch;
	int r = watch_open(watch, copy->env->hooks, copy->aio);

	if (r == 0 && copy->env->hasher != NULL)
		r = watch_add(watch, &copy->digested,
			      hasher_fd(copy->env->hasher));
	if (r == 0 && copy->fan != NULL)
		r = fan_watch(copy->fan, watch);
	if (r == 0 && copy->writer.writeback != NULL)
		r = watch_add(watch, &copy->written_out,
			      writeback_fd(copy->writer.writeback));
	return r;
}

void
copy_done(struct copy *copy)
{
	watch_done(&copy->watch);
	// The digests may still read what a lost stretch has left behind.
	if (copy->env->hasher != NULL)
		hasher_wait(copy->env->hasher,
			    copy->digest_base + copy->nr_hashed);
	if (copy->fan != NULL)
		fan_let_go(copy->fan);
	ring_done(&copy->ring);
}

// Nobody wants what is from here on: what was read of it is not written.
static void
copy_refuse(struct copy *copy, uint64_t off)
{
	copy->is_stopped = true;
	copy->zeroer.is_stopped = true;
	engine_stop(copy->src->engine);
	ring_cut(&copy->ring, off, copy->ring.skipped);
}

// In file order: what was read goes to the digests, and what is through
// them may be written.
static void
copy_digest(struct copy *copy)
{
	struct hasher *hasher = copy->env->hasher;
	struct ring *ring = &copy->ring;

	for (; copy->nr_hashed < ring->head; copy->nr_hashed++) {
		const struct job *job = ring_job(ring, copy->nr_hashed);

		if (!ring_is_read(ring, copy->nr_hashed))
			break;
		if (job != NULL && job->off < ring->end)
			hasher_put(hasher, copy->base + job->off, job->buf,
				   (size_t)min_u64(job->len,
						   ring->end - job->off));
		else
			hasher_put(hasher, copy->base, NULL, 0);
	}
	const uint64_t nr_done = hasher_nr_done(hasher);
	const struct ranges_one *bad = hasher_bad(hasher);
	if (bad != NULL && !copy->is_stopped)
		copy_refuse(copy, bad->off - min_u64(bad->off, copy->base));
	ring_release(ring, nr_done - copy->digest_base);
}

// Without a hasher no job has a number.
static bool
has_unreleased(const struct copy *copy)
{
	return copy->env->hasher != NULL && !ring_is_drained(&copy->ring) &&
	       copy->ring.released < copy->ring.head;
}

// There is one to hand over.
static bool
can_digest(const struct copy *copy)
{
	return copy->env->hasher != NULL &&
	       copy->nr_hashed < copy->ring.head &&
	       ring_is_read(&copy->ring, copy->nr_hashed);
}

static bool
can_write(const struct copy *copy)
{
	return copy->fan != NULL ? fan_has_work(copy->fan)
				 : writer_can_start(&copy->writer);
}

static enum copy_verdict
copy_verdict(const struct copy *copy)
{
	const struct ring *ring = &copy->ring;

	ring_check(ring);
	if (ring_is_drained(ring) && ring->next >= ring->end &&
	    zeroer_is_done(&copy->zeroer) &&
	    (copy->fan == NULL || fan_is_done(copy->fan)))
		return COPY_DONE;
	if (aio_has_work(copy->aio) || can_write(copy) || can_digest(copy))
		return COPY_RUN;
	assert(aio_nr_out(copy->aio) > 0 || has_unreleased(copy) ||
	       copy->fan != NULL || copy->writer.writeback != NULL ||
	       reader_wait_ms(&copy->reader) >= 0);
	return COPY_WAIT;
}

static void
copy_write(struct copy *copy)
{
	if (copy->fan == NULL) {
		writer_start(&copy->writer);
		return;
	}
	fan_step(copy->fan);
	if (fan_is_out(copy->fan) && !copy->is_stopped)
		copy_refuse(copy, copy->ring.next);
}

enum copy_verdict
copy_step(struct copy *copy)
{
	// First what has ended, because it gives buffers back.
	if (aio_reap(copy->aio) < 0)
		return COPY_LOST;
	if (copy->env->hasher != NULL)
		copy_digest(copy);
	// Writes before reads, so that the ring drains before it fills.
	copy_write(copy);
	reader_start(&copy->reader);
	zeroer_start(&copy->zeroer);
	// All stages at once.
	aio_submit(copy->aio);
	return copy_verdict(copy);
}

static void
copy_count(const struct copy *copy)
{
	const uint64_t n = ring_prefix(&copy->ring);
	const struct request *asked = copy->env->asked;
	struct stats *stats = copy->env->stats;

	if (copy->is_reading_back) {
		stats->verified = n;
		return;
	}
	const uint64_t skipped = copy->skipped_base +
				 zeroer_prefix_skipped(&copy->zeroer);
	// What was not looked at was not compared.
	if (stats->is_comparison)
		stats->left_out = skipped;
	else
		stats->skipped = skipped;
	stats_count(stats, copy->base + n - stats->left_out, asked->ibs,
		    asked->obs);
}

// Others may look at the descriptors, or share them: whoever writes after a
// message, or follows the progress in /proc.
static void
copy_put_offsets(const struct copy *copy)
{
	const uint64_t n = ring_prefix(&copy->ring);

	if (copy->is_reading_back)
		return;
	// At the end an error of these is told.
	(void)side_put(copy->src, copy->reader.base + n);
	(void)side_put(copy->dst, copy->writer.base + n);
}

// Sleep where there is nothing to do, else look now and then. 0 or -errno.
static int
copy_look(struct copy *copy, enum copy_verdict verdict)
{
	int ms = 0;

	if (verdict == COPY_WAIT) {
		ms = reader_wait_ms(&copy->reader);
		if (copy->fan != NULL && (ms < 0 || ms > FAN_LOOK_MS))
			ms = FAN_LOOK_MS;
	} else {
		const uint64_t now = clock_ns();

		if (now - copy->looked_ns < LOOK_NS)
			return 0;
		copy->looked_ns = now;
	}
	copy_put_offsets(copy);
	const int r = loop_wait(&copy->watch.loop, ms);
	if (copy->fan != NULL)
		fan_look(copy->fan, clock_ns());
	return r;
}

// What is under way is finished, nothing begun; nor is it waited for a slow
// device, or for digests.
static void
copy_stop(struct copy *copy)
{
	copy->is_stopped = true;
	copy->zeroer.is_stopped = true;
	ring_cut(&copy->ring, copy->ring.next, copy->ring.skipped);
	copy->writer.writeback = NULL;
	if (copy->fan != NULL)
		fan_stop(copy->fan);
	if (copy->env->hasher != NULL)
		hasher_cancel(copy->env->hasher);
}

enum copy_verdict
copy_run(struct copy *copy)
{
	const struct hooks *hooks = copy->env->hooks;
	enum copy_verdict verdict;

	while ((verdict = copy_step(copy)) < COPY_DONE) {
		copy_count(copy);
		// Nobody wants what is still to be read.
		if (copy->is_stopped || copy->failure.kind != EVENT_NONE)
			engine_stop(copy->src->engine);
		if (copy_look(copy, verdict) < 0) {
			aio_abandon(copy->aio);
			return COPY_LOST;
		}
		if (!copy->is_stopped && hooks->must_stop(hooks->ctx))
			copy_stop(copy);
	}
	copy_count(copy);
	return verdict;
}
