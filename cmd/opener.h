// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which process has a block device open, as far as /proc lets us see.

#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct opener {
	pid_t pid;
	char name[64];   // of its program, cut by the kernel
	bool is_only;    // no other has it open, and all were seen
};

// The first other one. Who of several has it exclusively is not to be seen.
// False: none is seen.
bool opener_find(dev_t dev, struct opener *ret);
