// SPDX-FileCopyrightText: 2026 the aiodd authors
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

int
hash_init_list(struct hash *hash, unsigned alg, enum digest_alg digest,
	       struct ranges *list, const atomic_bool *is_cancelled)
{
	*hash = (struct hash){
		.alg = alg, .list = list, .is_cancelled = is_cancelled};
	return digest_init(&hash->digest, digest);
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

static struct ranges_one *
listed(const struct hash *hash)
{
	return hash->next < hash->list->nr ? &hash->list->all[hash->next]
					   : NULL;
}

static void
end_listed(struct hash *hash)
{
	struct ranges_one *one = listed(hash);
	unsigned char value[DIGEST_MAX_SIZE];

	hash->error = digest_finish(&hash->digest, value);
	digest_reset(&hash->digest);
	hash->next++;
	if (hash->alg == HASH_MADE) {
		one->value_size = (unsigned)digest_size(hash->digest.alg);
		memcpy(one->value, value, one->value_size);
	} else if (one->value_size > 0 && hash->bad == NULL &&
		   memcmp(value, one->value, one->value_size) != 0) {
		hash->bad = one;
	}
}

// Bytes of the next len that are in no range, and have not been looked at.
static uint64_t
listed_gap(const struct hash *hash, uint64_t len)
{
	const struct ranges_one *one = listed(hash);

	if (one == NULL)
		return len;
	return one->off > hash->pos ? min_u64(len, one->off - hash->pos) : 0;
}

static void
add_to_listed(struct hash *hash, const unsigned char *buf, size_t len)
{
	while (len > 0 && hash->error == 0) {
		const struct ranges_one *one = listed(hash);
		size_t part = (size_t)listed_gap(hash, len);

		if (part == 0) {
			part = (size_t)min_u64(len,
					       one->off + one->len - hash->pos);
			digest_update(&hash->digest, buf, part);
		}
		hash->pos += part;
		buf += part;
		len -= part;
		if (one != NULL && hash->pos == one->off + one->len)
			end_listed(hash);
	}
}

static void
add(struct hash *hash, const void *buf, size_t len)
{
	if (hash->alg == HASH_RANGES) {
		add_to_ranges(hash, buf, len);
		return;
	}
	if (hash->list != NULL) {
		add_to_listed(hash, buf, len);
		return;
	}
	digest_update(&hash->digest, buf, len);
	hash->pos += len;
}

void
hash_end(struct hash *hash, uint64_t len)
{
	static const unsigned char zeros[64 * KIB];

	while (hash->pos < len && hash->error == 0 && !*hash->is_cancelled) {
		if (hash->list != NULL)
			hash->pos += listed_gap(hash, len - hash->pos);
		add(hash, zeros,
		    (size_t)min_u64(len - hash->pos, sizeof(zeros)));
	}
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

// It all ends within a range.
static void
finish_listed(struct hash *hash)
{
	struct ranges_one *one = listed(hash);

	if (one == NULL || hash->pos <= one->off)
		return;
	if (hash->alg == HASH_MADE)
		one->len = hash->pos - one->off;
	end_listed(hash);
}

int
hash_finish(struct hash *hash)
{
	if (hash->list != NULL && hash->error == 0)
		finish_listed(hash);
	else if (hash->alg < HASH_RANGES)
		hash->error = digest_finish(&hash->digest, hash->result);
	else if (hash->alg == HASH_RANGES && hash->error == 0 &&
		 hash->pos % HASH_RANGE_LEN != 0)
		end_range(hash);
	return hash->error;
}
