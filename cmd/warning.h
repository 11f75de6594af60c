// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The words of what is not as one might expect of a copy that is made all the
// same.

#pragma once

#include <stdbool.h>

#include "event.h"

// Whether f is one that this module has words for; if so, it is told.
bool warning_tell(const struct event *f);
