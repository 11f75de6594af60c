// SPDX-License-Identifier: GPL-3.0-or-later
//
// The fixed set of jobs, in file order, with the arena of their buffers.
// Three cursors chase each other round it, as job numbers that only grow:
//
//   head      the next job to be read
//   digested  the next one for whoever wants the bytes in order
//   tail      the oldest one not yet written
//
// Everything before tail is finished, so "how far are we" is one number. A
// slot is used again only in its turn.
//
// All memory is mapped here, before the first request. The arena lies in huge
// pages, and a request of 2 MiB in one of them: fewer segments made 529 MB/s
// into 1369 on a virtio disk, then with requests of 1 MiB. The pages are first
// touched by io_submit, in the thread that calls it, while the requests before
// are under way.

#pragma once

#include "job.h"

struct ring {
	struct job *jobs;
	unsigned depth;
	bool is_held;         // READY by ring_release only
	size_t job_size;
	unsigned char *arena;
	size_t arena_len;

	uint64_t head;
	uint64_t digested;
	uint64_t tail;

	uint64_t next;        // offset of the next byte to be read
	size_t step;          // jobs meet where offset + skew is a multiple
	size_t skew;          // of step: between two pages of the file
	uint64_t end;         // nothing at or after it is copied: the planned
			      // end, or EOF, or the first failure
};

// -ENOMEM: nothing was taken.
int ring_init(struct ring *ring, unsigned depth, size_t job_size);
void ring_done(struct ring *ring);

struct job *ring_job(const struct ring *ring, uint64_t number);
bool ring_has_free(const struct ring *ring);
bool ring_is_drained(const struct ring *ring);

// The next job in turn, FREE, for at most so many bytes. The caller has seen
// ring_has_free and that next < end.
struct job *ring_take(struct ring *ring, uint64_t most);

// The places nearest to off, not after and not before it, where jobs may meet.
uint64_t ring_floor(const struct ring *ring, uint64_t off);
uint64_t ring_ceil(const struct ring *ring, uint64_t off);

// Nothing before off needs a job: it is a hole that is kept.
void ring_skip(struct ring *ring, uint64_t off);

// A job that has been read: FILLED, and READY when all before it are, so that
// nothing is written behind a byte that cannot be read.
void ring_fill(struct ring *ring, struct job *job);

// What is_held keeps FILLED: the jobs before this number become READY.
void ring_release(struct ring *ring, uint64_t number);

// A job that is through, or had nothing: FREE.
void ring_put(struct ring *ring, struct job *job);

// Copy nothing at or after off. Never moves the end up again.
void ring_cut(struct ring *ring, uint64_t off);

// Bytes from the start that are written without a gap.
uint64_t ring_prefix(const struct ring *ring);

// Asserts the order of the cursors and that jobs outside them are FREE.
void ring_check(const struct ring *ring);
