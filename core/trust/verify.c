// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "cache.h"
#include "copy.h"
#include "env.h"
#include "event.h"
#include "hasher.h"
#include "hold.h"
#include "hooks.h"
#include "loop.h"
#include "manifest.h"
#include "map.h"
#include "memory.h"
#include "null.h"
#include "plan.h"
#include "planner.h"
#include "stats.h"

static int
tell(const struct verify *v, enum event_kind kind, uint64_t off, int r)
{
	return hooks_tell(v->env->hooks, (struct event){.kind = kind,
							.error = -r,
							.name = v->dst->name,
							.off = off});
}

// What the page cache holds proves nothing. Its pages are clean by now, so
// that they can be dropped; O_DIRECT, where there is any, goes around it.
static void
drop_cache(const struct verify *v, uint64_t len)
{
	if (v->dst->ops->drop_cache(v->dst, v->dst_off, len) < 0)
		tell(v, NOTICE_CACHE_KEPT, v->dst_off, 0);
}

static int
copy_back(struct verify *v, struct copy *copy)
{
	const enum copy_verdict verdict = copy_run(copy);

	v->got = copy->base + ring_prefix(&copy->ring);
	if (copy->is_stopped)
		return -ECANCELED;
	if (verdict == COPY_LOST)
		return tell(v, FAILURE_VERIFY, v->dst_off, -EIO);
	if (copy->failure.kind != EVENT_NONE)
		return tell(v, FAILURE_VERIFY,
			    v->dst_off + copy->base + copy->failure.off,
			    -copy->failure.error);
	return 0;
}

// Bytes at the beginning that are in memory.
static size_t
held_len(const struct verify *v)
{
	return v->hold != NULL ? (size_t)min_u64(v->hold->size, v->len) : 0;
}

// 0, -errno, or -ECANCELED: a signal.
static int
read_all(const struct verify *v, const struct side *side, enum side_way way,
	 unsigned char *buf, uint64_t off, size_t len)
{
	const ssize_t n = side_read_all(side, way, buf, len, off,
					v->env->hooks);

	if (n >= 0 && (size_t)n < len)
		return -EIO; // it has become shorter
	return n < 0 ? (int)n : 0;
}

// There was no copy before.
static bool
is_attesting(const struct verify *v)
{
	return v->manifest != NULL && v->map == NULL;
}

static void
count(const struct verify *v)
{
	const struct request *q = v->env->asked;

	if (!is_attesting(v))
		v->env->stats->verified = v->got;
	else
		stats_count(v->env->stats, v->got, q->ibs, q->obs);
}

// Where nothing can be waited for: one read after the other.
static int
read_plainly(struct verify *v, struct hasher *hasher)
{
	const struct hooks *h = v->env->hooks;
	unsigned char *buf = malloc(HASH_RANGE_LEN);
	int r = buf != NULL ? 0 : -ENOMEM;

	while (r == 0 && v->got < v->len) {
		const size_t len = (size_t)min_u64(HASH_RANGE_LEN,
						   v->len - v->got);
		const uint64_t nr = hasher_nr_done(hasher) + 1;

		r = read_all(v, v->back, SIDE_BUFFERED, buf,
			     v->dst_off + v->got, len);
		if (r < 0)
			break;
		hasher_put(hasher, v->got, buf, len);
		hasher_wait(hasher, nr);
		v->got += len;
		count(v);
		if (h->tick != NULL)
			h->tick(h->ctx);
	}
	free(buf);
	return r < 0 && r != -ECANCELED
		       ? tell(v, FAILURE_VERIFY, v->dst_off + v->got, r)
		       : r;
}

// Into nothing but the digest.
static int
init_copy(struct verify *v, struct copy *copy, const struct env *env,
	  struct plan *plan)
{
	const struct copy_parts parts = {.env = env,
					 .plan = plan,
					 .aio = &v->aio,
					 .src = v->back,
					 .dst = &null_side,
					 .base = v->got,
					 .is_reading_back = !is_attesting(v)};
	int r = copy_init(copy, &parts);

	if (r == -ENOMEM) {
		plan->depth = 1;
		plan->job_size = (size_t)round_up(PLAN_CACHE_SIZE, plan->step);
		r = copy_init(copy, &parts);
	}
	return r;
}

