// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// obmap=FILE: the block map of the copy, written when it is good.

#pragma once

#include "export.h"

struct request;
struct transfer;

// Before the destination is touched: a copy of which the map cannot be written
// is not wanted. 0 or -errno, told; export_close in any case.
int obmap_open(struct export *e, const struct request *q);

// 0 or -errno, told. Without obmap= it does nothing.
int obmap_write(struct export *e, const struct transfer *t);
