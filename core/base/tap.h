// SPDX-License-Identifier: GPL-3.0-or-later
//
// A descriptor that is read in order.

#pragma once

#include <sys/types.h>

// One read that does not wait: the bytes, 0 at the end, or -errno. -EAGAIN:
// there are none now; -EOPNOTSUPP: it can only be waited for, and then read.
// Any other may not be told a second time.
ssize_t tap_now(int fd, void *buf, size_t len);
