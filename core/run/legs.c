// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "legs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base.h"
#include "cut.h"
#include "event.h"
#include "hooks.h"
#include "kinds.h"
#include "nbd_side.h"
#include "open.h"
#include "overlap.h"
#include "planner.h"
#include "probe.h"

static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? S_ISREG(st.st_mode)
				    : !nbd_side_is_export(path);
}

// A file is renamed, and a disk gets its first block last, unless a part of the
// file stays.
static enum request_commit
commit_of(const struct request *q, const char *path)
{
	const bool keeps = (q->conv & CONV_NOTRUNC) || q->seek.blocks > 0 ||
			   q->seek.bytes > 0;

	if (q->commit == REQUEST_COMMIT_NONE)
		return q->commit;
	if (!is_file(path))
		return REQUEST_COMMIT_FIRST_LAST;
	return keeps ? q->commit : REQUEST_COMMIT_RENAME;
}

static void
init_first(struct leg *leg, struct transfer *t)
{
	leg->out = &t->out;
	leg->bulk = &t->bulk;
	t->out.env = &leg->env;
	t->bulk.env = &leg->env;
	t->bulk.request = &leg->asked;
}

struct request
legs_request(const struct request *asked, unsigned nr)
{
	const char *path = asked->tees[nr];
	struct request q = *asked;

	q.dst = path;
	q.dst_server = NULL;
	q.is_tee = true;
	q.commit = commit_of(asked, path);
	return q;
}

static void
init_other(struct leg *leg, struct transfer *t)
{
	struct request *q = &leg->asked;
	struct output *out = leg->out = &leg->other_out;

	leg->bulk = &leg->other_bulk;
	output_init(out, &leg->env);
	leg->other_bulk = (struct bulk){.request = q,
					.env = &leg->env,
					.src = &t->src,
					.dst = &out->side,
					.out = out,
					.clear = &out->clear};
}

int
legs_new(struct transfer *t)
{
	const struct request *q = t->env.asked;
	struct legs *legs;

	if (q->nr_tees == 0)
		return 0;
	legs = calloc(1, sizeof(*legs));
	if (legs != NULL)
		legs->all = calloc(q->nr_tees + 1, sizeof(*legs->all));
	if (legs == NULL || legs->all == NULL) {
		free(legs);
		return hooks_tell(t->env.hooks,
				  (struct event){.kind = FAILURE_DST_MEMORY,
						 .error = ENOMEM,
						 .len = sizeof(*legs->all)});
	}
	legs->nr = q->nr_tees + 1;
	for (unsigned i = 0; i < legs->nr; i++) {
		struct leg *leg = &legs->all[i];

		leg->asked = i == 0 ? *q : legs_request(q, i - 1);
		leg->env = t->env;
		leg->env.asked = &leg->asked;
		leg->env.stats = &leg->stats;
		leg->env.hooks = &leg->hooks;
		leg->hooks = *t->env.hooks;
		leg->hooks.dst = i;
		if (i == 0)
			init_first(leg, t);
		else
			init_other(leg, t);
	}
	t->legs = legs;
	return 0;
}

void
legs_leave(struct transfer *t)
{
	for (unsigned i = 1; t->legs != NULL && i < t->legs->nr; i++) {
		struct leg *leg = &t->legs->all[i];

		if (!leg->is_stalled)
			side_end(&leg->out->side);
	}
}

// What the kernel still has stays to the end of the process.
void
legs_free(struct transfer *t)
{
	struct legs *legs = t->legs;
	bool is_stalled = false;

	if (legs == NULL)
		return;
	legs_leave(t);
	for (unsigned i = 1; i < legs->nr; i++) {
		struct leg *leg = &legs->all[i];

		is_stalled = is_stalled || leg->is_stalled;
		commit_done(&leg->out->commit);
		if (!leg->is_stalled)
			output_done(leg->out);
	}
	if (is_stalled || legs->all[0].is_stalled)
		return;
	t->legs = NULL;
	t->out.env = &t->env;
	t->bulk.env = &t->env;
	free(legs->all);
	free(legs);
}

