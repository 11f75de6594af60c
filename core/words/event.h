// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What went wrong, or what the user should know: which step, of what, where,
// and the kernel's reason. A value: no memory, no text. The words are made
// by the command.

#pragma once

#include <stdbool.h>
#include <stdint.h>

enum event_kind {
	EVENT_NONE,

	// Before the copy.
	FAILURE_OPEN,
	FAILURE_WRITE_PROTECTED, // a device, by itself or by its driver
	FAILURE_SET_FLAGS,
	FAILURE_NO_FLUSH,        // a server cannot make durable what it has
	FAILURE_NO_FUA,          // nor each write
	FAILURE_NO_BACK,         // nor give back what begins within a block
	FAILURE_EXPORT_CHANGED,  // it came back as another one
	FAILURE_SEEK_TOO_LARGE,  // off = blocks, len = bytes a block
	FAILURE_TRUNCATE,        // off = wanted size
	FAILURE_STAT,
	FAILURE_SKIP,
	FAILURE_SEEK,
	FAILURE_SRC_MEMORY,      // len = bytes that could not be had
	FAILURE_DST_MEMORY,
	FAILURE_CLONE,
	FAILURE_REFUSED,         // by a safety check
	FAILURE_COMMIT_FILE,     // commit=rename of what is no regular file
	FAILURE_COMMIT_DISK,     // commit=first-last of what is no disk
	FAILURE_COMMIT_MODE,
	FAILURE_COMMIT_LOST,     // the file beside it is not ours any more
	FAILURE_MANIFEST,
	FAILURE_MAP,             // len = the line, of one that is damaged
	FAILURE_BMAP,            // likewise; what it names there is the word
	FAILURE_BMAP_SIZE,       // the source has len bytes, or EVENT_FEWER or
	                         // EVENT_MORE, and the image of the map off
	FAILURE_FORMAT,          // it is not packed as it should be
	FAILURE_DECODER,         // there is none
	FAILURE_DIGEST,          // the library or its thread cannot be had

	// During it. off = bytes into the file or device.
	FAILURE_READ,
	FAILURE_WRITE,
	FAILURE_DECODE,          // off = of what is packed, len = bytes that
	                         // have come of it
	FAILURE_SRC_GONE,        // with error it says so
	FAILURE_STALLED,         // one of several destinations has done nothing
	                         // for so long that it was left
	FAILURE_WRITE_TO,        // dd says it so for a full re-blocked record
	FAILURE_OFFSET_OVERFLOW,

	// After it.
	FAILURE_FDATASYNC,
	FAILURE_FSYNC,
	FAILURE_DISCARD_CACHE,
	FAILURE_CLOSE_SRC,
	FAILURE_CLOSE_DST,
	FAILURE_RENAME,
	FAILURE_VERIFY,          // the copy could not be read back
	FAILURE_DIFFERS,         // len bytes at off are not what was written
	FAILURE_OTHER,           // ... are not those of the source
	FAILURE_NOT_VERIFIABLE,
	FAILURE_NOT_TEED,        // not with tee=, for the reason of its word
	FAILURE_TWICE,           // two destinations share bytes: that of its
	                         // word is the other one
	FAILURE_UNEXPECTED,      // the digest is not the one of expect=
	FAILURE_BMAP_RANGE,      // that of len bytes at off of the source is
	                         // not the one of the map
	FAILURE_SRC_CHANGED,     // where the copy was to be trusted

	FAILURE_MORE_DIFFER,     // len ranges more

	// What became of a copy that is not what it should be.
	FAILURE_NOT_SYNCED,
	FAILURE_NOT_VERIFIED,
	FAILURE_INCOMPLETE,      // off = areas, len = bytes of the source
	FAILURE_UNTRIED,         // len = bytes that are still to be copied, by
	                         // the map
	FAILURE_WRITTEN,         // it is there
	FAILURE_UNDURABLE,       // it replaced the old file, or so it seems
	FAILURE_NOT_REPLACED,    // the old file is, by commit=rename
	FAILURE_REMOVED,         // nothing is, likewise
	FAILURE_NO_FIRST_BLOCK,  // by commit=first-last
	FAILURE_OLD_FIRST_BLOCK, // likewise, and so is what follows it
	FAILURE_NOT_SAME,        // off = ranges, len = bytes
	FAILURE_NOT_SOURCE,      // the same, of what was only compared
	FAILURE_UNKNOWN,         // of len bytes nothing is known
	FAILURE_NO_CHECKSUM,     // they have none in a block map

