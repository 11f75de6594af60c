// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "pick.h"

#include <errno.h>
#include <stddef.h>

#include "base.h"

// From the cursor on.
static bool
find_span(const struct pick *p, uint64_t cursor, struct range *ret)
{
	const struct map *map = p->map;
	const struct range all = p->domain;
	const bool back = p->is_back;
	const struct map_span *span = back ? map_find_back(map, cursor,
							   p->state)
					   : map_find(map, cursor, p->state);

	if (span == NULL)
		return false;
	const uint64_t from = back ? all.from : max_u64(cursor, all.from);
	const uint64_t to = back ? min_u64(cursor, all.to) : all.to;
	ret->from = max_u64(span->off, from);
	ret->to = min_u64(span->off + span->len, to);
	return ret->from < ret->to;
}

// The next part of which nothing is out.
static bool
find_part(const struct pick *p, struct range *ret)
{
	uint64_t cursor = p->cursor;

	while (find_span(p, cursor, ret)) {
		const struct out *out = outs_meet(p->outs, *ret, p->is_back);

		if (out == NULL)
			return true;
		cursor = range_far(out->range, p->is_back);
		if (p->is_back && out->range.to < ret->to) {
			ret->from = out->range.to;
			return true;
		}
		if (!p->is_back && out->range.from > ret->from) {
			ret->to = out->range.from;
			return true;
		}
	}
	return false;
}

static enum map_state
beside(const struct pick *p, struct range part, bool is_back)
{
	const uint64_t end = range_near(part, is_back);

	if (end == range_near(p->domain, is_back))
		return MAP_DONE;
	return map_at(p->map, is_back ? end : end - 1)->state;
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
has_good_end(const struct pick *p, struct range part, bool is_back)
{
	return range_near(part, is_back) == p->landing ||
	       is_good(beside(p, part, is_back));
}

// The first piece of it.
static struct range
cut(const struct pick *p, struct range part, bool is_back)
{
	const struct map_span *span = map_at(p->suspects,
					     is_back ? part.to - 1 : part.from);
	const uint64_t unit = span->state == MAP_BAD ? p->suspect_unit
						     : p->unit;

	if (is_back) {
		const uint64_t from = max_u64(part.from, span->off);
		part.from = max_u64(from, round_down(part.to - 1, unit));
	} else {
		const uint64_t to = min_u64(part.to, span->off + span->len);
		part.to = min_u64(to, round_down(part.from, unit) + unit);
	}
	return part;
}

static bool
choose(const struct pick *p, struct range part, struct range *ret)
{
	bool is_back = p->is_back;

	if (p->edges != PICK_ANY && !has_good_end(p, part, is_back)) {
		is_back = !is_back;
		if (p->edges == PICK_GOOD || !has_good_end(p, part, is_back))
			return false;
	}
	*ret = cut(p, part, is_back);
	return true;
}

// Beside what was not tried there may be a good end yet.
static int
leave(const struct pick *p, struct range part)
{
	if (p->edges != PICK_BOTH_GOOD || is_untried(beside(p, part, false)) ||
	    is_untried(beside(p, part, true)))
		return 0;
	return map_mark(p->map, part.from, part.to - part.from, MAP_NONSCRAPED);
}

int
pick_next(struct pick *p, struct range *ret)
{
	struct range part;

	while (find_part(p, &part)) {
		if (choose(p, part, ret)) {
			// What is left of the part comes next, and this again
			// if it keeps its state.
			p->cursor = p->is_once ? range_far(*ret, p->is_back)
					       : range_near(part, p->is_back);
			return 1;
		}
		if (leave(p, part) < 0)
			return -ENOMEM;
		p->cursor = range_far(part, p->is_back);
	}
	return 0;
}
