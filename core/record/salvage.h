// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// conv=noerror under our own name: what a source with offsets still gives
// around its bad areas. They are read by a description of our own, without
// the page cache where that can be done, since the cache reads more than it
// is asked for and loses all of that.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "side.h"

struct hooks;
struct stats;

struct serial;

struct salvage {
	const struct side *src;
	const struct hooks *hooks;
	struct stats *stats;    // count what is bad
	bool leaves_out;        // nothing in place of what is bad
	int pad;                // or this byte

	unsigned char *buf;     // for the record in hand
	size_t fill;            // bytes in it
	bool has_bad;           // something of it could not be read

	struct side own;        // src once more
	bool has_own;           // false: not needed so far
	enum side_way way;      // on it
	uint32_t align;         // that its reads want; 0: none
	uint32_t unit;          // the least that is read alone
	unsigned char *bounce;
	uint64_t wary_end;      // not to be read in another way before that
	struct event bad;     // the area in hand, its len 0: none
};

// Borrows all until salvage_done.
void salvage_init(struct salvage *salvage, const struct side *src,
		  const struct hooks *hooks, struct stats *stats);
void salvage_done(struct salvage *salvage);

// Read a record of len bytes into block, where so many are there already, with
// padding in place of what cannot be read, or nothing. Returns the bytes of the
// source that it stands for, 0 at its end, or -errno, untold: -ECANCELED or
// what cannot be passed over.
int64_t salvage_record(struct salvage *salvage, struct serial *serial,
		       unsigned char *block, size_t there, size_t len);

// Tell the area in hand, now that it has an end.
void salvage_tell(struct salvage *salvage);
