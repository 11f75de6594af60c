// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "hold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "cache.h"

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
hold_write(struct hold *hold, int fd, uint64_t copied)
{
	const size_t len = (size_t)min_u64(copied, hold->size);
	const int flags = fcntl(fd, F_GETFL);
	size_t done = 0;

	// Of what is no whole page the rest must not be an old one.
	if (hold->off % HOLD_MIN != 0 || len % HOLD_MIN != 0)
		(void)cache_drop(fd, hold->off, len);
	// The block lies in memory as it comes.
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_DIRECT) < 0)
		return -errno;
	while (done < len) {
		const ssize_t n = pwrite(fd, hold->block + done, len - done,
					 (off_t)(hold->off + done));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ENOSPC;
		if (n > 0)
			done += (size_t)n;
	}
	hold->is_written = true;
	return 0;
}
