// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "growth.h"

#include <errno.h>

#include "base.h"
#include "bulk.h"
#include "env.h"
#include "event.h"
#include "extent.h"
#include "hooks.h"

int
growth_begin(struct bulk *b)
{
	const struct side *dst = b->dst;
	const uint64_t end = b->plan.final_size;
	struct extent extent = {0};
	uint64_t size;
	int r;

	b->is_grown = false;
	if (end == 0)
		return 0;
	r = dst->ops->get_size(dst, &size);
	if (r < 0 || size >= end)
		return r;
	r = side_set_size(dst, end);
	if (r < 0)
		return r;
	b->is_grown = true;
	b->grown_from = size;
	// A file system that tells no holes calls them data.
	dst->ops->find_data(dst, end - 1, &extent);
	b->tells_holes = extent.start >= end;
	return 0;
}

// 0 or -errno, told.
static int
get_dst_size(const struct bulk *b, uint64_t *ret)
{
	const int r = b->dst->ops->get_size(b->dst, ret);

	return r < 0 ? side_tell(b->dst, b->env->hooks, FAILURE_STAT, -r) : 0;
}

static int
cut_dst(struct bulk *b, uint64_t size)
{
	const int r = side_set_size(b->dst, size);

	if (r == 0)
		return 0;
	return hooks_tell(b->env->hooks,
			  (struct event){.kind = FAILURE_TRUNCATE,
					 .error = -r,
					 .name = b->dst->name,
					 .off = size});
}

// Where the last data of the destination ends, 0: none is at or behind off.
static uint64_t
end_of_data(const struct side *dst, uint64_t off)
{
	struct extent extent = {0};
	uint64_t end = 0;

	do {
		dst->ops->find_data(dst, max_u64(off, end), &extent);
		if (extent.start == extent.end || extent.end == INT64_MAX)
			return end;
		end = extent.end;
	} while (true);
}

int
growth_trim(struct bulk *b, uint64_t n, uint64_t next)
{
	const struct plan *plan = &b->plan;
	uint64_t size = max_u64(b->grown_from, plan->dst_off + n), now;

	if (!b->is_grown || n >= plan->len)
		return 0;
	const int r = get_dst_size(b, &now);
	if (r < 0 || now != plan->final_size)
		return r;
	if (b->tells_holes)
		size = max_u64(size, end_of_data(b->dst, plan->dst_off + next));
	b->is_grown = false;
	return cut_dst(b, size);
}

int
growth_extend(struct bulk *b, uint64_t n)
{
	const uint64_t end = b->plan.dst_off + n;
	uint64_t size;

	if (!facts_is_file(&b->dst->facts) || n == 0)
		return 0;
	const int r = get_dst_size(b, &size);
	return r < 0 || size >= end ? r : cut_dst(b, end);
}

int
growth_cut_back(struct bulk *b, uint64_t n, uint64_t left)
{
	const uint64_t start = b->plan.dst_off, old = b->dst->facts.size;
	uint64_t now;

	if (!request_writes(b->request) || !facts_is_file(&b->dst->facts) ||
	    old >= start + n)
		return 0;
	const int r = get_dst_size(b, &now);
	return r < 0 || now != start + n
		       ? r
		       : cut_dst(b, max_u64(old, start + left));
}
