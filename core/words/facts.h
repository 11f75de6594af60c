// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What probing found out about one side. Plain data from side to plan,
// so that every rule of the plan can be tested without a file.

#pragma once

#include <stdbool.h>
#include <stdint.h>

enum facts_kind {
	FACTS_STREAM,  // pipe, tty, socket, /proc file: in order, no offset
	FACTS_FILE,    // regular file with bytes at offsets
	FACTS_BLOCK,   // block device
	FACTS_NULL,    // /dev/null
	FACTS_ZERO,    // /dev/zero
	FACTS_NBD,     // the export of an NBD server
};

struct facts {
	enum facts_kind kind;
	uint64_t size;         // file or device; 0 for a stream, but for one
	                       // that is unpacked: as far as it is known
	uint64_t pos;          // offset of the descriptor when we got it
	uint64_t dev;          // where the bytes live: st_dev and st_ino of a
	uint64_t ino;          // file (also under a loop device), or disk, 0
	uint64_t rdev;         // number of a block device, else 0
	int error;             // positive errno where it could not be seen
	                       // what it is, 0: it was
	uint32_t sector;       // logical sector of a device, 512 for a file
	uint32_t dio_align;    // bytes for memory, offset and length; 0: none
	uint64_t max_size;     // RLIMIT_FSIZE for a regular destination
	uint64_t changed_ns;   // when it was last changed, of a file
	uint64_t allocated;    // bytes of it that are not holes, at most size
	uint64_t free;         // bytes that its file system has left for us,
	                       // of a file; UINT64_MAX: not known
	uint64_t cached;       // bytes in the page cache, of a file; estimated
	uint64_t packed_size;  // of a file that is unpacked, else 0
	unsigned unpacked;     // enum decode_format that it is decoded from, 0:
	                       // it is not
	unsigned packed;       // ... of what it gives, 0: it is not packed, or
	                       // that was not looked at
	uint64_t memory;       // of the machine, UINT64_MAX: not known
	uint64_t most;         // bytes of a request at most, 0: any number
	bool is_read_only;     // a device that takes no writes
	bool is_not_synced;    // it cannot be
	bool has_unseen_holes; // how many they are, reading it will tell
	bool is_remote;        // buffered writes wait for a server (FUSE, NFS)
	bool is_overlay;       // it shows a file of another file system
	bool is_checksummed;   // btrfs: direct writes go through the cache
	bool is_kernel_copy;   // copy_file_range copies, and shares nothing
	bool is_append;        // O_APPEND is set on the descriptor
	bool is_direct;        // O_DIRECT is set on it
	bool is_mapped;        // its holes are those of bmap=, which also says
	                       // how long a stream is
	bool is_pipe;          // or FIFO
	bool is_at_least;      // size is not all of it
	bool is_flow;          // a stream of bytes: a read that is too short
	                       // for what comes loses nothing of it
	bool has_messages;     // they are written to it, too
};

// What a kind is like. Others than the plan and the words ask for that, not for
// the kind.

// It has a size, which is set, and a file system, which can be full.
static inline bool
facts_is_file(const struct facts *facts)
{
	return facts->kind == FACTS_FILE;
}

// Its size stands, and its blocks are written whole.
static inline bool
facts_is_device(const struct facts *facts)
{
	return facts->kind == FACTS_BLOCK || facts->kind == FACTS_NBD;
}

// It is behind a server that is asked by messages: there is no descriptor, no
// page cache, and nothing of it in /sys.
static inline bool
facts_is_export(const struct facts *facts)
{
	return facts->kind == FACTS_NBD;
}

// What is written to it is made durable at the end, whatever was asked for.
static inline bool
facts_is_disk(const struct facts *facts)
{
	return facts->rdev != 0 ||
	       (facts_is_export(facts) && !facts->is_not_synced);
}

// Parts of it may be known to be zeros without being read.
static inline bool
facts_has_holes(const struct facts *facts)
{
	return facts->allocated < facts->size || facts->has_unseen_holes;
}

// What is behind it has no size, and comes or goes in its own time.
static inline bool
facts_is_stream(const struct facts *facts)
{
	return facts->kind == FACTS_STREAM;
}

// It gives as much as is wanted.
static inline bool
facts_is_endless(const struct facts *facts)
{
	return facts->kind == FACTS_ZERO;
}

// It gives nothing, and keeps nothing of what it takes.
static inline bool
facts_is_null(const struct facts *facts)
{
	return facts->kind == FACTS_NULL;
}

// What is written to it has a place of its own, in order or not.
static inline bool
facts_keeps_place(const struct facts *facts)
{
	return !facts_is_stream(facts) && !facts->is_append;
}

// Its bytes can be read and written at any place.
static inline bool
facts_has_offsets(const struct facts *facts)
{
	return facts_is_file(facts) || facts_is_device(facts);
}

// An overlay has a device number of its own, and all else from the file that it
// shows; what it has copied has another inode, and is not recognized.
static inline bool
facts_is_shown(const struct facts *a, const struct facts *b)
{
	return a->is_overlay != b->is_overlay && a->size == b->size &&
	       a->changed_ns == b->changed_ns;
}

// The bytes of both are those of one file, if under a loop device.
static inline bool
facts_is_same(const struct facts *a, const struct facts *b)
{
	return a->ino != 0 && a->ino == b->ino &&
	       (a->dev == b->dev || facts_is_shown(a, b));
}
