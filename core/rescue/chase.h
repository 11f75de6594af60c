// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What to read next of a source that may be dying, so that most of it is there
// before the worst of it is tried. Pure: how it is read, and how long one
// waits, is the caller's. The way is GNU ddrescue 1.30's, with larger reads:
//
//   copy    four passes over what was not tried, there and back, which skip
//           more and more where reads fail or are slow; from the second on only
//           what lies beside something good
//   trim    by sectors from what is good, until one fails
//   sweep   what was skipped
//   scrape  each sector of what is left
//   retry   those that have failed, there and back
//
// Until the first read has failed several are out, in file order; then one.
// A read of more than 64 KiB that has failed leaves its range to be done, by
// 64 KiB: its device does not say where in it the bad sector is.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "areas.h"
#include "map.h"
#include "mapfile.h"
#include "outs.h"
#include "pick.h"
#include "skip.h"

enum { CHASE_OVERDUE_MAX = 8 };

struct chase_setup {
	struct map *map;         // of the source; borrowed, and nobody else
				 // marks it meanwhile
	uint64_t off;            // nothing else is read or marked; within the
	uint64_t len;            // map
	uint32_t sector;         // least that is read; a power of two
	size_t most;             // that is read at once: a multiple of 64 KiB
	unsigned nr_parallel;    // reads at once, until one has failed
	unsigned nr_retries;
	struct mapfile_status status; // of the run before; {0}: there is none
};

struct chase_read {
	uint64_t off;            // within a sector only where the domain, or a
	size_t len;              // map that was loaded, has an end there
};

struct chase {
	struct chase_setup setup;
	struct map suspects;     // MAP_BAD: a larger read has failed there
	struct outs outs;
	struct pick pick;        // of the step
	struct skip skip;
	unsigned step;
	unsigned nr_retried;     // passes over bad sectors
	bool is_careful;         // a read has failed: one at a time
	bool has_late;           // one was overdue, and told since the second
				 // pass began
	uint64_t pos;            // of the last read, in its direction
	struct areas areas;
};

// 0 or -ENOMEM.
int chase_init(struct chase *c, const struct chase_setup *setup);
void chase_done(struct chase *c);

enum chase_answer {
	CHASE_READ,              // *ret is out, until it is told
	CHASE_WAIT,              // ask again when one that is out was told
	CHASE_END,               // none is out, and all was tried
};

// An answer, or -ENOMEM.
int chase_next(struct chase *c, struct chase_read *ret);

// What has become of a read, once for each, in any order: got bytes from its
// start are good, and the rest failed with error; if that is 0, the source ends
// there. ns: since it was yielded.
void chase_tell(struct chase *c, const struct chase_read *read, size_t got,
		int error, uint64_t ns);

// It is not waited for: others may be out meanwhile, up to CHASE_OVERDUE_MAX
// times.
void chase_overdue(struct chase *c, const struct chase_read *read);

// The end of the domain, which moves if the source ends before it.
uint64_t chase_end(const struct chase *c);

// How far it is, for the mapfile.
struct mapfile_status chase_status(const struct chase *c);

// How many areas are known to be bad.
static inline size_t
chase_areas(const struct chase *c)
{
	return c->areas.nr;
}
