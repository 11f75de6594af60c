// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// plan=yes: decide all, touch nothing.

#pragma once

#include "transfer.h"

// The plan is in transfer->bulk.plan, the destination as it is now in *old: an
// ino of 0 is a file that is still to be made. Both but where it ends
// TRANSFER_UNCOUNTED.
enum transfer_verdict preview_run(struct transfer *transfer,
				  struct facts *old);
