// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where an NBD server says that its export has data, asked some way ahead of
// the reader. What reads as zeros is a hole, whether it is allocated or not.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nbd_engine.h"

struct engine;
struct extent;

struct nbd_holes_span {
	uint64_t end;          // begins where the one before it ends
	bool is_zeros;
};

// {0}: nothing is known yet.
struct nbd_holes {
	struct nbd_engine_extents extents; // of the request
	uint64_t start;        // what is known: from here on
	struct nbd_holes_span *spans;
	size_t nr;
	size_t room;
	bool is_cut;           // there was no memory for more
};

// As extent_find, in an export of this size. 0, or -errno: the server does not
// say.
int nbd_holes_find(struct nbd_holes *holes, struct engine *engine,
		   uint64_t size, uint64_t pos, struct extent *extent);
void nbd_holes_done(struct nbd_holes *holes);
