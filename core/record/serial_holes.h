// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Records of zeros that conv=sparse leaves out: the destination is positioned
// behind them, as by dd, and makes them itself, where it can.

#pragma once

#include <stddef.h>

struct serial;

// Step over a record if it is one, which ended_in_hole says. 0 or -errno,
// untold: what was passed over before could not be made.
int serial_holes_leave(struct serial *serial, const unsigned char *buf,
		      size_t len);

// The destination makes the zeros that were passed over, or they are written.
// 0 or -errno, told.
int serial_holes_clear(struct serial *serial);

// A file that ends in a hole gets its size, since nothing was written
// there. 0 or -errno, told.
int serial_holes_end(struct serial *serial);
