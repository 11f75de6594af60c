// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What dd counts. Plain data: the copy fills it, the report words it.

#pragma once

#include <stdbool.h>
#include <stdint.h>

// What a run is at, one after the other; not each has all.
enum stats_phase {
	STATS_COPYING,
	STATS_FLUSHING,      // all is accepted, not all durable
	STATS_VERIFYING,     // reading back
	STATS_NR_PHASES,
};

// How zeros that were known or found have reached the destination, in bytes.
struct stats_zeros {
	uint64_t offloaded;    // a device has made them
	uint64_t punched;      // a file system has
	uint64_t written;      // like data
	uint64_t made_up;      // likewise, where the two above were in vain
	uint64_t skipped;      // left out, for it reads as zeros
};

// What the map of map= says of the bytes to be copied.
struct stats_rescue {
	uint64_t len;          // in all; 0: there is no map
	uint64_t before;       // were there when the run began
	uint64_t untried;
	uint64_t failed;       // in a larger read: some may be readable
	uint64_t bad;
	uint64_t nr_areas;     // of both
	char phase;            // as struct mapfile_status has them
	unsigned pass;
	unsigned nr_overdue;   // reads that are not waited for
	uint64_t saved;        // of stats.bytes, in a map that was saved
	bool is_unsaved;       // a map could not be, or is not yet
};

struct stats {
	bool is_comparison;    // nothing is written: bytes are compared
	uint64_t in_full;      // input records of ibs bytes
	uint64_t in_partial;   // shorter ones
	uint64_t in_marred;    // of them, those that are shorter only by what
	                       // could not be read, within the source
	uint64_t out_full;     // output records of obs bytes
	uint64_t out_partial;  // shorter ones
	uint64_t truncated;    // conv=block lines cut to cbs
	uint64_t bytes;        // accepted by the destination, holes included
	uint64_t skipped;      // of them, holes and shared blocks: not moved
	struct stats_zeros zeros;
	struct stats_rescue rescue;
	uint64_t verified;     // read back so far
	uint64_t verified_others; // of the other destinations of tee=
	uint64_t unread;       // of the source, passed over by conv=noerror
	uint64_t unread_end;   // where the last area of them ends
	uint64_t nr_unread;    // areas of them
	uint64_t same;         // of bytes, there already: not written
	uint64_t known;        // of bytes, there already by manifest=: what is
	                       // there was not even read
	uint64_t unchecked;    // of bytes, written since what was there could
	                       // not be read; of a comparison, likewise or
	                       // beside them, what has no digest
	uint64_t left_out;     // not of bytes: of a comparison, passed over
	uint64_t differing;    // of those that were read back, or compared
	uint64_t nr_differing; // ranges of them
	uint64_t start_ns;     // CLOCK_MONOTONIC when the copy began, 0 before
	uint64_t copied_ns;    // ... when it was flushed, and reading back
	                       // began, 0 before
	uint64_t bytes_total;  // expected at the end, 0 when not known
	uint64_t packed;       // of a source that is unpacked: bytes of it that
	uint64_t packed_total; // are through; all of it, 0 when not known
	uint64_t moved_total;  // of them at most, without what is skipped; 0
	                       // when not known
};

// What has gone through memory, one way or the other.
static inline uint64_t
stats_moved(const struct stats *stats)
{
	return stats->bytes - stats->skipped + stats->verified +
	       stats->verified_others;
}

// Of what the destination has accepted, all that was not there already.
static inline uint64_t
stats_written(const struct stats *stats)
{
	if (stats->is_comparison)
		return 0;
	return stats->bytes - stats->skipped -
	       (stats->same < stats->bytes - stats->skipped
			? stats->same
			: stats->bytes - stats->skipped);
}

// How long the copy took, or has taken: the time in which verify= reads back
// is no part of it.
static inline uint64_t
stats_copy_ns(const struct stats *stats, uint64_t now_ns)
{
	const uint64_t end_ns = stats->copied_ns > 0 ? stats->copied_ns
						     : now_ns;

	return stats->start_ns > 0 && end_ns > stats->start_ns
		       ? end_ns - stats->start_ns : 0;
}

// len bytes at off of the source cannot be read. Areas that touch are one.
static inline void
stats_pass_over(struct stats *stats, uint64_t off, uint64_t len)
{
	stats->nr_unread += stats->unread == 0 || off != stats->unread_end;
	stats->unread += len;
	stats->unread_end = off + len;
}

// The counts of n bytes that went through without an odd record but the
// last, and those that were marred.
static inline void
stats_count(struct stats *stats, uint64_t n, uint64_t ibs, uint64_t obs)
{
	stats->in_full = n / ibs - stats->in_marred;
	stats->in_partial = (n % ibs != 0) + stats->in_marred;
	stats->out_full = n / obs;
	stats->out_partial = n % obs != 0;
	stats->bytes = n;
}
