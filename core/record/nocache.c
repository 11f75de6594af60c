// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "nocache.h"

#include <fcntl.h>
#include <unistd.h>

#include "base.h"

#define NOCACHE_STEP (256 * KIB) // seldom enough to cost nothing

void
nocache_pass(struct nocache *nocache, uint64_t end, uint64_t len)
{
	nocache->pending += len;
	const uint64_t part = round_down(nocache->pending, NOCACHE_STEP);
	if (part == 0)
		return;
	// A hint, which costs nothing when it is not taken.
	(void)posix_fadvise(nocache->fd, (off_t)(end - nocache->pending),
			    (off_t)part, POSIX_FADV_DONTNEED);
	nocache->pending -= part;
}

int
nocache_finish(struct nocache *nocache, uint64_t end, enum nocache_rest rest)
{
	uint64_t off = end - nocache->pending;
	uint64_t len = nocache->pending;

	if (rest == NOCACHE_PENDING && len == 0)
		return 0;
	if (rest == NOCACHE_TO_EOF) {
		// Only whole pages go: begin with the one in hand.
		off = round_down(off, (uint64_t)sysconf(_SC_PAGESIZE));
		len = 0;
	}
	nocache->pending = 0;
	return -posix_fadvise(nocache->fd, (off_t)off, (off_t)len,
			      POSIX_FADV_DONTNEED);
}
