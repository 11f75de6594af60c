// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// shard=: one of the parts into which several processes divide a copy, each on
// its own. Who copies it needs only the operands that dd has, and the size that
// the destination has in the end.

#pragma once

struct options;

// The request, which is complete but for this, becomes that of the part. 0, or
// -errno, told.
int shard_resolve(struct options *options);
