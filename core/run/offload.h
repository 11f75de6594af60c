// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Stretches of which no byte passes through us: the file system shares the
// blocks, or the kernel copies from page cache to page cache.

#pragma once

#include "bulk.h"

// Share the whole stretch. BULK_AGAIN: it has to be copied.
enum bulk_verdict offload_clone(struct bulk *bulk);
// Of a plan that is only shown: clone=always may succeed, or is not asked for;
// if neither, that is told.
bool offload_can_clone(const struct bulk *bulk);

// Let the kernel copy it. BULK_AGAIN: the ring has to copy the rest.
enum bulk_verdict offload_copy(struct bulk *bulk);
