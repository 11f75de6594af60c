// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// All was copied and is durable: is it what it should be? Each finding is
// told. A block that was held back is written when nothing speaks against it.

#pragma once

#include "verify.h"

struct change;
struct guide;
struct hasher;

struct judge {
	struct verify verify;         // also what the rest needs
	struct differ *differ;        // what verify=only has found, or NULL
	struct hasher *packed;        // of what was unpacked, or NULL
	uint64_t packed_len;
	const struct change *change;
	const struct guide *guide;
	bool is_synced;               // all of it, what was held back too
};

// True: the source has changed since change_init, and what was copied is not
// to be trusted.
bool judge_has_changed(const struct judge *judge);

// The parts of judge_copy, for a copy with several destinations: what concerns
// the source alone, and then each destination, by a judge with the same source.
// Returns as below.
int judge_src(struct judge *judge, bool has_changed);
int judge_dst(struct judge *judge);

// The digests, what they were expected to be, and what is on the medium. 0,
// -ESTALE: another source than was expected, -EBADMSG: the medium has other
// bytes, -ENODATA: nothing but that not all could be read, -ECANCELED, or
// another -errno.
int judge_copy(struct judge *judge, bool has_changed);
