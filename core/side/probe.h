// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Finds out what the plan needs to know of one side: kind, size, alignment
// for O_DIRECT, what the page cache holds. Looks only; reads no data.
//
// Facts of the kernel used here, measured on 6.18:
// - statx(STATX_DIOALIGN) (6.1) is answered by ext4, XFS and block devices;
//   0 in it says "no direct I/O" (ext4 with data=journal).
// - btrfs, tmpfs and FUSE leave the bit out, and open(O_DIRECT) succeeds on
//   all three, which proves nothing: tmpfs copies memory, btrfs with data
//   checksums writes through the page cache inside io_submit.
// - files of /proc and /sys give data although their size is 0, or less
//   than their size says, and change between reads: streams.

#pragma once

#include "facts.h"

// From an open descriptor. What cannot be found out becomes the cautious
// answer.
void probe_descriptor(int fd, struct facts *facts);

// Whether messages, which go to this descriptor, land among its bytes.
void probe_messages(struct facts *facts, int message_fd);

// From a path, without opening it; what does not exist is taken as a new
// regular file in its directory. 0, or -errno if neither can be looked at.
int probe_path(const char *path, struct facts *facts);

// What has changed since, or will have:
// - it is opened with these flags (FLAG_*);
void probe_flags(struct facts *facts, unsigned flags);
// - if it is a file, it is cut to nothing;
void probe_cut(struct facts *facts);
// - another file, a new one, is made in its place.
void probe_replaced(struct facts *facts);
