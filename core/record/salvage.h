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

struct side;
struct hooks;
struct stats;

struct salvage {
	const struct side *src;
	const struct hooks *hooks;
	struct stats *stats;    // count what is bad
	bool leaves_out;        // nothing in place of what is bad
	int pad;                // or this byte

	unsigned char *buf;     // for the record in hand
	size_t fill;            // bytes in it
	bool has_bad;           // something of it could not be read

	int fd;                 // -1: not needed so far
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

// Behind a failed read others would fail that need not.
bool salvage_is_wary(const struct salvage *salvage, uint64_t off);

// A record is begun in buf, of which so many bytes are there.
void salvage_begin(struct salvage *salvage, unsigned char *buf, size_t fill);

// Add up to len bytes of the source at off to it, those that cannot be read
// as padding or not at all. error: that a read of all of it met, or 0.
// Returns the bytes of the source that are done, 0 at its end, or -errno,
// untold: -ECANCELED or what cannot be passed over.
int64_t salvage_read(struct salvage *salvage, uint64_t off, size_t len,
		     int error);

// Tell the area in hand, now that it has an end.
void salvage_tell(struct salvage *salvage);
