// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Checksum lines, as sha256sum and its relatives write and check them:
//
//   HEX  NAME             one algorithm, which the file does not say
//   SHA256 (NAME) = HEX   the BSD form, for several in one file, and for those
//                         whose digests are as long as other ones
//
// A name with a backslash, newline or carriage return is escaped, and the
// line then begins with a backslash.

#pragma once

#include <stdbool.h>

#include "digest.h"
#include "export.h"
#include "request.h"

struct hasher;

struct sums {
	const char *path;        // sums=, NULL: standard error
	struct export export;
	unsigned hashes;         // a set of 1 << enum digest_alg
	const char *name;        // of the copy, as the lines have it
	const struct request *request; // with the names of others
	bool is_as;              // which somebody has said
	bool is_bsd;
};

// Before the destination is touched: a copy whose sums cannot be written is
// not wanted. 0 or -errno, told; sums_done in any case.
int sums_open(struct sums *sums, const char *path, const struct request *q,
	      unsigned hashes);

// All lines. 0 or -errno, told.
int sums_write(struct sums *sums, const struct hasher *hasher);

void sums_done(struct sums *sums);
