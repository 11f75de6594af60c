// SPDX-License-Identifier: GPL-3.0-or-later
//
// One side of the copy: opened as dd opens it, on descriptor 0 or 1. The
// descriptors that the ring needs beside
// it (without the page cache, or with it where the user asked for
// O_DIRECT) are descriptions of our own: flags of a description that we
// inherited are never changed, but for what dd itself changes when we are
// called as dd.

#pragma once

#include <stdbool.h>

#include "facts.h"
#include "request.h"

struct hooks;

struct endpoint {
	int fd;            // 0 or 1
	int direct_fd;     // O_DIRECT, our own; -1: none
	int buffered_fd;   // no O_DIRECT; fd itself, or our own; -1: none
	int close_error;   // -errno of the first close that has failed
	bool is_dd;        // closed as by dd
	const char *name;  // for messages, borrowed
	struct facts facts;
};

// Open the source on descriptor 0, or the destination on 1. A failure is
// told through the hooks and returned as -errno; -ECANCELED: stopped by a
// signal while waiting for a FIFO. Called as dd the destination is cut at
// once, by open or to where seek= leads, otherwise by endpoint_cut_dst.
int endpoint_open_src(struct endpoint *ep, const struct request *q,
		      const struct hooks *h);
int endpoint_open_dst(struct endpoint *ep, const struct request *q,
		      const struct hooks *h);
// The same failures, found by looking: nothing is opened for writing, made or
// cut. Also that the first read of the source would fail.
int endpoint_look_src(struct endpoint *ep, const struct request *q,
		      const struct hooks *h);
int endpoint_look_dst(struct endpoint *ep, const struct request *q,
		      const struct hooks *h);
// Whether that is to be done.
bool endpoint_is_cut(const struct request *q);
// Once it may be written to; ep has its facts. Returns as above.
int endpoint_cut_dst(struct endpoint *ep, const struct request *q,
		     const struct hooks *h);

// For a destination that is made, not opened: with which flags, and that it is
// the one of fd, which stays the caller's. A failure is told and returned.
int endpoint_make_flags(const struct request *q);
int endpoint_take_dst(struct endpoint *ep, int fd, const struct request *q,
		      const struct hooks *h);

// Whether the descriptor can be read (O_RDONLY) or written (O_WRONLY).
bool endpoint_allows(const struct endpoint *ep, int access);

// The extra descriptions for the ring. access: O_RDONLY or O_WRONLY.
// -errno if it cannot be had; the copy then goes without.
int endpoint_open_direct(struct endpoint *ep, int access);
int endpoint_open_buffered(struct endpoint *ep, int access);
// One more, which is the caller's, with O_DIRECT if access has it: a
// descriptor or -errno.
int endpoint_open_again(const struct endpoint *ep, int access);
// The destination once more, to be read: *ret has the extra descriptions
// only, which endpoint_close_extra closes, and no dio_align where there is
// none with O_DIRECT. Later its mode may forbid that. 0 or -errno.
int endpoint_open_back(const struct endpoint *dst, struct endpoint *ret);
void endpoint_close_extra(struct endpoint *ep);

// Put the descriptor at an offset. 0 or -errno.
int endpoint_put(const struct endpoint *ep, uint64_t off);

// Close the descriptor itself. -errno matters, also that of an extra
// description: late write errors end here.
int endpoint_close(struct endpoint *ep);
