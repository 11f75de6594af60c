// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "chase.h"

#include <assert.h>
#include <errno.h>

#include "base.h"

#define CLUSTER (64 * KIB)

enum step_nr {
	PASS_1,
	PASS_2,
	PASS_3,
	PASS_4,
	TRIM,
	SWEEP,
	TRIM_SWEPT,
	SCRAPE,
	RETRY,
	END,
};

static const struct step {
	enum map_state state;
	enum pick_edges edges;
	bool is_back;
	struct {
		char phase;
		unsigned pass;
	} status;
} steps[] = {
	[PASS_1] = {MAP_TODO, PICK_ANY, false, {'?', 1}},
	[PASS_2] = {MAP_TODO, PICK_GOOD, true, {'?', 2}},
	[PASS_3] = {MAP_TODO, PICK_GOOD, false, {'?', 3}},
	[PASS_4] = {MAP_TODO, PICK_GOOD, true, {'?', 4}},
	[TRIM] = {MAP_NONTRIMMED, PICK_BOTH_GOOD, false, {'*', 1}},
	// ddrescue has a letter for it, which it did not know before 1.30.
	[SWEEP] = {MAP_TODO, PICK_ANY, false, {'?', 4}},
	[TRIM_SWEPT] = {MAP_NONTRIMMED, PICK_BOTH_GOOD, false, {'*', 1}},
	[SCRAPE] = {MAP_NONSCRAPED, PICK_ANY, false, {'/', 1}},
	[RETRY] = {MAP_BAD, PICK_ANY, false, {'-', 1}},
	[END] = {MAP_DONE, PICK_ANY, false, {'+', 1}},
};

static uint64_t
unit_of(const struct chase *c, enum step_nr step)
{
	if (steps[step].state != MAP_TODO)
		return c->setup.sector;
	return step == SWEEP ? CLUSTER : c->setup.most;
}

static void
begin_step(struct chase *c, enum step_nr step)
{
	struct pick *pick = &c->pick;

	c->step = step;
	pick->state = steps[step].state;
	pick->edges = steps[step].edges;
	pick->is_back = step == RETRY ? c->nr_retried % 2 != 0
				      : steps[step].is_back;
	// What fails in these keeps its state.
	pick->is_once = step == PASS_1 || step == RETRY;
	pick->unit = unit_of(c, step);
	pick->suspect_unit = min_u64(pick->unit, CLUSTER);
	pick->cursor = range_near(pick->domain, pick->is_back);
	pick->landing = UINT64_MAX;
	skip_reset(&c->skip);
	if (step <= PASS_2)
		c->has_late = false;
}

static bool
has_any(const struct chase *c, enum map_state state, uint64_t before)
{
	const struct map_span *span = map_find(c->setup.map, c->setup.off,
					       state);

	return c->setup.off < before && span != NULL && span->off < before;
}

static bool
has_untried(const struct chase *c)
{
	const uint64_t end = c->pick.domain.to;

	return has_any(c, MAP_TODO, end) || has_any(c, MAP_NONTRIMMED, end) ||
	       has_any(c, MAP_NONSCRAPED, end);
}

// Reads have failed before: there are traces of it, or something was skipped.
static bool
has_failed(const struct chase *c)
{
	const uint64_t end = c->pick.domain.to;

	return c->step != PASS_1 || has_any(c, MAP_TODO, c->pick.cursor) ||
	       has_any(c, MAP_NONTRIMMED, end) ||
	       has_any(c, MAP_NONSCRAPED, end) || has_any(c, MAP_BAD, end);
}

// A run that was interrupted goes on in its pass: what lies before it was
// skipped, and would fail again. So would what is not tried when it is trimmed
// already, unless something good is beside it.
static void
resume(struct chase *c, const struct mapfile_status *status)
{
	const struct range all = c->pick.domain;

	if (status->phase == '*')
		begin_step(c, PASS_2);
	if (status->phase != '?' || status->pass < 1 || status->pass > 4)
		return;
	begin_step(c, (enum step_nr)(PASS_1 + status->pass - 1));
	if (status->pos >= all.from && status->pos <= all.to)
		c->pick.cursor = status->pos;
}

static void
init_pick(struct chase *c)
{
	const struct chase_setup *setup = &c->setup;

	c->pick = (struct pick){
		.map = setup->map,
		.suspects = &c->suspects,
		.outs = &c->outs,
		.domain = {setup->off, setup->off + setup->len},
	};
}

int
chase_init(struct chase *c, const struct chase_setup *setup)
{
	const unsigned nr_most = max_u64(setup->nr_parallel,
					 CHASE_OVERDUE_MAX + 1);

	assert(setup->off <= setup->map->len &&
	       setup->len <= setup->map->len - setup->off);
	assert(setup->most >= CLUSTER && setup->most % CLUSTER == 0);
	*c = (struct chase){.setup = *setup};
	if (outs_init(&c->outs, nr_most) < 0 ||
	    map_init(&c->suspects, setup->map->len) < 0) {
		chase_done(c);
		return -ENOMEM;
	}
	skip_init(&c->skip, setup->map->len);
	init_pick(c);
	begin_step(c, PASS_1);
	resume(c, &setup->status);
	c->is_careful = has_failed(c);
	areas_init(&c->areas, setup->map, c->pick.domain);
	return 0;
}

void
chase_done(struct chase *c)
{
	map_done(&c->suspects);
	outs_done(&c->outs);
	*c = (struct chase){.step = END};
}

// What came late has left work for steps that are over. They come again before
// all the failing reads of a sweep, and once more before the retries.
static bool
must_go_back(const struct chase *c)
{
	return c->step == TRIM ? c->has_late
			       : c->step == SCRAPE && has_untried(c);
}