// What is held back has been handed to the digest.
static int
read_back(struct verify *v, struct hasher *hasher)
{
	struct env env = *v->env;
	struct plan plan;
	struct copy copy;
	bool has_loop = true;

	env.hasher = hasher;
	env.manifest = NULL;
	v->got = held_len(v);
	if (v->got == v->len)
		return 0;
	planner_make_back(&plan, v->env->asked, &v->back->facts,
			  v->dst_off + v->got, v->len - v->got);
	if (plan_is_large(&plan))
		plan_fit(&plan, memory_allowed());
	// Where it is refused, by calls.
	(void)aio_open(&v->aio, plan_uses_aio(&plan) ? v->env->kernel : NULL,
		       plan.depth);
	int r = init_copy(v, &copy, &env, &plan);
	if (r < 0) {
		tell(v, FAILURE_VERIFY, v->dst_off, r);
	} else {
		has_loop = copy_open_loop(&copy) == 0 &&
			   loop_wait(&copy.watch.loop, 0) == 0;
		if (has_loop)
			r = copy_back(v, &copy);
		copy_done(&copy);
	}
	aio_start_done(&v->aio); // while what was read is compared
	return has_loop ? r : read_plainly(v, hasher);
}

// With what a range is looked at once more.
struct closer {
	struct side src;      // once more
	bool has_src;         // false: it cannot be read again
	unsigned char *wrote; // NULL: no memory
	unsigned char *found;
};

// The source may be read again where it has offsets and was not converted.
static bool
can_compare(const struct verify *v)
{
	const unsigned conv = CONV_BYTES | CONV_SYNC | CONV_NOERROR;

	return facts_has_offsets(&v->src->facts) &&
	       (v->map != NULL || !(v->env->asked->conv & conv));
}

static bool
read_both(struct verify *v, const struct closer *c, uint64_t off, size_t len)
{
	return c->wrote != NULL && c->found != NULL && c->has_src &&
	       read_all(v, &c->src, SIDE_BUFFERED, c->wrote, v->src_off + off,
			len) == 0 &&
	       read_all(v, v->back, SIDE_BUFFERED, c->found, v->dst_off + off,
			len) == 0;
}

// Both sides of a range once more. False: they cannot be read, or are equal
// now, since one of the two changes from one read to the next.
static bool
look_closer(struct verify *v, const struct closer *c, uint64_t off, size_t len)
{
	const size_t held = off == 0 ? held_len(v) : 0;

	if (!read_both(v, c, off, len))
		return false;
	if (held > 0)
		memcpy(c->found, v->hold->block, held);
	return differ_bytes(&v->differ, c->wrote, c->found, off, len);
}

// It is there no more, if it ever was. Without memory it is told all the same.
static void
take_back(struct verify *v, uint64_t off, uint64_t len)
{
	if (v->map != NULL)
		(void)map_mark(v->map, v->src_off + off, len, MAP_TODO);
}

static void
compare_part(struct verify *v, const struct closer *c, uint64_t off, size_t len)
{
	if (!read_both(v, c, off, len))
		v->env->stats->unchecked += len;
	else if (differ_bytes(&v->differ, c->wrote, c->found, off, len))
		take_back(v, off, len);
}

// All of it is there, and a range of the manifest.
static enum manifest_answer
compare_mapped(const struct verify *v, const struct hasher *back, uint64_t off,
	       size_t len)
{
	const struct map_span *span = map_at(v->map, v->src_off + off);
	const bool is_done = span->state == MAP_DONE &&
			     span->off + span->len >= v->src_off + off + len;

	if (!is_done || v->manifest == NULL || v->dst_off % MANIFEST_RANGE != 0)
		return MANIFEST_UNKNOWN;
	return manifest_compare(v->manifest,
				(v->dst_off + off) / MANIFEST_RANGE, len,
				hasher_range(back, off / HASH_RANGE_LEN));
}

static enum manifest_answer
compare_range(const struct verify *v, const struct hasher *back, uint64_t off,
	      size_t len)
{
	const uint64_t nr = off / HASH_RANGE_LEN;

	if (v->map != NULL)
		return compare_mapped(v, back, off, len);
	if (v->manifest != NULL)
		return manifest_compare(v->manifest, nr, len,
					hasher_range(back, nr));
	return hasher_is_same_range(v->env->hasher, back, nr) ? MANIFEST_SAME
							      : MANIFEST_OTHER;
}

// What is to be there of a range of which there is no digest.
static void
compare_parts(struct verify *v, const struct closer *c, uint64_t off,
	      uint64_t len)
{
	const uint64_t end = v->src_off + off + len;
	uint64_t at = v->src_off + off;

	while (at < end) {
		const struct map_span *span = map_at(v->map, at);
		const uint64_t next = min_u64(span->off + span->len, end);

		if (span->state == MAP_DONE)
			compare_part(v, c, at - v->src_off,
				     (size_t)(next - at));
		at = next;
	}
}

