// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the operands mean together: sizes, amounts and defaults become the
// request, and what does not go together is refused.

#pragma once

#include "options.h"

// All operands are parsed. 0 or -errno, told.
int resolve_options(struct options *options);
