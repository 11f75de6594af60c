// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where reading and writing go on: skip= and seek= are one lseek, or reads
// and writes where that cannot be done, and a read error is stepped over.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct serial;

// By lseek. 0; 1 if the side cannot be moved: the other two then do it with a
// block of ibs or obs bytes, by reading and by writing zeros; -errno, told;
// -ECANCELED: a signal.
int position_skip(struct serial *serial);
int position_skip_reading(struct serial *serial, unsigned char *block);
int position_seek(struct serial *serial);
int position_seek_writing(struct serial *serial, unsigned char *block);

// Step over len bytes after a read error. False: it cannot be done, and
// was told; the next one does nothing.
bool position_pass_bad(struct serial *serial, uint64_t len);
