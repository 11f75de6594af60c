// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A file of ours that goes from run to run, manifest= or map=: which file that
// may be, and that no other run has it.

#pragma once

#include "beside.h"

struct request;

// Those of the users follow from OURS_NR on.
enum ours_fault {
	OURS_NO_FAULT,
	OURS_ERROR,            // -errno
	OURS_NO_FILE,          // no regular file
	OURS_SIDE,             // it is the source or the destination
	OURS_IN_USE,           // by another run
	OURS_NO_DEVICE,        // a name in /dev
	OURS_NR,
};

struct ours {
	struct beside beside;  // target NULL: nobody asked
	int fd;                // -1: there is none yet
};

enum ours_use {
	OURS_WRITE,            // nobody else may
	OURS_READ,             // nobody may write to it meanwhile
	OURS_LOOK,             // it may change
};

// Before anything else is opened; a file that is not there is not made. 0.
// -errno: *ret_fault says what is wrong, which is told by nobody yet.
// ours_done in any case.
int ours_open(struct ours *ours, const struct request *q, const char *path,
	      enum ours_use use, unsigned *ret_fault);
// Make it, if nobody else has meanwhile, for us alone. 0 or -errno.
int ours_make(struct ours *ours);
void ours_done(struct ours *ours);
