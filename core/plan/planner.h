// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Makes the plan, from what was asked for and what was found. It makes no
// call, so that each of its rules can be tested without a file.

#pragma once

#include "plan.h"

struct facts;
struct request;
struct rest;

// Of what is left of it.
void planner_make(struct plan *plan, const struct request *q,
		  const struct rest *rest, const struct facts *src,
		  const struct facts *dst,
		  const struct plan_refused *refused);

// Of a copy that keeps a map: whatever of it is there. Its way is PLAN_BULK,
// or it cannot be made. len 0: there is nothing to copy.
void planner_make_mapped(struct plan *plan, const struct request *q,
			 const struct facts *src, const struct facts *dst,
			 const struct plan_refused *refused);

// What was written is read again, into nothing: around the page cache
// wherever that can be done, however short it is. back: of the side to be read.
void planner_make_back(struct plan *plan, const struct request *q,
		       const struct facts *back, uint64_t off, uint64_t len);
