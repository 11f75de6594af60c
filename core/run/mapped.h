// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A copy that keeps a map (map=): what was done before is not done again, and
// what cannot be read is left, or filled, and counted.

#pragma once

#include "bulk.h"
#include "mapkeep.h"
#include "stats.h"

struct mapped {
	struct bulk *bulk;
	struct mapkeep *keep;
};

// Before anything is cut or written: whether both sides have offsets. 0 or
// -errno, told.
int mapped_check(struct mapped *m);

// What the map has of the bytes to be copied, and when nothing is read yet.
struct stats_rescue mapped_measure(const struct mapped *m);

// All that can be had. 0, also when some cannot be read: then stats.unread says
// how much. Or -errno, told; -ECANCELED: a signal.
int mapped_run(struct mapped *m);

// The map as it is now; all that it says is there is synced. 0 or -errno, told.
int mapped_save(struct mapped *m);
