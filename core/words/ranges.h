// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Ranges of the bytes of an image: in order, none overlaps another, and what is
// in none is zeros.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RANGES_VALUE_MAX 64 // of a digest

struct ranges_one {
	uint64_t off;
	uint64_t len;          // > 0
	unsigned value_size;   // of the digest; 0: it has none
	unsigned char value[RANGES_VALUE_MAX];
};

struct ranges {
	struct ranges_one *all;
	size_t nr;
	size_t room;
	uint64_t size;         // of the image: where it ends
};

// One more, behind all others. 0 or -ENOMEM.
int ranges_add(struct ranges *ranges, const struct ranges_one *one);
void ranges_done(struct ranges *ranges);

// The first one that ends behind off; nr: none does.
size_t ranges_find(const struct ranges *ranges, uint64_t off);

// How many of the len bytes from off on, len > 0, are together in one, or
// together in none.
uint64_t ranges_run(const struct ranges *ranges, uint64_t off, uint64_t len,
		    bool *ret_is_in);

// These bytes of the image, without what is in none.
void ranges_blank(const struct ranges *ranges, uint64_t off, void *buf,
		  size_t len);

// Bytes in all of them.
uint64_t ranges_len(const struct ranges *ranges);
