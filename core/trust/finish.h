// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// After the last byte: what was asked to be durable is synced, then the
// source is closed, then the destination, whose close can still bring the
// error of a late write.

#pragma once

#include <stdbool.h>

#include "side.h"
#include "request.h"

struct hooks;

// conv: CONV_FSYNC and CONV_FDATASYNC count. Signals and progress are served
// meanwhile; called as dd, only when the call has been interrupted, as in dd.
// 0 or -errno, told; -ECANCELED: a signal.
int finish_sync(const struct side *dst, unsigned conv,
		const struct hooks *h);

// The kernel reads the partition table of a disk again, through a descriptor
// that holds it exclusively where anyone could. 0, also where it looks for no
// partitions, or -errno.
int finish_partitions(int fd);

// 0 or -errno, told.
int finish_close(struct side *src, struct side *dst,
		 const struct hooks *h);
