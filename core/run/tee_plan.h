// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is read for several destinations: each is planned for itself, and then
// all of them together, as the source is read once.

#pragma once

#include "aio.h"
#include "plan.h"

struct transfer;

struct tee_plan {
	struct transfer *t;
	struct plan plan;      // of what is read; those of the writes are the
	struct aio aio;        // legs'
};

// With all that they count on: engines, descriptors, the size of a file. 0 or
// -errno, told; the engines are the caller's to end in any case.
int tee_plan_make(struct tee_plan *p);
