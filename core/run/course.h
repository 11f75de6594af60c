// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The two ways in their turn: the bytes of a copy from the first to the last,
// in stretches as far as that goes, and record by record. With conv=noerror,
// under our own name, only round what cannot be read; behind it another stretch
// begins.

#pragma once

#include "bulk.h"
#include "record.h"
#include "serial.h"

struct course {
	struct bulk *bulk;      // borrowed
	struct serial serial;
	struct record record;
	uint64_t pass_len;      // bytes that records take past an obstacle
};

// 0, -errno, told, or -ECANCELED: a signal. The statistics are what was done in
// any case, and until course_done serial and record say how it ended.
int course_run(struct course *course, struct bulk *bulk);
void course_done(struct course *course);
