// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where two differ: bytes in, ranges out. They are told in the order of the
// file, each with its first byte on both sides; those that are near are one.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

struct env;
struct same;

struct differ {
	const struct env *env;   // hooks are told, stats count
	enum event_kind kind;    // what each is told as
	const char *name;        // of the destination
	const char *map;         // that of bmap= from which it differs; NULL:
	                         // it is not from one
	uint64_t dst_off;        // where the copy begins
	uint64_t src_off;
	struct differ_range {
		uint64_t off;    // from there
		uint64_t len;    // 0: none
		int wrote;       // its first byte; -1: not known
		int found;
	} last;                  // not told yet: it may go on
};

// In order of offsets.
void differ_note(struct differ *differ, struct differ_range range);

// The same of len bytes at off that should be there, and that are. True: they
// differ.
bool differ_bytes(struct differ *differ, const unsigned char *wrote,
		  const unsigned char *found, uint64_t off, size_t len);

// The same of a whole buffer at its place in the destination, and of what is
// missing there.
void differ_tell(struct differ *differ, const struct same *same);

// No more come.
void differ_finish(struct differ *differ);

// All that was told.
bool differ_has_any(const struct differ *differ);
