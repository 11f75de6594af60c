// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The first object: what is known before the first byte.

#pragma once

#ifdef HAVE_JANSSON
#include "element.h"
#include "journal.h"

json_t *object_start_of(const struct journal *j);
#endif
