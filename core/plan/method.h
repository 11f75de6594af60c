// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// How a side is read or written.

#pragma once

#include "plan.h"

struct plan_sides;

// The plan has its length; for the destination, what becomes of holes, too.
struct plan_side method_of_src(const struct plan_sides *sides,
			       const struct plan *plan);
struct plan_side method_of_dst(const struct plan_sides *sides,
			       const struct plan *plan);
