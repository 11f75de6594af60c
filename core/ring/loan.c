// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "loan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base.h"
#include "job.h"
#include "plan.h"
#include "writer.h"

// Behind the last byte, within its block, whoever writes a whole block of a
// device puts what that device has there: as patch_last does.
int
loan_begin(struct job *leg, struct job *lender)
{
	const size_t align = (size_t)max_u64(PLAN_ALIGN, leg->writer->align);
	const size_t room = (size_t)round_up(leg->want, align);

	leg->lender = lender;
	leg->buf = lender->buf;
	if (room == leg->want)
		return 0;
	unsigned char *copy = aligned_alloc(align, room);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, lender->buf, leg->want);
	leg->buf = copy;
	leg->is_copy = true;
	return 0;
}

struct job *
loan_end(struct job *leg)
{
	struct job *lender = leg->lender;

	if (leg->is_copy)
		free(leg->buf);
	leg->is_copy = false;
	leg->lender = NULL;
	return lender;
}

// Another buffer for what the kernel does not give back. It stays until the end
// of the process, as the first one does.
static int
replace_buffer(struct job *job, size_t len)
{
	void *buf = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buf == MAP_FAILED)
		return -ENOMEM;
	job->buf = buf;
	return 0;
}

int
loan_leave(struct job *leg, size_t len)
{
	if (leg->state == JOB_WRITING && leg->buf == leg->lender->buf &&
	    replace_buffer(leg->lender, len) < 0)
		return -ENOMEM;
	leg->is_copy = false; // it may be read still
	return 0;
}
