// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Stage 3, beside the others: what is known to be zeros, and the destination
// makes by itself. Such bytes take no job of the ring and no buffer, and may
// be many GiB: the reader hands over the holes of the source, the writer what
// it has found to be zeros. A helper makes one piece of them after the other,
// the first in the file first, and only then they are in the map.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aio.h"
#include "clear.h"
#include "event.h"
#include "ring.h"

struct env;

struct zeroer_span {
	uint64_t off;           // in the stretch
	uint64_t len;
	uint64_t skipped;       // bytes before it that need no job
	bool is_skipped;        // and so do these
};

struct zeroer {
	struct job_call call;   // of job
	struct job job;         // its one request, of no buffer
	const struct env *env;
	struct aio *aio;
	struct ring *ring;
	struct event *failure;
	struct clear *clear;    // NULL: zeros are written, there is no zeroer
	uint64_t base;          // file offset of the stretch
	bool is_out;            // with the helper
	bool is_stopped;        // by a signal: nothing is begun
	unsigned nr;
	struct zeroer_span spans[RING_SPANS_BESIDE]; // in file order
};

// What becomes of the zeros at off, and of how many of them.
enum clear_way zeroer_next(const struct zeroer *zeroer, uint64_t off,
			   uint64_t len, uint64_t *ret_len);
bool zeroer_has_room(const struct zeroer *zeroer);
// It has room, and the zeros are CLEAR_MAKE.
void zeroer_put(struct zeroer *zeroer, struct zeroer_span span);

// The reader is so far ahead that it should wait for the zeros.
bool zeroer_is_behind(const struct zeroer *zeroer);

// Hand the next piece to the helper, if it has none.
void zeroer_start(struct zeroer *zeroer);
// Nothing is under way or left to be begun, up to the ring's end.
bool zeroer_is_done(const struct zeroer *zeroer);

// Bytes before the prefix of the ring that needed no job.
uint64_t zeroer_prefix_skipped(const struct zeroer *zeroer);
