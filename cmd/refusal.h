// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The words of the safety checks: one line that says why nothing was written,
// what the device is and holds, and which force= waives the check.

#pragma once

#include "event.h"
#include "request.h"

// The word of force= that waives it.
const char *refusal_word(enum request_force reason);

// f: FAILURE_REFUSED.
void refusal_tell(const struct event *f);

// f: NOTICE_SRC_LIVE or NOTICE_UNCHECKED.
void refusal_warn(const struct event *f);
