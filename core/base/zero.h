// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Looking for zeros, as conv=sparse does.

#pragma once

#include <stdbool.h>
#include <stddef.h>

// Zeros only. len may be 0.
bool zero_is_all(const unsigned char *buf, size_t len);
