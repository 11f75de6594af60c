// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "written.h"

#include <string.h>

#include "base.h"

static uint64_t
end_of(const struct map_span *span)
{
	return span->off + span->len;
}

int
written_init(struct map *written, uint64_t base, const struct map *map,
	     uint64_t outside[MAP_NR_STATES])
{
	const uint64_t end = base + written->len;
	struct map_span span;
	int r = 0;

	memcpy(outside, map->totals, sizeof(map->totals));
	for (size_t i = 0; r == 0 && map_next(map, &i, base, end, &span);) {
		outside[span.state] -= span.len;
		if (span.state == MAP_DONE)
			r = map_mark(written, span.off - base, span.len,
				     MAP_DONE);
	}
	return r;
}

// From off to end nothing is written.
static int
take_back(struct map *map, uint64_t off, uint64_t end)
{
	const struct map_span *span;
	int r = 0;

	while (r == 0 && off < end &&
	       (span = map_find(map, off, MAP_DONE)) != NULL &&
	       span->off < end) {
		const uint64_t from = max_u64(span->off, off);

		off = min_u64(end_of(span), end);
		r = map_mark(map, from, off - from, MAP_TODO);
	}
	return r;
}

int
written_take_back(const struct map *written, uint64_t base, struct map *map)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < written->nr; i++) {
		const struct map_span *span = map_nth(written, i);

		if (span->state == MAP_TODO)
			r = take_back(map, base + span->off,
				      base + end_of(span));
	}
	return r;
}
