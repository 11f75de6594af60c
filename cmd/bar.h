// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The text of the bar: what is worth its room in so many columns. It is plain
// text, its numbers are binary. Where the holes of the source are known,
// percentage and bar are those of the data.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stats.h"

#define BAR_COLUMNS_MAX 255
#define BAR_TEXT_MAX 1024

struct bar {
	const struct stats *stats;
	const char *name;      // of the destination, NULL: not to be shown
	enum stats_phase phase;
	uint64_t on_device;    // bytes, as far as is known
	double rate;           // bytes a second
	bool is_stopping;      // what is on its way is waited for
	bool is_done;
};

// For so many columns at most: as they get fewer, the name goes first and the
// percentage last. Returns the width of the text.
int bar_format(const struct bar *bar, uint64_t now_ns, int columns,
	       char text[BAR_TEXT_MAX]);
