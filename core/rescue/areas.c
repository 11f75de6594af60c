// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "areas.h"

#include "base.h"

// Within the domain.
static size_t
nr_bad(const struct areas *a, struct range range)
{
	const uint64_t end = min_u64(range.to, a->domain.to);
	uint64_t off = max_u64(range.from, a->domain.from);
	size_t nr = 0;

	while (off < end) {
		const struct map_span *span = map_at(a->map, off);

		nr += span->state == MAP_BAD;
		off = span->off + span->len;
	}
	return nr;
}

void
areas_init(struct areas *a, struct map *map, struct range domain)
{
	*a = (struct areas){.map = map, .domain = domain};
	a->nr = nr_bad(a, domain);
}

// What is bad is counted with its neighbours, to which it may be joined, or
// from which it may be cut.
void
areas_mark(struct areas *a, struct range range, enum map_state state)
{
	struct map *map = a->map;
	const uint64_t len = range.to - range.from;
	const struct range around = {max_u64(range.from, 1) - 1, range.to + 1};

	if (len == 0)
		return;
	if (state != MAP_BAD && map_at(map, range.from)->state != MAP_BAD) {
		map_mark(map, range.from, len, state);
		return;
	}
	a->nr -= nr_bad(a, around);
	map_mark(map, range.from, len, state);
	a->nr += nr_bad(a, around);
}
