// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The table of operands, which the parser, the messages about wrong ones,
// --help and --list-operands read.

#pragma once

#include "operand.h"

// In the order of --help and the manual; NULL: there are no more.
const struct operand *operands_at(size_t i);

// The operand of that name, len bytes long, or NULL. is_dd: of dd's only.
const struct operand *operands_find(const char *name, size_t len, bool is_dd);
