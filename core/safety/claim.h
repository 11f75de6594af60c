// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The exclusive open of a block device, which nobody else gets meanwhile:
// neither mount, swapon, mdadm nor LVM.

#pragma once

#include <sys/types.h>

enum claim_use {
	CLAIM_TO_LOOK,   // whether it is in use: leaves no trace
	CLAIM_TO_CHANGE, // for reading and writing, where the mode allows it
};

// fd: open on the device dev; name: what it was opened by, or NULL. A
// descriptor of its own, or -errno; -EBUSY: somebody has it.
int claim_open(int fd, const char *name, dev_t dev, enum claim_use use);
