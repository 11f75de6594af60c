// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "env.h"
#include "event.h"
#include "hasher.h"
#include "hold.h"
#include "hooks.h"
#include "manifest.h"
#include "map.h"
#include "stats.h"

static int
tell(const struct verify *v, int r)
{
	return hooks_tell(v->env->hooks, (struct event){.kind = FAILURE_VERIFY,
							.error = -r,
							.name = v->dst->name,
							.off = v->dst_off});
}

// Bytes at the beginning that are in memory.
static size_t
held_len(const struct verify *v)
{
	return v->hold != NULL ? (size_t)min_u64(v->hold->size, v->len) : 0;
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
	const struct hooks *h = v->env->hooks;

	return c->wrote != NULL && c->found != NULL && c->has_src &&
	       side_read_whole(&c->src, SIDE_BUFFERED, c->wrote, len,
			       v->src_off + off, h) == 0 &&
	       side_read_whole(v->back, SIDE_BUFFERED, c->found, len,
			       v->dst_off + off, h) == 0;
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
	const uint64_t got = v->readback.got;

	for (uint64_t off = 0; off < got; off += HASH_RANGE_LEN) {
		const uint64_t len = min_u64(HASH_RANGE_LEN, got - off);
		// The digests of one that is cut off tell nothing.
		const bool is_cut = got < v->len && len < HASH_RANGE_LEN;

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
	const uint64_t got = v->readback.got;

	if (r == 0 && got < v->len) // it ends too early
		differ_note(&v->differ,
			    (struct differ_range){got, v->len - got, -1, -1});
	differ_finish(&v->differ);
	free(closer.found);
	free(closer.wrote);
	if (closer.has_src)
		side_close_extra(&closer.src); // was only read
	return r == 0 && differ_has_any(&v->differ) ? -EBADMSG : r;
}

static struct readback
readback_of(const struct verify *v)
{
	return (struct readback){.env = v->env,
				 .dst = v->dst,
				 .back = v->back,
				 .off = v->dst_off,
				 .len = v->len,
				 // There was no copy before.
				 .is_attesting = v->manifest != NULL &&
						 v->map == NULL};
}

// What is held back has its digest, and is not on the disk.
static int
hash_back(struct verify *v, struct hasher *back)
{
	v->readback = readback_of(v);
	if (v->manifest != NULL)
		hasher_seed(back, v->manifest->header.seed);
	if (held_len(v) > 0) {
		hasher_put(back, 0, v->hold->block, held_len(v));
		hasher_wait(back, 1);
		v->readback.got = held_len(v);
	}
	const int r = readback_run(&v->readback, back);
	return r == 0 && (v->map == NULL || v->env->asked->verify)
		       ? compare(v, back)
		       : r;
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
	// What was not read in order has no digest yet.
	if (v->map != NULL)
		return hash_back(v, v->env->hasher);
	r = hasher_new(&back, 1U << HASH_RANGES);
	if (r < 0)
		return tell(v, r);
	r = hash_back(v, back);
	hasher_free(back);
	return r;
}

int
verify_block(struct verify *v)
{
	const size_t len = held_len(v);
	struct readback readback = readback_of(v);
	unsigned char *buf = aligned_alloc(HOLD_MAX, HOLD_MAX);

	if (buf == NULL)
		return tell(v, -ENOMEM);
	int r = readback_block(&readback, buf, len);
	if (r == 0) {
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
	readback_done(&v->readback);
}
