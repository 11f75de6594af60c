// SPDX-License-Identifier: GPL-3.0-or-later
//
// The calls that dd makes, one after the other, on the descriptors that it
// was given: a read is one read(2) of a record, a write one write(2) as far
// as it goes, skip= and seek= are one lseek, or reads and writes where that
// cannot be done. Uses the offsets of the descriptors, which others may
// share.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "endpoint.h"
#include "failure.h"
#include "nocache.h"
#include "request.h"

struct hold;
struct hooks;
struct pace;
struct writeback;

struct serial {
	const struct request *request;
	const struct endpoint *src;
	const struct endpoint *dst;
	const struct hooks *hooks;

	struct hold *hold;        // NULL: nothing is held back
	struct pace *pace;        // NULL: as fast as it goes
	struct writeback *writeback; // NULL: the page cache takes all
	size_t untold;            // bytes that it was not told of
	uint64_t *live_bytes;     // with pace, counted as they go; may be NULL
	uint64_t src_off;         // where the source should stand
	int src_seek_error;       // why it cannot be moved, 0: it can
	int dst_seek_error;       // the same of the destination
	size_t last_read;         // bytes of the read before
	bool is_warning_partial;  // short reads are worth a warning, still
	bool is_sparse;           // until the destination refuses to seek
	bool ended_in_hole;       // the last output was a seek
	bool is_direct_off;       // O_DIRECT was cleared for a short block
	struct nocache src_nocache;
	struct nocache dst_nocache;
};

void serial_init(struct serial *serial, const struct request *q,
		 const struct endpoint *src, const struct endpoint *dst,
		 const struct hooks *hooks);

// Tell the user, about a side and where it stands. Returns -error.
int serial_tell_src(const struct serial *serial, enum failure_phase phase,
		    int error);
int serial_tell_dst(const struct serial *serial, enum failure_phase phase,
		    int error);

// One record of the source: its bytes, 0 at the end, or -errno, untold;
// -ECANCELED: a signal.
ssize_t serial_read(struct serial *serial, unsigned char *buf, size_t len);

// One record to the destination. Returns the bytes that got out; all of
// them if *ret_error is 0, else it is -errno, untold, or -ECANCELED.
size_t serial_write(struct serial *serial, const unsigned char *buf,
		    size_t len, int *ret_error);

// Step over len bytes after a read error. False: it cannot be done, and
// was told; the next one does nothing.
bool serial_pass_bad(struct serial *serial, uint64_t len);

// skip= and seek= by lseek. 0; 1 if the side cannot be moved: the other two
// then do it with a block of ibs or obs bytes, by reading and by writing
// zeros; -errno, told; -ECANCELED: a signal.
int serial_skip(struct serial *serial);
int serial_skip_reading(struct serial *serial, unsigned char *block);
int serial_seek(struct serial *serial);
int serial_seek_writing(struct serial *serial, unsigned char *block);

// A file that ends in a hole gets its size, since nothing was written
// there. 0 or -errno, told.
int serial_end_hole(struct serial *serial);

// Give the pages back that iflag=nocache and oflag=nocache still hold: what
// was passed, or, at the end of the source, all to the end of the file.
// 0, or -errno, told, where count=0 makes it the whole task.
int serial_drop_cache(struct serial *serial, enum nocache_rest rest);
