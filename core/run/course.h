// SPDX-License-Identifier: GPL-3.0-or-later
//
// The two ways in their turn: the bytes of a copy from the first to the last,
// in stretches as far as that goes, and record by record.

#pragma once

#include "bulk.h"
#include "record.h"
#include "serial.h"

struct course {
	struct bulk *bulk;      // borrowed
	struct serial serial;
	struct record record;
};

// 0, -errno, told, or -ECANCELED: a signal. The statistics are what was done in
// any case, and until course_done serial and record say how it ended.
int course_run(struct course *course, struct bulk *bulk);
void course_done(struct course *course);
