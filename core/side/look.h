// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The failures of opening, found by looking: nothing is opened for writing,
// made or cut. Also that the first read of the source would fail.

#pragma once

struct hooks;
struct request;
struct side;

// Return as open_src and open_dst.
int look_src(struct side *side, const struct request *q,
	     const struct hooks *h);
int look_dst(struct side *side, const struct request *q,
	     const struct hooks *h);

// As struct side_kind has it.
int look_foresee(struct side *side, const char *name, unsigned flags,
		 const struct hooks *h);
