// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// plan=yes for its reader: what would be made sure of, a line for each operand
// that asks for it.

#pragma once

#include "options.h"
#include "transfer.h"

// old: what is there now, NULL: nothing.
void promise_print(const struct options *options,
		   const struct transfer *transfer, const struct facts *old);
