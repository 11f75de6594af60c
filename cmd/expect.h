// SPDX-License-Identifier: GPL-3.0-or-later
//
// expect=: what the source must be, as a digest or in a file of checksums.

#pragma once

#include "lookup.h"
#include "request.h"

struct facts;
struct hasher;

// ALG:HEX, or a file in which name is looked up, NULL for standard input. 0, or
// -errno, told.
int expect_parse(const char *text, const char *name, struct lookup *ret);

// Whose digest it is, of what was asked for: "the copied part of 'a'", where
// what is 'a'. from: where the copy begins in src. Malloc'd.
char *expect_subject(const char *what, const struct request *q,
		     const struct facts *src, uint64_t from);

// Both digests, where the source has not the one that was expected.
void expect_tell(const char *name, const struct request *q,
		 const struct facts *src, uint64_t from,
		 const struct hasher *hasher);
