// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Stretches of bytes with offsets on both sides: shared, copied by the kernel,
// or taken through the ring, as the plan says. Whatever is met that is not
// plain (a read error, a full disk, a source that shrank or grew) ends one, and
// the record engine goes on from there as dd would have: it makes the same
// calls, gets the same answers, and tells them in the same words.

#pragma once

#include "bulk.h"

// The descriptors that the plan counts on. False: some cannot be had, which is
// noted, and the plan is to be made again.
bool stretch_open(struct bulk *bulk);

// Each side of it alone.
bool stretch_open_src(struct bulk *bulk);
bool stretch_open_dst(struct bulk *bulk);

// Both sides are open and probed: all that can be copied so.
enum bulk_verdict stretch_run(struct bulk *bulk);
// The same of what is left, once the record engine is past an obstacle.
enum bulk_verdict stretch_resume(struct bulk *bulk);
