// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// By what a side is known again in a later run: a file by its place in its file
// system, and by when it was changed; a disk by its size, model and serial
// number, or by the file under it. Its name is for whoever reads it.
//
// In files of ours it is 128 bytes: u32 kind, u32 0, five u64 in the order of
// the struct, and the name, filled up with zeros.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct side;

enum { IMPRINT_SIZE = 128, IMPRINT_NAME_MAX = 80 };

enum imprint_kind {
	IMPRINT_NONE,          // a stream, or nothing
	IMPRINT_FILE,
	IMPRINT_DISK,
};

struct imprint {
	enum imprint_kind kind;
	uint64_t size;
	uint64_t place;        // its file system; the sector where a partition
	                       // begins
	uint64_t ino;          // also of the file under a loop device, or 0
	uint64_t mtime_ns;     // of a file
	uint64_t ctime_ns;
	char name[IMPRINT_NAME_MAX]; // without directories; model and serial
};

// As it is now.
struct imprint imprint_take(const struct side *side);

void imprint_format(const struct imprint *imprint,
		    unsigned char ret[static IMPRINT_SIZE]);
// Any bytes are one; of what is none all is 0.
struct imprint imprint_parse(const unsigned char id[static IMPRINT_SIZE]);

// The same file or disk, whatever is in it. Nothing is the same as a stream.
bool imprint_is_same(const struct imprint *a, const struct imprint *b);
// And nobody has changed it since, as far as it has times; a disk has none.
bool imprint_is_unchanged(const struct imprint *a, const struct imprint *b);
