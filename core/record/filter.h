// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is done to the bytes in place: translation (conv= ascii, ebcdic,
// ibm, lcase, ucase) and swapping of pairs (conv=swab).

#pragma once

#include <stdbool.h>
#include <stddef.h>

struct filter {
	unsigned char table[256];
	unsigned char newline;   // what conv=block looks for
	unsigned char space;     // what conv=block pads with
	bool is_translating;
	bool is_swapping;

	// conv=swab runs over the whole stream: the odd byte of one record is
	// the first of the pair that the next one completes.
	bool has_odd;
	unsigned char odd;
};

// conv: enum request_conv. lcase and ucase follow the locale of the process.
void filter_init(struct filter *filter, unsigned conv);

// Change len bytes at buf. buf[-1] must be writable: swapped bytes may
// start there, with the odd byte of the record before. Returns where they
// start, and how many there are in *ret_len.
unsigned char *filter_apply(struct filter *filter, unsigned char *buf,
			    size_t len, size_t *ret_len);
