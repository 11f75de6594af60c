// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The destinations of tee= are opened: all of them are found to be good before
// the first one is cut, and those that are there are looked at before any other
// is made. In this order; TRANSFER_OK, or why not, told; with no tee= it is
// that. The source is open and probed, but for legs_open_look.

#pragma once

#include "transfer.h"

enum transfer_verdict legs_open_look(struct transfer *transfer);
enum transfer_verdict legs_open_old(struct transfer *transfer);
// The first is open, and not claimed yet; and then it is.
enum transfer_verdict legs_open_first(struct transfer *transfer);
enum transfer_verdict legs_open_new(struct transfer *transfer);
enum transfer_verdict legs_open_cut(struct transfer *transfer);
