// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Decides how a copy is carried out, from what was asked and what probing
// found. Pure: no system call, no state; every rule has a unit test, and
// every decision carries its reason for plan=yes.
//
// There are two ways, and one between them:
// - bulk: a stretch of bytes with known offsets on both sides goes through
//   the ring in jobs of the plan's size. ibs and obs only count.
// - record: dd's own order, one record read, then written. Everything else,
//   and what remains before, after or instead of the stretch.
// - splice: a file goes into a pipe as the pages that it is in the page cache,
//   all but the end of it, which goes by record.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"
#include "request.h"
#include "rest.h"

// Below these the set-up costs more than it saves. io_destroy, and exit
// with a context, wait about 30 ms for an RCU grace period.
#define PLAN_UNIT_MAX (64 * MIB) // of record sizes that do not divide
#define PLAN_BULK_MIN (128 * 1024)
#define PLAN_AIO_MIN (32 * 1024 * 1024)

// Of one huge page, and enough of them for latencies of milliseconds.
#define PLAN_JOB_SIZE (2 * 1024 * 1024)
#define PLAN_DEPTH 16
// For the page cache: ext4 takes folios as large as the write, and looks for
// pages of 1 MiB long and in vain once memory is in pieces.
#define PLAN_CACHE_SIZE (256 * 1024)
// A copy of a larger part of the memory would push all else out of the page
// cache, and be throttled there.
#define PLAN_CACHE_SHARE 4
// Of a copy that keeps a map: what is read around bad places, and jobs beside
// the others.
#define PLAN_MAPPED_STEP (64 * 1024)
#define PLAN_MAPPED_SPARE 8
#define PLAN_DIGEST_DEPTH 8 // inline, with digests in their threads
#define PLAN_FEED_DEPTH 8   // the same with a stream in its thread
#define PLAN_RING_MAX (1024 * 1024 * 1024) // bytes of all jobs
// The ring takes such a part of the memory that the process may have; what is
// as small as this needs no look at it.
#define PLAN_RING_SHARE 4
#define PLAN_RING_SMALL (2 * 1024 * 1024)
#define PLAN_ALIGN 4096 // jobs are a multiple of it: page and block size

enum plan_way { PLAN_RECORD, PLAN_SPLICE, PLAN_BULK };

enum plan_method {
	PLAN_NOTHING, // /dev/null takes, /dev/zero gives without a call
	PLAN_KERNEL,  // both sides in one copy_file_range
	PLAN_FEED,    // a thread reads a stream ahead, in order
	PLAN_INLINE,  // pread or pwrite at submit, through the page cache
	PLAN_CALL,    // pread or pwrite at submit, O_DIRECT
	PLAN_AIO,     // kernel AIO, O_DIRECT
	PLAN_NBD,     // by the connections to a server
};

enum plan_holes {
	PLAN_HOLES_READ,  // they are read like data
	PLAN_HOLES_ZERO,  // not read; zeros are written
	PLAN_HOLES_KEEP,  // neither: they become holes
	PLAN_HOLES_MAKE,  // neither: the destination makes zeros
};

// What becomes of zeros, once they are known, or found by conv=sparse.
enum plan_zeros {
	PLAN_ZEROS_WRITE,   // they are data
	PLAN_ZEROS_SKIP,    // they are left out
	PLAN_ZEROS_PUNCH,   // the file system makes a hole
	PLAN_ZEROS_OFFLOAD, // the device makes them
};

struct plan_side {
	enum plan_method method;
	uint32_t align;          // of O_DIRECT, or what a server wants; 0 with
	                         // other methods
	const char *reason;
};

struct plan {
	enum plan_way way;
	const char *way_reason;
	uint64_t rate;           // bytes a second at most, 0: no limit

	// The stretch that has offsets; copied as such with PLAN_BULK.
	uint64_t src_off;
	uint64_t dst_off;
	uint64_t len;
	uint64_t count_len;      // bytes that count= allows, or UINT64_MAX
	uint64_t unit;           // both sides begin a record at each multiple
	uint64_t resume_unit;    // and a page: where another stretch can begin

	bool is_clone;           // ask the file system first
	const char *clone_reason;
	struct plan_side src;
	struct plan_side dst;
	size_t job_size;
	size_t job_most;         // bytes of a request at most, 0: any number
	const char *job_reason;
	unsigned depth;
	const char *depth_reason;
	uint64_t final_size;     // set before the first write; 0: leave it
	bool is_in_order;        // one write at a time, each behind the last
	bool is_any_order;       // what is read may be written, also behind
	                         // what is not
	const char *size_reason;
	enum plan_holes holes;   // of the source
	const char *holes_reason;
	enum plan_zeros zeros;
	const char *zeros_reason; // NULL: nothing has to be said of it
	size_t step;             // jobs begin at multiples of it, less skew:
	size_t skew;             // of pages and blocks of the file
	size_t sparse_unit;      // records of zeros are left out; 0: written
	bool is_compared;        // with what is there: two buffers a job
	bool is_whole;           // a record is written as one, or not at all
};

// What a plan before this one has counted on in vain, whatever the facts say.
// All zeros: nothing.
struct plan_refused {
	int aio_error;           // the -errno of kernel AIO
	bool kernel_copy;        // copy_file_range
	bool compare;            // nothing is there
	const char *zeros;       // why the destination makes none, or NULL
	struct plan_refused_side {
		bool offsets;    // there is no description for them
		bool direct;     // nor one with O_DIRECT, or no size that is
		                 // set before the first write
	} src, dst;
};

// Memory that a job takes.
static inline size_t
plan_job_room(const struct plan *plan)
{
	return plan->is_compared ? 2 * plan->job_size : plan->job_size;
}

// The ring takes more than PLAN_RING_SMALL.
bool plan_is_large(const struct plan *plan);
// Let it take no more than its share of the memory that the process may have.
void plan_fit(struct plan *plan, uint64_t memory);

// The destination makes zeros.
bool plan_clears(const struct plan *plan);
bool plan_uses_aio(const struct plan *plan);
// Requests overlap on one side at least.
bool plan_overlaps(const struct plan *plan);
bool plan_is_direct(const struct plan_side *side);
