// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "differ.h"

#include <string.h>

#include "env.h"
#include "hooks.h"
#include "same.h"
#include "stats.h"

#define GAP_MAX 512 // with less equal bytes between them two ranges are one

void
differ_finish(struct differ *d)
{
	const struct differ_range last = d->last;

	if (last.len == 0)
		return;
	d->env->stats->differing += last.len;
	d->env->stats->nr_differing++;
	d->last.len = 0;
	hooks_tell(d->env->hooks,
		   (struct event){.kind = d->kind,
				  .name = d->name,
				  .off = d->dst_off + last.off,
				  .src_off = d->src_off + last.off,
				  .len = last.len,
				  .wrote = last.wrote,
				  .found = last.found,
				  .map = d->map});
}

void
differ_note(struct differ *d, struct differ_range range)
{
	struct differ_range *last = &d->last;

	if (last->len > 0 && range.off - (last->off + last->len) < GAP_MAX) {
		last->len = range.off + range.len - last->off;
		return;
	}
	differ_finish(d);
	*last = range;
}

bool
differ_bytes(struct differ *d, const unsigned char *wrote,
	     const unsigned char *found, uint64_t off, size_t len)
{
	if (memcmp(wrote, found, len) == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (wrote[i] != found[i])
			differ_note(d, (struct differ_range){
					       off + i, 1, wrote[i], found[i]});
	return true;
}

void
differ_tell(struct differ *d, const struct same *same)
{
	const uint64_t off = same->pos - d->dst_off;
	const uint64_t end = off + same->nr_found;

	differ_bytes(d, same->bytes, same->found, off, same->nr_found);
	if (same->nr_found < same->len)
		differ_note(d, (struct differ_range){end,
						     same->len - same->nr_found,
						     -1, EVENT_NO_BYTE});
}

bool
differ_has_any(const struct differ *d)
{
	return d->env->stats->nr_differing > 0 || d->last.len > 0;
}
