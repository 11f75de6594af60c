// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A record of the source, by the reads that dd makes.

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct serial;

// Its bytes, 0 at the end, or -errno, untold; -ECANCELED: a signal.
ssize_t serial_read(struct serial *serial, unsigned char *buf, size_t len);
// The same of the destination: one that cannot be moved is read instead.
ssize_t serial_read_dst(struct serial *serial, unsigned char *buf, size_t len);
// So many bytes of the source are done without a read of ours.
void serial_read_pass(struct serial *serial, uint64_t len);
