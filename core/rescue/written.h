// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Two maps of one copy: that of the source says what was read, that of the ring
// what is written of the part that is copied, which begins at base. Pure.

#pragma once

#include <stdint.h>

#include "map.h"

// What the map has is written. outside: bytes of it that are in no part of the
// copy. 0 or -ENOMEM.
int written_init(struct map *written, uint64_t base, const struct map *map,
		 uint64_t outside[MAP_NR_STATES]);

// What was read and is not written is to be read again. 0 or -ENOMEM.
int written_take_back(const struct map *written, uint64_t base,
		      struct map *map);
