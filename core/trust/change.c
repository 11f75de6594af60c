// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "change.h"

#include <stdbool.h>
#include <sys/stat.h>

void
change_init(struct change *change, int fd)
{
	struct stat st;

	*change = (struct change){.fd = -1};
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	*change = (struct change){.fd = fd,
				  .size = (uint64_t)st.st_size,
				  .mtime = st.st_mtim,
				  .ctime = st.st_ctim};
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

unsigned
change_find(const struct change *change)
{
	struct stat st;
	unsigned changed = 0;

	if (change->fd < 0 || fstat(change->fd, &st) < 0)
		return 0;
	if ((uint64_t)st.st_size != change->size)
		changed |= CHANGE_SIZE;
	if (!is_same_time(&st.st_mtim, &change->mtime))
		changed |= CHANGE_MTIME;
	if (!is_same_time(&st.st_ctim, &change->ctime))
		changed |= CHANGE_CTIME;
	return changed;
}
