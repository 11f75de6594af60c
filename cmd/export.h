// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// report=FILE and sums=FILE: written beside FILE and renamed to it at the end,
// so that it is there as a whole or not at all. Pipes and character devices
// are written as they are, and nothing else is written.

#pragma once

#include "beside.h"
#include "request.h"

enum export_use {
	EXPORT_WRITE,
	EXPORT_LOOK,  // whether it could be
};

struct export {
	enum export_use use;
	const char *operand;
	const char *path;     // as it was given; NULL: nobody asked
	int named_fd;         // the open descriptor that path is, -1: none
	struct beside beside; // without a target path itself is written
	int fd;               // -1: not open
};

// Before the destination is touched: a copy whose report cannot be written is
// not wanted. Nor is one that it would replace: path must be neither side of
// the copy. path may be NULL, "-" is standard output, and /dev/fd/N and the
// file that standard output or error has open are written through these, behind
// what is in them. 0 or -errno, told; export_close in any case.
int export_open(struct export *e, const char *operand, const char *path,
		const struct request *q, enum export_use use);

// Whether both are the same file, or will be.
bool export_is_same(const struct export *a, const struct export *b);

// Whether it is to be a page, not JSON alone.
bool export_is_page(const struct export *e);

// Whether a terminal shows it.
bool export_is_terminal(const struct export *e);

// All of it, or the page with it. 0 or -errno, told.
int export_write(struct export *e, const char *text);
int export_write_page(struct export *e, const char *json);

// Leaves nothing behind that was not written.
void export_close(struct export *e);
