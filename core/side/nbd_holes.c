// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "nbd_holes.h"

#ifdef HAVE_LIBNBD
#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "extent.h"

#define AHEAD ((uint64_t)GIB) // at a time

static uint64_t
end_of(const struct nbd_holes *holes)
{
	return holes->nr > 0 ? holes->spans[holes->nr - 1].end : holes->start;
}

static bool
has_room(struct nbd_holes *holes)
{
	if (holes->nr < holes->room)
		return true;
	const size_t room = 2 * holes->room + 64;
	struct nbd_holes_span *spans = reallocarray(holes->spans, room,
						    sizeof(*spans));

	if (spans == NULL)
		return false;
	holes->spans = spans;
	holes->room = room;
	return true;
}

// In a thread of the engine, which is waited for. What there is no memory for
// is asked for again.
static void
on_span(struct nbd_engine_extents *extents, uint64_t len, bool is_zeros)
{
	struct nbd_holes *holes = container_of(extents, struct nbd_holes,
					       extents);
	const uint64_t end = end_of(holes) + len;

	holes->is_cut |= !has_room(holes);
	if (holes->is_cut)
		return;
	if (holes->nr > 0 && holes->spans[holes->nr - 1].is_zeros == is_zeros)
		holes->spans[holes->nr - 1].end = end;
	else
		holes->spans[holes->nr++] = (struct nbd_holes_span){end,
								    is_zeros};
}

static int
ask(struct nbd_holes *holes, struct engine *engine, uint64_t size, uint64_t pos)
{
	holes->extents.on_span = on_span;
	holes->start = pos;
	holes->nr = 0;
	holes->is_cut = false;
	const long r = nbd_engine_call(engine, NBD_CMD_EXTENTS, &holes->extents,
				       min_u64(AHEAD, size - pos), pos);

	if (r < 0)
		return (int)r;
	return end_of(holes) > pos ? 0 : -EPROTO;
}

// What is known behind pos. False: nothing but zeros.
static bool
find_known(const struct nbd_holes *holes, uint64_t pos, struct extent *extent)
{
	uint64_t start = holes->start;

	for (size_t i = 0; i < holes->nr; i++) {
		const struct nbd_holes_span *span = &holes->spans[i];

		if (span->end > pos && !span->is_zeros) {
			*extent = (struct extent){max_u64(start, pos),
						  span->end};
			return true;
		}
		start = span->end;
	}
	return false;
}

int
nbd_holes_find(struct nbd_holes *holes, struct engine *engine, uint64_t size,
	       uint64_t pos, struct extent *extent)
{
	int r = 0;

	while (r == 0 && pos < size) {
		if (pos < holes->start || pos >= end_of(holes))
			r = ask(holes, engine, size, pos);
		if (r == 0 && find_known(holes, pos, extent)) {
			extent->end = min_u64(extent->end, size);
			return 0;
		}
		pos = end_of(holes);
	}
	if (r == 0)
		*extent = (struct extent){size, size};
	return r;
}

void
nbd_holes_done(struct nbd_holes *holes)
{
	free(holes->spans);
	*holes = (struct nbd_holes){0};
}
#endif
