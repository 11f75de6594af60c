// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the user asked for, in dd's words: plain data, filled by the command
// line or by a test.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum request_conv {
	CONV_ASCII = 1 << 0,
	CONV_EBCDIC = 1 << 1,
	CONV_IBM = 1 << 2,
	CONV_BLOCK = 1 << 3,
	CONV_UNBLOCK = 1 << 4,
	CONV_LCASE = 1 << 5,
	CONV_UCASE = 1 << 6,
	CONV_SWAB = 1 << 7,
	CONV_NOERROR = 1 << 8,
	CONV_NOTRUNC = 1 << 9,
	CONV_SYNC = 1 << 10,
	CONV_SPARSE = 1 << 11,
	CONV_NOCREAT = 1 << 12,
	CONV_EXCL = 1 << 13,
	CONV_FDATASYNC = 1 << 14,
	CONV_FSYNC = 1 << 15,

	CONV_EBCDIC_TABLES = CONV_ASCII | CONV_EBCDIC | CONV_IBM,
	CONV_CASE = CONV_LCASE | CONV_UCASE,
	// These change the bytes of a record.
	CONV_BYTES = CONV_EBCDIC_TABLES | CONV_BLOCK | CONV_UNBLOCK |
		     CONV_CASE | CONV_SWAB,
};

// iflag= and oflag=. A flag that has no meaning for a side is ignored there.
enum request_flag {
	FLAG_APPEND = 1 << 0,
	FLAG_DIRECT = 1 << 1,
	FLAG_DIRECTORY = 1 << 2,
	FLAG_DSYNC = 1 << 3,
	FLAG_NOATIME = 1 << 4,
	FLAG_NOCACHE = 1 << 5,
	FLAG_NOCTTY = 1 << 6,
	FLAG_NOFOLLOW = 1 << 7,
	FLAG_NONBLOCK = 1 << 8,
	FLAG_SYNC = 1 << 9,
	FLAG_FULLBLOCK = 1 << 10,
	FLAG_COUNT_BYTES = 1 << 11,
	FLAG_SKIP_BYTES = 1 << 12,
	FLAG_SEEK_BYTES = 1 << 13,
};

enum request_io { REQUEST_IO_AUTO, REQUEST_IO_AIO, REQUEST_IO_INLINE };

enum request_clone {
	REQUEST_CLONE_DEFAULT,   // auto for SRC DST, else never
	REQUEST_CLONE_NEVER,
	REQUEST_CLONE_AUTO,      // where the file system can
	REQUEST_CLONE_ALWAYS,    // or fail
};

enum request_commit {
	REQUEST_COMMIT_NONE,
	REQUEST_COMMIT_RENAME,     // a new file takes the name at the end
	REQUEST_COMMIT_FIRST_LAST, // the first block is written last
};

// What becomes of a source that is packed.
enum request_decompress {
	REQUEST_DECOMPRESS_DEFAULT, // it is copied as it is, but not onto a
	                            // disk
	REQUEST_DECOMPRESS_NO,      // also there
	REQUEST_DECOMPRESS_AUTO,    // if it is packed
	REQUEST_DECOMPRESS_AS,      // and behind it an enum decode_format:
	                            // it has to be packed so
};

// What is at the destination is read, and compared with what would be written.
enum request_compare {
	REQUEST_COMPARE_NONE,
	REQUEST_COMPARE_UPDATE,    // only what differs is written
	// Nothing is.
	REQUEST_COMPARE_ONLY,
	REQUEST_COMPARE_MANIFEST,  // with what the manifest says was written
	REQUEST_COMPARE_BMAP,      // with what the block map says of its image
};

// Zeros that are known or found.
enum request_zeros {
	REQUEST_ZEROS_AUTO,      // the destination makes them, if it can
	REQUEST_ZEROS_WRITE,
	REQUEST_ZEROS_SKIP,      // it reads as zeros
};

// expect=: what the source must be.
struct request_expected {
	unsigned algs;               // a set of 1 << enum digest_alg, one of
	unsigned char value[64];     // which it is of; 0: nothing is expected
};

// The safety checks that are waived.
enum request_force {
	REQUEST_FORCE_MISSING = 1 << 0,
	REQUEST_FORCE_SYSTEM = 1 << 1,
	REQUEST_FORCE_MOUNTED = 1 << 2,
	REQUEST_FORCE_SWAP = 1 << 3,
	REQUEST_FORCE_HOLDERS = 1 << 4,
	REQUEST_FORCE_BUSY = 1 << 5,
	REQUEST_FORCE_OVERLAP = 1 << 6,
	REQUEST_FORCE_SIZE = 1 << 7,
	REQUEST_FORCE_UNCHECKED = 1 << 8,
	REQUEST_FORCE_MAP = 1 << 9,
	REQUEST_FORCE_FORMAT = 1 << 10,
};

#define REQUEST_NO_LIMIT INT64_MAX
#define REQUEST_TEES_MAX 64

// So many blocks of ibs or obs, and so many bytes (less than one block).
struct request_amount {
	uint64_t blocks;
	uint64_t bytes;
};

struct request {
	const char *src;             // if=, NULL: standard input
	const char *dst;             // of=, NULL: standard output
	const char *tees[REQUEST_TEES_MAX]; // tee=, which get the same
	unsigned nr_tees;
	bool is_tee;                 // dst is one of them, beside another

