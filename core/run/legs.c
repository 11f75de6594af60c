// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "legs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base.h"
#include "event.h"
#include "hooks.h"
#include "nbd_side.h"

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

void
legs_set_all(struct legs *legs, enum transfer_verdict verdict)
{
	for (unsigned i = 0; i < legs->nr; i++)
		if (legs->all[i].verdict == TRANSFER_OK)
			legs->all[i].verdict = verdict;
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