bool
legs_is_old(const struct request *q)
{
	struct stat st;

	return nbd_side_is_export(q->dst) || stat(q->dst, &st) == 0;
}

static enum transfer_verdict
refused(const struct leg *leg)
{
	output_tell_refused(leg->out);
	return TRANSFER_REFUSED;
}

const char *
legs_why_not(const struct transfer *t, const struct facts *dst,
	     const struct plan *plan)
{
	if (!facts_has_offsets(dst) && !facts_is_null(dst))
		return "it is neither a file nor a disk";
	if (plan->way == PLAN_BULK || transfer_has_nothing(t))
		return NULL;
	return plan->way_reason;
}

static enum transfer_verdict
tell_not_teed(const struct leg *leg, const char *why)
{
	const char *name = leg->out->side.name;

	hooks_tell(leg->env.hooks,
		   (struct event){.kind = FAILURE_NOT_TEED,
				  .name = name != NULL ? name : leg->asked.dst,
				  .word = why});
	return TRANSFER_UNCOUNTED;
}

// What the ring cannot do nobody does, and that is known before a byte is lost.
static enum transfer_verdict
check_plan(const struct transfer *t, const struct leg *leg, struct facts dst)
{
	const struct rest rest = {.done = 0};
	struct plan plan;

	if (cut_is_due(&leg->asked))
		probe_cut(&dst);
	planner_make(&plan, &leg->asked, &rest, &t->src.facts, &dst,
		     &leg->bulk->refused);
	const char *why = legs_why_not(t, &dst, &plan);
	return why != NULL ? tell_not_teed(leg, why) : TRANSFER_OK;
}

// Before any is opened or made: a pipe waits for its reader, and what is made
// for a plan that is refused stays. The others are planned when they are open.
static enum transfer_verdict
foresee(const struct transfer *t, const struct leg *leg)
{
	const struct request *q = &leg->asked;
	struct stat st;
	struct facts dst;

	if (nbd_side_is_export(q->dst) ||
	    (stat(q->dst, &st) == 0 &&
	     (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) ||
	      S_ISDIR(st.st_mode))) ||
	    probe_path(q->dst, &dst) < 0)
		return TRANSFER_OK;
	probe_flags(&dst, q->oflags);
	return check_plan(t, leg, dst);
}

static enum transfer_verdict
look(struct leg *leg)
{
	const struct request *q = &leg->asked;
	struct side *side = &leg->out->side;
	int r = commit_check(q, leg->env.hooks);

	leg->is_old = legs_is_old(q);
	if (r < 0)
		return TRANSFER_UNCOUNTED;
	if (!output_can_make(leg->out))
		return refused(leg);
	// To ask a server is to connect to it.
	if (nbd_side_is_export(q->dst))
		return TRANSFER_OK;
	open_init_dst(side, q);
	r = q->commit == REQUEST_COMMIT_RENAME
		    ? commit_look(q, leg->env.hooks)
		    : kinds_find(q->dst, q->is_dd)
			      ->look_dst(side, q, leg->env.hooks);
	return r < 0 ? transfer_not_begun(r) : TRANSFER_OK;
}

enum transfer_verdict
legs_look(struct transfer *t)
{
	enum transfer_verdict verdict = TRANSFER_OK;

	for (unsigned i = 0;
	     t->legs != NULL && verdict == TRANSFER_OK && i < t->legs->nr;
	     i++) {
		struct leg *leg = &t->legs->all[i];

		if (i > 0)
			verdict = look(leg);
		if (verdict == TRANSFER_OK)
			verdict = foresee(t, leg);
	}
	return verdict;
}

static enum transfer_verdict
check_twice(const struct transfer *t, const struct leg *leg)
{
	const struct facts *facts = &leg->out->side.facts;

	for (unsigned i = 0; i < t->legs->nr; i++) {
		const struct leg *other = &t->legs->all[i];

		if (other == leg || !other->is_open || facts_is_null(facts) ||
		    !overlap_is_any(&other->out->side.facts, facts))
			continue;
		hooks_tell(leg->env.hooks,
			   (struct event){.kind = FAILURE_TWICE,
					  .name = leg->out->side.name,
					  .word = other->out->side.name});
		return TRANSFER_REFUSED;
	}
	return TRANSFER_OK;
}