	// Worth a line, but no failure.
	NOTICE_READ_SKIPPED,     // conv=noerror goes on len bytes behind off
	NOTICE_WRITE_PIECES,     // len bytes at off went only so; error: why
	NOTICE_CACHE_KEPT,       // the page cache could not be emptied
	NOTICE_SKIP_PAST_END,    // len = bytes of the source, 0: not known
	NOTICE_SEEK_ODD,         // seek= was probably meant in bytes
	NOTICE_PARTIAL_READ,     // len = bytes of the short record
	NOTICE_BAD_OFFSET,
	NOTICE_DIRECT_OFF,
	NOTICE_COUNTS,           // the statistics so far, nothing else
	NOTICE_SRC_LIVE,         // it is mounted, and may change
	NOTICE_UNCHECKED,        // who uses the destination was not seen
	NOTICE_PROBED,           // both sides are known
	NOTICE_PLANNED,          // so is what is done next
	NOTICE_SRC_CHANGED,      // while it was copied
	NOTICE_INCOMPLETE,       // as FAILURE_INCOMPLETE
	NOTICE_SRC_EMPTY,        // and more was expected of it
	NOTICE_SIGNED,           // a file of sums, but nobody looks at that
	NOTICE_MANIFEST,         // it is not relied on
	NOTICE_NO_BMAP,          // bmap=auto has found none
	NOTICE_FULL_BMAP,        // there is no hole for obmap=
	NOTICE_SPACE,            // len bytes are needed, off are free
	NOTICE_SECTORS,          // a GPT in sectors of off bytes, on a disk
	                         // with len
	NOTICE_BACKUP,           // a GPT whose backup is not where it should be
	NOTICE_TABLE_KEPT,       // the kernel has not read the new partitions
	NOTICE_LOST,             // a server has gone away, and is waited for
	NOTICE_REGAINED,         // it is back; off = where the copy goes on
	NOTICE_NO_HOLES,         // a server does not say where they are
	NOTICE_SYNCING,          // the last byte is written, fsync begins
	NOTICE_VERIFYING,        // reading back begins
};

struct mounts_use;
struct safety;

#define EVENT_NO_BYTE (-2)
#define EVENT_MORE UINT64_MAX
#define EVENT_FEWER (UINT64_MAX - 1)

struct event {
	enum event_kind kind;
	int error;               // positive errno, 0 if there is none to tell
	const char *name;        // borrowed from the side
	unsigned dst;            // of several destinations which one tells it
	uint64_t off;
	uint64_t src_off;        // of FAILURE_OTHER: the same in the source
	uint64_t len;
	int wrote, found;        // of FAILURE_DIFFERS and _OTHER: bytes, -1:
	                         // not known, EVENT_NO_BYTE: it ends there;
	                         // of .._INCOMPLETE: the padding, -1: none
	unsigned changed;        // of .._SRC_CHANGED: enum change_of
	unsigned fault;          // of .._MANIFEST, .._MAP and _UNTRIED: enum
	                         // ours_fault, or vouch_fault and
	                         // mapkeep_fault; of .._FORMAT, .._DECODER and
	                         // .._DECODE: enum decode_format; of _BMAP:
	                         // bmap_fault or guide_fault; of _BMAP_SIZE:
	                         // decode_format; of _BMAP_RANGE: digest_alg
	union {                  // borrowed
		const struct safety *safety;  // of FAILURE_REFUSED, _UNCHECKED
		const struct mounts_use *use; // of NOTICE_SRC_LIVE, _BACKUP
		const char *word;             // of FAILURE_BMAP, _NOT_TEED and
		                              // _TWICE
		const char *map;              // of .._INCOMPLETE, _UNTRIED:
		                              // where it says which they are;
		                              // of .._MANIFEST: beside which
		                              // it lies; of .._UNKNOWN:
		                              // that of map=; or NULL; of
		                              // _BMAP_SIZE, _RANGE and of
		                              // _NO_CHECKSUM: of bmap=; of
		                              // _DIFFERS, _NOT_SAME likewise,
		                              // or NULL; of
		                              // NOTICE_FULL_BMAP: obmap=
	};
};

static inline bool
event_is_notice(const struct event *f)
{
	return f->kind >= NOTICE_READ_SKIPPED;
}

// Of several failures the one earliest in the file counts: dd would have
// met it first.
static inline void
event_keep_first(struct event *kept, const struct event *f)
{
	if (kept->kind == EVENT_NONE || f->off < kept->off)
		*kept = *f;
}
