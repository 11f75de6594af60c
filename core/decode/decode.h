// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Formats of packed files: what they are called, and how one is known by its
// first bytes, never by its name.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum decode_format {
	DECODE_NONE,           // none of these
	DECODE_GZ,
	DECODE_XZ,
	DECODE_ZST,
	DECODE_BZ2,
	DECODE_LZ4,
	DECODE_NR,
	// Packed, but by what we do not unpack.
	DECODE_ZIP = DECODE_NR,
	DECODE_LZMA,           // what was before xz
	DECODE_OLD_LZ4,        // the frames of lz4 -l, as in a kernel
	// Not packed.
	DECODE_QCOW2,
	DECODE_TAR,
};

static inline bool
decode_is_foreign(enum decode_format format)
{
	return format >= DECODE_NR && format < DECODE_QCOW2;
}

// So many first bytes are enough, but for a file that begins with skippable
// frames: what it is stands behind them.
#define DECODE_HEAD 4096
#define DECODE_ENOUGH 16
bool decode_wants_more(const unsigned char *head, size_t len);

// head: the first len bytes. Fewer than DECODE_HEAD: it ends there.
enum decode_format decode_sniff(const unsigned char *head, size_t len);

// What is to be passed over: frames that carry nothing. SIZE_MAX: more than is
// there.
size_t decode_skip(const unsigned char *head, size_t len);

// Whether the first len bytes, at least one, of the next member of a stream
// can be these, as far as they go.
bool decode_begins(enum decode_format format, const unsigned char *head,
		   size_t len);

// As decompress= takes them: "gz". DECODE_NR and behind it: "zip", "lzma",
// "lz4 -l", "qcow2", "tar". DECODE_NONE: NULL.
const char *decode_name(enum decode_format format);
// The suffix that its files have, with the dot, or NULL.
const char *decode_suffix(enum decode_format format);

// A packed file, of which any part can be read.
struct decode_file {
	// All of it, or fewer bytes where it ends; -errno.
	ssize_t (*read_at)(void *ctx, void *buf, size_t len, uint64_t off);
	void *ctx;
	uint64_t size;
	const unsigned char *head; // its first bytes
	size_t head_len;
};
