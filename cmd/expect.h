// SPDX-License-Identifier: GPL-3.0-or-later
//
// expect=: what the source must be, as a digest or in a file of checksum lines
// (see sums.h), with any line end.

#pragma once

#include "request.h"

struct hasher;

// ALG:HEX, or a file that is searched for name, or for its last component if
// the name is not there. A line that does not say its algorithm can be of any
// with digests of that length. 0, or -errno, told.
int expect_parse(const char *text, const char *name,
		 struct request_expected *ret);

// Both digests, where the source has not the one that was expected.
void expect_tell(const struct request_expected *expected,
		 const struct hasher *hasher, const char *name);
