// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The export of an NBD server, as what a side works with.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "job.h"
#include "nbd_holes.h"
#include "nbd_link.h"
#include "side.h"

struct hooks;

struct nbd_export {
	struct job_call flush; // of engine
	struct engine *engine;
	struct nbd_link link;
	uint64_t patience; // seconds in which it may come back
	struct nbd_link_info info;
	uint32_t align; // of what goes through the ring
	uint64_t pos;	// where it stands
	const struct hooks *hooks;
	struct nbd_holes holes;
	bool is_all_data; // nobody says where holes are
	bool is_left;	  // by a signal, with a flush under way
};

extern const struct side_ops nbd_export_ops;

static inline struct nbd_export *
nbd_export_of(const struct side *side)
{
	return side->own;
}

// Connect, and begin the part of side that is its own, but for align and
// patience; the ops' close ends it. 0 or -errno.
int nbd_export_open(struct side *side, const struct nbd_link *link,
		    const struct hooks *h);
