// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "chase.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base.h"

#define CLUSTER (64 * KIB)
#define NOWHERE UINT64_MAX

#define SKIP_FIRST_PARTS 32768 // of the source is skipped first,
#define SKIP_MAX_PARTS 100     // and this is skipped at most

// A single seek or two, or a sector that is read again, are not slow yet.
#define SLOW_NS (200 * UINT64_C(1000000))
#define SLOW_FACTOR 10

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

// What a step reads: parts in this state, each from the end at which the step
// arrives, or only from an end that lies beside something good.
enum edges { ANY_EDGE, GOOD_EDGE, GOOD_EDGES };

static const struct step {
	enum map_state state;
	enum edges edges;
	bool is_back;
	struct {
		char phase;
		unsigned pass;
	} status;
} steps[] = {
	[PASS_1] = {MAP_TODO, ANY_EDGE, false, {'?', 1}},
	[PASS_2] = {MAP_TODO, GOOD_EDGE, true, {'?', 2}},
	[PASS_3] = {MAP_TODO, GOOD_EDGE, false, {'?', 3}},
	[PASS_4] = {MAP_TODO, GOOD_EDGE, true, {'?', 4}},
	[TRIM] = {MAP_NONTRIMMED, GOOD_EDGES, false, {'*', 1}},
	// ddrescue has a letter for it, which it did not know before 1.30.
	[SWEEP] = {MAP_TODO, ANY_EDGE, false, {'?', 4}},
	[TRIM_SWEPT] = {MAP_NONTRIMMED, GOOD_EDGES, false, {'*', 1}},
	[SCRAPE] = {MAP_NONSCRAPED, ANY_EDGE, false, {'/', 1}},
	[RETRY] = {MAP_BAD, ANY_EDGE, false, {'-', 1}},
	[END] = {MAP_DONE, ANY_EDGE, false, {'+', 1}},
};

struct range {
	uint64_t from;
	uint64_t to;
};

static struct range
domain(const struct chase *c)
{
	return (struct range){c->setup.off, c->setup.off + c->setup.len};
}

static struct range
range_of(const struct chase_read *read)
{
	return (struct range){read->off, read->off + read->len};
}

static bool
is_back(const struct chase *c)
{
	return c->step == RETRY ? c->nr_retried % 2 != 0
				: steps[c->step].is_back;
}

static uint64_t
near_end(struct range range, bool back)
{
	return back ? range.to : range.from;
}

static uint64_t
far_end(struct range range, bool back)
{
	return back ? range.from : range.to;
}

static void
begin_step(struct chase *c, enum step_nr step)
{
	c->step = step;
	c->cursor = near_end(domain(c), is_back(c));
	c->landing = c->gap = NOWHERE;
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
	const uint64_t end = domain(c).to;

	return has_any(c, MAP_TODO, end) || has_any(c, MAP_NONTRIMMED, end) ||
	       has_any(c, MAP_NONSCRAPED, end);
}

// Reads have failed before: there are traces of it, or something was skipped.
static bool
has_failed(const struct chase *c)
{
	const uint64_t end = domain(c).to;

	return c->step != PASS_1 || has_any(c, MAP_TODO, c->cursor) ||
	       has_any(c, MAP_NONTRIMMED, end) ||
	       has_any(c, MAP_NONSCRAPED, end) || has_any(c, MAP_BAD, end);
}

// A run that was interrupted goes on in its pass: what lies before it was
// skipped, and would fail again. So would what is not tried when it is trimmed
// already, unless something good is beside it.
static void
resume(struct chase *c, const struct mapfile_status *status)
{
	const struct range all = domain(c);

	if (status->phase == '*')
		begin_step(c, PASS_2);
	if (status->phase != '?' || status->pass < 1 || status->pass > 4)
		return;
	begin_step(c, (enum step_nr)(PASS_1 + status->pass - 1));
	if (status->pos >= all.from && status->pos <= all.to)
		c->cursor = status->pos;
}

// At once, with the overdue ones.
static unsigned
nr_most(const struct chase *c)
{
	const unsigned nr = c->setup.nr_parallel;

	return nr > CHASE_OVERDUE_MAX ? nr : CHASE_OVERDUE_MAX + 1;
}

