// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "walk.h"

#include <errno.h>

#include "base.h"

struct steps {
	uint64_t pos;
	uint64_t end;
	uint64_t failed;  // a unit of [pos, failed) is bad; pos: not known
	uint64_t most;    // length of the next piece
};

bool
walk_can_pass(int error)
{
	switch (error) {
	case EBADF:
	case ECANCELED:
	case EFAULT:
	case EINVAL:
	case EISDIR:
	case ENODEV:
	case ENOMEM:
	case ENOTCONN:
	case ENXIO:
	case ESTALE:
		return false;
	default:
		return true;
	}
}

static uint64_t
unit_end(const struct walk *walk, const struct steps *s)
{
	return min_u64(s->end, round_down(s->pos, walk->unit) + walk->unit);
}

// Half of what is known to fail, else as much as is hoped for.
static uint64_t
piece_end(const struct walk *walk, const struct steps *s)
{
	uint64_t len = min_u64(s->end - s->pos, s->most);

	if (s->failed > s->pos)
		len = min_u64(len, (s->failed - s->pos) / 2);
	const uint64_t to = s->pos + len;
	return to == s->end ? to
			    : max_u64(round_down(to, walk->unit),
				      unit_end(walk, s));
}

// Bad units stand side by side more often than not: the next piece is one.
static void
note_failed(const struct walk *walk, struct steps *s, uint64_t to, int error)
{
	s->failed = to;
	if (to > unit_end(walk, s))
		return;
	walk->bad(walk->ctx, s->pos, (size_t)(to - s->pos), error);
	s->pos = to;
	s->most = walk->unit;
}

static void
note_read(const struct walk *walk, struct steps *s, uint64_t to, size_t len)
{
	const bool is_whole = s->pos + len == to;

	// What cut a read short stands right behind it.
	s->most = is_whole ? 2 * (to - s->pos) : walk->unit;
	s->pos += len;
	s->failed = max_u64(s->failed, s->pos);
}

int64_t
walk_run(const struct walk *walk, uint64_t off, size_t len, int error)
{
	struct steps s = {.pos = off,
			  .end = off + len,
			  .failed = off,
			  .most = UINT64_MAX};

	if (error != 0)
		note_failed(walk, &s, s.end, error);
	while (s.pos < s.end) {
		const uint64_t to = piece_end(walk, &s);
		const ssize_t n = walk->read(walk->ctx, s.pos,
					     (size_t)(to - s.pos));

		if (n == 0 || (n < 0 && !walk_can_pass((int)-n)))
			return s.pos > off ? (int64_t)(s.pos - off) : n;
		if (n < 0)
			note_failed(walk, &s, to, (int)-n);
		else
			note_read(walk, &s, to, (size_t)n);
	}
	return (int64_t)len;
}
