// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// manifest=FILE: which file that may be, and whether what it says of the
// destination can be relied on. Where it cannot, the destination is read, and a
// new manifest is made: slow, never wrong.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "manifest.h"
#include "ours.h"

struct env;
struct side;

// What is wrong with it, beside ours_fault. From VOUCH_NONE on it is only not
// relied on, where that can be done; with the others no run is wanted.
enum vouch_fault {
	VOUCH_NO_FAULT = OURS_NO_FAULT,
	VOUCH_FOREIGN = OURS_NR, // a file of something else
	VOUCH_EMPTY,           // it says nothing
	VOUCH_NONE,            // there is none
	VOUCH_FORMAT,
	VOUCH_DAMAGED,
	VOUCH_OTHER,           // of another destination
	VOUCH_CHANGED,         // somebody has changed it since
	VOUCH_DIFFERS,         // a sample did
	VOUCH_UNREAD,          // the samples cannot be read
};

struct vouch {
	const struct env *env;
	struct ours file;
	struct manifest manifest;
	char *path;            // FILE; with map=, MAP.ranges; NULL: none
	bool is_new;           // it says nothing
	enum vouch_fault doubt; // else it counts
};

enum vouch_use {
	VOUCH_WRITE,
	VOUCH_LOOK,            // nothing is made or changed
	VOUCH_NEED,            // nor can it be done without
};

// Before anything else is opened. 0, or -errno, told: no run is wanted. Without
// manifest= it does nothing, and what is below likewise. MAP.ranges that cannot
// be had is told, and it is as if there were no manifest=. vouch_done in any
// case.
int vouch_open(struct vouch *v, const struct env *env, enum vouch_use use);
void vouch_done(struct vouch *v);

// The destination, which back reads, is looked at: whether the manifest counts.
// If not, that is told. -ECANCELED: a signal.
int vouch_check(struct vouch *v, const struct side *dst,
		const struct side *back);
bool vouch_is_kept(const struct vouch *v);

// It is about this destination, and says something of it, whatever has become
// of that since. 0 or -errno, told.
int vouch_attests(struct vouch *v, const struct side *dst);

// The manifest where it has something to say, or NULL.
const struct manifest *vouch_manifest(const struct vouch *v);

// Before the first byte of len at most is written, 0: not known: syncs the
// destination. 0 or -errno, told; -ECANCELED: a signal.
int vouch_begin(struct vouch *v, const struct side *src,
		const struct side *dst, uint64_t len);
// Nothing that it says is right. As above.
int vouch_forget(struct vouch *v, const struct side *src,
		 const struct side *dst);
// All up to end is there, and synced. 0 or -errno, told.
int vouch_end(struct vouch *v, const struct side *src, const struct side *dst,
	      uint64_t end);
