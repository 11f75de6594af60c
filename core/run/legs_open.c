// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "legs_open.h"

#include <errno.h>
#include <sys/stat.h>

#include "cut.h"
#include "event.h"
#include "hooks.h"
#include "kinds.h"
#include "legs.h"
#include "nbd_side.h"
#include "open.h"
#include "overlap.h"
#include "planner.h"
#include "probe.h"

static enum transfer_verdict
refused(const struct leg *leg)
{
	output_tell_refused(leg->out);
	return TRANSFER_REFUSED;
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
legs_open_look(struct transfer *t)
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
legs_open_first(struct transfer *t)
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
legs_open_cut(struct transfer *t)
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
