// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The digests of hash=, by libcrypto and libxxhash. Each library can be left
// out of a build; libcrypto is loaded when it is first needed.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum digest_alg {
	DIGEST_MD5,
	DIGEST_SHA1,
	DIGEST_SHA224,
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
	DIGEST_BLAKE2B,
	DIGEST_XXH128,
	DIGEST_NR,
};

#define DIGEST_MAX_SIZE 64
#define DIGEST_HEX_MAX (2 * DIGEST_MAX_SIZE + 1)

// Names as hash= takes them, and as BSD checksum lines have them.
const char *digest_name(enum digest_alg alg);
const char *digest_bsd_name(enum digest_alg alg);
size_t digest_size(enum digest_alg alg);
// By its name, in any case, and also as openssl dgst prints it. False: none.
bool digest_find(const char *name, size_t len, enum digest_alg *ret);
// A set of 1 << enum digest_alg: those with len hex digits, and of these only
// the ones that this build has, if there are any.
unsigned digest_of_length(size_t len);

#define DIGEST_HEX "0123456789abcdefABCDEF"
// hex begins with exactly len hex digits, of len / 2 bytes. 0 or -EINVAL.
int digest_parse(const char *hex, size_t len, unsigned char *ret);
// In hex digits.
void digest_format(enum digest_alg alg, const unsigned char *value,
		   char ret[static DIGEST_HEX_MAX]);
// Of the library that computes most of them, and is loaded for that.
const char *digest_soname(void);
// Whether this build has it.
bool digest_is_available(enum digest_alg alg);

// One that is being computed: an EVP_MD_CTX or an XXH3_state_t.
struct digest {
	enum digest_alg alg;
	void *state;
	uint64_t seed;     // of an xxh128
	bool is_broken;    // the library has refused something
};

// 0, -ENOMEM, -ELIBACC (a library that is not there), -EOPNOTSUPP (one that
// refuses). Also then digest_done.
int digest_init(struct digest *digest, enum digest_alg alg);
void digest_done(struct digest *digest);
void digest_update(struct digest *digest, const void *buf, size_t len);
// ret has room for digest_size. -EOPNOTSUPP: it is not the digest.
int digest_finish(struct digest *digest, unsigned char *ret);
// Begin again, with the seed as it is now.
void digest_reset(struct digest *digest);

// The xxh128 of these bytes, as xxhsum prints it where seed is 0. Without the
// library it is all zeros.
#define DIGEST_XXH128_SIZE 16
void digest_xxh128(uint64_t seed, const void *buf, size_t len,
		   unsigned char ret[static DIGEST_XXH128_SIZE]);
