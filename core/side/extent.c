// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "extent.h"

#include <errno.h>
#include <unistd.h>

void
extent_find(int fd, uint64_t pos, struct extent *extent)
{
	if (pos >= extent->start && pos < extent->end)
		return;
	const off_t data = lseek(fd, (off_t)pos, SEEK_DATA);
	if (data < 0 && errno == ENXIO) {
		const off_t size = lseek(fd, 0, SEEK_END);

		extent->start = extent->end = size < 0 ? 0 : (uint64_t)size;
		return;
	}
	const off_t hole = data < 0 ? -1
				    : lseek(fd, data, SEEK_HOLE);

	extent->start = hole < 0 ? pos : (uint64_t)data;
	extent->end = hole < 0 ? INT64_MAX : (uint64_t)hole;
}
