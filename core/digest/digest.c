// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "digest.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#ifdef HAVE_LIBCRYPTO
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#endif
#ifdef HAVE_LIBXXHASH
#define XXH_INLINE_ALL // the header is the whole of it
#include <xxhash.h>
#endif

#include "base.h"
#include "lazy.h"

// One library behind the digests that it computes.
struct digest_library {
	int (*open)(void **ret);
	void (*close)(void *state);
	bool (*reset)(void *state, const char *name, uint64_t seed);
	bool (*update)(void *state, const void *buf, size_t len);
	bool (*finish)(void *state, unsigned char *ret);
};

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#ifdef OPENSSL_SHLIB_VERSION
#define CRYPTO_SONAME "libcrypto.so." TEXT(OPENSSL_SHLIB_VERSION)
#elif defined SHLIB_VERSION_NUMBER // OpenSSL 1.1
#define CRYPTO_SONAME "libcrypto.so." SHLIB_VERSION_NUMBER
#else
#define CRYPTO_SONAME "libcrypto"
#endif

#ifdef HAVE_LIBCRYPTO

#define EVP(X)					\
	X(ctx_new, EVP_MD_CTX_new)		\
	X(ctx_free, EVP_MD_CTX_free)		\
	X(by_name, EVP_get_digestbyname)	\
	X(init, EVP_DigestInit_ex)		\
	X(update, EVP_DigestUpdate)		\
	X(final, EVP_DigestFinal_ex)

static LAZY_STRUCT(evp, EVP) evp;
LAZY_LIBRARY(evp, EVP, CRYPTO_SONAME, "hash",
	     "computes all digests except xxh128", "recommended")

static int
evp_open(void **ret)
{
	if (load_evp() < 0)
		return -ELIBACC;
	*ret = evp.ctx_new();
	return *ret != NULL ? 0 : -ENOMEM;
}

static void
evp_close(void *state)
{
	evp.ctx_free(state);
}

static bool
evp_reset(void *state, const char *name, uint64_t seed)
{
	(void)seed;
	return evp.init(state, evp.by_name(name), NULL) == 1;
}

static bool
evp_update(void *state, const void *buf, size_t len)
{
	return evp.update(state, buf, len) == 1;
}

static bool
evp_finish(void *state, unsigned char *ret)
{
	return evp.final(state, ret, NULL) == 1;
}

static const struct digest_library libcrypto = {
	evp_open, evp_close, evp_reset, evp_update, evp_finish,
};
#define LIBCRYPTO &libcrypto
#else
#define LIBCRYPTO NULL
#endif

#ifdef HAVE_LIBXXHASH
static int
xxh_open(void **ret)
{
	*ret = XXH3_createState();
	return *ret != NULL ? 0 : -ENOMEM;
}

static void
xxh_close(void *state)
{
	XXH3_freeState(state);
}

static bool
xxh_reset(void *state, const char *name, uint64_t seed)
{
	(void)name; // there is but one
	return XXH3_128bits_reset_withSeed(state, seed) == XXH_OK;
}

static bool
xxh_update(void *state, const void *buf, size_t len)
{
	return XXH3_128bits_update(state, buf, len) == XXH_OK;
}

static bool
xxh_finish(void *state, unsigned char *ret)
{
	XXH128_canonicalFromHash((XXH128_canonical_t *)ret,
				 XXH3_128bits_digest(state));
	return true;
}

static const struct digest_library libxxhash = {
	xxh_open, xxh_close, xxh_reset, xxh_update, xxh_finish,
};
#define LIBXXHASH &libxxhash
#else
#define LIBXXHASH NULL
#endif

static const struct {
	const char *name;
	const char *bsd_name;
	size_t size;
	const struct digest_library *library; // NULL: left out
	const char *library_name;             // of the digest, there
	const char *printed_name;             // by openssl dgst
} algs[DIGEST_NR] = {
	[DIGEST_MD5] = {"md5", "MD5", 16, LIBCRYPTO, "MD5", "MD5"},
	[DIGEST_SHA1] = {"sha1", "SHA1", 20, LIBCRYPTO, "SHA1", "SHA1"},
	[DIGEST_SHA224] = {"sha224", "SHA224", 28, LIBCRYPTO, "SHA224",
			   "SHA2-224"},
	[DIGEST_SHA256] = {"sha256", "SHA256", 32, LIBCRYPTO, "SHA256",
			   "SHA2-256"},
	[DIGEST_SHA384] = {"sha384", "SHA384", 48, LIBCRYPTO, "SHA384",
			   "SHA2-384"},
	[DIGEST_SHA512] = {"sha512", "SHA512", 64, LIBCRYPTO, "SHA512",
			   "SHA2-512"},
	[DIGEST_BLAKE2B] = {"blake2b", "BLAKE2b", 64, LIBCRYPTO,
			    "BLAKE2b512", "BLAKE2B-512"},
	[DIGEST_XXH128] = {"xxh128", "XXH128", 16, LIBXXHASH, "XXH128",
			   "XXH128"},
};

