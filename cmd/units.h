// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers as dd reads them ("2x512", "64KiB") and as its statistics print
// them ("9.8 KiB", "312 kB/s").

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Enough for every text made here, in any locale.
#define UNITS_TEXT_MAX 48

struct units_number {
	uint64_t value;	      // at most INT64_MAX
	bool is_bytes;	      // the letter B stands somewhere in the text
	bool has_zero_factor; // written 0x...: the value is 0, worth a warning
};

// Factors separated by x, each with an optional suffix: c w b kKMGTPEZYRQ
// (powers of 1024; of 1000 with B or D behind; iB is 1024 again). A last B
// may follow any factor. Returns 0, -EINVAL for text that is no number and
// -EOVERFLOW for a value above INT64_MAX. A factor of 0 makes the value 0
// however large the others are.
int units_parse(const char *text, struct units_number *ret);

// These write to buf, cut to size, and return buf. The decimal point is that
// of LC_NUMERIC.

// "999 B", "1.0 kB", "60 MB": steps of 1000, halves go to the even digit.
char *units_format_si(char *buf, size_t size, uint64_t bytes);

// "1023 B", "9.8 KiB": steps of 1024.
char *units_format_iec(char *buf, size_t size, uint64_t bytes);

// "84/200 MiB": part of whole, both in the unit of the whole.
char *units_format_part(char *buf, size_t size, uint64_t part, uint64_t whole);

// "61.3 kB/s" for bytes in ns nanoseconds, "Infinity B/s" for ns = 0.
char *units_format_rate(char *buf, size_t size, uint64_t bytes, uint64_t ns);
