// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "survey.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "env.h"
#include "event.h"
#include "guide.h"
#include "hasher.h"
#include "hooks.h"
#include "request.h"
#include "side.h"
#include "stats.h"

static int
tell(const struct survey *s, int r)
{
	return hooks_tell(s->env->hooks,
			  (struct event){.kind = FAILURE_DIGEST, .error = -r});
}

// The ranges that have a digest, without it. 0 or -ENOMEM.
static int
list(struct survey *s)
{
	const struct ranges *map = &s->guide->bmap.ranges;
	int r = 0;

	s->found.size = map->size;
	for (size_t i = 0; r == 0 && i < map->nr; i++) {
		struct ranges_one one = {.off = map->all[i].off,
					 .len = map->all[i].len};

		if (map->all[i].value_size > 0)
			r = ranges_add(&s->found, &one);
	}
	return r;
}

// What was read of it, and what was left out on the way.
static void
count(const struct survey *s)
{
	const struct request *q = s->env->asked;
	const struct hooks *h = s->env->hooks;
	const uint64_t got = min_u64(s->readback.got, s->dst->facts.size);
	uint64_t len = 0, end = 0;

	for (size_t i = 0; end < got; i++) {
		const bool is_last = i == s->found.nr;
		const struct ranges_one *one = &s->found.all[i];
		const uint64_t off = is_last ? got : min_u64(one->off, got);

		hooks_tell_span(h, HOOKS_HOLE, end, off - end);
		end = is_last ? got : min_u64(off + one->len, got);
		len += end - off;
	}
	stats_count(s->env->stats, len, q->ibs, q->obs);
	s->env->stats->left_out = got - len;
}

static int
read_ranges(struct survey *s)
{
	struct hasher *hasher;

	s->readback = (struct readback){.env = s->env,
					.dst = s->dst,
					.back = s->back,
					.len = s->found.size,
					.is_attesting = true};
	int r = hasher_new(&hasher, 0);
	if (r == 0)
		r = hasher_add_list(hasher, HASH_MADE, s->guide->bmap.alg,
				    &s->found);
	if (r < 0) {
		hasher_free(hasher);
		return tell(s, r);
	}
	r = readback_run(&s->readback, hasher);
	hasher_free(hasher);
	count(s);
	return r;
}

// One that ends behind the end of the destination is told with that.
static void
compare(const struct survey *s, uint64_t end)
{
	const struct ranges *map = &s->guide->bmap.ranges;
	size_t nr = 0;

	for (size_t i = 0; i < map->nr; i++) {
		const struct ranges_one *one = &map->all[i];

		if (one->value_size == 0) {
			s->env->stats->unchecked += one->len;
			continue;
		}
		const struct ranges_one *found = &s->found.all[nr++];
		if (one->off + one->len <= end &&
		    (found->value_size != one->value_size ||
		     memcmp(found->value, one->value, one->value_size) != 0))
			differ_note(s->differ,
				    (struct differ_range){one->off, one->len,
							  -1, -1});
	}
}

int
survey_run(struct survey *s)
{
	const uint64_t len = s->guide->bmap.ranges.size;
	uint64_t end = min_u64(len, s->dst->facts.size);

	int r = list(s);
	if (r < 0)
		return tell(s, r);
	s->back->ranges = &s->found;
	s->back->facts.is_mapped = true;
	if (s->found.nr > 0) {
		r = read_ranges(s);
		end = min_u64(end, s->readback.got); // it was cut meanwhile
	}
	if (r < 0)
		return r;
	compare(s, end);
	differ_finish(s->differ); // what is not there is told for itself
	if (end < len)
		differ_note(s->differ, (struct differ_range){end, len - end, -1,
							     EVENT_NO_BYTE});
	differ_finish(s->differ);
	return differ_has_any(s->differ) ? -EBADMSG : 0;
}

void
survey_done(struct survey *s)
{
	readback_done(&s->readback);
	s->back->ranges = NULL;
	ranges_done(&s->found);
}
