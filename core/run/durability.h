// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is there of a transfer, what would be left of it, at any moment, if the
// power failed, and whether its disk may be pulled out.

#pragma once

#include "transfer.h"

// The statistics without the block that is held back in memory.
struct stats durability_stats(const struct transfer *transfer);

// Bytes of those copied that are known to have left the page cache for the
// device. It may still hold them in a cache of its own, until is_synced.
uint64_t durability_on_device(const struct transfer *transfer);

// It is synced in the end; and the bytes that a sync has made sure of.
bool durability_is_asked(const struct transfer *transfer);
uint64_t durability_durable(const struct transfer *transfer);

// The destination is a whole disk that was named, and that nobody else uses;
// it was synced and closed, and nothing is missing.
bool durability_is_safe_to_remove(const struct transfer *transfer);
