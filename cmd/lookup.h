// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The digest of one file in a file of checksums as it was published: by
// sha256sum and its relatives, also those of BSD, and by openssl dgst:
//
//   HEX  NAME             also with one blank or tab, and with an asterisk
//   SHA256 (NAME) = HEX   also with fewer blanks
//   HEX                   alone in the file
//
// with any line end, a byte-order mark, and a PGP signature around it. Other
// lines are passed over. See sums.h for escaped names.

#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "request.h"

struct lookup {
	struct request_expected expected;
	bool is_signed;          // it said so, nobody has checked it
};

// The lines with the whole name count, else those with its last component,
// which must be of one file then. Of several algorithms the longest digest is
// taken. A line that does not say its algorithm can be of any with digests of
// that length. name: NULL, only a digest without a name is looked for.
// 0, -ENOENT: there is none, -ENOTUNIQ: several different ones, -EILSEQ: this
// is no text; another -errno: it cannot be read.
int lookup_digest(FILE *file, const char *name, struct lookup *ret);
