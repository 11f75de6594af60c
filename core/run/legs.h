// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The destinations of a copy with tee=: the one of of=, which is that of the
// transfer, and the others. Each has what a transfer with one destination has
// of it: a request that names it, an output, statistics, a verdict.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hooks.h"
#include "transfer.h"

struct leg {
	struct request asked;     // with dst
	struct env env;           // with stats and hooks, and no digests
	struct hooks hooks;       // which say whose it is
	struct stats stats;
	struct output *out;       // that of the transfer, or other_out
	struct bulk *bulk;
	struct output other_out;
	struct bulk other_bulk;
	bool is_old;              // there is something to open
	bool is_open;
	bool is_stalled;          // as the output has it
	bool is_cut;              // a file, and nothing is left of the old one
	bool is_copied;           // all of the source was written
	bool may_be_lost;         // its server, after so many bytes
	uint64_t reached;
	enum transfer_verdict verdict;
};

struct legs {
	struct leg *all;
	unsigned nr;
	bool is_begun;            // the verdicts count
};

// As if the tee= of this number were the only destination.
struct request legs_request(const struct request *asked, unsigned nr);

// There is something to open.
bool legs_is_old(const struct request *q);

// Why the ring does not copy to it as it is planned; NULL: it does.
const char *legs_why_not(const struct transfer *transfer,
			 const struct facts *dst, const struct plan *plan);

// 0, or -errno, told. Nothing to do where there is no tee=.
int legs_new(struct transfer *transfer);
void legs_free(struct transfer *transfer);
// As transfer_leave.
void legs_leave(struct transfer *transfer);

// All that have no other verdict.
void legs_set_all(struct legs *legs, enum transfer_verdict verdict);
// All of the verdicts in one.
enum transfer_verdict legs_verdict(const struct legs *legs);

// The transfer as if this were its only destination. Borrowed.
struct transfer legs_view(const struct transfer *transfer, unsigned nr);
