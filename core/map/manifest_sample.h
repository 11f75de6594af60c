// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Whether a destination is still what its manifest says, by samples: the first
// MiB, the last one, and ranges at random. A small change elsewhere can escape
// them.

#pragma once

#include <stddef.h>
#include <stdint.h>

struct manifest;

enum { MANIFEST_SAMPLE_NR = 64 };

// read: all of len bytes at off, 0 or -errno. 0: they are as they are said to
// be, as far as they are known. -EBADMSG: some are not. -ENOMEM, or what read
// returns.
int manifest_sample(const struct manifest *m,
		    int (*read)(void *ctx, void *buf, size_t len, uint64_t off),
		    void *ctx);
