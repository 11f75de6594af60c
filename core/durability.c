// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "durability.h"

#include "base.h"
#include "hold.h"
#include "writeback.h"

uint64_t
durability_on_device(const struct transfer *t)
{
	const struct hold *hold = t->bulk.hold;
	const uint64_t bytes = t->stats->bytes;
	const uint64_t start = t->dst.facts.is_append ? t->dst.facts.size
						      : t->dst_start;
	uint64_t reached = bulk_direct(&t->bulk);

	if (t->is_synced)
		return bytes;
	if (t->dst.facts.is_direct)
		reached = bytes;
	const uint64_t end = t->writeback != NULL
				     ? writeback_reached(t->writeback)
				     : 0;
	if (end > start)
		reached = max_u64(reached, end - start);
	reached = min_u64(reached, bytes);
	// What is held back counts as written, but is in memory.
	return hold != NULL ? reached - min_u64(reached, hold->size) : reached;
}

bool
durability_is_safe_to_remove(const struct transfer *t)
{
	return t->request.dst != NULL && t->safety.is_alone && t->is_synced &&
	       t->is_closed;
}
