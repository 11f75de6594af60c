// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Files of checksums: any bytes. What is found in them is a digest of one
// length, or nothing.

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "fuzz.h"
#include "lookup.h"

#define HEX32 "0123456789abcdefABCDEF0123456789"

static const char *const pieces[] = {
	HEX32, HEX32 HEX32, HEX32 HEX32 HEX32 HEX32, "dir/", "img", "other",
	"\n", "\r\n", "\n\n", " ", "  ", " *", "\t", "\\", "\\n", "#", "- ",
	"SHA256 (", "SHA2-512(", "BLAKE2b (", "MD5(", ") = ", ")= ", "(", ")",
	"\xef\xbb\xbf", "-----BEGIN PGP SIGNED MESSAGE-----\n",
	"-----BEGIN PGP SIGNATURE-----\n", "Hash: SHA512\n\n", "f", "00",
};

void
fuzz_shape(uint8_t *data, size_t size)
{
	const size_t nr = sizeof(pieces) / sizeof(pieces[0]);

	for (size_t at = 0; at < size;) {
		const char *piece = pieces[data[at] % nr];
		const size_t len = strlen(piece);

		if (at + len > size)
			return;
		memcpy(data + at, piece, len);
		at += len;
	}
}

static void
must(int is_true)
{
	if (!is_true)
		abort();
}

static void
check_name(const uint8_t *data, size_t size, const char *name)
{
	FILE *file = fmemopen((void *)(uintptr_t)data, size, "r");
	struct lookup lookup;

	if (file == NULL)
		return;
	const int r = lookup_digest(file, name, &lookup);
	(void)fclose(file); // only read
	must(r <= 0);
	if (r < 0)
		return;
	const unsigned algs = lookup.expected.algs;
	must(algs != 0 && algs < 1U << DIGEST_NR);
	const size_t first =
		digest_size((enum digest_alg)__builtin_ctz(algs));
	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++)
		must(!(algs & 1U << alg) || digest_size(alg) == first);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_name(data, size, "dir/img");
	check_name(data, size, NULL);
	return 0;
}