	uint64_t ibs;                // > 0
	uint64_t obs;                // > 0
	uint64_t cbs;                // 0: no record conversion
	struct request_amount skip;  // of ibs
	struct request_amount seek;  // of obs
	struct request_amount count; // of ibs; blocks may be REQUEST_NO_LIMIT
	bool has_dst_size;           // before the first byte; and nothing is
	uint64_t dst_size;           // cut: CONV_NOTRUNC
	unsigned conv;               // enum request_conv
	unsigned iflags;             // enum request_flag
	unsigned oflags;

	// A record read is a record written: bs= and no conversion of bytes.
	// Otherwise records are collected into blocks of obs.
	bool is_single_buffer;
	bool keeps_holes;            // of the source, where zeros would go
	bool is_dd;                  // called as dd: exactly dd, nothing more

	unsigned digests;            // a set of 1 << enum digest_alg
	struct request_expected expected;
	bool verify;                 // is synced before: request_syncs()
	unsigned force;              // enum request_force
	enum request_io io;
	enum request_clone clone;
	enum request_zeros zeros;
	unsigned decompress;         // enum request_decompress
	uint64_t threads;            // that may decompress, at most; > 0 if
	                             // anything is
	enum request_commit commit;  // likewise
	enum request_compare compare;
	uint64_t depth;              // jobs in the ring, 0: the plan's choice
	uint64_t iosize;             // bytes a job, 0: the plan's choice
	// src and dst are a server to be started: its command, NULL at the end;
	// NULL: they are not.
	char **src_server;
	char **dst_server;
	uint64_t reconnect;          // seconds in which it may come back
	uint64_t connections;        // to an NBD server, 0: the engine's choice
	uint64_t rate;               // bytes a second at most, 0: no limit
	bool plan_only;
	const char *manifest;        // NULL: none
	const char *map;             // NULL: none
	const char *bmap;            // NULL: none; "auto": it is looked for
	const char *obmap;           // NULL: none is made
	uint64_t retries;            // of what is bad in the map
	const char *command;         // as it was given, on one line; NULL: not
	                             // known
};

static inline bool
request_has_count(const struct request *q)
{
	return q->count.blocks != REQUEST_NO_LIMIT;
}

// The copy is to be made sure of: what is not as it should be is a failure.
static inline bool
request_is_trusted(const struct request *q)
{
	return q->verify || q->expected.algs != 0 || q->map != NULL ||
	       q->bmap != NULL || q->obmap != NULL ||
	       q->commit != REQUEST_COMMIT_NONE;
}

// An enum decode_format; 0: none was named.
static inline unsigned
request_decompress_as(const struct request *q)
{
	return q->decompress > REQUEST_DECOMPRESS_AS
		       ? q->decompress - REQUEST_DECOMPRESS_AS
		       : 0;
}

static inline bool
request_writes(const struct request *q)
{
	return q->compare < REQUEST_COMPARE_ONLY;
}

// There is no source.
static inline bool
request_is_attested(const struct request *q)
{
	return q->compare >= REQUEST_COMPARE_MANIFEST;
}

// The destination has to be found as it was written, or as it was before.
static inline bool
request_reads_dst(const struct request *q)
{
	return q->verify || q->compare != REQUEST_COMPARE_NONE ||
	       (q->map != NULL && q->digests != 0);
}

// How it is made durable in the end: a set of CONV_FSYNC and CONV_FDATASYNC. A
// disk is done when it can be pulled out.
static inline unsigned
request_syncs(const struct request *q, bool is_disk)
{
	const bool is_sure = q->verify || q->commit != REQUEST_COMMIT_NONE ||
			     q->manifest != NULL || q->map != NULL ||
			     (is_disk && !q->is_dd);

	if (!request_writes(q))
		return 0;
	return (q->conv & (CONV_FSYNC | CONV_FDATASYNC)) |
	       (is_sure ? (unsigned)CONV_FSYNC : 0);
}

// Somebody computes digests of what is written.
static inline bool
request_is_hashed(const struct request *q)
{
	return q->digests != 0 || q->verify || q->bmap != NULL ||
	       q->obmap != NULL;
}

// pos + blocks * size + bytes as an offset, or UINT64_MAX if it is none.
static inline uint64_t
request_offset(uint64_t pos, const struct request_amount *extent,
	       uint64_t size)
{
	int64_t off;

	if (__builtin_mul_overflow(extent->blocks, size, &off) ||
	    __builtin_add_overflow(off, extent->bytes, &off) ||
	    __builtin_add_overflow(off, pos, &off))
		return UINT64_MAX;
	return (uint64_t)off;
}

// Where a side of which the descriptor is at pos begins.
static inline uint64_t
request_src_off(const struct request *q, uint64_t pos)
{
	return request_offset(pos, &q->skip, q->ibs);
}

static inline uint64_t
request_dst_off(const struct request *q, uint64_t pos)
{
	return request_offset(pos, &q->seek, q->obs);
}

// The most bytes that count= allows, UINT64_MAX: all.
static inline uint64_t
request_count_len(const struct request *q)
{
	return request_has_count(q) ? request_offset(0, &q->count, q->ibs)
				    : UINT64_MAX;
}
