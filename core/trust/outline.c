// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "outline.h"

#include <errno.h>

#include "base.h"
#include "bmap.h"
#include "env.h"
#include "event.h"
#include "extent.h"
#include "hasher.h"
#include "hooks.h"
#include "request.h"
#include "side.h"

// Data from off to end of the copy. 0 or -ENOMEM.
static int
add(struct outline *o, uint64_t off, uint64_t end)
{
	struct ranges *r = &o->ranges;
	struct ranges_one *last = r->nr > 0 ? &r->all[r->nr - 1] : NULL;

	off = round_down(off, BMAP_BLOCK);
	end = min_u64(round_up(end, BMAP_BLOCK), r->size);
	if (last == NULL || off > last->off + last->len)
		return ranges_add(
			r, &(struct ranges_one){.off = off, .len = end - off});
	last->len = max_u64(last->len, end - last->off);
	return 0;
}

// 0 or -ENOMEM.
static int
list(struct outline *o, const struct side *src, uint64_t start)
{
	const uint64_t end = start + o->ranges.size;
	struct extent extent = {0};
	uint64_t pos = start;
	int r = 0;

	while (r == 0 && pos < end) {
		side_find_data(src, pos, &extent);
		if (extent.start >= min_u64(extent.end, end))
			break;
		pos = min_u64(extent.end, end);
		r = add(o, extent.start - start, pos - start);
	}
	return r;
}

// Where it will be known only at the end how long it is, the one range ends
// there.
static int
list_all(struct outline *o, const struct env *env, const struct side *src,
	 uint64_t start)
{
	const uint64_t count = request_count_len(env->asked);
	const uint64_t size = src->facts.size;

	if (!facts_has_offsets(&src->facts) && src->ranges == NULL) {
		o->ranges.size = min_u64(count, INT64_MAX);
		return o->ranges.size > 0 ? add(o, 0, o->ranges.size) : 0;
	}
	o->ranges.size = min_u64(count, size - min_u64(size, start));
	// It is asked where the descriptor stands.
	const int64_t where = side_where(src);
	const int r = list(o, src, start);
	if (where >= 0)
		(void)side_put(src, (uint64_t)where);
	return r;
}

int
outline_begin(struct outline *o, const struct env *env, const struct side *src,
	      uint64_t start)
{
	const struct hooks *h = env->hooks;

	if (env->asked->obmap == NULL)
		return 0;
	int r = list_all(o, env, src, start);
	if (r == 0)
		r = hasher_add_list(env->hasher, HASH_MADE, BMAP_ALG,
				    &o->ranges);
	if (r < 0)
		return hooks_tell(
			h, (struct event){.kind = FAILURE_DIGEST, .error = -r});
	if (o->ranges.size > 0 && ranges_len(&o->ranges) == o->ranges.size)
		hooks_tell(h, (struct event){.kind = NOTICE_FULL_BMAP,
					     .name = src->name,
					     .map = env->asked->obmap});
	return 0;
}

void
outline_end(struct outline *o, uint64_t len)
{
	struct ranges *r = &o->ranges;

	r->size = len;
	while (r->nr > 0 && r->all[r->nr - 1].off >= len)
		r->nr--;
}

void
outline_done(struct outline *o)
{
	ranges_done(&o->ranges);
}