// Spans that are bad, within the domain.
static size_t
nr_bad(const struct chase *c, uint64_t from, uint64_t to)
{
	const struct range all = domain(c);
	uint64_t off = max_u64(from, all.from);
	size_t nr = 0;

	while (off < min_u64(to, all.to)) {
		const struct map_span *span = map_at(c->setup.map, off);

		nr += span->state == MAP_BAD;
		off = span->off + span->len;
	}
	return nr;
}

int
chase_init(struct chase *c, const struct chase_setup *setup)
{
	assert(setup->off <= setup->map->len &&
	       setup->len <= setup->map->len - setup->off);
	assert(setup->most >= CLUSTER && setup->most % CLUSTER == 0);
	*c = (struct chase){.setup = *setup};
	c->outs = calloc(nr_most(c), sizeof(*c->outs));
	if (c->outs == NULL || map_init(&c->suspects, setup->map->len) < 0) {
		chase_done(c);
		return -ENOMEM;
	}
	begin_step(c, PASS_1);
	resume(c, &setup->status);
	c->is_careful = has_failed(c);
	c->nr_areas = nr_bad(c, 0, setup->map->len);
	return 0;
}

void
chase_done(struct chase *c)
{
	map_done(&c->suspects);
	free(c->outs);
	*c = (struct chase){.nr_out = 0};
}

// The one that the step meets first within the part.
static const struct chase_out *
find_out(const struct chase *c, struct range part)
{
	const struct chase_out *first = NULL;

	for (unsigned i = 0; i < c->nr_out; i++) {
		const struct chase_out *out = &c->outs[i];
		const struct range range = range_of(&out->read);

		if (range.from >= part.to || range.to <= part.from)
			continue;
		if (first == NULL ||
		    (range.from < first->read.off) != is_back(c))
			first = out;
	}
	return first;
}

// From the cursor on.
static bool
find_span(const struct chase *c, uint64_t cursor, struct range *ret)
{
	const struct map *map = c->setup.map;
	const enum map_state state = steps[c->step].state;
	const bool back = is_back(c);
	const struct map_span *span = back ? map_find_back(map, cursor, state)
					   : map_find(map, cursor, state);

	if (span == NULL)
		return false;
	const struct range all = domain(c);
	const uint64_t from = back ? all.from : max_u64(cursor, all.from);
	const uint64_t to = back ? min_u64(cursor, all.to) : all.to;
	ret->from = max_u64(span->off, from);
	ret->to = min_u64(span->off + span->len, to);
	return ret->from < ret->to;
}

// The next part in the state of the step of which nothing is out.
static bool
find_part(const struct chase *c, struct range *ret)
{
	const bool back = is_back(c);
	uint64_t cursor = c->cursor;

	while (find_span(c, cursor, ret)) {
		const struct chase_out *out = find_out(c, *ret);
		if (out == NULL)
			return true;
		const struct range range = range_of(&out->read);
		cursor = far_end(range, back);
		if (back && range.to < ret->to) {
			ret->from = range.to;
			return true;
		}
		if (!back && range.from > ret->from) {
			ret->to = range.from;
			return true;
		}
	}
	return false;
}

// What is beside the part; outside of the domain all counts as good.
static enum map_state
beside(const struct chase *c, struct range part, bool back)
{
	const uint64_t end = near_end(part, back);

	if (end == near_end(domain(c), back))
		return MAP_DONE;
	return map_at(c->setup.map, back ? end : end - 1)->state;
}

static bool
is_good(enum map_state state)
{
	return state == MAP_DONE || state == MAP_HOLE || state == MAP_SAME;
}

static bool
is_untried(enum map_state state)
{
	return state == MAP_TODO || state == MAP_NONTRIMMED;
}

static bool
has_good_edge(const struct chase *c, struct range part, bool back)
{
	return near_end(part, back) == c->landing ||
	       is_good(beside(c, part, back));
}

static uint64_t
unit_of(const struct chase *c, bool is_suspect)
{
	if (steps[c->step].state != MAP_TODO)
		return c->setup.sector;
	return c->step == SWEEP || is_suspect ? CLUSTER : c->setup.most;
}

