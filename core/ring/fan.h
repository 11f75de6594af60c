// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The writers of a copy that has several destinations. Each has all of what a
// writer has, for itself: a ring, with what is there in its map, and engines.
// The jobs of these rings have no buffers: each borrows that of a job which
// was read, and which is WRITING until the last of them is through.
//
// So whatever one of them meets is its own affair. One that has failed is out:
// what comes is no longer for it, its map keeps what is there, and the others
// go on. Nobody is further ahead of the slowest than the ring is long. One that
// has completed nothing for FAN_PATIENCE_NS, while the others wait for it, is
// left: the buffers that the kernel still has stay where they are until the end
// of the process, and the jobs get others. A time in which nobody looked counts
// for no more than FAN_LOOK_MAX_NS: this process may have been stopped itself.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "ring.h"
#include "watch.h"
#include "writer.h"
#include "zeroer.h"

#define FAN_PATIENCE_NS ((uint64_t)30 * 1000000000)
#define FAN_LOOK_MS 1000
#define FAN_LOOK_MAX_NS ((uint64_t)2 * FAN_LOOK_MS * 1000000)

struct clear;
struct env;
struct hold;
struct plan;
struct side;
struct writeback;

struct fan_branch {
	// As in struct copy_parts; aio is its own, and of nobody else.
	const struct env *env;
	const struct plan *plan;
	struct aio *aio;
	const struct side *side;
	struct hold *hold;
	struct writeback *writeback;
	struct clear *clear;

	// Made by fan_init.
	struct fan *fan;
	struct ring ring;
	struct writer writer;
	struct zeroer zeroer;
	struct event failure;     // the first in the file, if any
	bool is_told;
	bool is_left;             // nothing of it is waited for
	bool is_stalled;          // and there is something that was
	uint64_t nr_taken;        // requests that had ended at the last look,
	uint64_t waited_ns;       // and for how long there were no more
	struct loop_source ended[AIO_NR_LANES];
	struct loop_source written_out;
};

struct fan {
	struct fan_branch *branches; // borrowed, as what they borrow is
	unsigned nr;
	struct ring *ring;        // of what is read; the copy sets it
	bool is_stalled;          // one of them
	uint64_t looked_ns;       // last
};

// The rest of the branches, which stay where they are until fan_done. -ENOMEM:
// nothing is held.
int fan_init(struct fan *fan, struct fan_branch *branches, unsigned nr);
void fan_done(struct fan *fan);

// For the copy. What ends there is a reason to wake up: as watch_open.
int fan_watch(struct fan *fan, struct watch *watch);
// Reap; hand over what is READY; write, and submit.
void fan_step(struct fan *fan);
// There is something to do at once.
bool fan_has_work(const struct fan *fan);
// Beside the jobs nothing is left.
bool fan_is_done(const struct fan *fan);
// Nobody is left to write to.
bool fan_is_out(const struct fan *fan);
// What has failed is its server, which is not told: the caller sees whether it
// comes back.
bool fan_may_come_back(const struct fan_branch *branch);
// At least every FAN_LOOK_MS: one may keep the others waiting for too long.
void fan_look(struct fan *fan, uint64_t now_ns);
// By a signal: nothing is begun, nor is a slow device waited for.
void fan_stop(struct fan *fan);
// The ring is about to go: what the kernel may still look at stays.
void fan_let_go(struct fan *fan);
