// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "recheck.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"

void
recheck_done(struct recheck *recheck)
{
	free(recheck->found);
	recheck->found = NULL;
	recheck->size = 0;
}

static int
take_buffer(struct recheck *recheck, size_t len)
{
	if (len <= recheck->size)
		return 0;
	recheck_done(recheck);
	recheck->found = malloc(len);
	if (recheck->found == NULL)
		return -ENOMEM;
	recheck->size = len;
	return 0;
}

int
recheck_read(struct recheck *recheck, const unsigned char *buf, size_t len,
	     uint64_t pos)
{
	const struct side *back = recheck->back;
	ssize_t n = take_buffer(recheck, len);

	if (n == 0)
		n = side_read_all(back, SIDE_BUFFERED, recheck->found, len, pos,
				  NULL);
	recheck->same = (struct same){
		.bytes = buf,
		.found = recheck->found,
		.len = len,
		.nr_found = n > 0 ? (size_t)n : 0,
		.pos = pos,
		.unit = (size_t)max_u64(SAME_UNIT, back->facts.dio_align),
	};
	return n < 0 ? (int)n : 0;
}
