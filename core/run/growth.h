// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The size of a destination: given to a file before the copy, and taken back
// where the copy does not come to its end. What others have written meanwhile
// is not ours to cut. All of it is 0 or -errno, told but by growth_begin.

#pragma once

#include <stdint.h>

struct bulk;

// The final size at once. A file that others have made longer meanwhile is
// left as it is.
int growth_begin(struct bulk *bulk);

// Of the stretch only n bytes are there, so that the file must not look
// complete: it ends there, or behind what others have written from next on, the
// last that this copy can have written.
int growth_trim(struct bulk *bulk, uint64_t n, uint64_t next);

// A file that ends in a hole ends where byte n of the stretch would be.
int growth_extend(struct bulk *bulk, uint64_t n);

// Of the n bytes that are there, and end the file, only so many count.
int growth_cut_back(struct bulk *bulk, uint64_t n, uint64_t left);
