// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The destinations of tee= after the copy: made durable, read back, closed and
// renamed, each for itself; what fails is its verdict.

#pragma once

#include "transfer.h"

struct aio;

// reading: the engine of the source, which is ending meanwhile.
void legs_close_all(struct transfer *transfer, struct aio *reading);
