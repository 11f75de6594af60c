// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The elements of a block map, as expat finds them: what each says, before it
// is compared with the others. No document type, and so no entities.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bmap_fault.h"
#include "ranges.h"

enum bmap_field {
	BMAP_FIELD_IMAGE_SIZE,
	BMAP_FIELD_BLOCK_SIZE,
	BMAP_FIELD_BLOCKS,
	BMAP_FIELD_MAPPED,
	BMAP_FIELD_ALGORITHM,
	BMAP_FIELD_CHECKSUM,
	BMAP_FIELD_SHA1,
	BMAP_FIELD_MAP,
	BMAP_FIELD_NR,
	};

// A digest, and what is around it.
enum { BMAP_TEXT_MAX = 2 * RANGES_VALUE_MAX + 32 };

struct bmap_xml {
	unsigned major, minor;
	size_t nr_digests;     // ranges that have one
	struct ranges ranges;  // of blocks
	bool has[BMAP_FIELD_NR];
	uint64_t numbers[BMAP_FIELD_MAPPED + 1];
	char algorithm[BMAP_WORD_MAX];
	char checksum[BMAP_TEXT_MAX];
};

// Whether this build has it.
bool bmap_xml_is_available(void);

// As bmap_parse; ranges_done in any case.
int bmap_xml_read(struct bmap_xml *ret, const char *text, size_t len,
		  struct bmap_error *ret_error);

const char *bmap_xml_name(enum bmap_field field);
// The one that has the sum over all.
enum bmap_field bmap_xml_sum(const struct bmap_xml *x);
// The attribute of a range that has its digest. NULL: there is none.
const char *bmap_xml_attribute(const struct bmap_xml *x);
