// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is at the destination, read before a record is written there: which
// bytes of it have to be written, or, where nothing is, which ones differ.

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "differ.h"
#include "same.h"
#include "side.h"

struct recheck {
	const struct side *back; // the destination, open to be read; NULL:
	                         // what is there does not matter
	struct differ *differ;   // NULL: what differs is written
	unsigned char *found;    // a record, NULL: not needed yet
	size_t size;
	struct same same;        // of the record in hand
};

void recheck_done(struct recheck *recheck);

// Read what is there at pos, for len bytes of a record. 0 or -errno, and then
// nothing of it is known.
int recheck_read(struct recheck *recheck, const unsigned char *buf, size_t len,
		 uint64_t pos);
