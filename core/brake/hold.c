// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "side.h"

#define HOLD_MIN ((uint64_t)4096) // a page, and what boot code starts from

struct hold *
hold_new(uint64_t off, uint32_t sector)
{
	const size_t size =
		(size_t)min_u64(max_u64(sector, HOLD_MIN), HOLD_MAX);
	struct hold *hold = calloc(1, sizeof(*hold) + size);

	if (hold != NULL) {
		hold->off = off;
		hold->size = size;
	}
	return hold;
}

size_t
hold_take(struct hold *hold, uint64_t pos, const unsigned char *buf,
	  size_t len)
{
	if (pos < hold->off || pos - hold->off >= hold->size)
		return 0;
	const size_t from = (size_t)(pos - hold->off);
	const size_t n = (size_t)min_u64(len, hold->size - from);

	memcpy(hold->block + from, buf, n);
	return n;
}

int
hold_write(struct hold *hold, const struct side *dst, uint64_t copied)
{
	const size_t len = (size_t)min_u64(copied, hold->size);
	size_t done = 0;

	// Of what is no whole page the rest must not be an old one.
	if (hold->off % HOLD_MIN != 0 || len % HOLD_MIN != 0)
		(void)dst->ops->drop_cache(dst, hold->off, len);
	while (done < len) {
		const ssize_t n = dst->ops->write_last(
			dst, hold->block + done, len - done, hold->off + done);
		if (n < 0 && n != -EINTR)
			return (int)n;
		if (n == 0)
			return -ENOSPC;
		if (n > 0)
			done += (size_t)n;
	}
	hold->is_written = true;
	return 0;
}
