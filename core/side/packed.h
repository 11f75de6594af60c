// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A source that is decompressed while it is read: a side that gives the bytes
// that were packed, in order. Its facts are those of a stream, with a size
// where the format tells one.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hasher;
struct hooks;
struct request;
struct side;

// decompress= of an open source: if it is packed, the side is one of these from
// now on. What is packed is hashed, too, if hasher is not NULL. 0, or -errno,
// told; -ECANCELED: a signal.
int packed_open(struct side *side, const struct request *q,
		struct hasher *hasher, const struct hooks *h);
// The same of what is only looked at, after its facts were foreseen: they are
// as they would be. What a pipe has is not known. 0 or -errno, told.
int packed_foresee(struct side *side, const struct request *q,
		   const struct hooks *h);

// How far it is. Any thread may ask.
struct packed_state {
	unsigned format;       // enum decode_format; 0: it is no such side, or
	                       // was closed
	const char *library;   // that decodes it
	uint64_t in, out;      // bytes that were decoded, and have come of it
	int error;             // positive errno: that could not be decoded
};
struct packed_state packed_state(const struct side *side);
