// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The side that moves no byte: /dev/null, which takes everything, /dev/zero,
// and what is not there at all.

#pragma once

#include "side.h"

extern const struct side_ops null_ops;

// What is not there.
extern const struct side null_side;
