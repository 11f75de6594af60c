// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The destination of a copy, and what is to be true of it before the first
// byte and after the last one: that it may be written, how what is written is
// kept back or flushed, and when it is durable. The bytes between the two are
// others' business.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "clear.h"
#include "commit.h"
#include "safety.h"
#include "side.h"

struct env;
struct facts;
struct hold;
struct writeback;

struct output {
	const struct env *env;
	struct side side;
	struct side back;            // side to be read, of verify=
	uint64_t start;              // offset where the copy begins
	struct safety safety;        // claims a block device meanwhile
	struct commit commit;        // of commit=rename
	struct hold *hold;           // of commit=first-last; NULL: nothing
	struct writeback *writeback; // of a page cache that is synced, or NULL
	struct clear clear;          // zeros that it makes by itself; side
	                             // NULL: nobody asks for any
	bool is_kept;                // what is there belongs to the copy, so
	                             // nothing is cut off
	bool is_synced;              // all that was written is durable
	bool is_closed;              // and no error came late
	bool is_stalled;             // the kernel has some of its requests
	                             // still: nothing more is done with it
};

// env is borrowed until output_done.
void output_init(struct output *out, const struct env *env);
void output_done(struct output *out);

// What it is called in messages, also when it is not open.
const char *output_name(const struct output *out);

// Before it is opened. False: it would be a file in /dev.
bool output_can_make(struct output *out);
// Open it, or with commit=rename make a file beside it. 0 or -errno, told;
// -ECANCELED: a signal.
int output_open(struct output *out);
// old: the file whose name another one is to take. False: it is in use.
bool output_can_replace(struct output *out, const struct facts *old);

// Look at what is open: the facts of side, and start.
void output_probe(struct output *out);
// From here on all of it is probed. Whether it can be written, and, as far as
// verify= asks for it, read back; if not, that is told.
bool output_can_write(const struct output *out);
bool output_can_verify(const struct output *out);
// Open it once more, to be read then. 0 or -errno, told.
int output_open_back(struct output *out);
// There is something to compare with.
bool output_has_old(const struct output *out);

// Claims a device. False: a safety check has found something, so it is not
// claimed.
bool output_claim(struct output *out, const struct facts *src);
// The source is packed from src_off on, and is not to be there as it is. 0,
// -EPERM: refused, or -ECANCELED: a signal.
int output_check_format(struct output *out, const struct side *src,
			uint64_t src_off, const struct facts *dst);
// What such a check has found; and that none has, but not all could be seen.
void output_tell_refused(const struct output *out);
void output_warn_unchecked(const struct output *out);

// Cut off what is there, where dd does. 1: both sides are to be probed again;
// else as output_open.
int output_cut(struct output *out, const struct facts *src);
// As it will be when it is cut, if it will be.
void output_expect_cut(struct output *out);

// All is written where it was compared with the old bytes: what is behind it
// goes now, where it does. As output_open.
int output_cut_rest(struct output *out);

// What holds writes up, as asked for. 0 or -errno, told.
int output_prepare(struct output *out, const struct facts *src);

// How it is made durable: as request_syncs.
unsigned output_syncs(const struct output *out);
// All is written, but for what is held back: make that durable, in the way of
// conv. As output_open.
int output_sync(struct output *out, unsigned conv);
// The kernel reads the partition table that may have been written, while the
// claim keeps others from what it finds.
void output_read_table(const struct output *out);
// It is synced and closed: give it the name, with commit=rename. As
// output_open.
int output_rename(struct output *out);