static bool
is_name(const char *known, const char *name, size_t len)
{
	return strlen(known) == len && strncasecmp(known, name, len) == 0;
}

bool
digest_find(const char *name, size_t len, enum digest_alg *ret)
{
	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++) {
		if (!is_name(algs[alg].name, name, len) &&
		    !is_name(algs[alg].library_name, name, len) &&
		    !is_name(algs[alg].printed_name, name, len))
			continue;
		*ret = alg;
		return true;
	}
	return false;
}

unsigned
digest_of_length(size_t len)
{
	unsigned all = 0, available = 0;

	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++) {
		if (len != 2 * digest_size(alg))
			continue;
		all |= 1U << alg;
		if (digest_is_available(alg))
			available |= 1U << alg;
	}
	return available != 0 ? available : all;
}

const char *
digest_name(enum digest_alg alg)
{
	return algs[alg].name;
}

const char *
digest_bsd_name(enum digest_alg alg)
{
	return algs[alg].bsd_name;
}

size_t
digest_size(enum digest_alg alg)
{
	return algs[alg].size;
}

void
digest_format(enum digest_alg alg, const unsigned char *value,
	      char ret[static DIGEST_HEX_MAX])
{
	static const char digits[] = "0123456789abcdef";
	const size_t size = digest_size(alg);

	for (size_t i = 0; i < size; i++) {
		ret[2 * i] = digits[value[i] >> 4];
		ret[2 * i + 1] = digits[value[i] & 15];
	}
	ret[2 * size] = '\0';
}

int
digest_parse(const char *hex, size_t len, unsigned char *ret)
{
	if (len % 2 != 0 || len > 2 * DIGEST_MAX_SIZE ||
	    len != strspn(hex, DIGEST_HEX))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		const int c = tolower((unsigned char)hex[i]);
		const int nibble = isdigit(c) ? c - '0' : c - 'a' + 10;

		ret[i / 2] = (unsigned char)(ret[i / 2] << 4 | nibble);
	}
	return 0;
}

const char *
digest_soname(void)
{
	return CRYPTO_SONAME;
}

bool
digest_is_available(enum digest_alg alg)
{
	return algs[alg].library != NULL;
}

int
digest_init(struct digest *digest, enum digest_alg alg)
{
	const struct digest_library *library = algs[alg].library;

	*digest = (struct digest){.alg = alg};
	const int r = library != NULL ? library->open(&digest->state)
				      : -ELIBACC;
	if (r < 0)
		return r;
	digest_reset(digest);
	return digest->is_broken ? -EOPNOTSUPP : 0;
}

void
digest_done(struct digest *digest)
{
	if (digest->state != NULL)
		algs[digest->alg].library->close(digest->state);
	digest->state = NULL;
}

void
digest_update(struct digest *digest, const void *buf, size_t len)
{
	if (!algs[digest->alg].library->update(digest->state, buf, len))
		digest->is_broken = true;
}

int
digest_finish(struct digest *digest, unsigned char *ret)
{
	if (!algs[digest->alg].library->finish(digest->state, ret))
		digest->is_broken = true;
	return digest->is_broken ? -EOPNOTSUPP : 0;
}

void
digest_reset(struct digest *digest)
{
	if (!algs[digest->alg].library->reset(digest->state,
					      algs[digest->alg].library_name,
					      digest->seed))
		digest->is_broken = true;
}

#ifdef HAVE_LIBXXHASH
void
digest_xxh128(uint64_t seed, const void *buf, size_t len,
	      unsigned char ret[static DIGEST_XXH128_SIZE])
{
	XXH128_canonicalFromHash((XXH128_canonical_t *)ret,
				 XXH3_128bits_withSeed(buf, len, seed));
}
#else
void
digest_xxh128(uint64_t seed, const void *buf, size_t len,
	      unsigned char ret[static DIGEST_XXH128_SIZE])
{
	(void)seed;
	(void)buf;
	(void)len;
	memset(ret, 0, DIGEST_XXH128_SIZE);
}
#endif
