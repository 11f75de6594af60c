// SPDX-License-Identifier: GPL-3.0-or-later
//
// Checksum lines, as sha256sum and its relatives write and check them:
//
//   HEX  NAME             one algorithm, which the file does not say
//   SHA256 (NAME) = HEX   the BSD form, for several in one file
//
// A name with a backslash, newline or carriage return is escaped, and the
// line then begins with a backslash.

#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "digest.h"
#include "request.h"

struct hasher;

// expect=: ALG:HEX, or a file in either form, searched for name (or for its
// last component). 0, or -errno, told: -EINVAL for what is no digest, -ENOENT
// when the file does not have the name.
int sums_parse_expected(const char *text, const char *name,
			struct request_expected *ret);

// malloc'd; NULL: no memory.
char *sums_format_hex(enum digest_alg alg, const unsigned char *value);

struct sums {
	const char *path;        // sums=, NULL: standard error
	FILE *file;
	unsigned hashes;         // a set of 1 << enum digest_alg
	const char *name;        // of the copy, as the lines have it
	bool is_bsd;
};

// Before the destination is touched: a copy whose sums cannot be written is
// not wanted. name: of the copy, NULL is standard output. 0 or -errno, told.
int sums_open(struct sums *sums, const char *path, const char *name,
	      unsigned hashes);

// All lines, and the file is closed. 0 or -errno, told.
int sums_write(struct sums *sums, const struct hasher *hasher);

// Both digests, where the source has not the one of expect=.
void sums_tell_unexpected(const struct request_expected *expected,
			  const struct hasher *hasher, const char *name);
