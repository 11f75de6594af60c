// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a server may still forget: the bytes that it has taken since the last
// flush that covers them.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct unflushed {
	uint64_t first;        // written since the last flush began,
	uint64_t len;          // so many bytes,
	uint64_t since_ns;     // from then on; UINT64_MAX: none
	uint64_t flushing;     // the first byte that is to be covered by those
	unsigned nr_flushes;   // that are under way
	int error;             // of the last flush that has failed, as -errno
};

// Anew, with a server that has started again. What could not be flushed before
// stays an error; u is zeros, or was in use.
void unflushed_restart(struct unflushed *u);

// len bytes were written at off.
void unflushed_add(struct unflushed *u, uint64_t off, uint64_t len,
		   uint64_t now_ns);

// So much, or for so long, that a flush is due.
bool unflushed_is_due(const struct unflushed *u, uint64_t now_ns);

// A flush begins, and one has ended with r, as -errno: what is to be told of
// it. The server may not tell its error again, so each later one has it.
void unflushed_begin_flush(struct unflushed *u);
int unflushed_end_flush(struct unflushed *u, int r);

// All before it is safe. UINT64_MAX: all is.
uint64_t unflushed_first(const struct unflushed *u);
