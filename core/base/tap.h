// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A descriptor that is read in order, maybe by a thread, which has no signals:
// it has to hear when nobody wants the bytes any more.

#pragma once

#include <stdbool.h>

#include "fill.h"

struct tap {
	int fd;              // borrowed
	int wake_fd;         // readable when the reader must not wait
	bool is_nonblock;    // nor does it ever: -EAGAIN
};

// 0 or -errno.
int tap_init(struct tap *tap, int fd);
void tap_done(struct tap *tap);

// One read that does not wait: the bytes, 0 at the end, or -errno. -EAGAIN:
// there are none now; -EOPNOTSUPP: it can only be waited for, and then read.
// Any other may not be told a second time.
ssize_t tap_now(int fd, void *buf, size_t len);

// Its bytes. The tap stays where it is.
struct fill tap_fill(struct tap *tap);
