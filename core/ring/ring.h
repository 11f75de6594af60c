// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The fixed set of jobs with the arena of their buffers, and how far they have
// come. The jobs are a pool: whichever is FREE takes the next bytes of the
// file. What is written goes into a map, so "how far are we" is one number
// whatever the order: ring_prefix.
//
// Each job that is taken has a number, in file order:
//
//   head      the next one to be taken
//   released  the next one to become READY, where there is an order
//   tail      the oldest one that is not FREE again
//
// head is at most RING_SPAN rings ahead of tail: one request that takes long
// does not stop the others at once, and no more than that can be written
// behind a byte that then cannot be read.
//
// All memory is mapped here, before the first request. The arena lies in huge
// pages, and a request of 2 MiB in one of them: fewer segments made 529 MB/s
// into 1369 on a virtio disk, then with requests of 1 MiB. The pages are first
// touched by io_submit, in the thread that calls it, while the requests before
// are under way.

#pragma once

#include "job.h"
#include "map.h"
#include "plan.h"

#define RING_SPAN 2
#define RING_SPANS 65536 // of the map, about: other holes are data to it
#define RING_SPANS_BESIDE 64 // that somebody else makes: zeroer

enum ring_order {
	RING_ANY_ORDER,       // at once
	RING_AFTER_READS,     // when all before it are read, so that nothing
	                      // is written behind a byte that cannot be
	RING_AFTER_RELEASE,   // when ring_release says so
	RING_POOL,            // at once: jobs have no numbers, and are taken by
	                      // ring_take_at
};

struct ring {
	// A job is put back: its buffer, if that is lent, as well. NULL: nobody
	// wants to know.
	void (*on_put)(struct job *job);

	struct job *jobs;
	unsigned depth;
	size_t job_size;
	unsigned char *arena;
	size_t arena_len;

	enum ring_order order;
	struct job *free;     // the one that was put back last is first
	unsigned nr_free;
	struct job *ready;    // the first in the file
	struct job *last_ready;

	struct job **line;    // by number, NULL: it is FREE again
	uint64_t head;
	uint64_t released;
	uint64_t tail;

	struct map map;       // of the stretch
	uint64_t next;        // offset of the next byte to be read
	uint64_t skipped;     // bytes before it that are kept holes
	uint64_t end_skipped; // at most so many are before the end
	size_t step;          // jobs meet where offset + skew is a multiple
	size_t skew;          // of step: between two pages of the file
	uint64_t end;         // nothing at or after it is copied: the planned
			      // end, or EOF, or the first failure
};

// For the stretch of the plan. -ENOMEM: nothing was taken.
int ring_init(struct ring *ring, const struct plan *plan,
	      enum ring_order order);
// A RING_POOL whose jobs have no buffers: whoever takes one lends it another's.
int ring_init_lent(struct ring *ring, const struct plan *plan);
void ring_done(struct ring *ring);

// There is a buffer for the next bytes, and they are not too far ahead.
bool ring_has_free(const struct ring *ring);
bool ring_is_drained(const struct ring *ring);

// A job, FREE, for the next bytes, of which there are most at most. The
// caller has seen ring_has_free and that next < end.
struct job *ring_take(struct ring *ring, uint64_t most);
// RING_POOL: a job for len bytes at off, before the end, which no other has. 0
// < len <= job_size. NULL: there is no memory to note what becomes of it.
struct job *ring_take_at(struct ring *ring, uint64_t off, size_t len);

// The places nearest to off, not after and not before it, where jobs may meet.
uint64_t ring_floor(const struct ring *ring, uint64_t off);
uint64_t ring_ceil(const struct ring *ring, uint64_t off);

// Nothing before off needs a job: it is a hole that is kept.
void ring_skip(struct ring *ring, uint64_t off);

// The same, but somebody else sees to it, and marks it. is_skipped: it counts
// as what needs no job.
void ring_pass(struct ring *ring, uint64_t off, bool is_skipped);
void ring_mark_at(struct ring *ring, uint64_t off, uint64_t len,
		  enum map_state state);

// A job that has been read: FILLED, and READY as the order wants it.
void ring_fill(struct ring *ring, struct job *job);

// From released to head. NULL: it had nothing.
struct job *ring_job(const struct ring *ring, uint64_t number);
bool ring_is_read(const struct ring *ring, uint64_t number);
// RING_AFTER_RELEASE: the jobs before this number become READY.
void ring_release(struct ring *ring, uint64_t number);

// The READY jobs stand in file order, as ring.ready: take the first, to be
// written or put.
struct job *ring_take_ready(struct ring *ring);
// One that is written already, to be written alone: READY again.
void ring_return(struct ring *ring, struct job *job);

// len more bytes of the job are DONE, a HOLE, or the SAME.
void ring_mark(struct ring *ring, struct job *job, size_t len,
	       enum map_state state);

// A job that is through, or had nothing: FREE.
void ring_put(struct ring *ring, struct job *job);

// Copy nothing at or after off. Of the bytes before it so many are kept holes.
// Never moves the end up again.
void ring_cut(struct ring *ring, uint64_t off, uint64_t skipped);

// Bytes from the start that are written without a gap; and of them, those that
// are kept holes.
uint64_t ring_prefix(const struct ring *ring);
uint64_t ring_prefix_skipped(const struct ring *ring);

// Asserts that the jobs are where their states say.
void ring_check(const struct ring *ring);
