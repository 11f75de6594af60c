// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is said when all is over of a copy that is not what was asked for: what
// is missing, and what became of it.

#pragma once

#include "transfer.h"

// Tells it, in the order in which it is to be read; nothing of a copy that is
// as it should be, that never began, or that dd made.
void outcome_tell(const struct transfer *transfer,
		  enum transfer_verdict verdict);
