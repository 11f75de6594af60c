// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// expect=: what the source must be, as a digest or in a file of checksums.

#pragma once

#include "lookup.h"
#include "request.h"

struct facts;
struct hasher;

// ALG:HEX, or a file in which name is looked up, NULL for standard input, and
// then, if it is not NULL, other. 0, or -errno, told.
int expect_parse(const char *text, const char *name, const char *other,
		 struct lookup *ret);

// Whose digest it is, of what was asked for: "the copied part of 'a'", where
// what is 'a'. from: where the copy begins in src. Malloc'd.
char *expect_subject(const char *what, const struct request *q,
		     const struct facts *src, uint64_t from);

struct expect_found {
	const char *name;
	const struct hasher *hasher;
	const struct hasher *packed_hasher; // NULL: it was not unpacked, or not
	                                    // all of it was read
};

// The source has the digest that was expected: whose it is, and which.
// Malloc'd.
char *expect_word(const struct expect_found *found, const struct request *q,
		  const struct facts *src, uint64_t from);
// The digests, where it has not.
void expect_tell(const struct expect_found *found, const struct request *q,
		 const struct facts *src, uint64_t from);
