// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Around what cannot be read: a stretch in which a read failed is read again
// in smaller pieces, from its front to its end, until each unit of it was
// read or has failed alone. What was read is not read again. Pure: how bytes
// are read and what becomes of them is the caller's.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct walk {
	uint32_t unit;   // the least piece; pieces end at its multiples
	void *ctx;

	// Read up to len bytes at off: how many came, 0 at the end of the
	// source, or -errno. -ECANCELED: a signal.
	ssize_t (*read)(void *ctx, uint64_t off, size_t len);
	// So many bytes, of one unit, cannot be read.
	void (*bad)(void *ctx, uint64_t off, size_t len, int error);
};

// Whether an error speaks of the place that was read: the others come from
// the request, or from a device that is gone, and end a walk.
bool walk_can_pass(int error);

// error: of a read of all of it that has failed, 0: none was tried. Returns
// the bytes from off on that were read or are bad, fewer than len if the
// source ends there or an error ends the walk; then the next call returns
// that, 0 or -errno.
int64_t walk_run(const struct walk *walk, uint64_t off, size_t len, int error);
