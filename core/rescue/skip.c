// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "skip.h"

#include "base.h"

#define UNIT (64 * KIB)
#define LEAST_PART 32768 // of the source
#define MOST_PART 100

// A single seek or two, or a sector that is read again, are not slow yet.
#define SLOW_NS (200 * UINT64_C(1000000))
#define SLOW_FACTOR 10
#define PACE_READS 16 // that it is an average of

void
skip_init(struct skip *s, uint64_t len)
{
	*s = (struct skip){.gap = UINT64_MAX};
	s->least = max_u64(UNIT, round_up(len / LEAST_PART, UNIT));
	s->most = max_u64(s->least, round_up(len / MOST_PART, UNIT));
}

// By doubling, as long as what it has to get over.
static uint64_t
len_over(const struct skip *s, uint64_t gap)
{
	uint64_t len = s->least;

	while (len < gap && len < s->most)
		len *= 2;
	return min_u64(len, s->most);
}

uint64_t
skip_over(struct skip *s, struct range bad, bool is_back)
{
	// What was out at the same time may be told in any order.
	if (s->gap == UINT64_MAX || (!is_back && bad.from < s->gap))
		s->gap = range_near(bad, is_back);
	if (!is_back)
		return round_down(bad.to + len_over(s, bad.from - s->gap),
				  UNIT);
	const uint64_t len = len_over(s, s->gap - bad.to);
	return bad.from > len ? round_up(bad.from - len, UNIT) : 0;
}

bool
skip_is_slow(struct skip *s, struct range range, uint64_t ns)
{
	const uint64_t pace = ns * MIB / (range.to - range.from);

	if (ns > SLOW_NS && s->pace > 0 && pace > SLOW_FACTOR * s->pace)
		return true;
	s->pace = s->pace > 0 ? ((PACE_READS - 1) * s->pace + pace) / PACE_READS
			      : pace;
	return false;
}

void
skip_end(struct skip *s, struct range good, bool is_back)
{
	if (is_back || good.from > s->gap)
		s->gap = UINT64_MAX;
}
