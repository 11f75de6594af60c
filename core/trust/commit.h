// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// commit=rename: the copy is made in a file beside the destination, and takes
// its name when it is complete and durable. Whoever looks, at any moment and
// also after a crash, finds the old file or the whole new one.

#pragma once

#include <stdbool.h>

#include "beside.h"
#include "side.h"
#include "request.h"

struct hooks;

struct commit {
	struct beside beside;
	bool is_new_only;     // conv=excl
	bool is_renamed;      // the copy has the name
};

// Can the destination be committed as asked? Looks only. 0, or -errno, told.
int commit_check(const struct request *q, const struct hooks *h);
// Likewise what commit_open would say.
int commit_look(const struct request *q, const struct hooks *h);

// Make the file beside the destination, with the owner and group of the old
// one as far as we may, and let it be the destination. Returns as
// open_dst does; in any case commit_done is to be called. What is
// below does nothing where there is no such file.
int commit_open(struct commit *commit, struct side *dst,
		const struct request *q, const struct hooks *h);

// The file is complete: give it the mode and the ACL of the old one, to be
// synced with it. 0 or -errno, told.
int commit_settle(const struct commit *commit, const struct hooks *h);

// It is synced and closed as well: give it the name, and make that durable. 0
// or -errno, told; -ECANCELED: a signal, while that is waited for.
int commit_rename(struct commit *commit, const struct hooks *h);

// Remove the file if it is still there, and free the names.
void commit_done(struct commit *commit);
