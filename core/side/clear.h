// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Zeros that a destination makes by itself, where it can: fallocate with
// PUNCH_HOLE, which on a device is offloaded or refused. BLKZEROOUT and
// ZERO_RANGE are not used: they write zeros where that is not offloaded, and
// over some servers say so without having done it. A device is not believed:
// it is read at three places of each piece. A server is, since zeros are what
// its protocol promises, and it may take its time. The first time that it has
// refused, lied or taken too long is the last: from then on zeros are written,
// and after a lie also those that it has made before.
//
// clear_some is for one thread at a time, and meanwhile others may call
// clear_next.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct side;
struct stats;

#define CLEAR_ALIGN 4096             // a page: what is beside it is others'
#define CLEAR_MIN ((uint64_t)64 * 1024) // fewer zeros are written sooner
#define CLEAR_PIECE ((uint64_t)16 << 20) // the first one
#define CLEAR_SLOW_LEN ((uint64_t)1 << 30)
#define CLEAR_SLOW_RATE 100000000    // bytes a second, over CLEAR_SLOW_LEN

enum clear_way {
	CLEAR_WRITE, // like data
	CLEAR_MAKE,  // by clear_some
	CLEAR_SKIP,  // nothing is there
};

struct clear_span {
	uint64_t pos;
	uint64_t len;
};

// {0}: there is nothing to clear.
struct clear {
	const struct side *side;  // clear_fd of it
	uint64_t from;            // what is before it is written
	uint64_t to;              // nothing is there from here on
	uint32_t align;
	const char *_Atomic refused; // why zeros are written; NULL: they are
	                          // not
	uint64_t piece;           // bytes at a time
	uint64_t slow_len;        // how much was made, and how long it took,
	uint64_t slow_ns;         // since that was last looked at
	unsigned char *buf;       // zeros, and a page to read
	struct clear_span *made;  // what a device has made, in order of time
	size_t nr_made;
	size_t room;
	bool is_owing;            // that is to be written
	bool is_written;          // the last bytes were
	uint64_t error_pos;       // of the last error
	uint64_t nr_cleared;      // bytes, also of the stretches before
	uint64_t nr_written;      // bytes
};

// From `from` on, and up to `to`; refused: NULL, or why not at all.
void clear_init(struct clear *clear, const struct side *side, uint64_t from,
	       uint64_t to, const char *refused);
void clear_done(struct clear *clear);

// What becomes of the zeros at pos, and of how many of them; len > 0.
enum clear_way clear_next(const struct clear *clear, uint64_t pos,
			  uint64_t len, uint64_t *ret_len);

// What has become of the zeros so far.
void clear_count(const struct clear *clear, struct stats *stats);

// Some of what clear_next has given to it: how many bytes are zeros now; 0: ask
// again; or -errno, with error_pos: they could not be written. Where clear
// is_owing it goes on with that, and len may be 0.
int64_t clear_some(struct clear *clear, uint64_t pos, uint64_t len);
