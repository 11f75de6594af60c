// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What an NBD server is asked for, as iocbs have it.

#pragma once

#include <stdbool.h>
#include <stdint.h>

// Beside IO_CMD_PREAD, _PWRITE, _FSYNC and _FDSYNC.
#define NBD_CMD_ZERO 65    // u.c.buf is not used
#define NBD_CMD_EXTENTS 66 // u.c.buf is a struct nbd_engine_extents

// What the server says of a range, from its start on: as many spans as it
// likes, each an even number of bytes of data or zeros.
struct nbd_engine_extents {
	void (*on_span)(struct nbd_engine_extents *extents, uint64_t len,
			bool is_zeros);
};

struct nbd_engine_export {
	uint64_t size;
	bool is_durable;       // each write is to be
	bool is_flushed;       // now and then, so that not much can be lost
};
