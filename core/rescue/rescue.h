// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The conductor of map=: beside copy, on the same jobs, stages and engines. Its
// jobs are a pool, for a slot of the ring would wait its turn behind a sector
// that answers after 30 seconds. reads fills them; what has been read is
// written by the same job; checkpoint makes both true on the disk.

#pragma once

#include "aio.h"
#include "checkpoint.h"
#include "env.h"
#include "event.h"
#include "plan.h"
#include "reads.h"
#include "ring.h"
#include "side.h"
#include "watch.h"
#include "writer.h"

enum rescue_verdict {
	RESCUE_RUN,   // step again at once
	RESCUE_WAIT,  // only a completion, time or the device can help
	RESCUE_DONE,  // nothing is under way, and the map is saved
	RESCUE_LOST,  // the kernel gives no completions out any more
};

struct rescue {
	const struct env *env;
	struct aio *aio;
	struct map *map;         // of the source
	uint64_t base;           // where the domain begins there
	uint64_t outside[MAP_NR_STATES]; // bytes of it that are not in it
	struct ring ring;        // its map: what is written, of the domain
	struct reads reads;
	struct writer writer;
	struct checkpoint checkpoint;
	struct watch watch;
	struct event failure;    // of the destination or the map; its offset
	                         // is that in the domain

	bool is_beginning;       // until the first checkpoint has ended
	bool is_stopped;         // by a signal
	uint64_t saved_ns;       // when the last checkpoint began; 0: there was
	                         // none
	uint64_t saved[MAP_NR_STATES]; // bytes in each state of the map then,
	uint64_t saved_unwritten; // those that the ring had still to write,
	char saved_phase;        // and what it was at
};

// All is borrowed until rescue_done.
struct rescue_parts {
	const struct env *env;
	const struct plan *plan; // its stretch is the domain
	struct aio *aio;
	const struct side *src;
	const struct side *dst;
	struct mapkeep *keep;
	struct map *map;         // loaded; it has the domain
	const struct mapfile_status *status;
	uint32_t sector;         // least that is read of the source
};

// -errno: nothing is held, nothing was read.
int rescue_init(struct rescue *r, const struct rescue_parts *parts);
// The loop around it: separate, so that a test can step by hand.
int rescue_open_loop(struct rescue *r);
// From now on the map has what is written.
void rescue_done(struct rescue *r);

enum rescue_verdict rescue_step(struct rescue *r);

// Until all was tried, or the source is gone, or a failure or a signal ends it.
// RESCUE_DONE or RESCUE_LOST.
enum rescue_verdict rescue_run(struct rescue *r);
