// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "durability.h"

#include "base.h"
#include "hold.h"
#include "legs.h"
#include "writeback.h"

static uint64_t
held_back(const struct transfer *t)
{
	const struct hold *hold = t->out.hold;

	return hold == NULL || hold->is_written
		       ? 0
		       : min_u64(t->env.stats->bytes, hold->size);
}

struct stats
durability_stats(const struct transfer *t)
{
	const uint64_t held = held_back(t), obs = t->env.asked->obs;
	struct stats s = *t->env.stats;

	if (!request_writes(t->env.asked))
		s.out_full = s.out_partial = 0;
	if (held == 0)
		return s;
	s.bytes -= held;
	s.out_full -= min_u64(s.out_full, held / obs);
	if (s.bytes == 0) {
		s.out_full = s.out_partial = 0;
	} else if (held % obs != 0 && s.out_full > 0) {
		s.out_full--;
		s.out_partial++;
	}
	return s;
}

// Of several destinations, what all of them have.
static uint64_t
least(const struct transfer *t, uint64_t (*of)(const struct transfer *t))
{
	uint64_t n = UINT64_MAX;

	for (unsigned i = 0; i < t->legs->nr; i++) {
		const struct transfer view = legs_view(t, i);

		n = min_u64(n, of(&view));
	}
	return n;
}

uint64_t
durability_on_device(const struct transfer *t)
{
	if (t->legs != NULL)
		return least(t, durability_on_device);
	const uint64_t bytes = t->env.stats->bytes;
	const uint64_t start = t->out.side.facts.is_append
				       ? t->out.side.facts.size
				       : t->out.start;
	uint64_t reached = bulk_direct(&t->bulk);

	if (t->out.is_synced)
		return bytes;
	if (t->out.side.facts.is_direct)
		reached = bytes;
	const uint64_t end = t->out.writeback != NULL
				     ? writeback_reached(t->out.writeback)
				     : 0;
	if (end > start)
		reached = max_u64(reached, end - start);
	reached = max_u64(reached, t->env.stats->rescue.saved);
	reached = min_u64(reached, bytes);
	return reached - min_u64(reached, held_back(t));
}

bool
durability_is_asked(const struct transfer *t)
{
	return output_syncs(&t->out) != 0;
}

uint64_t
durability_durable(const struct transfer *t)
{
	if (t->legs != NULL)
		return least(t, durability_durable);
	return t->out.is_synced ? t->env.stats->bytes
				: t->env.stats->rescue.saved;
}

bool
durability_is_safe_to_remove(const struct transfer *t)
{
	for (unsigned i = 0; t->legs != NULL && i < t->legs->nr; i++) {
		const struct transfer view = legs_view(t, i);

		if (!durability_is_safe_to_remove(&view))
			return false;
	}
	if (t->legs != NULL)
		return true;
	return t->env.asked->dst != NULL && t->out.safety.is_alone &&
	       t->out.is_synced && t->out.is_closed &&
	       t->env.stats->unread == 0;
}
