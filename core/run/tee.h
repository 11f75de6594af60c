// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A copy with several destinations, from the moment at which all of them are
// open and cut: what is read goes to all of them through the ring, and then
// each is synced, read back, closed and renamed for itself. What happens to one
// of them is told at once, and is in its verdict.

#pragma once

#include "transfer.h"

// All of it, up to the close of all sides. The verdict is that of all legs.
enum transfer_verdict tee_run(struct transfer *transfer);
