// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "digest.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#ifdef HAVE_LIBCRYPTO
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#endif
#ifdef HAVE_LIBXXHASH
#define XXH_INLINE_ALL // the header is the whole of it
#include <xxhash.h>
#endif

#include "base.h"
#include "fd.h"
#include "lazy.h"
#include "thread.h"

#ifdef HAVE_LIBCRYPTO
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define CRYPTO_SONAME "libcrypto.so." TEXT(OPENSSL_SHLIB_VERSION)

static struct {
	__typeof__(&EVP_MD_CTX_new) ctx_new;
	__typeof__(&EVP_MD_CTX_free) ctx_free;
	__typeof__(&EVP_get_digestbyname) by_name;
	__typeof__(&EVP_DigestInit_ex) init;
	__typeof__(&EVP_DigestUpdate) update;
	__typeof__(&EVP_DigestFinal_ex) final;
} evp;

static bool
load_evp(void)
{
	const struct lazy_symbol symbols[] = {
		{"EVP_MD_CTX_new", &evp.ctx_new},
		{"EVP_MD_CTX_free", &evp.ctx_free},
		{"EVP_get_digestbyname", &evp.by_name},
		{"EVP_DigestInit_ex", &evp.init},
		{"EVP_DigestUpdate", &evp.update},
		{"EVP_DigestFinal_ex", &evp.final},
	};

	return lazy_load(CRYPTO_SONAME, symbols, ARRAY_LEN(symbols)) == 0;
}
#endif

static const struct {
	const char *name;
	const char *bsd_name;
	const char *evp_name;  // of libcrypto; NULL: xxhash has it
	size_t size;
} algs[DIGEST_NR] = {
	[DIGEST_MD5] = {"md5", "MD5", "MD5", 16},
	[DIGEST_SHA1] = {"sha1", "SHA1", "SHA1", 20},
	[DIGEST_SHA224] = {"sha224", "SHA224", "SHA224", 28},
	[DIGEST_SHA256] = {"sha256", "SHA256", "SHA256", 32},
	[DIGEST_SHA384] = {"sha384", "SHA384", "SHA384", 48},
	[DIGEST_SHA512] = {"sha512", "SHA512", "SHA512", 64},
	[DIGEST_BLAKE2B] = {"blake2b", "BLAKE2b", "BLAKE2b512", 64},
	[DIGEST_XXH128] = {"xxh128", "XXH128", NULL, 16},
};

struct part {
	uint64_t off;
	const void *buf;
	size_t len;
};

// One algorithm and its thread, which alone touches its state while parts
// are under way.
struct worker {
	struct digest *digest;
	enum digest_alg alg;
	pthread_t thread;
	bool has_thread;
	uint64_t nr_done;     // parts, under the lock
	uint64_t pos;         // bytes taken in
#ifdef HAVE_LIBCRYPTO
	EVP_MD_CTX *evp;
#endif
#ifdef HAVE_LIBXXHASH
	XXH3_state_t *xxh;
#endif
	unsigned char result[DIGEST_MAX_SIZE];
#ifdef HAVE_LIBXXHASH
	XXH128_hash_t *ranges;  // of DIGEST_RANGES
	uint64_t nr_ranges;
#endif
};

struct digest {
	struct worker workers[DIGEST_NR + 1]; // and one for the ranges
	unsigned nr_workers;
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	// Under the lock.
	struct part parts[DIGEST_QUEUE];
	uint64_t nr_put;
	bool is_ending;
};

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

static bool
needs_libcrypto(enum digest_alg alg)
{
	return alg < DIGEST_NR && algs[alg].evp_name != NULL;
}

bool
digest_is_available(enum digest_alg alg)
{
	const bool needs_evp = needs_libcrypto(alg);

#ifdef HAVE_LIBCRYPTO
	if (needs_evp)
		return true;
#endif
#ifdef HAVE_LIBXXHASH
	if (!needs_evp)
		return true;
#endif
	return false;
}

static bool
worker_open(struct worker *w)
{
	const bool needs_evp = needs_libcrypto(w->alg);

#ifdef HAVE_LIBCRYPTO
	if (needs_evp) {
		if (!load_evp())
			return false;
		w->evp = evp.ctx_new();
		return w->evp != NULL &&
		       evp.init(w->evp, evp.by_name(algs[w->alg].evp_name),
				NULL) == 1;
	}
#endif
#ifdef HAVE_LIBXXHASH
	if (!needs_evp) {
		w->xxh = XXH3_createState();
		return w->xxh != NULL && XXH3_128bits_reset(w->xxh) == XXH_OK;
	}
#endif
	return false;
}

