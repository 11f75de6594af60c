// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "same.h"

#include <stdbool.h>
#include <string.h>

#include "base.h"

static size_t
unit_len(const struct same *s, size_t from)
{
	const uint64_t rest = s->unit - (s->pos + from) % s->unit;

	return (size_t)min_u64(rest, s->len - from);
}

// What is not there is not the same, also where it is zeros: the file has to
// become so long.
static bool
is_same_unit(const struct same *s, size_t from, size_t len)
{
	return from + len <= s->nr_found &&
	       memcmp(s->bytes + from, s->found + from, len) == 0;
}

size_t
same_skip(const struct same *s, size_t from)
{
	size_t end = from;

	while (end < s->len) {
		const size_t len = unit_len(s, end);

		if (!is_same_unit(s, end, len))
			break;
		end += len;
	}
	return end - from;
}

size_t
same_run(const struct same *s, size_t from)
{
	size_t end = from;

	while (end < s->len) {
		const size_t gap = same_skip(s, end);

		if (gap >= SAME_GAP || end + gap == s->len)
			break;
		end += gap;
		end += unit_len(s, end);
	}
	return end - from;
}
