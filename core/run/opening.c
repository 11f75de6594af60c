// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "opening.h"

#include <errno.h>
#include <fcntl.h>

#include "base.h"
#include "beside.h"
#include "event.h"
#include "hooks.h"
#include "kinds.h"
#include "legs.h"
#include "legs_open.h"
#include "packed.h"

static void
probe_src(struct transfer *t)
{
	t->src.ops->probe(&t->src, -1);
	guide_lead(&t->guide, &t->src);
}

// What cannot be decompressed is no source of a file either, which would be
// made.
static int
check_archive(struct transfer *t)
{
	const struct facts dst = {.kind = FACTS_FILE};

	if (!safety_looks_inside(t->env.asked, &dst))
		return 0;
	probe_src(t);
	return output_check_format(&t->out, &t->src, t->src.facts.pos, &dst);
}

enum transfer_verdict
opening_open(struct transfer *t)
{
	const struct request *q = t->env.asked;
	const enum vouch_use use = request_writes(q) ? VOUCH_WRITE : VOUCH_LOOK;
	struct output *out = &t->out;
	enum transfer_verdict verdict;

	// Before anything is opened: a copy without them is not wanted.
	if (legs_new(t) < 0 || commit_check(q, t->env.hooks) < 0 ||
	    guide_open(&t->guide, &t->env) < 0 ||
	    mapkeep_open(&t->keep, &t->env) < 0 ||
	    vouch_open(&t->vouch, &t->env, use) < 0 ||
	    transfer_open_digest(t) < 0)
		return TRANSFER_UNCOUNTED;
	int r = kinds_find(q->src, q->is_dd)
			->open_src(&t->src, q, t->env.hooks);
	if (r == 0)
		r = packed_open(&t->src, q, t->packed_hasher, t->env.hooks);
	if (r == 0 && q->map != NULL) {
		t->src.ops->probe(&t->src, -1);
		r = mapkeep_check_src(&t->keep, &t->src);
		if (r < 0)
			return r == -EPERM ? TRANSFER_REFUSED
					   : TRANSFER_UNCOUNTED;
	}
	if (r == 0 && q->bmap != NULL) {
		probe_src(t);
		if (guide_check(&t->guide, &t->src,
				request_src_off(q, t->src.facts.pos)) < 0)
			return TRANSFER_UNEXPECTED;
	}
	if (r == 0) {
		r = check_archive(t);
		if (r == -EPERM)
			return transfer_refused(t);
	}
	if (r == 0 && t->legs != NULL) {
		probe_src(t);
		t->src_start = request_src_off(q, t->src.facts.pos);
		verdict = legs_open_look(t);
		if (verdict == TRANSFER_OK)
			verdict = legs_open_old(t);
		if (verdict != TRANSFER_OK)
			return verdict;
	}
	// Opening it would create it.
	if (r == 0 && request_writes(q) && !output_can_make(out))
		return transfer_refused(t);
	if (r == 0)
		r = output_open(out);
	if (r < 0)
		return transfer_not_begun(r);
	const struct facts old = beside_old(&out->commit.beside);
	return output_can_replace(out, &old) ? TRANSFER_OK
					     : transfer_refused(t);
}

static void
probe_sides(struct transfer *t)
{
	probe_src(t);
	output_probe(&t->out);
}

// A pipe of a megabyte takes a record without a sleep in the middle. Refused
// for what is no pipe, and beyond the user's share: then it stays as it is.
static void
widen_pipe(const struct side *side)
{
	if (facts_is_stream(&side->facts))
		(void)fcntl(side->fd, F_SETPIPE_SZ, (int)MIB);
}

static void
probe(struct transfer *t)
{
	const struct request *q = t->env.asked;

	probe_sides(t);
	t->src_start = request_src_off(q, t->src.facts.pos);
	if (q->is_dd)
		return;
	widen_pipe(&t->src);
	widen_pipe(&t->out.side);
}

// From before the checks and the cut, which can take long.
static void
watch_src(struct transfer *t)
{
	const struct facts *src = &t->src.facts;
	const bool is_watched = !t->env.asked->is_dd &&
				(facts_is_file(src) || src->unpacked != 0) &&
				!facts_is_same(src, &t->out.side.facts);

	change_init(&t->change, is_watched ? t->src.fd : -1);
}

static int
cut_old(struct transfer *t)
{
	const int r = output_cut(&t->out, &t->src.facts);

	if (r > 0)
		probe_sides(t);
	return r;
}

static void
warn_live(const struct transfer *t)
{
	struct mounts_use use;

	if (safety_is_src_live(t->env.asked, &t->src.facts, &use))
		hooks_tell(t->env.hooks, (struct event){.kind = NOTICE_SRC_LIVE,
							.name = t->src.name,
							.use = &use});
}

// Of a map: before anything is lost. TRANSFER_OK or why not, told.
static enum transfer_verdict
check_map(struct transfer *t)
{
	if (t->env.asked->map == NULL)
		return TRANSFER_OK;
	const int r = mapkeep_check(&t->keep, &t->src, &t->out.side,
				    t->src_start, t->out.start);
	if (r < 0)
		return r == -EPERM ? TRANSFER_REFUSED : TRANSFER_UNCOUNTED;
	t->out.is_kept = !t->keep.is_new;
	return mapped_check(&t->mapped) < 0 ? TRANSFER_UNCOUNTED : TRANSFER_OK;
}

enum transfer_verdict
opening_check(struct transfer *t)
{
	struct output *out = &t->out;
	int r = 0;

	probe(t);
	watch_src(t);
	if (!output_can_write(out))
		return TRANSFER_UNCOUNTED;
	enum transfer_verdict verdict = check_map(t);
	if (verdict == TRANSFER_OK)
		verdict = legs_open_first(t);
	if (verdict != TRANSFER_OK)
		return verdict;
	// Who only reads is in nobody's way.
	bool is_safe = !request_writes(t->env.asked) ||
		       output_claim(out, &t->src.facts);
	if (is_safe)
		r = output_check_format(out, &t->src, t->src_start,
					&out->side.facts);
	if (r == -ECANCELED)
		return TRANSFER_STOPPED;
	is_safe = is_safe && r == 0;
	r = 0;
	// Both before anything is lost.
	if (is_safe && output_open_back(out) < 0)
		return TRANSFER_UNCOUNTED;
	if (is_safe && t->env.asked->map != NULL && mapped_save(&t->mapped) < 0)
		return TRANSFER_UNCOUNTED;
	if (is_safe)
		verdict = legs_open_new(t);
	if (verdict != TRANSFER_OK)
		return verdict;
	if (is_safe)
		r = cut_old(t);
	if (r < 0)
		return transfer_not_begun(r);
	if (is_safe)
		verdict = legs_open_cut(t);
	if (verdict != TRANSFER_OK)
		return verdict;
	// From here on the facts are those of the copy, also for a report of
	// its refusal.
	hooks_tell(t->env.hooks, (struct event){.kind = NOTICE_PROBED});
	if (!is_safe)
		return transfer_refused(t);
	output_warn_unchecked(out);
	warn_live(t);
	return TRANSFER_OK;
}
