// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// How large the requests are, and how many there are at a time.

#pragma once

struct plan;
struct request;

// The plan has its length, and the methods of both sides.
void jobs_plan(struct plan *plan, const struct request *q);
