// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "pulse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "clock.h"

#define OVERDUE_NS SECOND_NS
#define OVERDUE_FACTOR 10
#define PROBE_MAX 16 // failing reads between two probes

void
pulse_init(struct pulse *p)
{
	*p = (struct pulse){.next_probe = 1};
}

void
pulse_remember(struct pulse *p, uint64_t off)
{
	p->has_good = true;
	p->good_off = off;
}

void
pulse_good(struct pulse *p, uint64_t off, uint64_t ns)
{
	pulse_remember(p, off);
	p->latencies[p->nr_good++ % PULSE_LATENCIES] = ns;
	p->nr_failed = 0;
	p->next_probe = 1;
	p->nr_was = 0;
}

void
pulse_failed(struct pulse *p, struct map_span was)
{
	p->nr_failed++;
	if (p->nr_was < PULSE_FAILED_MAX)
		p->was[p->nr_was++] = was;
}

static int
compare_u64(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t
pulse_overdue_ns(const struct pulse *p)
{
	const size_t nr = min_u64(p->nr_good, PULSE_LATENCIES);
	uint64_t sorted[PULSE_LATENCIES];

	if (nr == 0)
		return OVERDUE_NS;
	memcpy(sorted, p->latencies, nr * sizeof(*sorted));
	qsort(sorted, nr, sizeof(*sorted), compare_u64);
	return max_u64(OVERDUE_NS, OVERDUE_FACTOR * sorted[nr / 2]);
}

bool
pulse_wants_probe(const struct pulse *p)
{
	return p->has_good && p->nr_failed >= p->next_probe;
}

// After 1, 2, 4, 8, 16 failures, and then after 16 more each.
void
pulse_probed(struct pulse *p)
{
	p->nr_was = 0;
	p->next_probe = p->nr_failed +
			(unsigned)min_u64(max_u64(p->nr_failed, 1), PROBE_MAX);
}

bool
pulse_is_gone(int error)
{
	return error == ENODEV || error == ENXIO || error == ENOMEDIUM;
}

void
pulse_take_back(struct pulse *p, struct map *map)
{
	while (p->nr_was > 0) {
		const struct map_span *was = &p->was[--p->nr_was];

		(void)map_mark(map, was->off, was->len, was->state);
	}
}
