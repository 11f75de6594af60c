// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// fsync and fdatasync sleep for as long as the disk needs, and hear no signal.
// So they are called by a thread, unless we are called as dd.

#pragma once

#include <stdbool.h>

#include "side.h"

struct job_call;

// As struct side_ops has it.
int sync_side(const struct side *side, bool is_data_only,
	      const struct hooks *h);

// The fsync of another descriptor, with signals and progress served. 0,
// -ECANCELED: a signal, and it may still be under way; or -errno.
int sync_descriptor(int fd, const struct hooks *h);

// The same of what is no descriptor: a call that sleeps as long. Nothing of it
// may end before the process does.
int sync_call(struct job_call *call, const struct hooks *h);
