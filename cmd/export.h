// SPDX-License-Identifier: GPL-3.0-or-later
//
// report=FILE: written beside FILE and renamed to it at the end, so that it is
// there as a whole or not at all. What is no regular file is written as it is.

#pragma once

#include "request.h"

struct export {
	const char *path;  // as it was given; NULL: nobody asked
	char *target;      // behind all links
	char *temp;        // will take its name; NULL: path itself is written
	int fd;            // -1: not open
};

// Before the destination is touched: a copy whose report cannot be written is
// not wanted. path may be NULL, "-" is standard output. 0 or -errno, told;
// export_close in any case.
int export_open(struct export *e, const char *path, const struct request *q);

// Whether it is to be a page, not JSON alone.
bool export_is_page(const struct export *e);

// All of it. 0 or -errno, told.
int export_write(struct export *e, const char *json);

// Leaves nothing behind that was not written.
void export_close(struct export *e);
