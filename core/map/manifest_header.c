// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "manifest_header.h"

#include <errno.h>
#include <string.h>

#include "digest.h"
#include "little.h"
#include "manifest_file.h"
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

static void
format_header(const struct manifest_header *header,
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

// 0. -ENODATA: nothing but zeros. -EILSEQ: something else. -EPROTO: of another
// format. -EBADMSG: it is damaged.
static int
parse_header(const unsigned char block[static MANIFEST_HEADER_SIZE],
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

// A header that is damaged may have been the one that counts. What the other
// says of ranges that were written since would be wrong.
static int
choose_header(const int r[2], const struct manifest_header headers[2],
	      struct manifest_header *ret)
{
	const bool has_any = r[0] == 0 || r[1] == 0;

	if (r[0] == -ENODATA && r[1] == -ENODATA)
		return -ENODATA;
	for (int i = 0; i < 2; i++)
		if (r[i] == -EBADMSG || r[i] == -EPROTO)
			return r[i];
	if (!has_any)
		return -EILSEQ;
	if (r[0] == -EILSEQ || r[1] == -EILSEQ)
		return -EBADMSG;
	*ret = r[1] < 0 || (r[0] == 0 &&
			    headers[0].generation > headers[1].generation)
		       ? headers[0]
		       : headers[1];
	return 0;
}

int
manifest_header_read(int fd, struct manifest_header *ret)
{
	unsigned char blocks[2][MANIFEST_HEADER_SIZE];
	struct manifest_header headers[2];
	int r[2];

	const int error = manifest_file_read(fd, blocks[0], sizeof(blocks), 0);
	if (error < 0)
		return error;
	for (int i = 0; i < 2; i++)
		r[i] = parse_header(blocks[i], &headers[i]);
	const int chosen = choose_header(r, headers, ret);
	return chosen == -ENODATA && manifest_file_nr(fd) > 0 ? -EILSEQ
							      : chosen;
}

int
manifest_header_write(int fd, struct manifest_header *header)
{
	struct manifest_header next = *header;
	unsigned char block[MANIFEST_HEADER_SIZE];

	next.generation++;
	format_header(&next, block);
	const off_t off = next.generation % 2 != 0 ? MANIFEST_HEADER_SIZE : 0;
	int r = manifest_file_write(fd, block, sizeof(block), off);
	if (r == 0)
		r = manifest_file_sync(fd);
	if (r == 0)
		*header = next;
	return r;
}
