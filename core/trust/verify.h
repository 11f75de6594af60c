// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// verify=yes: after the copy is durable, read it back from the medium, and
// compare. What was written left a digest of each range behind, so nothing
// but the destination is read; a range that differs is then read again on
// both sides to say which bytes.

#pragma once

#include <stdint.h>

#include "differ.h"
#include "readback.h"
#include "request.h"
#include "side.h"

struct env;
struct hold;
struct manifest;
struct map;

struct verify {
	const struct env *env;           // its hasher is finished, and has
	                                 // HASH_RANGES; verified is counted
	const struct side *src;      // still open; a stream cannot be read
	const struct side *dst;      // again, its ranges are told whole
	struct side *back;           // of its open_back
	const struct manifest *manifest; // of what was written: instead of the
	                                 // hasher; NULL: there is none. Then
	                                 // what is read is counted as bytes,
	                                 // unchecked what is not known
	struct map *map;                 // of the source: what is MAP_DONE
	                                 // there counts, by the manifest or as
	                                 // the source has it, and unchecked
	                                 // what it cannot be read for. What
	                                 // differs is to be done again. The
	                                 // hasher of env gets all bytes
	struct hold *hold;               // not on the disk yet; NULL: all is
	uint64_t src_off;                // where the copy began
	uint64_t dst_off;
	uint64_t len;                    // of the copy
	struct readback readback;        // ours
	struct differ differ;            // FAILURE_DIFFERS
};

// 0: it is the same. -EBADMSG: it differs, each range told with the first
// byte of both; those that are near are one. -ECANCELED: a signal. Another
// -errno: it could not be read, told.
int verify_run(struct verify *verify);

// The block that was held back, when it has been written. Returns as above.
int verify_block(struct verify *verify);

// Waits for the kernel to give back what it had for the reading.
void verify_done(struct verify *verify);
