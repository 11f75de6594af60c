// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a manifest says: of which destination, from which source, when, how
// much, and whether that is all.

#pragma once

struct env;

// On standard output. 0 or -errno, told.
int testimony_print(const struct env *env);
