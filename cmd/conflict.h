// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which operands exclude each other: a table of pairs, beside that of the
// operands, from which the errors come. What dd itself refuses is not in it.

#pragma once

#include <stdbool.h>
#include <stddef.h>

struct options;

// What one of a pair may be: an operand, or one with a certain value.
enum conflict_word {
	CONFLICT_APPEND,
	CONFLICT_BMAP,
	CONFLICT_BYTES,
	CONFLICT_CLONE,
	CONFLICT_CLONE_ALWAYS,
	CONFLICT_COMMAND,
	CONFLICT_COMMIT,
	CONFLICT_COMMIT_RENAME,
	CONFLICT_DECOMPRESS,
	CONFLICT_EXCL,
	CONFLICT_EXPECT,
	CONFLICT_HASH,
	CONFLICT_MANIFEST,
	CONFLICT_MAP,
	CONFLICT_NBD,
	CONFLICT_NBD_DST,
	CONFLICT_NBD_SRC,
	CONFLICT_NOCACHE,
	CONFLICT_NOERROR,
	CONFLICT_NOTRUNC,
	CONFLICT_OBMAP,
	CONFLICT_PLAN,
	CONFLICT_SEEK,
	CONFLICT_SHARD,
	CONFLICT_SKIP,
	CONFLICT_SUMS,
	CONFLICT_SYNC,
	CONFLICT_TEE,
	CONFLICT_UPDATE,
	CONFLICT_VERIFY,
	CONFLICT_VERIFY_ONLY,
	CONFLICT_SPARSE,
	CONFLICT_ZEROS_SKIP,
	CONFLICT_ZEROS_WRITE,
	CONFLICT_NR_WORDS,
};

struct conflict {
	enum conflict_word one, other;
	const char *why;         // a clause
};

// As the user writes it.
const char *conflict_name(enum conflict_word word);
bool conflict_is_given(enum conflict_word word, const struct options *options);

// The rows of the table; NULL: there are no more.
const struct conflict *conflict_at(size_t i);

// The first row of which both are given, or NULL. The options are resolved.
const struct conflict *conflict_find(const struct options *options);
