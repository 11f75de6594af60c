// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the medium has of a destination: read past the page cache, through a
// ring without a writer, into a hasher.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aio.h"

struct env;
struct hasher;
struct side;

struct readback {
	const struct env *env;   // counts what is read as verified
	const struct side *dst;  // whose name is told
	struct side *back;       // of its open_back
	uint64_t off;            // where it begins there
	uint64_t len;
	uint64_t got;            // of that, in the hasher; at first what was
				 // handed to it without being read
	bool is_attesting;       // nothing was copied: counted as bytes
	struct aio aio;          // until readback_done
};

// All of it, or less where it ends before. The hasher is finished. 0;
// -ECANCELED: a signal; another -errno: told.
int readback_run(struct readback *readback, struct hasher *hasher);

// The first len bytes of it; buf is aligned for O_DIRECT, and has room for as
// many as are read at once with it. Returns as above.
int readback_block(struct readback *readback, unsigned char *buf, size_t len);

// Waits for the kernel to give back what it had for the reading.
void readback_done(struct readback *readback);
