// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A descriptor without offsets as the source of a ring: an engine reads it
// ahead, in order.

#pragma once

#include "side.h"

// As struct side_ops has them.
int stream_feed(struct side *side, uint64_t pos);
int stream_close(struct side *side);
