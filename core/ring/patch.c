// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "patch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "side.h"

static bool
is_last(const struct side *side, uint32_t align, const struct job *job,
	uint64_t pos, size_t len)
{
	return facts_is_device(&side->facts) && job->route != JOB_BY_CACHE &&
	       len < align && job->done + len == job->len && pos % align == 0 &&
	       job->done % align == 0;
}

bool
patch_last(const struct side *side, uint32_t align, struct job *job,
	   uint64_t pos, size_t len)
{
	if (!is_last(side, align, job, pos, len))
		return false;
	unsigned char *block = aligned_alloc(align, align);
	const ssize_t n = block == NULL ? -ENOMEM
					: side->ops->read_at(side, SIDE_DIRECT,
							     block, align, pos);

	if (n == (ssize_t)align)
		memcpy(job->buf + job->done + len, block + len, align - len);
	free(block);
	return n == (ssize_t)align;
}
