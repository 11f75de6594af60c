// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A destination that goes through the page cache and is synced at the end:
// what was accepted is written out while the copy goes on, by a thread, since
// that sleeps. How far the cache may be ahead of the device is bounded by
// what the device takes in a second, so that the sync has no more to do.
//
// sync_file_range(2) promises no durability: it leaves out metadata and the
// cache of the device. It takes an error away from the description that it
// is called on: so that is one of our own, and the sync finds the error too.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A shorter copy needs none: the cache may always be this far ahead, and
// further once the device is known to be faster.
#define WRITEBACK_MIN (16 * 1024 * 1024)

struct writeback;

// fd is a description of our own, and taken over. NULL: no memory; it is
// closed then.
struct writeback *writeback_new(int fd);

// After the sync, or the thread may sleep as long as that would. 0, or the
// -errno with which the device, or the close, has refused some of it.
int writeback_free(struct writeback *wb);

// len bytes at off are accepted: in file order, but some may come again. What
// lies in a gap is a hole, or went to the device by itself. 0 or -errno, as
// above, of what came before.
int writeback_pass(struct writeback *wb, uint64_t off, size_t len);

// The cache is far enough ahead: write no more until the eventfd, which the
// caller reads, tells that this may have changed.
bool writeback_is_full(struct writeback *wb);
int writeback_fd(const struct writeback *wb);

// The device was given all before this offset, from where the first bytes
// were; 0: nothing.
uint64_t writeback_reached(struct writeback *wb);
