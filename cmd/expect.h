// SPDX-License-Identifier: GPL-3.0-or-later
//
// expect=: what the source must be, as a digest or in a file of checksums.

#pragma once

#include "lookup.h"
#include "request.h"

struct hasher;

// ALG:HEX, or a file in which name is looked up, NULL for standard input. 0, or
// -errno, told.
int expect_parse(const char *text, const char *name, struct lookup *ret);

// Both digests, where the source has not the one that was expected.
void expect_tell(const struct request_expected *expected,
		 const struct hasher *hasher, const char *name);
