// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "prospect.h"

#include <errno.h>
#include <stdlib.h>

#include "attest.h"
#include "describe.h"
#include "intent.h"
#include "legs.h"
#include "message.h"
#include "preview.h"
#include "run.h"

// A destination as if it were the only one.
struct prospect {
	struct options options;
	struct hooks hooks;
	struct stats stats;
	struct transfer other;
	struct transfer *transfer; // other, or for the first that of the run
	struct facts old;
	enum transfer_verdict verdict;
	bool is_planned;
};

static void
init(struct prospect *p, struct run *run, unsigned nr)
{
	p->verdict = TRANSFER_UNCOUNTED; // so far
	p->options = run->options;
	p->transfer = nr == 0 ? &run->transfer : &p->other;
	if (nr == 0)
		return;
	p->options.request = legs_request(&run->options.request, nr - 1);
	p->hooks = run->hooks;
	p->hooks.dst = nr;
	transfer_init(p->transfer, &p->options.request, &p->hooks, &p->stats);
}

// In the order in which a copy opens them. What it sees of all names before it
// opens any is seen here in its turn, so that where several destinations are at
// fault another one may be told first.
enum { TURN_OLD, TURN_FIRST, TURN_NEW, NR_TURNS };

static unsigned
turn_of(const struct prospect *p, unsigned nr)
{
	if (nr == 0)
		return TURN_FIRST;
	return legs_is_old(&p->options.request) ? TURN_OLD : TURN_NEW;
}

// The first that is not as it should be decides; without one of them there is
// no copy to tell of.
static enum transfer_verdict
look(struct prospect *all, unsigned nr)
{
	enum transfer_verdict verdict = TRANSFER_OK;
	const struct transfer *before = NULL;

	for (unsigned i = 0; i < NR_TURNS * nr; i++) {
		struct prospect *p = &all[i % nr];

		if (turn_of(p, i % nr) != i / nr)
			continue;
		p->transfer->before = before;
		p->verdict = preview_run(p->transfer, &p->old);
		p->is_planned = p->verdict == TRANSFER_OK ||
				p->verdict == TRANSFER_REFUSED;
		if (p->verdict == TRANSFER_OK)
			before = p->transfer;
		if (verdict == TRANSFER_OK)
			verdict = p->verdict;
		if (p->verdict == TRANSFER_UNCOUNTED)
			return verdict;
	}
	return verdict;
}

static bool
has_all(const struct prospect *all, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		if (!all[i].is_planned)
			return false;
	return true;
}

// 0 or -errno, told.
static int
print(const struct prospect *all, unsigned nr)
{
	intent_print(&all->options, all->transfer, &all->old, all->verdict);
	for (unsigned i = 1; i < nr; i++)
		intent_print_deed(&all[i].options, all[i].transfer, &all[i].old,
				  all[i].verdict);
	return describe_plan(transfer_plan(all->transfer));
}

// For the report. 0 or -errno, told.
static int
keep(struct run *run, const struct prospect *all, unsigned nr)
{
	const int r = legs_new(&run->transfer);

	for (unsigned i = 0; r == 0 && nr > 1 && i < nr; i++) {
		struct leg *leg = &run->transfer.legs->all[i];

		leg->is_open = all[i].is_planned;
		leg->out->side.facts = all[i].transfer->out.side.facts;
	}
	return r;
}

static enum transfer_verdict
look_at_all(struct run *run, struct prospect *all, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		init(&all[i], run, i);
	const enum transfer_verdict verdict = look(all, nr);
	int r = has_all(all, nr) && !run->options.is_json // which has it
			? print(all, nr)
			: 0;
	if (r == 0)
		r = keep(run, all, nr);
	for (unsigned i = 1; i < nr; i++)
		transfer_done(all[i].transfer);
	return r < 0 ? TRANSFER_FAILED : verdict;
}

static enum transfer_verdict
look_at_copy(struct run *run)
{
	const unsigned nr = 1 + run->options.request.nr_tees;
	struct prospect *all = calloc(nr, sizeof(*all));

	if (all == NULL) {
		message_error(ENOMEM, "plan=");
		return TRANSFER_UNCOUNTED;
	}
	const enum transfer_verdict verdict = look_at_all(run, all, nr);
	run->transfer.before = NULL;
	free(all);
	return verdict;
}

static enum transfer_verdict
look_at_medium(struct run *run)
{
	struct facts old;
	const enum transfer_verdict verdict = attest_preview(&run->transfer,
							     &old);

	if (verdict == TRANSFER_UNCOUNTED || run->options.is_json)
		return verdict;
	intent_print(&run->options, &run->transfer, &old, verdict);
	return describe_plan(transfer_plan(&run->transfer)) < 0
		       ? TRANSFER_FAILED
		       : verdict;
}

enum transfer_verdict
prospect_run(struct run *run)
{
	return request_is_attested(&run->options.request) ? look_at_medium(run)
							  : look_at_copy(run);
}
