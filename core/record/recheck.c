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
	size_t got = 0;
	int r = take_buffer(recheck, len);

	while (r == 0 && got < len) {
		const ssize_t n = back->ops->read_at(back, SIDE_BUFFERED,
						     recheck->found + got,
						     len - got, pos + got);
		if (n == 0)
			break;
		if (n > 0)
			got += (size_t)n;
		else if (n != -EINTR)
			r = (int)n;
	}
	recheck->same = (struct same){
		.bytes = buf,
		.found = recheck->found,
		.len = len,
		.nr_found = r == 0 ? got : 0,
		.pos = pos,
		.unit = (size_t)max_u64(SAME_UNIT, back->facts.dio_align),
	};
	return r;
}