// The first piece of it.
static struct range
cut(const struct chase *c, struct range part, bool back)
{
	const struct map_span *span = map_at(&c->suspects,
					     back ? part.to - 1 : part.from);
	const uint64_t unit = unit_of(c, span->state == MAP_BAD);

	if (back) {
		const uint64_t from = max_u64(part.from, span->off);
		part.from = max_u64(from, round_down(part.to - 1, unit));
	} else {
		const uint64_t to = min_u64(part.to, span->off + span->len);
		part.to = min_u64(to, round_down(part.from, unit) + unit);
	}
	return part;
}

static bool
choose(const struct chase *c, struct range part, struct range *ret)
{
	const enum edges edges = steps[c->step].edges;
	bool back = is_back(c);

	if (edges != ANY_EDGE && !has_good_edge(c, part, back)) {
		back = !back;
		if (edges == GOOD_EDGE || !has_good_edge(c, part, back))
			return false;
	}
	*ret = cut(c, part, back);
	return true;
}

// The edges of what was not trimmed have failed; if one of them has not been
// tried, it may be a good one yet.
static int
leave(struct chase *c, struct range part)
{
	if (steps[c->step].edges != GOOD_EDGES ||
	    is_untried(beside(c, part, false)) ||
	    is_untried(beside(c, part, true)))
		return 0;
	return map_mark(c->setup.map, part.from, part.to - part.from,
			MAP_NONSCRAPED);
}

// 1: *ret is to be read. 0: the step has nothing left. -ENOMEM.
static int
pick(struct chase *c, struct range *ret)
{
	struct range part;

	while (find_part(c, &part)) {
		if (choose(c, part, ret)) {
			// What fails in the first pass and in a retry keeps
			// its state, and is not for this step again.
			c->cursor = c->step == PASS_1 || c->step == RETRY
					    ? far_end(*ret, is_back(c))
					    : near_end(part, is_back(c));
			return 1;
		}
		if (leave(c, part) < 0)
			return -ENOMEM;
		c->cursor = far_end(part, is_back(c));
	}
	return 0;
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
	const unsigned most = c->is_careful ? 1 : c->setup.nr_parallel;

	return c->nr_out - c->nr_overdue >= most ||
	       c->nr_overdue >= CHASE_OVERDUE_MAX || c->nr_out >= nr_most(c);
}

// With memory for two marks for each that is out, so that what was read can
// always be told.
static int
yield(struct chase *c, struct range range, struct chase_read *ret)
{
	if (map_reserve(c->setup.map, 2 * (c->nr_out + 1)) < 0 ||
	    map_reserve(&c->suspects, c->nr_out + 1) < 0)
		return -ENOMEM;
	*ret = (struct chase_read){range.from, (size_t)(range.to - range.from)};
	c->outs[c->nr_out++] = (struct chase_out){.read = *ret};
	c->pos = near_end(range, is_back(c));
	return CHASE_READ;
}

int
chase_next(struct chase *c, struct chase_read *ret)
{
	struct range range;

	while (c->step != END) {
		if (is_full(c))
			return CHASE_WAIT;
		const int r = pick(c, &range);
		if (r != 0)
			return r < 0 ? r : yield(c, range, ret);
		if (c->nr_out > (waits_for_overdue(c) ? 0 : c->nr_overdue))
			return CHASE_WAIT;
		end_step(c);
	}
	return CHASE_END;
}

static struct chase_out *
find_told(const struct chase *c, const struct chase_read *read)
{
	for (unsigned i = 0; i < c->nr_out; i++)
		if (c->outs[i].read.off == read->off)
			return &c->outs[i];
	assert(!"this read is not out");
	return NULL;
}

// Of the source.
static uint64_t
clusters(const struct chase *c, unsigned nr_parts)
{
	return round_up(c->setup.map->len / nr_parts, CLUSTER);
}

// The skip grows with what it has to get over, by doubling.
static uint64_t
skip_len(const struct chase *c, uint64_t gap)
{
	const uint64_t least = max_u64(CLUSTER, clusters(c, SKIP_FIRST_PARTS));
	const uint64_t most = max_u64(least, clusters(c, SKIP_MAX_PARTS));
	uint64_t skip = least;

	while (skip < gap && skip < most)
		skip *= 2;
	return min_u64(skip, most);
}

