// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What goes to standard output: the plan, with the reason of each decision,
// and --help.

#pragma once

#include "plan.h"

// The words for a way and a method.
const char *describe_way(enum plan_way way);
const char *describe_method(enum plan_method method);

// 0 or -errno; a failure is told.
int describe_plan(const struct plan *plan);

// Flush what was printed to standard output: 0, or -errno, told.
int describe_flush(void);
