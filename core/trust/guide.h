// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// bmap=FILE: the block map that the copy follows. The source must be the image
// that it is of; what is in none of its ranges is not read and counts as zeros,
// and what is in one has to have its digest. Without a source it is what survey
// goes by.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bmap.h"

struct env;
struct side;

#define GUIDE_AUTO "auto" // in place of a name: it is looked for

// What is wrong with the file, beside bmap_fault.
enum guide_fault {
	GUIDE_ERROR = BMAP_NR_FAULTS, // the error that comes with it
	GUIDE_LARGE,           // no map is so large
	GUIDE_SIDE,            // it is the source or the destination
	GUIDE_NO_LIBRARY,      // expat cannot be loaded
	GUIDE_SRC_IS_MAP,      // the source is a map, too
};

struct guide {
	const struct env *env; // NULL: nobody asked
	char *path;            // NULL: none is followed
	struct bmap bmap;
	struct bmap_error error;
};

// Before anything else is opened: find it, read it, and check it against
// itself. 0, or -errno, told: no run is wanted. Without bmap= it does nothing,
// and what is below likewise. guide_done in any case.
int guide_open(struct guide *g, const struct env *env);
void guide_done(struct guide *g);

// It says what the ranges are to be.
bool guide_has_digests(const struct guide *g);
// Bytes of the ranges of which it does.
uint64_t guide_checked_len(const struct guide *g);

// The source, which begins at start, was probed, maybe again: it has the
// ranges, and its facts are theirs.
void guide_lead(const struct guide *g, struct side *src);
// It is as long as the image. 0, or -ESTALE, told.
int guide_check(const struct guide *g, const struct side *src, uint64_t start);

// len bytes were copied, and the digests are finished. 0, or -ESTALE, told.
int guide_judge(const struct guide *g, const struct side *src, uint64_t len);
// It is not as long: tells that. len may also be EVENT_MORE or
// EVENT_FEWER.
void guide_tell_size(const struct guide *g, const struct side *src,
		     uint64_t len);
// A range is not what the map says. True: tells that.
bool guide_has_bad(const struct guide *g, const struct side *src);
