// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "decode.h"

#include <stdint.h>
#include <string.h>

#include "base.h"
#include "little.h"

#define TAR_AT 257

static const struct {
	const char *name;
	const char *suffix;
	const char *magic;
	size_t len, off; // of magic
} formats[] = {
	[DECODE_GZ] = {"gz", ".gz", "\x1f\x8b\x08", 3, 0},
	[DECODE_XZ] = {"xz", ".xz",
		       "\xfd"
		       "7zXZ\0",
		       6, 0},
	[DECODE_ZST] = {"zst", ".zst", "\x28\xb5\x2f\xfd", 4, 0},
	[DECODE_BZ2] = {"bz2", ".bz2", "BZh", 3, 0},
	[DECODE_LZ4] = {"lz4", ".lz4", "\x04\x22\x4d\x18", 4, 0},
	[DECODE_ZIP] = {"zip", NULL, "PK\3\4", 4, 0},
	[DECODE_LZMA] = {"lzma", NULL, "\x5d\0\0", 3, 0},
	[DECODE_OLD_LZ4] = {"lz4 -l", NULL, "\x02\x21\x4c\x18", 4, 0},
	[DECODE_QCOW2] = {"qcow2", NULL, "QFI\xfb", 4, 0},
	[DECODE_TAR] = {"tar", NULL, "ustar", 5, TAR_AT},
};

static bool
has_magic(enum decode_format format, const unsigned char *head, size_t len)
{
	const size_t off = formats[format].off, end = off + formats[format].len;

	return formats[format].len > 0 && end <= len &&
	       memcmp(head + off, formats[format].magic, end - off) == 0;
}

// A text may begin with "BZh": what follows is a block, or the end.
static bool
is_bz2(const unsigned char *head, size_t len)
{
	return len >= 10 && head[3] >= '1' && head[3] <= '9' &&
	       (memcmp(head + 4, "1AY&SY", 6) == 0 ||
		memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

// It has no magic: the usual properties, a dictionary of 2^n or 2^n + 2^(n-1)
// bytes, and a size that is not known or is below 256 GiB.
static bool
is_lzma(const unsigned char *head, size_t len)
{
	if (len < 13)
		return false;
	const uint32_t dict = (uint32_t)little_get(head + 1, 4);
	const uint64_t size = little_get(head + 5, 8);
	const uint32_t rest = dict & (dict - 1);

	return dict != 0 && (rest == 0 || (rest & (rest - 1)) == 0) &&
	       (size == UINT64_MAX || size >> 38 == 0);
}

static bool
is_it(enum decode_format format, const unsigned char *head, size_t len)
{
	return has_magic(format, head, len) &&
	       (format != DECODE_BZ2 || is_bz2(head, len)) &&
	       (format != DECODE_LZMA || is_lzma(head, len));
}

#define SKIPPABLE_HEADER 8

// Both zst and lz4 have frames that carry nothing: 50 2a 4d 18 to 5f 2a 4d 18.
static bool
is_skippable(const unsigned char *head, size_t len)
{
	return (head[0] & 0xf0) == 0x50 &&
	       memcmp(head + 1, "\x2a\x4d\x18", len < 4 ? len - 1 : 3) == 0;
}

size_t
decode_skip(const unsigned char *head, size_t len)
{
	size_t at = 0;

	while (len - at >= SKIPPABLE_HEADER && is_skippable(head + at, 4)) {
		const size_t skip = little_get(head + at + 4, 4);

		if (skip > len - at - SKIPPABLE_HEADER)
			return SIZE_MAX;
		at += SKIPPABLE_HEADER + skip;
	}
	return at;
}

// What the first frame with something in it is of. A file of nothing else is
// empty by either.
static enum decode_format
sniff_behind(const unsigned char *head, size_t len)
{
	const size_t at = decode_skip(head, len);

	// Such frames are of pzstd, and those of others that are so long hide
	// what is behind them; a decoder that meets lz4 there says so.
	if (at == SIZE_MAX || at == len ||
	    has_magic(DECODE_ZST, head + at, len - at))
		return DECODE_ZST;
	return has_magic(DECODE_LZ4, head + at, len - at) ? DECODE_LZ4
							  : DECODE_NONE;
}

enum decode_format
decode_sniff(const unsigned char *head, size_t len)
{
	if (len >= SKIPPABLE_HEADER && is_skippable(head, len))
		return sniff_behind(head, len);
	for (size_t i = DECODE_NONE + 1; i < ARRAY_LEN(formats); i++)
		if (is_it(i, head, len))
			return i;
	return DECODE_NONE;
}

bool
decode_wants_more(const unsigned char *head, size_t len)
{
	return len < DECODE_ENOUGH ||
	       (len < DECODE_HEAD && is_skippable(head, len));
}

bool
decode_begins(enum decode_format format, const unsigned char *head, size_t len)
{
	const bool is_frames = format == DECODE_ZST || format == DECODE_LZ4;

	return memcmp(head, formats[format].magic,
		      min_u64(len, formats[format].len)) == 0 ||
	       (is_frames && is_skippable(head, len));
}

const char *
decode_name(enum decode_format format)
{
	return formats[format].name;
}

const char *
decode_suffix(enum decode_format format)
{
	return formats[format].suffix;
}
