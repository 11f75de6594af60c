// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The words of what decompress= could not do.

#pragma once

#include "event.h"

// f: FAILURE_FORMAT, _DECODER or _DECODE.
void unpack_tell(const struct event *f);
