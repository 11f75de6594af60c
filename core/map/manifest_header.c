// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "manifest_header.h"

#include <errno.h>
#include <string.h>

#include "digest.h"
#include "little.h"
#include "zero.h"

#define MAGIC "aiodd-rg"
#define STATE_MAX 512

enum { FORMAT = 1 };

enum {
	AT_FORMAT = 8,
	AT_RANGE = 12,
	AT_LEN = 16,
	AT_SEED = 24,
	AT_GENERATION = 32,
	AT_DONE = 40,
	AT_REACH = 48,
	AT_COMPLETE = 56,
	AT_DST = 64,
	AT_SRC = 192,
	AT_STATE_LEN = 324,
	AT_SUM = MANIFEST_HEADER_SIZE - DIGEST_XXH128_SIZE,
};

void
manifest_header_format(const struct manifest_header *header,
		       unsigned char ret[static MANIFEST_HEADER_SIZE])
{
	memset(ret, 0, MANIFEST_HEADER_SIZE);
	memcpy(ret, MAGIC, strlen(MAGIC));
	little_put(ret + AT_FORMAT, 4, FORMAT);
	little_put(ret + AT_RANGE, 4, MANIFEST_HEADER_RANGE);
	little_put(ret + AT_LEN, 8, header->len);
	little_put(ret + AT_SEED, 8, header->seed);
	little_put(ret + AT_GENERATION, 8, header->generation);
	little_put(ret + AT_DONE, 8, header->done);
	little_put(ret + AT_REACH, 8, header->reach);
	little_put(ret + AT_COMPLETE, 4, header->is_complete);
	memcpy(ret + AT_DST, header->ids.dst, sizeof(header->ids.dst));
	memcpy(ret + AT_SRC, header->ids.src, sizeof(header->ids.src));
	digest_xxh128(0, ret, AT_SUM, ret + AT_SUM);
}

static bool
is_whole(const unsigned char *block)
{
	unsigned char sum[DIGEST_XXH128_SIZE];

	digest_xxh128(0, block, AT_SUM, sum);
	return memcmp(sum, block + AT_SUM, sizeof(sum)) == 0;
}

// No offset that is made of it overflows, and there is a next generation.
static bool
is_possible(const struct manifest_header *header, const unsigned char *block)
{
	return header->len <= INT64_MAX && header->done <= header->reach &&
	       header->reach <= INT64_MAX && header->generation < UINT64_MAX &&
	       little_get(block + AT_COMPLETE, 4) <= 1 &&
	       little_get(block + AT_STATE_LEN, 4) <= STATE_MAX;
}

int
manifest_header_parse(const unsigned char block[static MANIFEST_HEADER_SIZE],
		      struct manifest_header *ret)
{
	if (zero_is_all(block, MANIFEST_HEADER_SIZE))
		return -ENODATA;
	if (memcmp(block, MAGIC, strlen(MAGIC)) != 0)
		return -EILSEQ;
	if (!is_whole(block))
		return -EBADMSG;
	if (little_get(block + AT_FORMAT, 4) != FORMAT ||
	    little_get(block + AT_RANGE, 4) != MANIFEST_HEADER_RANGE)
		return -EPROTO;
	struct manifest_header header = {
		.len = little_get(block + AT_LEN, 8),
		.seed = little_get(block + AT_SEED, 8),
		.generation = little_get(block + AT_GENERATION, 8),
		.done = little_get(block + AT_DONE, 8),
		.reach = little_get(block + AT_REACH, 8),
		.is_complete = little_get(block + AT_COMPLETE, 4) == 1,
	};
	memcpy(header.ids.dst, block + AT_DST, sizeof(header.ids.dst));
	memcpy(header.ids.src, block + AT_SRC, sizeof(header.ids.src));
	if (!is_possible(&header, block))
		return -EBADMSG;
	*ret = header;
	return 0;
}