enum transfer_verdict
legs_check_first(struct transfer *t)
{
	if (t->legs == NULL)
		return TRANSFER_OK;
	struct leg *leg = &t->legs->all[0];
	leg->is_open = true;
	return check_twice(t, leg);
}

static enum transfer_verdict
check_safe(struct transfer *t, struct leg *leg)
{
	struct output *out = leg->out;
	int r;

	if (!output_claim(out, &t->src.facts))
		return refused(leg);
	r = output_check_format(out, &t->src, t->src_start, &out->side.facts);
	if (r < 0)
		return r == -EPERM ? refused(leg) : TRANSFER_STOPPED;
	if (output_open_back(out) < 0)
		return TRANSFER_UNCOUNTED;
	output_warn_unchecked(out);
	return TRANSFER_OK;
}

static enum transfer_verdict
open_leg(struct transfer *t, struct leg *leg)
{
	struct output *out = leg->out;
	const int r = output_open(out);

	if (r < 0)
		return transfer_not_begun(r);
	const struct facts old = beside_old(&out->commit.beside);
	if (!output_can_replace(out, &old))
		return refused(leg);
	output_probe(out);
	if (!output_can_write(out))
		return TRANSFER_UNCOUNTED;
	enum transfer_verdict verdict = check_twice(t, leg);
	leg->is_open = true;
	if (verdict == TRANSFER_OK)
		verdict = check_safe(t, leg);
	return verdict == TRANSFER_OK ? check_plan(t, leg, out->side.facts)
				      : verdict;
}

static enum transfer_verdict
open_those(struct transfer *t, bool is_old)
{
	enum transfer_verdict verdict = TRANSFER_OK;

	for (unsigned i = 1;
	     t->legs != NULL && verdict == TRANSFER_OK && i < t->legs->nr; i++)
		if (t->legs->all[i].is_old == is_old)
			verdict = open_leg(t, &t->legs->all[i]);
	return verdict;
}

enum transfer_verdict
legs_open_old(struct transfer *t)
{
	return open_those(t, true);
}

enum transfer_verdict
legs_open_new(struct transfer *t)
{
	if (t->legs == NULL)
		return TRANSFER_OK;
	const enum transfer_verdict verdict = check_plan(t, &t->legs->all[0],
							 t->out.side.facts);
	return verdict == TRANSFER_OK ? open_those(t, false) : verdict;
}

enum transfer_verdict
legs_cut(struct transfer *t)
{
	for (unsigned i = 0; t->legs != NULL && i < t->legs->nr; i++) {
		struct leg *leg = &t->legs->all[i];
		struct output *out = leg->out;

		// The first by the conductor.
		const int r = i == 0 ? 0 : output_cut(out, &t->src.facts);

		if (r < 0)
			return transfer_not_begun(r);
		if (r > 0)
			output_probe(out);
		leg->is_cut = facts_is_file(&out->side.facts);
	}
	return TRANSFER_OK;
}

enum transfer_verdict
legs_verdict(const struct legs *legs)
{
	// The first that any of them has.
	static const enum transfer_verdict order[] = {
		TRANSFER_STOPPED, TRANSFER_UNCOUNTED, TRANSFER_FAILED,
		TRANSFER_DIFFERS, TRANSFER_UNEXPECTED};

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		for (unsigned k = 0; k < legs->nr; k++)
			if (legs->all[k].verdict == order[i])
				return order[i];
	return TRANSFER_OK;
}

struct transfer
legs_view(const struct transfer *t, unsigned nr)
{
	const struct leg *leg = &t->legs->all[nr];
	struct transfer view = *t;

	view.env.asked = &leg->asked;
	view.env.stats = leg->env.stats;
	view.out = *leg->out;
	view.bulk = *leg->bulk;
	view.is_copied = leg->is_copied;
	view.legs = NULL;
	return view;
}
