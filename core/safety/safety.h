// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Looks, before the first byte, whether writing would destroy what is in use.
// Block devices are looked at, regular files, and names that would become
// files in /dev; called as dd nothing is. A device or a file is known by the
// numbers of the open descriptor, never by its path.
//
// What cannot be looked at has not been checked, and is a refusal of its own,
// but where the kernel gives us a device exclusively: then nobody uses it.
// Without libmount, what is mounted or swapped to is found as busy, since the
// kernel lets nobody else have it exclusively, and a mounted source is not
// found. Without libblkid nothing is said of what a device holds.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "disk.h"
#include "disk_identify.h"
#include "facts.h"
#include "mounts.h"
#include "request.h"

struct safety {
	int claim;                     // held open exclusively; -1: nothing
	bool is_alone;                 // with a whole disk that nobody else
	                               // uses, as far as can be seen

	struct disk_unseen unseen;     // error 0: nothing; that is worth a
	                               // warning where it is no refusal

	// Of a refusal.
	enum request_force reason;
	struct mounts_use use;         // the device in use, 0 for a file; where
	                               // it is mounted
	dev_t holder;                  // which device it serves
	uint64_t size;                 // of the destination
	uint64_t reach;                // where the copy would end
	enum decode_format contents;   // of the source,
	bool is_src_export;            // which no decompress= can read
	struct disk_identity identity; // of the destination
};

void safety_init(struct safety *safety);

// A name in /dev that nothing has: a file that is made there is a mistyped
// device, mostly.
bool safety_is_missing(const char *name);

// Before the destination is opened. 0, or -EPERM: refused, and all but
// reason is void.
int safety_check_path(struct safety *safety, const struct request *q);

// fd: the destination, not cut yet. 0, and nobody else can mount it or claim
// it until safety_done, if it is a device; or -EPERM: refused.
int safety_check(struct safety *safety, const struct request *q,
		 const struct facts *src, const struct facts *dst, int fd);
void safety_done(struct safety *safety);

// Whether it matters what the source is, and if it is that: 0, or -EPERM:
// refused. What is packed is of no use on a disk.
bool safety_looks_inside(const struct request *q, const struct facts *dst);
int safety_check_format(struct safety *safety, const struct request *q,
			const struct facts *src, const struct facts *dst,
			enum decode_format contents);

// old: a file whose name another one is to take. 0, or -EPERM: refused,
// because it is mounted or in use otherwise, which goes on with the old one.
int safety_check_replaced(struct safety *safety, const struct request *q,
			  const struct facts *old);

// The source may change while it is read: it is mounted, not read-only.
bool safety_is_src_live(const struct request *q, const struct facts *src,
			struct mounts_use *ret);
