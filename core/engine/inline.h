// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The engine of plain calls: a request is carried out when it is queued, in
// the thread that queues it. For what would only sleep in io_submit (the page
// cache), and where the kernel refuses AIO.

#pragma once

#include "engine.h"
#include "job.h"

struct inline_engine {
	struct engine engine;
	struct job_list ended;
	uint64_t *nr_calls;
};

// Takes nothing, so it cannot fail. nr_calls is borrowed, and counts them.
void inline_init(struct inline_engine *inl, uint64_t *nr_calls);

// The call that the iocb describes. What it returned, or -errno.
long inline_call(const struct iocb *iocb);
