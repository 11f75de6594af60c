// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The first bytes of a source, before it is copied.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode.h"

struct hooks;
struct side;

struct sniff {
	unsigned char head[DECODE_HEAD] __attribute__((aligned(4096)));
	size_t len;
	uint64_t pos;          // where the descriptor stands
	bool has_offsets;      // else the head was taken from it
};

// Of an open source, as much as is needed to know it. 0, -ECANCELED: a signal,
// or another -errno, told.
int sniff_take(struct sniff *sniff, const struct side *side,
	       const struct hooks *h);

// What the bytes from off on are, if they are packed or a disk image of a kind;
// *ret as it is where that cannot be seen. A pipe keeps its bytes, but one is
// waited for. 0, or -ECANCELED: a signal.
int sniff_look(const struct side *side, uint64_t off, const struct hooks *h,
	       enum decode_format *ret);
