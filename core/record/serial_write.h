// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A record to the destination, by the writes that dd makes, or as much of it as
// is not there yet.

#pragma once

#include <stddef.h>

struct serial;

// Returns the bytes that got out; all of them if *ret_error is 0, else it is
// -errno, untold, or -ECANCELED.
size_t serial_write(struct serial *serial, const unsigned char *buf,
		    size_t len, int *ret_error);