// It is bad here: go on elsewhere.
static void
skip(struct chase *c, struct range range)
{
	const bool back = is_back(c);
	const struct range all = domain(c);

	if (c->gap == NOWHERE || (!back && range.from < c->gap))
		c->gap = near_end(range, back);
	if (back) {
		const uint64_t len = skip_len(c, c->gap - range.to);
		const uint64_t to = max_u64(range.from, all.from + len) - len;
		c->cursor = min_u64(c->cursor, round_up(to, CLUSTER));
	} else {
		const uint64_t len = skip_len(c, range.from - c->gap);
		const uint64_t to = round_down(range.to + len, CLUSTER);
		c->cursor = max_u64(c->cursor, min_u64(to, all.to));
	}
	c->landing = c->cursor;
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

// What is bad is counted with its neighbours, to which it may be joined, or
// from which it may be cut.
static void
mark(struct chase *c, struct range range, enum map_state state)
{
	struct map *map = c->setup.map;
	const uint64_t len = range.to - range.from;
	const uint64_t from = range.from > 0 ? range.from - 1 : 0;

	if (len == 0)
		return;
	if (state != MAP_BAD && map_at(map, range.from)->state != MAP_BAD) {
		map_mark(map, range.from, len, state);
		return;
	}
	c->nr_areas -= nr_bad(c, from, range.to + 1);
	map_mark(map, range.from, len, state);
	c->nr_areas += nr_bad(c, from, range.to + 1);
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
		mark(c, range, is_one ? MAP_BAD : MAP_NONTRIMMED);
}

// Many at once take longer each, and nothing was skipped before one has failed.
static void
note_good(struct chase *c, struct range range, uint64_t ns)
{
	if (!c->is_careful || c->step > PASS_2)
		return;
	const uint64_t pace = ns * MIB / (range.to - range.from);
	if (ns > SLOW_NS && c->pace > 0 && pace > SLOW_FACTOR * c->pace) {
		skip(c, range);
		return;
	}
	c->pace = c->pace > 0 ? (15 * c->pace + pace) / 16 : pace;
	if (is_back(c) || range.from > c->gap)
		c->gap = NOWHERE;
}

static void
end_source(struct chase *c, uint64_t end)
{
	const struct range all = domain(c);

	if (end < all.to)
		c->setup.len = max_u64(end, all.from) - all.from;
	c->nr_areas = nr_bad(c, 0, all.to);
}

void
chase_tell(struct chase *c, const struct chase_read *read, size_t got,
	   int error, uint64_t ns)
{
	struct chase_out *told = find_told(c, read);
	const struct chase_out out = *told;
	const struct range range = range_of(read);
	uint64_t good = range.from + got;

	assert(got <= read->len);
	*told = c->outs[--c->nr_out];
	c->nr_overdue -= out.is_overdue;
	c->has_late |= out.is_overdue;
	if (error != 0 && good < range.to)
		good = max_u64(range.from, round_down(good, c->setup.sector));
	mark(c, (struct range){range.from, good}, MAP_DONE);
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
			skip(c, range);
	}
}

void
chase_overdue(struct chase *c, const struct chase_read *read)
{
	struct chase_out *out = find_told(c, read);

	c->nr_overdue += !out->is_overdue;
	out->is_overdue = true;
	if (!c->is_careful || c->step != PASS_1)
		return;
	out->is_skipped = true;
	skip(c, range_of(read));
}

struct mapfile_status
chase_status(const struct chase *c)
{
	const struct step *step = &steps[c->step];
	struct mapfile_status status = {c->pos, step->status.phase,
					step->status.pass};

	// Several are out: the next run begins with the first of them.
	for (unsigned i = 0; i < c->nr_out && c->step == PASS_1; i++)
		if (!c->outs[i].is_overdue)
			status.pos = min_u64(status.pos, c->outs[i].read.off);
	if (c->step == RETRY)
		status.pass += c->nr_retried;
	return status;
}
