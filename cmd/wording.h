// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the engine tells, in dd's words where dd has them, else in our own.

#pragma once

struct event;

// A line of standard error. Notices of what went on nevertheless are the
// caller's to filter.
void wording_tell(const struct event *f);
