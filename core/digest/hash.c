// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

int
hash_init(struct hash *hash, unsigned alg, const atomic_bool *is_cancelled)
{
	*hash = (struct hash){.alg = alg, .is_cancelled = is_cancelled};
	return digest_init(&hash->digest, alg == HASH_RANGES
						  ? DIGEST_XXH128
						  : (enum digest_alg)alg);
}

void
hash_done(struct hash *hash)
{
	digest_done(&hash->digest);
	free(hash->ranges);
}

static void
end_range(struct hash *hash)
{
	const uint64_t nr = hash->nr_ranges;

	if ((nr & (nr - 1)) == 0) {
		void *more = realloc(hash->ranges,
				     (nr ? 2 * nr : 1) * HASH_RANGE_SIZE);

		if (more == NULL) {
			hash->error = -ENOMEM;
			return;
		}
		hash->ranges = more;
	}
	hash->error = digest_finish(&hash->digest,
				    hash->ranges[hash->nr_ranges++]);
	digest_reset(&hash->digest);
}

static void
add_to_ranges(struct hash *hash, const unsigned char *buf, size_t len)
{
	while (len > 0 && hash->error == 0) {
		const size_t part = (size_t)min_u64(
			len, HASH_RANGE_LEN - hash->pos % HASH_RANGE_LEN);

		digest_update(&hash->digest, buf, part);
		hash->pos += part;
		buf += part;
		len -= part;
		if (hash->pos % HASH_RANGE_LEN == 0)
			end_range(hash);
	}
}

static void
add(struct hash *hash, const void *buf, size_t len)
{
	if (hash->alg == HASH_RANGES) {
		add_to_ranges(hash, buf, len);
		return;
	}
	digest_update(&hash->digest, buf, len);
	hash->pos += len;
}

void
hash_end(struct hash *hash, uint64_t len)
{
	static const unsigned char zeros[64 * KIB];

	while (hash->pos < len && hash->error == 0 && !*hash->is_cancelled)
		add(hash, zeros,
		    (size_t)min_u64(len - hash->pos, sizeof(zeros)));
}

void
hash_take(struct hash *hash, uint64_t off, const void *buf, size_t len)
{
	if (*hash->is_cancelled || len == 0 || off + len <= hash->pos)
		return;
	hash_end(hash, off);
	if (hash->pos < off)
		return;
	const size_t known = (size_t)(hash->pos - off);
	add(hash, (const unsigned char *)buf + known, len - known);
}

int
hash_finish(struct hash *hash)
{
	if (hash->alg != HASH_RANGES)
		hash->error = digest_finish(&hash->digest, hash->result);
	else if (hash->pos % HASH_RANGE_LEN != 0 && hash->error == 0)
		end_range(hash);
	return hash->error;
}
