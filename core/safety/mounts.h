// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Who has a block device mounted, or swaps to it or to a file, as libmount
// reads it. A build without libmount finds nothing; safety then still learns
// from the kernel that a device is in use, though not by what.

#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct disk_stack;
struct disk_unseen;

enum mounts_kind {
	MOUNTS_ROOT,     // the root file system, ours or that of process 1
	MOUNTS_ANY,      // in the namespace of any process that we can see
	MOUNTS_WRITABLE, // likewise, and not read-only
	MOUNTS_SWAP,
};

struct mounts_use {
	dev_t dev;        // the one of the stack
	char target[256]; // where it is mounted, for swap ""
};

// Is any device of the stack, or the file under it, in use in this way? ret:
// the first found. unseen: where more could be found; what only others may
// see does not count.
bool mounts_find(const struct disk_stack *stack, enum mounts_kind kind,
		 struct mounts_use *ret, struct disk_unseen *unseen);
