// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where bytes come from that are had in order only: a descriptor, or what
// unpacks them.

#pragma once

#include <stddef.h>
#include <sys/types.h>

struct fill {
	// As read(2): at least one byte, 0 at the end, or -errno; -EINTR: a
	// signal, and nothing is lost.
	ssize_t (*read)(void *ctx, void *buf, size_t len);
	// By any thread: a read that waits for bytes ends with -ECANCELED, and
	// so does each after it that would.
	void (*stop)(void *ctx);
	void *ctx;
};
