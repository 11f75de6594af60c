// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What was left out of this build, as an operand that asks for it.

#pragma once

struct options;

// As messages have it, "bmap=" or "sha256". NULL: all that is asked for is
// here. What stands in a checksum file that was not read yet is not known.
const char *built_without(const struct options *options);
