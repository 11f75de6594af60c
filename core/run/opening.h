// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Both sides, up to the first byte that may be lost: opened, probed, found fit
// for the copy, and cut. Each returns TRANSFER_OK, or why not, told.

#pragma once

#include "transfer.h"

// The source and the destination, and what is read beside them. What would be
// made by it is refused before.
enum transfer_verdict opening_open(struct transfer *transfer);
// What is open, and then what is there is cut.
enum transfer_verdict opening_check(struct transfer *transfer);
