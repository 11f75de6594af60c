// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What makes a map worth something: `+` is never ahead of the disk. A snapshot
// of what is written, a sync of the destination by a description of its own,
// and only when that has succeeded, and the digests of the ranges are there as
// well, the map is saved. All of it sleeps, so a
// helper does it, one checkpoint at a time.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aio.h"
#include "map.h"
#include "mapfile.h"

struct manifest;
struct mapkeep;
struct side;

struct checkpoint {
	struct job_call call;    // of job
	struct job job;          // of no buffer
	struct aio *aio;
	struct mapkeep *keep;
	const struct manifest *manifest; // NULL: none is kept
	struct engine *own;      // that syncs the destination; NULL: by fd
	int fd;                  // of the destination, our own; -1: there is
	                         // none, with an engine
	struct map map;          // the snapshot
	struct mapfile_status status;
	bool is_out;
	int error;               // positive errno of what has failed, or 0
	bool is_synced;          // then it is the map
};

// All is borrowed until checkpoint_done. 0 or -errno: the destination cannot be
// synced by a description of its own.
int checkpoint_init(struct checkpoint *cp, struct aio *aio,
		    struct mapkeep *keep, const struct manifest *manifest,
		    const struct side *dst);
// None is out, or aio is abandoned.
void checkpoint_done(struct checkpoint *cp);

// Of what is written now: takes the map. None is out.
void checkpoint_start(struct checkpoint *cp, struct map *map,
		      const struct mapfile_status *status);
