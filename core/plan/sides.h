// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a plan is made of, for the parts of the plan.

#pragma once

#include "facts.h"
#include "plan.h"
#include "request.h"
#include "rest.h"

struct plan_sides {
	const struct request *q;
	const struct rest *rest;
	const struct facts *src;
	const struct facts *dst;
	const struct plan_refused *refused;
};

// Between two files of a file system that shares blocks.
static inline bool
sides_may_clone(const struct plan_sides *s)
{
	return s->q->clone == REQUEST_CLONE_ALWAYS ||
	       (s->q->clone == REQUEST_CLONE_AUTO && !s->src->is_kernel_copy);
}

// The ring is worth it, however short the copy is.
static inline bool
sides_need_no_least(const struct plan_sides *s)
{
	return sides_may_clone(s) || facts_is_export(s->src) ||
	       facts_is_export(s->dst) || s->q->nr_tees > 0;
}

// Nobody takes the copy for done before it is on the device.
static inline bool
sides_are_durable(const struct plan_sides *s)
{
	return request_syncs(s->q, facts_is_disk(s->dst)) != 0 ||
	       (s->q->oflags & (FLAG_SYNC | FLAG_DSYNC));
}
