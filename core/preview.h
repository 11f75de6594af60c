// SPDX-License-Identifier: GPL-3.0-or-later
//
// plan=yes: decide all, touch nothing.

#pragma once

#include "transfer.h"

// The plan is in transfer->bulk.plan.
enum transfer_verdict preview_run(struct transfer *transfer);
