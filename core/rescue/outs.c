// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "outs.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

int
outs_init(struct outs *o, unsigned room)
{
	*o = (struct outs){.outs = calloc(room, sizeof(*o->outs)),
			   .room = room};
	return o->outs == NULL ? -ENOMEM : 0;
}

void
outs_done(struct outs *o)
{
	free(o->outs);
	*o = (struct outs){.nr = 0};
}

void
outs_add(struct outs *o, struct range range)
{
	assert(o->nr < o->room);
	o->outs[o->nr++] = (struct out){.range = range};
}

struct out *
outs_find(const struct outs *o, uint64_t off)
{
	for (unsigned i = 0; i < o->nr; i++)
		if (o->outs[i].range.from == off)
			return &o->outs[i];
	assert(!"this read is not out");
	return NULL;
}

void
outs_set_overdue(struct outs *o, struct out *out)
{
	o->nr_overdue += !out->is_overdue;
	out->is_overdue = true;
}

struct out
outs_take(struct outs *o, uint64_t off)
{
	struct out *slot = outs_find(o, off);
	const struct out out = *slot;

	*slot = o->outs[--o->nr];
	o->nr_overdue -= out.is_overdue;
	return out;
}

const struct out *
outs_meet(const struct outs *o, struct range part, bool is_back)
{
	const struct out *first = NULL;

	for (unsigned i = 0; i < o->nr; i++) {
		const struct out *out = &o->outs[i];

		if (out->range.from >= part.to || out->range.to <= part.from)
			continue;
		if (first == NULL ||
		    (out->range.from < first->range.from) != is_back)
			first = out;
	}
	return first;
}
