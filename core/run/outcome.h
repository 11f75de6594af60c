// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is said when all is over of a copy that is not what was asked for: what
// is missing, and what became of it. And what it has left as it was.

#pragma once

#include "transfer.h"

// Tells it, in the order in which it is to be read; nothing of a copy that is
// as it should be, that never began, or that dd made.
void outcome_tell(const struct transfer *transfer,
		  enum transfer_verdict verdict);

// Where a copy that a signal has ended can be taken up: what is before these
// offsets is there, and count is what is left of count=, UINT64_MAX: there was
// none. False: it cannot, or there is an easier way.
struct outcome_rest {
	uint64_t skip;
	uint64_t seek;
	uint64_t count;
};
bool outcome_can_go_on(const struct transfer *transfer,
		       struct outcome_rest *ret);

// Bytes at the end of a disk that a copy of all of the source onto its start
// was too short for; 0: none, or no such copy.
uint64_t outcome_untouched(const struct transfer *transfer);
