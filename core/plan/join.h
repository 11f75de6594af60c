// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// One plan for what is read, of those of several destinations.

#pragma once

#include <stdint.h>

struct plan;

// They are to write the same jobs: of one size, and so many, that all of them
// can. memory: as in plan_fit. *ret is for the reader, and as long as the
// longest; each keeps its own length, and how it writes.
void join_plans(struct plan *const *plans, unsigned nr, uint64_t memory,
		struct plan *ret);