static void
worker_close(struct worker *w)
{
#ifdef HAVE_LIBCRYPTO
	if (w->evp != NULL)
		evp.ctx_free(w->evp);
#endif
#ifdef HAVE_LIBXXHASH
	XXH3_freeState(w->xxh);
	free(w->ranges);
#endif
	(void)w;
}

#ifdef HAVE_LIBXXHASH
// A range is complete. Without memory for its digest it will not compare
// equal: verify fails, and does not pass by mistake.
static void
worker_end_range(struct worker *w)
{
	const uint64_t nr = w->nr_ranges;

	if ((nr & (nr - 1)) == 0) {
		const size_t size = (nr ? 2 * nr : 1) * sizeof(w->ranges[0]);
		XXH128_hash_t *more = realloc(w->ranges, size);

		if (more == NULL)
			return;
		w->ranges = more;
	}
	w->ranges[w->nr_ranges++] = XXH3_128bits_digest(w->xxh);
	XXH3_128bits_reset(w->xxh);
}

static void
worker_ranges(struct worker *w, const unsigned char *buf, size_t len)
{
	while (len > 0) {
		const size_t part = (size_t)min_u64(
			len, DIGEST_RANGE_LEN - w->pos % DIGEST_RANGE_LEN);

		XXH3_128bits_update(w->xxh, buf, part);
		w->pos += part;
		buf += part;
		len -= part;
		if (w->pos % DIGEST_RANGE_LEN == 0)
			worker_end_range(w);
	}
}
#endif

static void
worker_bytes(struct worker *w, const void *buf, size_t len)
{
#ifdef HAVE_LIBXXHASH
	if (w->alg == DIGEST_RANGES) {
		worker_ranges(w, buf, len);
		return;
	}
#endif
#ifdef HAVE_LIBCRYPTO
	if (w->evp != NULL)
		evp.update(w->evp, buf, len);
#endif
#ifdef HAVE_LIBXXHASH
	if (w->xxh != NULL)
		XXH3_128bits_update(w->xxh, buf, len);
#endif
	(void)buf;
	w->pos += len;
}

static void
worker_zeros_to(struct worker *w, uint64_t off)
{
	static const unsigned char zeros[64 * KIB];

	while (w->pos < off)
		worker_bytes(w, zeros,
			     (size_t)min_u64(off - w->pos, sizeof(zeros)));
}

static void
worker_take(struct worker *w, const struct part *part)
{
	const uint64_t end = part->off + part->len;

	if (part->len == 0 || end <= w->pos)
		return;
	worker_zeros_to(w, part->off);
	const size_t known = (size_t)(w->pos - part->off);
	worker_bytes(w, (const unsigned char *)part->buf + known,
		     part->len - known);
}

static void *
worker_main(void *ctx)
{
	struct worker *w = ctx;
	struct digest *digest = w->digest;

	pthread_mutex_lock(&digest->lock);
	for (;;) {
		while (w->nr_done == digest->nr_put && !digest->is_ending)
			pthread_cond_wait(&digest->changed, &digest->lock);
		if (w->nr_done == digest->nr_put)
			break;
		const struct part part =
			digest->parts[w->nr_done % DIGEST_QUEUE];

		pthread_mutex_unlock(&digest->lock);
		worker_take(w, &part);
		pthread_mutex_lock(&digest->lock);
		w->nr_done++;
		(void)eventfd_write(digest->fd, 1); // far from its limit
	}
	pthread_mutex_unlock(&digest->lock);
	return NULL;
}

static bool
worker_start(struct worker *w)
{
	w->has_thread = thread_start(&w->thread, NULL, worker_main, w) == 0;
	return w->has_thread;
}

