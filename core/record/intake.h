// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The records of the source, one after the other: read, counted, and padded or
// left out where that could not be done.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "salvage.h"

struct env;
struct request;
struct serial;

struct intake {
	struct serial *serial;
	const struct env *env;      // both are those of serial
	const struct request *request;
	struct salvage salvage;     // of the source
	bool is_salvaging;          // every byte keeps its place

	uint64_t nr_records;        // read, of count=
	size_t there;               // bytes of the next one that need no read
	size_t short_record;        // bytes of the record before if short
	bool is_at_eof;
	bool is_read_failed;        // told, and that ends it
	bool is_failed;             // told, but the copy went on
};

// serial is borrowed until intake_done.
void intake_init(struct intake *in, struct serial *serial);
void intake_done(struct intake *in);

// count= leaves something to do.
bool intake_has_next(const struct intake *in);

// The next record into block, of ibs bytes. 1: *ret_len bytes are to be
// written, 0: none in its place; 0: the end; -errno, told; -ECANCELED.
int intake_next(struct intake *in, unsigned char *block, size_t *ret_len);
