// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "dying.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"

#define NS_A_SECOND UINT64_C(1000000000)
#define NS_A_SEEK (8 * UINT64_C(1000000))
#define NS_A_KIB UINT64_C(7000)
#define SLOWER 25

void
dying_done(struct dying *d)
{
	for (int kind = 0; kind < DYING_NR_KINDS; kind++)
		free(d->kinds[kind].ranges);
	*d = (struct dying){.len = 0};
}

void
dying_add(struct dying *d, enum dying_kind kind, uint64_t from, uint64_t to)
{
	struct dying_ranges *r = &d->kinds[kind];

	if ((r->nr & (r->nr - 1)) == 0) {
		const size_t room = r->nr > 0 ? 2 * r->nr : 1;
		r->ranges = reallocarray(r->ranges, room, sizeof(*r->ranges));
		if (r->ranges == NULL)
			abort();
	}
	r->ranges[r->nr++] = (struct dying_range){from, to};
}

void
dying_add_head(struct dying *d, unsigned nr_zones, unsigned nr_heads)
{
	const uint64_t zone = round_down(d->len / nr_zones, 512);
	const uint64_t track = round_down(zone / nr_heads, 512);

	for (unsigned i = 0; i < nr_zones; i++)
		dying_add(d, DYING_BAD, i * zone + track, i * zone + 2 * track);
}

uint64_t
dying_first(const struct dying *d, enum dying_kind kind, uint64_t from,
	    uint64_t to)
{
	const struct dying_ranges *r = &d->kinds[kind];
	size_t low = 0, high = r->nr;

	while (low < high) {
		const size_t half = low + (high - low) / 2;

		if (r->ranges[half].to <= from)
			low = half + 1;
		else
			high = half;
	}
	return low < r->nr && r->ranges[low].from < to
		       ? max_u64(r->ranges[low].from, from)
		       : to;
}

static uint64_t
time_of(const struct dying *d, uint64_t from, uint64_t to, bool is_bad)
{
	const uint64_t ns = NS_A_SEEK + (to - from) / KIB * NS_A_KIB;

	if (dying_first(d, DYING_HANG, from, to) < to ||
	    dying_first(d, DYING_LATE, from, to) < to)
		return 120 * NS_A_SECOND;
	if (is_bad)
		return d->ns_bad > 0 ? d->ns_bad : NS_A_SECOND / 2;
	if (dying_first(d, DYING_SLOW, from, to) == to)
		return ns;
	return ns * (d->slower > 0 ? d->slower : SLOWER);
}

struct dying_answer
dying_read(struct dying *d, uint64_t off, size_t len)
{
	const uint64_t to = min_u64(off + len, max_u64(d->len, off));
	const uint64_t bad = min_u64(dying_first(d, DYING_BAD, off, to),
				     dying_first(d, DYING_HANG, off, to));
	struct dying_answer answer = {.got = (size_t)(to - off)};

	if (d->gone_after > 0 && ++d->nr_reads > d->gone_after)
		return (struct dying_answer){0, EIO, 0};
	if (bad < to) {
		answer.error = EIO;
		answer.got = d->is_short ? (size_t)(bad - off) : 0;
	}
	answer.ns = time_of(d, off, to, bad < to);
	return answer;
}