static bool
waits_for_overdue(const struct chase *c)
{
	return c->step == TRIM || c->step >= SCRAPE;
}

static void
end_step(struct chase *c)
{
	if (c->step == RETRY)
		c->nr_retried++;
	if (must_go_back(c))
		begin_step(c, PASS_2);
	else if (c->step < SCRAPE)
		begin_step(c, (enum step_nr)(c->step + 1));
	else if (c->nr_retried < c->setup.nr_retries)
		begin_step(c, RETRY);
	else
		begin_step(c, END);
}

static bool
is_full(const struct chase *c)
{
	const struct outs *outs = &c->outs;
	const unsigned most = c->is_careful ? 1 : c->setup.nr_parallel;

	return outs->nr - outs->nr_overdue >= most ||
	       outs->nr_overdue >= CHASE_OVERDUE_MAX || outs->nr == outs->room;
}

// With memory for two marks for each that is out, so that what was read can
// always be told.
static int
yield(struct chase *c, struct range range, struct chase_read *ret)
{
	if (map_reserve(c->setup.map, 2 * (c->outs.nr + 1)) < 0 ||
	    map_reserve(&c->suspects, c->outs.nr + 1) < 0)
		return -ENOMEM;
	*ret = (struct chase_read){range.from, (size_t)(range.to - range.from)};
	outs_add(&c->outs, range);
	c->pos = range_near(range, c->pick.is_back);
	return CHASE_READ;
}

int
chase_next(struct chase *c, struct chase_read *ret)
{
	struct range range;

	while (c->step != END) {
		if (is_full(c))
			return CHASE_WAIT;
		const int r = pick_next(&c->pick, &range);
		if (r != 0)
			return r < 0 ? r : yield(c, range, ret);
		const bool waits = waits_for_overdue(c);
		if (c->outs.nr > (waits ? 0 : c->outs.nr_overdue))
			return CHASE_WAIT;
		end_step(c);
	}
	return CHASE_END;
}

// It is bad here: go on elsewhere.
static void
go_on_behind(struct chase *c, struct range bad)
{
	struct pick *pick = &c->pick;
	const bool is_back = pick->is_back;
	const uint64_t to = skip_over(&c->skip, bad, is_back);

	pick->cursor = is_back ? min_u64(pick->cursor, to)
			       : max_u64(pick->cursor, to);
	pick->landing = pick->cursor;
}

// Up to where pieces can end.
static void
suspect(struct chase *c, struct range range)
{
	const uint64_t from = round_down(range.from, CLUSTER);
	const uint64_t to = min_u64(round_up(range.to, CLUSTER),
				    c->suspects.len);

	map_mark(&c->suspects, from, to - from, MAP_BAD);
}

static void
note_failed(struct chase *c, struct range range)
{
	const uint64_t sector = c->setup.sector;
	const bool is_one = range.from / sector == (range.to - 1) / sector;
	const uint64_t len = range.to - range.from;

	c->is_careful = true;
	if (len > CLUSTER)
		suspect(c, range);
	else
		areas_mark(&c->areas, range, is_one ? MAP_BAD : MAP_NONTRIMMED);
}

// Many at once take longer each, and nothing was skipped before one has failed.
static void
note_good(struct chase *c, struct range range, uint64_t ns)
{
	if (!c->is_careful || c->step > PASS_2)
		return;
	if (skip_is_slow(&c->skip, range, ns))
		go_on_behind(c, range);
	else
		skip_end(&c->skip, range, c->pick.is_back);
}

static void
end_source(struct chase *c, uint64_t end)
{
	struct range *all = &c->pick.domain;

	all->to = min_u64(all->to, end);
	areas_init(&c->areas, c->setup.map, *all);
}

void
chase_tell(struct chase *c, const struct chase_read *read, size_t got,
	   int error, uint64_t ns)
{
	const struct out out = outs_take(&c->outs, read->off);
	const struct range range = out.range;
	uint64_t good = range.from + got;

	assert(good <= range.to);
	c->has_late |= out.is_overdue;
	if (error != 0 && good < range.to)
		good = max_u64(range.from, round_down(good, c->setup.sector));
	areas_mark(&c->areas, (struct range){range.from, good}, MAP_DONE);
	if (good == range.to) {
		if (!out.is_overdue)
			note_good(c, range, ns);
	} else if (error == 0) {
		end_source(c, good);
	} else {
		note_failed(c, (struct range){good, range.to});
		// Later passes leave the rest of a block by themselves, for
		// it is not beside something good.
		if (c->step == PASS_1 && !out.is_skipped)
			go_on_behind(c, range);
	}
}

void
chase_overdue(struct chase *c, const struct chase_read *read)
{
	struct out *out = outs_find(&c->outs, read->off);

	outs_set_overdue(&c->outs, out);
	if (!c->is_careful || c->step != PASS_1)
		return;
	out->is_skipped = true;
	go_on_behind(c, out->range);
}

uint64_t
chase_end(const struct chase *c)
{
	return c->pick.domain.to;
}

struct mapfile_status
chase_status(const struct chase *c)
{
	const struct step *step = &steps[c->step];
	struct mapfile_status status = {c->pos, step->status.phase,
					step->status.pass};

	// Several are out: the next run begins with the first of them.
	for (unsigned i = 0; i < c->outs.nr && c->step == PASS_1; i++) {
		const struct out *out = &c->outs.outs[i];

		if (!out->is_overdue)
			status.pos = min_u64(status.pos, out->range.from);
	}
	if (c->step == RETRY)
		status.pass += c->nr_retried;
	return status;
}
