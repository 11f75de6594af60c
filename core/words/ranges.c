// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

int
ranges_add(struct ranges *r, const struct ranges_one *one)
{
	if (r->nr == r->room) {
		const size_t room = r->room * 2 + 16;
		void *all = reallocarray(r->all, room, sizeof(*r->all));

		if (all == NULL)
			return -ENOMEM;
		r->all = all;
		r->room = room;
	}
	r->all[r->nr++] = *one;
	return 0;
}

void
ranges_done(struct ranges *r)
{
	free(r->all);
	*r = (struct ranges){0};
}

size_t
ranges_find(const struct ranges *r, uint64_t off)
{
	size_t low = 0, high = r->nr;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (r->all[middle].off + r->all[middle].len <= off)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t
ranges_run(const struct ranges *r, uint64_t off, uint64_t len, bool *ret_is_in)
{
	const size_t i = ranges_find(r, off);

	*ret_is_in = i < r->nr && r->all[i].off <= off;
	if (i == r->nr)
		return len;
	const struct ranges_one *one = &r->all[i];
	return min_u64(len,
		       *ret_is_in ? one->off + one->len - off : one->off - off);
}

void
ranges_blank(const struct ranges *r, uint64_t off, void *buf, size_t len)
{
	unsigned char *at = buf;
	bool is_in;

	while (len > 0) {
		const size_t n = (size_t)ranges_run(r, off, len, &is_in);

		if (!is_in)
			memset(at, 0, n);
		at += n;
		off += n;
		len -= n;
	}
}

uint64_t
ranges_len(const struct ranges *r)
{
	uint64_t len = 0;

	for (size_t i = 0; i < r->nr; i++)
		len += r->all[i].len;
	return len;
}
