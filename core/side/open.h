// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opens both sides as dd does, on descriptors 0 and 1, and those of tee= on
// others. A failure is told
// through the hooks and returned as -errno; -ECANCELED: stopped by a signal
// while waiting for a FIFO.

#pragma once

#include <stdbool.h>

struct hooks;
struct request;
struct side;

// Called as dd the destination is cut at once, by open or to where seek=
// leads, otherwise by cut_dst.
int open_src(struct side *side, const struct request *q,
	     const struct hooks *h);
int open_dst(struct side *side, const struct request *q,
	     const struct hooks *h);

// For a destination that is made, not opened: with which flags, and that it is
// the one of fd, which stays the caller's.
int open_make_flags(const struct request *q);
int open_take_dst(struct side *side, int fd, const struct request *q,
		  const struct hooks *h);

// The parts of it that serve who only looks. Flags of open: of iflag=, or all
// of the destination.
int open_flags_of(unsigned flags);
int open_dst_flags(const struct request *q);
void open_init_src(struct side *side, const struct request *q);
void open_init_dst(struct side *side, const struct request *q);
// Take the descriptor that was given, with iflag= or oflag=.
int open_inherited(struct side *side, unsigned flags, const struct request *q,
		   const struct hooks *h);
// The positive errno that the first read would meet, or 0; and tell it, if
// something is to be read.
int open_find_unreadable(int fd, bool is_inherited);
int open_tell_unreadable(const struct side *side, const struct request *q,
			 const struct hooks *h, int error);
// The destination cannot be opened: which failure that is.
int open_tell_dst(const struct side *side, const struct request *q,
		  const struct hooks *h, int error);
