// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// One side of the copy, and how its kind does what a copy needs of it. dd's
// own calls are made on the descriptor as they are; whoever addresses bytes
// by offset (the ring, the checks behind it) goes through the operations, so
// that a new kind is a file of its own.
//
// The descriptors beside the first one (without the page cache, or with it
// where the user asked for O_DIRECT) are descriptions of our own: flags of a
// description that we inherited are never changed, but for what dd itself
// changes when we are called as dd.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "event.h"
#include "facts.h"

struct engine;
struct extent;
struct hooks;
struct ranges;
struct request;
struct side;

// Which description a request is made on.
enum side_way { SIDE_BUFFERED, SIDE_DIRECT, SIDE_CLEAR };

#define SIDE_NO_SIZE UINT64_MAX // it has none that could be set

// access: O_RDONLY or O_WRONLY. Without a word: 0 or -errno.
struct side_ops {
	bool is_void;      // nothing is requested: it gives zeros, takes all
	// Find out the facts, all of them anew. message_fd: where messages go,
	// -1: that does not matter.
	void (*probe)(struct side *side, int message_fd);
	// A description to make requests on. The copy can go without.
	int (*open)(struct side *side, int access, enum side_way way);
	// The side once more, to be read: *ret has descriptions of its own
	// only, direct ones if they are to be had, and dio_align says so.
	int (*open_back)(const struct side *side, struct side *ret);
	// A source without offsets: have an engine that reads it in order. The
	// byte that comes next is the one at pos.
	int (*feed)(struct side *side, uint64_t pos);
	// In order, from where it stands. As read, write and lseek: one call,
	// which may do less, and what they return, or -errno.
	ssize_t (*read)(const struct side *side, void *buf, size_t len);
	ssize_t (*write)(const struct side *side, const void *buf, size_t len);
	int64_t (*seek)(const struct side *side, int64_t off, int whence);
	// As extent_find.
	void (*find_data)(const struct side *side, uint64_t pos,
			  struct extent *extent);
	// One read: the bytes, 0 at the end, or -errno.
	ssize_t (*read_at)(const struct side *side, enum side_way way,
			   void *buf, size_t len, uint64_t off);
	// One write: the bytes, or -errno.
	ssize_t (*write_at)(const struct side *side, enum side_way way,
			    const void *buf, size_t len, uint64_t off);
	// Make zeros of the range, by SIDE_CLEAR, without writing any. 0 or
	// -errno.
	int (*punch)(const struct side *side, uint64_t off, uint64_t len);
	// One write, of memory that is not aligned, when all others are done.
	ssize_t (*write_last)(const struct side *side, const void *buf,
			      size_t len, uint64_t off);
	// As cache_drop and cache_write_out.
	int (*drop_cache)(const struct side *side, uint64_t off, uint64_t len);
	int (*write_out)(const struct side *side, uint64_t off, uint64_t len);
	// The size that it has now, or SIDE_NO_SIZE; and set it, by one call,
	// which a signal may cut short.
	int (*get_size)(const struct side *side, uint64_t *ret);
	int (*set_size)(const struct side *side, uint64_t size);
	// As cut_dst. NULL: there is nothing to cut.
	int (*cut)(struct side *side, const struct request *q,
		   const struct hooks *h);
	// Have what was written on the medium, and serve signals and progress
	// meanwhile, but not as dd. -ECANCELED: a signal.
	int (*sync)(const struct side *side, bool is_data_only,
		    const struct hooks *h);
	// It has answered -ENOTCONN: have it back, as it was. *ret_lost: what
	// was written to it from there on may be gone, UINT64_MAX: nothing.
	// NULL: it does not go away. 0, -errno, told if there is more to say
	// than that; or -ECANCELED: a signal.
	int (*reconnect)(struct side *side, const struct hooks *h,
			 uint64_t *ret_lost);
	// The end of it. -errno of the first close that has failed.
	int (*close)(struct side *side);
};

struct side {
	const struct side_ops *ops;
	int fd;            // 0 or 1, or of tee= another; -1: it has none, nor
	                   // the two below
	int direct_fd;     // O_DIRECT, our own; -1: none
	int buffered_fd;   // no O_DIRECT; fd itself, or our own; -1: none
	int clear_fd;      // for zeros that it makes by itself, borrowed: the
	                   // claim of a device; -1: none
	int close_error;   // -errno of the first close that has failed
	const struct ranges *ranges; // where it has data, whatever is in
	                   // between, borrowed; NULL: its holes tell
	struct engine *engine; // that its requests go to; NULL: those of a copy
	void *own;         // both of the kind, which ends them in close
	bool is_dd;        // closed as by dd
	const char *name;  // for messages, borrowed
	struct facts facts; // as they were probed
};

// Whatever has ended the run: what is its own is given back.
void side_end(struct side *side);

// A failure of this side: -error.
int side_tell(const struct side *side, const struct hooks *h,
	      enum event_kind kind, int error);

// Where it stands, or -errno.
int64_t side_where(const struct side *side);
// Let whoever goes on begin there.
int side_put(const struct side *side, uint64_t off);
// A range, by as many reads as it takes: the bytes, fewer where it ends, or
// -errno; -ECANCELED: a signal, but without h they wait.
ssize_t side_read_all(const struct side *side, enum side_way way, void *buf,
		      size_t len, uint64_t off, const struct hooks *h);
// The same of all of it: 0, or -errno; -EIO: it ends before.
int side_read_whole(const struct side *side, enum side_way way, void *buf,
		    size_t len, uint64_t off, const struct hooks *h);
// As extent_find, but for what ranges say.
void side_find_data(const struct side *side, uint64_t pos,
		    struct extent *extent);
// Whatever comes in between.
int side_set_size(const struct side *side, uint64_t size);

// What a request is made on; -1: there is none.
static inline int
side_fd(const struct side *side, enum side_way way)
{
	switch (way) {
	case SIDE_DIRECT:
		return side->direct_fd;
	case SIDE_CLEAR:
		return side->clear_fd;
	default:
		return side->buffered_fd;
	}
}

// One description more, which is the caller's, with O_DIRECT if access has it:
// a descriptor or -errno. The given one must allow the access: its path in
// /proc would allow more.
int side_reopen(const struct side *side, int access);
// Whether it does.
bool side_allows(const struct side *side, int access);

// Close the descriptions of our own, or the descriptor itself. -errno of the
// first that has failed: late write errors end here.
void side_close_extra(struct side *side);
int side_close(struct side *side);