static int
compare_ranges(struct verify *v, const struct closer *c,
	       const struct hasher *back)
{
	const struct hooks *h = v->env->hooks;

	for (uint64_t off = 0; off < v->got; off += HASH_RANGE_LEN) {
		const uint64_t len = min_u64(HASH_RANGE_LEN, v->got - off);
		// The digests of one that is cut off tell nothing.
		const bool is_cut = v->got < v->len && len < HASH_RANGE_LEN;

		const enum manifest_answer answer = compare_range(v, back, off,
								  (size_t)len);

		if (answer == MANIFEST_UNKNOWN && v->map != NULL)
			compare_parts(v, c, off, len);
		else if (answer == MANIFEST_UNKNOWN)
			v->env->stats->unchecked += len;
		if (answer != MANIFEST_OTHER)
			continue;
		if (h->tick != NULL)
			h->tick(h->ctx);
		const bool is_seen = look_closer(v, c, off, (size_t)len);
		if (h->must_stop(h->ctx))
			return -ECANCELED;
		if (!is_cut)
			take_back(v, off, len);
		if (!is_seen && !is_cut)
			differ_note(&v->differ,
				    (struct differ_range){off, len, -1, -1});
	}
	return 0;
}

static int
compare(struct verify *v, const struct hasher *back)
{
	struct closer closer = {
		.wrote = malloc(HASH_RANGE_LEN),
		.found = malloc(HASH_RANGE_LEN),
	};

	closer.has_src = can_compare(v) &&
			 v->src->ops->open_back(v->src, &closer.src) == 0;
	const int r = compare_ranges(v, &closer, back);

	if (r == 0 && v->got < v->len) // it ends too early
		differ_note(
			&v->differ,
			(struct differ_range){v->got, v->len - v->got, -1, -1});
	differ_finish(&v->differ);
	free(closer.found);
	free(closer.wrote);
	if (closer.has_src)
		side_close_extra(&closer.src); // was only read
	return r == 0 && differ_has_any(&v->differ) ? -EBADMSG : r;
}

// What is held back has its digest, and is not on the disk.
static int
hash_back(struct verify *v, struct hasher *back)
{
	int r;

	if (v->manifest != NULL)
		hasher_seed(back, v->manifest->header.seed);
	if (held_len(v) > 0) {
		hasher_put(back, 0, v->hold->block, held_len(v));
		hasher_wait(back, 1);
	}
	r = read_back(v, back);
	if (r == 0) {
		r = hasher_finish(back, v->got, v->env->hooks);
		if (r < 0 && r != -ECANCELED)
			tell(v, FAILURE_VERIFY, v->dst_off, r);
	}
	if (r == 0 && (v->map == NULL || v->env->asked->verify))
		r = compare(v, back);
	return r;
}

int
verify_run(struct verify *v)
{
	struct hasher *back;
	int r;

	if (v->len == 0)
		return v->map != NULL && v->env->hasher != NULL
			       ? hasher_finish(v->env->hasher, 0, v->env->hooks)
			       : 0;
	drop_cache(v, v->len);
	// What was not read in order has no digest yet.
	if (v->map != NULL)
		return hash_back(v, v->env->hasher);
	r = hasher_new(&back, 1U << HASH_RANGES);
	if (r < 0)
		return tell(v, FAILURE_VERIFY, v->dst_off, r);
	r = hash_back(v, back);
	hasher_free(back);
	return r;
}

// Around the page cache where that can be done.
static int
read_block(const struct verify *v, unsigned char *buf, size_t len)
{
	const uint32_t align = v->back->facts.dio_align;
	const bool is_direct = align > 0 && v->dst_off % align == 0;
	int r = -EINVAL;

	if (is_direct)
		r = read_all(v, v->back, SIDE_DIRECT, buf, v->dst_off,
			     (size_t)round_up(len, align));
	if (r == -EINVAL)
		r = read_all(v, v->back, SIDE_BUFFERED, buf, v->dst_off,
			     len);
	return r;
}

int
verify_block(struct verify *v)
{
	const size_t len = held_len(v);
	unsigned char *buf = aligned_alloc(HOLD_MAX, HOLD_MAX);
	int r = -ENOMEM;

	drop_cache(v, len);
	if (buf != NULL)
		r = read_block(v, buf, len);
	if (r < 0 && r != -ECANCELED) {
		tell(v, FAILURE_VERIFY, v->dst_off, r);
	} else if (r == 0) {
		v->env->stats->verified += len;
		if (differ_bytes(&v->differ, v->hold->block, buf, 0, len))
			r = -EBADMSG;
		differ_finish(&v->differ);
	}
	free(buf);
	return r;
}

void
verify_done(struct verify *v)
{
	aio_done(&v->aio);
}
