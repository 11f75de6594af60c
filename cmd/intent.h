// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// plan=yes for its reader: what would be written where, from what, and what
// would be made sure of. How it would be done is describe's.

#pragma once

#include "options.h"
#include "transfer.h"

// After preview_run; old: the destination as it is now.
void intent_print(const struct options *options, const struct transfer *t,
		  const struct facts *old, enum transfer_verdict verdict);
// The first line of it alone: of another destination, by a transfer of its own.
void intent_print_deed(const struct options *options, const struct transfer *t,
		       const struct facts *old, enum transfer_verdict verdict);
