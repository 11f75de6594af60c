// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "transfer.h"

#include "event.h"
#include "hasher.h"
#include "hooks.h"
#include "request.h"

void
transfer_init(struct transfer *t, const struct request *q,
	      const struct hooks *hooks, struct stats *stats)
{
	*t = (struct transfer){.env = {.asked = q,
				       .hooks = hooks,
				       .stats = stats,
				       .kernel = &aio_kernel_linux}};
	output_init(&t->out, &t->env);
	t->bulk = (struct bulk){.request = q,
				.env = &t->env,
				.src = &t->src,
				.dst = &t->out.side,
				.out = &t->out,
				.clear = &t->out.clear};
	t->mapped = (struct mapped){.bulk = &t->bulk, .keep = &t->keep};
}

void
transfer_leave(struct transfer *t)
{
	if (facts_is_export(&t->src.facts))
		side_end(&t->src);
	if (facts_is_export(&t->out.side.facts) && !t->out.is_stalled)
		side_end(&t->out.side);
}

void
transfer_done(struct transfer *t)
{
	hasher_free(t->env.hasher);
	t->env.hasher = NULL;
	side_end(&t->src);
	if (!t->out.is_stalled) {
		side_end(&t->out.side);
		output_done(&t->out);
	}
	hasher_free(t->packed_hasher);
	t->packed_hasher = NULL;
	guide_done(&t->guide);
	outline_done(&t->outline);
	vouch_done(&t->vouch);
	mapkeep_done(&t->keep);
}

struct transfer_side
transfer_src(const struct transfer *t)
{
	return (struct transfer_side){.name = t->src.name,
				      .facts = &t->src.facts,
				      .start = t->src_start};
}

struct transfer_side
transfer_dst(const struct transfer *t)
{
	return (struct transfer_side){.name = t->out.side.name,
				      .facts = &t->out.side.facts,
				      .start = t->out.start};
}

bool
transfer_has_nothing(const struct transfer *t)
{
	const struct request *q = t->env.asked;
	const struct facts *src = &t->src.facts;

	return request_count_len(q) == 0 ||
	       (facts_has_offsets(src) &&
		src->size <= request_src_off(q, src->pos));
}

const struct plan *
transfer_plan(const struct transfer *t)
{
	return &t->bulk.plan;
}

const struct aio_counters *
transfer_counters(const struct transfer *t)
{
	return &t->bulk.counters;
}

const struct hasher *
transfer_hasher(const struct transfer *t)
{
	return t->env.hasher;
}

const struct hasher *
transfer_packed_hasher(const struct transfer *t)
{
	return t->src.facts.unpacked != 0 ? t->packed_hasher : NULL;
}

struct packed_state
transfer_packed(const struct transfer *t)
{
	return packed_state(&t->src);
}

enum transfer_verdict
transfer_refused(const struct transfer *t)
{
	output_tell_refused(&t->out);
	return TRANSFER_REFUSED;
}

void
transfer_set_pace(struct transfer *t)
{
	if (t->env.asked->rate == 0)
		return;
	pace_init(&t->pace, t->env.asked->rate, t->env.stats->start_ns);
	t->env.pace = &t->pace;
}

// Of what is written.
static int
open_hasher(struct transfer *t, unsigned algs)
{
	struct guide *guide = &t->guide;
	int r = 0;

	if (algs != 0 || guide_has_digests(guide) ||
	    t->env.asked->obmap != NULL)
		r = hasher_new(&t->env.hasher, algs);
	if (r == 0 && guide_has_digests(guide))
		r = hasher_add_list(t->env.hasher, HASH_CHECKED,
				    guide->bmap.alg, &guide->bmap.ranges);
	return r;
}

// With count= the end of the source is not read.
static bool
is_packed_hashed(const struct request *q)
{
	return q->expected.algs != 0 && q->decompress > REQUEST_DECOMPRESS_NO &&
	       !request_has_count(q);
}

int
transfer_open_digest(struct transfer *t)
{
	const struct request *q = t->env.asked;

	// What is read back is compared by ranges.
	const unsigned ranges = q->verify ? 1U << HASH_RANGES : 0;
	int r = open_hasher(t, q->digests | ranges);
	if (r == 0 && is_packed_hashed(q))
		r = hasher_new(&t->packed_hasher, q->expected.algs);
	if (r < 0)
		hooks_tell(t->env.hooks,
			   (struct event){.kind = FAILURE_DIGEST, .error = -r});
	return r;
}

enum transfer_verdict
transfer_not_begun(int r)
{
	return r == -ECANCELED ? TRANSFER_STOPPED : TRANSFER_UNCOUNTED;
}

enum transfer_verdict
transfer_judged(int r)
{
	switch (r) {
	case 0:
		return TRANSFER_OK;
	case -ENODATA:
		return TRANSFER_INCOMPLETE;
	case -EBADMSG:
		return TRANSFER_DIFFERS;
	case -ESTALE:
		return TRANSFER_UNEXPECTED;
	case -ECANCELED:
		return TRANSFER_STOPPED;
	default:
		return TRANSFER_FAILED;
	}
}

struct judge
transfer_judge(struct transfer *t, struct output *out, const struct env *env)
{
	return (struct judge){
		.verify = {.env = &t->env,
			   .src = &t->src,
			   .dst = &out->side,
			   .back = &out->back,
			   .hold = out->hold,
			   .differ = {.env = env,
				      .kind = FAILURE_DIFFERS,
				      .name = out->side.name,
				      .dst_off = out->start},
			   .src_off = t->src_start,
			   .dst_off = out->start,
			   .len = t->env.stats->bytes},
		.differ = t->bulk.differ,
		.packed = t->src.facts.unpacked != 0 ? t->packed_hasher : NULL,
		.packed_len = packed_state(&t->src).in,
		.change = &t->change,
		.guide = &t->guide,
		.is_synced = out->is_synced};
}
