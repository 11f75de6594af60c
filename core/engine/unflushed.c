// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "unflushed.h"

#include <errno.h>

#include "base.h"

// More than this is not to be written again when the server has forgotten it.
#define DUE_LEN GIB
#define DUE_NS ((uint64_t)10 * 1000 * 1000 * 1000)

void
unflushed_restart(struct unflushed *u)
{
	*u = (struct unflushed){
		.first = UINT64_MAX, .flushing = UINT64_MAX, .error = u->error};
}

void
unflushed_add(struct unflushed *u, uint64_t off, uint64_t len, uint64_t now_ns)
{
	if (u->first == UINT64_MAX)
		u->since_ns = now_ns;
	u->first = min_u64(u->first, off);
	u->len += len;
}

bool
unflushed_is_due(const struct unflushed *u, uint64_t now_ns)
{
	return u->first != UINT64_MAX &&
	       (u->len >= DUE_LEN || now_ns - u->since_ns >= DUE_NS);
}

void
unflushed_begin_flush(struct unflushed *u)
{
	u->flushing = min_u64(u->flushing, u->first);
	u->nr_flushes++;
	u->first = UINT64_MAX;
	u->len = 0;
}

// Which of several covers a byte is not known: all of them must have succeeded.
int
unflushed_end_flush(struct unflushed *u, int r)
{
	u->nr_flushes--;
	if (r < 0)
		u->first = min_u64(u->first, u->flushing);
	if (u->nr_flushes == 0)
		u->flushing = UINT64_MAX;
	if (r < 0 && r != -ENOTCONN)
		u->error = r;
	return r < 0 ? r : u->error;
}

uint64_t
unflushed_first(const struct unflushed *u)
{
	return min_u64(u->first, u->flushing);
}
