// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// dd's statistics as text. Times are CLOCK_MONOTONIC.

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "stats.h"

// Enough for each text made here, in any locale.
#define REPORT_TEXT_MAX 256

// How much of it status= lets through.
enum report_level {
	REPORT_ALL,
	REPORT_NOXFER, // no transfer line
	REPORT_NONE,
};

enum report_seconds {
	REPORT_EXACT_SECONDS, // "8.3078e-05 s", six digits
	REPORT_WHOLE_SECONDS, // "3 s", for a line that is drawn each second
};

// All write to buf, cut to size, and return the length of the whole text as
// snprintf() does.

// The two lines of records and, if there were any, that of truncated ones,
// each with its newline.
size_t report_records(char *buf, size_t size, const struct stats *s);

// "10000 bytes (10 kB, 9.8 KiB) copied, 8.3078e-05 s, 120 MB/s", without a
// newline.
size_t report_transfer(char *buf, size_t size, const struct stats *s,
		       uint64_t now_ns, enum report_seconds how);

// The same of what verify= has read back so far, in whole seconds: "10000
// bytes (10 kB, 9.8 KiB) verified, 3 s, 3.3 kB/s".
size_t report_verified(char *buf, size_t size, const struct stats *s,
		       uint64_t now_ns);
