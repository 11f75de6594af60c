// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The JSON objects of status=json and report=, made of a journal. The schema
// is docs/report.schema.json.
//
// What comes from outside (names, operands, messages) may be no UTF-8, and
// JSON has to be: a byte that is no part of a character becomes U+FFFD and two
// hex digits, and so do the three bytes of U+FFFD itself.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "journal.h"

// Whether this build has it.
bool object_is_available(void);

// Before the others. 0, or -ENOENT, told: the library is not there.
int object_load(void);

// All return malloc'd text, or NULL when memory is out. These are a line each.
char *object_start(const struct journal *j);
// now_ns is CLOCK_MONOTONIC; rate is in bytes a second.
char *object_progress(const struct journal *j, uint64_t now_ns, uint64_t rate);
char *object_event(const struct journal_event *event);
char *object_end(const struct journal *j);

enum object_layout { OBJECT_COMPACT, OBJECT_INDENTED };
char *object_report(const struct journal *j, enum object_layout layout);
