// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The engine that reads a stream: its requests are filled one after the other,
// in the order in which they are queued, which is that of their offsets. Each
// is filled to the end, however little comes at a time; one that is not has
// what was there before the end or an error, and each after it has none: 0, or
// the error once more.

#pragma once

#include <stdint.h>

#include "engine.h"
#include "fill.h"

// pos: the offset of the first byte that comes. What lies before that of a
// request is read and dropped. NULL: there is no thread.
struct engine *feeder_new(struct fill fill, uint64_t pos);
