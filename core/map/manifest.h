// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// manifest=: what the destination holds, as an xxh128 of each of its ranges of
// 256 KiB, kept between runs. In the file two headers come first, then records
// of 16 bytes; one of zeros is of a range of which nothing is known.
//
// A record that is there is that of what the destination has accepted, always.
// So whoever is about to write calls manifest_touch before, which takes the
// records away, and manifest_put when it is written. What a crash may have
// taken from the destination again lies between the two marks of the header:
//
//   before reach grows by a write     the header, synced
//   when the destination is synced    the records, synced; then the header
//
// Offsets are those of the destination. It is not looked at here, nor do we
// know whose manifest it is: the identities are bytes.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "digest.h"
#include "manifest_header.h"

#define MANIFEST_RANGE MANIFEST_HEADER_RANGE

struct manifest {
	int fd;                 // borrowed
	struct manifest_header header; // the one that counts
	uint64_t len;           // of what the old records are about
	uint64_t gap_from;      // between the two they do not count
	uint64_t gap_to;
	bool is_mapped;         // a map says which records count: a crash takes
	                        // nothing from them
	bool is_dirty;          // something was touched since the last sync
	bool is_old_end_put;    // the record of the range that len cuts off
	struct {
		uint64_t end;   // 0: none
		unsigned char record[DIGEST_XXH128_SIZE];
	} tail;                 // a range that is cut off, maybe by the end
	int error;              // -errno: the first that could not be written
};

// Look at what is there. 0. -ENODATA: the file is new. -EILSEQ: it is none of
// ours, and must not be written to. -EPROTO: one of another format. -EBADMSG:
// it is damaged. Another -errno: of reading it.
int manifest_open(struct manifest *m, int fd);

static inline uint64_t
manifest_nr(const struct manifest *m)
{
	return m->len / MANIFEST_RANGE + (m->len % MANIFEST_RANGE != 0);
}

// The length of range number nr, 0: nothing is known of it, or there is none.
size_t manifest_has(const struct manifest *m, uint64_t nr);
// Where the last one ends of which anything is known, 0: there is none.
uint64_t manifest_known_end(const struct manifest *m);
// How many bytes have a record that counts.
uint64_t manifest_known(const struct manifest *m);

enum manifest_answer {
	MANIFEST_SAME,          // these bytes are there
	MANIFEST_UNKNOWN,
	MANIFEST_OTHER,         // others are
};

// What is at off, which is where a range begins. The last range may be cut off
// where the old records end, and nowhere else.
enum manifest_answer manifest_ask(const struct manifest *m, uint64_t off,
				  size_t len, const void *buf);

// The same of range number nr, by its length and its digest, which has the seed
// of the header.
enum manifest_answer manifest_compare(const struct manifest *m, uint64_t nr,
				      size_t len, const unsigned char *digest);

// A run begins, of which len bytes of the destination may be written, 0: not
// known. is_kept: the old records count; else all are forgotten. The
// destination is synced. 0 or -errno.
int manifest_begin(struct manifest *m, const struct manifest_ids *ids,
		   uint64_t len, bool is_kept);

// The same where a map says what is there, which is not saved before
// manifest_flush: of a destination of len bytes.
int manifest_begin_mapped(struct manifest *m, const struct manifest_ids *ids,
			  uint64_t len, bool is_kept);
// What was put is on the medium. From any thread. 0 or -errno.
int manifest_flush(const struct manifest *m);

// Before a write. 0 or -errno: it must not be made.
int manifest_touch(struct manifest *m, uint64_t off, uint64_t len);
// Whether that would write a header.
bool manifest_is_beyond(const struct manifest *m, uint64_t off, uint64_t len);

// The destination holds these bytes, written or found there.
void manifest_put(struct manifest *m, uint64_t off, size_t len,
		  const void *buf);

// The same of zeros that nobody has written, in a hole. is_end: the copy ends
// behind them, so that the last range may be cut off.
void manifest_put_hole(struct manifest *m, uint64_t off, uint64_t len,
		       bool is_end);

// The destination is synced, and below upto nothing is written any more unless
// it is touched again. 0 or -errno.
int manifest_sync(struct manifest *m, uint64_t upto);

// All is written, up to end, and synced; the destination is size bytes long. 0
// or -errno, also of a record that could not be written before.
int manifest_end(struct manifest *m, uint64_t end, uint64_t size,
		 const struct manifest_ids *ids);
