// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The page cache of one file or disk, which direct requests go around. The
// kernel takes out what it has of a range before a direct write, but not
// again when an asynchronous one ends: on a block device, and behind FUSE,
// whoever reads meanwhile puts the old bytes back (generic_file_direct_write
// in Linux 6.18). A buffered write of a part of such a page, by anybody, would
// then write all of it back, over the new bytes.

#pragma once

#include <stdint.h>

// Bytes of the range that are in the page cache. 0 or -errno: the kernel does
// not say (cachestat, Linux 6.5).
int cache_count(int fd, uint64_t off, uint64_t len, uint64_t *ret);

// Empty the range, and what lies in a folio with it. What is dirty is written
// back first. 0, or -EBUSY: something is still there, as far as can be seen;
// or comes again, because somebody reads it now.
int cache_drop(int fd, uint64_t off, uint64_t len);

// Have the device take what was written to the range, and wait for it. It is
// no promise of durability: the device may have a cache of its own. 0, or the
// -errno of the device, which another sync of fd will not give again.
int cache_write_out(int fd, uint64_t off, uint64_t len);
