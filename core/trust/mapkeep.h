// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// map=FILE: which file that may be, whose map it is, and how it is saved. At
// any moment, also after a crash, FILE is a whole map, and one run has it.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mapfile.h"
#include "ours.h"

struct env;
struct side;

// What is wrong with it, beside ours_fault. The last ones are overruled by
// force=map.
enum mapkeep_fault {
	MAPKEEP_DAMAGED = OURS_NR,
	MAPKEEP_SRC_STREAM,      // a side has no offsets
	MAPKEEP_DST_STREAM,
	MAPKEEP_SAME_SIDES,      // both are one file or disk
	MAPKEEP_PAST_SRC,        // it goes on behind the end of the source
	MAPKEEP_PAST_DST,        // what it says is copied is not there
	MAPKEEP_UNSAVED,
	MAPKEEP_OTHER_SRC,       // it is of another source
	MAPKEEP_FIRST_REFUSED = MAPKEEP_OTHER_SRC,
	MAPKEEP_OTHER_DST,
	MAPKEEP_OTHER_PLACE,     // skip= or seek= were others
};

struct mapkeep {
	const struct env *env;   // NULL: closed
	struct ours file;
	struct mapfile mapfile;  // as it was found; its map is the user's to
	                         // change
	struct mapfile_ids ids;  // of this run
	bool is_new;             // nothing was known
	bool is_swept;           // nothing is left of runs that were killed
	char start[32];          // when it began
};

// Before anything else is opened. 0, or -errno, told: no run is wanted. Without
// map= it does nothing. mapkeep_done in any case.
int mapkeep_open(struct mapkeep *k, const struct env *env);

// The source is looked at, and nothing else is open yet, let alone made. As
// mapkeep_check.
int mapkeep_check_src(struct mapkeep *k, const struct side *src);

// Both sides are looked at, and nothing is cut or written yet. 0: it is a map
// of this copy, and as long as the source. -EPERM: refused, and told. -errno:
// told. With plan=yes likewise.
int mapkeep_check(struct mapkeep *k, const struct side *src,
		  const struct side *dst, uint64_t src_off, uint64_t dst_off);

// In any one thread at a time. The first time before the first byte is written:
// it makes the file, or fails. 0 or -errno, and the old file is there.
int mapkeep_save(struct mapkeep *k, const struct map *map,
		 const struct mapfile_status *status);
// Tell the user of that. Returns r.
int mapkeep_tell_unsaved(const struct mapkeep *k, int r);

void mapkeep_done(struct mapkeep *k);