struct digest *
digest_new(unsigned set)
{
	struct digest *digest = calloc(1, sizeof(*digest));

	if (digest == NULL)
		return NULL;
	pthread_mutex_init(&digest->lock, NULL);
	pthread_cond_init(&digest->changed, NULL);
	digest->fd = fd_move_up(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	bool is_good = digest->fd >= 0;
	for (unsigned alg = 0; alg <= DIGEST_RANGES && is_good; alg++) {
		struct worker *w = &digest->workers[digest->nr_workers];

		if (!(set & 1U << alg))
			continue;
		digest->nr_workers++;
		w->digest = digest;
		w->alg = (enum digest_alg)alg;
		is_good = worker_open(w) && worker_start(w);
	}
	if (is_good)
		return digest;
	digest_free(digest);
	return NULL;
}

static void
digest_end(struct digest *digest)
{
	pthread_mutex_lock(&digest->lock);
	digest->is_ending = true;
	pthread_cond_broadcast(&digest->changed);
	pthread_mutex_unlock(&digest->lock);
	for (unsigned i = 0; i < digest->nr_workers; i++) {
		struct worker *w = &digest->workers[i];

		if (w->has_thread)
			pthread_join(w->thread, NULL);
		w->has_thread = false;
	}
}

void
digest_free(struct digest *digest)
{
	if (digest == NULL)
		return;
	digest_end(digest);
	for (unsigned i = 0; i < digest->nr_workers; i++)
		worker_close(&digest->workers[i]);
	if (digest->fd >= 0)
		(void)close(digest->fd); // only counts
	pthread_cond_destroy(&digest->changed);
	pthread_mutex_destroy(&digest->lock);
	free(digest);
}

int
digest_fd(const struct digest *digest)
{
	return digest->fd;
}

void
digest_put(struct digest *digest, uint64_t off, const void *buf, size_t len)
{
	pthread_mutex_lock(&digest->lock);
	digest->parts[digest->nr_put % DIGEST_QUEUE] =
		(struct part){off, buf, len};
	digest->nr_put++;
	pthread_cond_broadcast(&digest->changed);
	pthread_mutex_unlock(&digest->lock);
}

uint64_t
digest_done(struct digest *digest)
{
	uint64_t least = UINT64_MAX;

	pthread_mutex_lock(&digest->lock);
	for (unsigned i = 0; i < digest->nr_workers; i++)
		least = min_u64(least, digest->workers[i].nr_done);
	pthread_mutex_unlock(&digest->lock);
	return least;
}

void
digest_wait(struct digest *digest, uint64_t nr)
{
	struct pollfd done = {.fd = digest->fd, .events = POLLIN};
	eventfd_t count;

	while (digest_done(digest) < nr) {
		(void)poll(&done, 1, -1);
		(void)eventfd_read(digest->fd, &count); // a reason to look
	}
}

void
digest_update(struct digest *digest, uint64_t off, const void *buf, size_t len)
{
	const struct part part = {off, buf, len};

	for (unsigned i = 0; i < digest->nr_workers; i++)
		worker_take(&digest->workers[i], &part);
}

static void
worker_finish(struct worker *w)
{
#ifdef HAVE_LIBCRYPTO
	if (w->evp != NULL)
		evp.final(w->evp, w->result, NULL);
#endif
#ifdef HAVE_LIBXXHASH
	if (w->alg == DIGEST_RANGES && w->pos % DIGEST_RANGE_LEN != 0)
		worker_end_range(w);
	else if (w->xxh != NULL)
		XXH128_canonicalFromHash((XXH128_canonical_t *)w->result,
					 XXH3_128bits_digest(w->xxh));
#endif
	(void)w;
}

void
digest_finish(struct digest *digest, uint64_t len)
{
	digest_end(digest);
	for (unsigned i = 0; i < digest->nr_workers; i++) {
		worker_zeros_to(&digest->workers[i], len);
		worker_finish(&digest->workers[i]);
	}
}

static const struct worker *
find_worker(const struct digest *digest, enum digest_alg alg)
{
	for (unsigned i = 0; i < digest->nr_workers; i++)
		if (digest->workers[i].alg == alg)
			return &digest->workers[i];
	return NULL;
}

const unsigned char *
digest_result(const struct digest *digest, enum digest_alg alg)
{
	const struct worker *w = find_worker(digest, alg);

	return w != NULL ? w->result : NULL;
}

bool
digest_is_same_range(const struct digest *a, const struct digest *b,
		     uint64_t nr)
{
#ifdef HAVE_LIBXXHASH
	const struct worker *x = find_worker(a, DIGEST_RANGES);
	const struct worker *y = find_worker(b, DIGEST_RANGES);

	return nr < x->nr_ranges && nr < y->nr_ranges &&
	       XXH128_isEqual(x->ranges[nr], y->ranges[nr]);
#else
	(void)a, (void)b, (void)nr;
	return false;
#endif
}
