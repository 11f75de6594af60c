// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The GPT at the beginning of a disk, or of an image of one: how long the
// sectors are that it counts in, and where its backup ends. Nothing else of it
// is looked at, and its checksum is not; libblkid, which looks at it all, tells
// neither. A table of the MBR does not say what its sectors are.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct label {
	uint32_t sector;
	uint64_t end;        // bytes; UINT64_MAX: beyond all offsets
};

// Whether these first bytes of a disk have a GPT that counts in such sectors.
bool label_parse(struct label *ret, const unsigned char *buf, size_t len,
		 uint32_t sector);

#define LABEL_MAX 8192 // bytes that may matter

// Likewise, in sectors of this length, or else of 512 or 4096 bytes.
bool label_find(struct label *ret, const unsigned char *buf, size_t len,
		uint32_t sector);
