// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the ring has left behind after a stretch: the copy goes on where
// everything before is written, and the file ends where the copy does.

#pragma once

#include "bulk.h"
#include "copy.h"

// Nothing of the stretch was begun.
enum bulk_verdict settle_nothing(struct bulk *bulk);

// One of several destinations has the first n bytes, and nothing from next on:
// nobody goes on. BULK_DONE, or BULK_FAILED, told.
enum bulk_verdict settle_branch(struct bulk *bulk, uint64_t n, uint64_t next);

// Such a one whose server may be gone, after n bytes and this failure, if any.
// BULK_AGAIN: it is back, and the rest begins where all before is safe.
// BULK_RECORDS: it does not come back. BULK_DONE: it was never gone.
enum bulk_verdict settle_regain(struct bulk *bulk, const struct event *failure,
				uint64_t n);

// The ring has come to this end. Who goes on?
enum bulk_verdict settle_copy(struct bulk *bulk, const struct copy *copy,
			      enum copy_verdict verdict);
