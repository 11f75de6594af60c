// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "bmap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "bmap_xml.h"
#include "text.h"

#define SNIFF_LEN 4096 // of the comment at the top, and what follows

bool
bmap_is_one(const char *text, size_t len)
{
	len = (size_t)min_u64(len, SNIFF_LEN);
	return (len >= 5 && memcmp(text, "<bmap", 5) == 0) ||
	       (len >= 5 && memcmp(text, "<?xml", 5) == 0 &&
		memmem(text, len, "<bmap", 5) != NULL);
}

void
bmap_done(struct bmap *m)
{
	ranges_done(&m->ranges);
}

static bool
has_file_checksum(const struct bmap_xml *m)
{
	return m->major > 1 || m->minor >= 3;
}

static int
check_fields(const struct bmap_xml *f, struct bmap_error *e)
{
	const enum bmap_field last = f->major > 1 || f->minor >= 4
					     ? BMAP_FIELD_ALGORITHM
					     : BMAP_FIELD_MAPPED;

	for (enum bmap_field i = 0; i <= last; i++)
		if (!f->has[i])
			return bmap_fault_set(e, BMAP_MISSING,
					      bmap_xml_name(i));
	if (!f->has[BMAP_FIELD_MAP])
		return bmap_fault_set(e, BMAP_MISSING,
				      bmap_xml_name(BMAP_FIELD_MAP));
	const enum bmap_field checksum = bmap_xml_sum(f);
	if (has_file_checksum(f) && !f->has[checksum])
		return bmap_fault_set(e, BMAP_MISSING, bmap_xml_name(checksum));
	return 0;
}

// Versions before 1.4 know but one.
static int
find_alg(const struct bmap_xml *f, struct bmap_error *e, enum digest_alg *ret)
{
	*ret = DIGEST_SHA1;
	if (bmap_xml_sum(f) == BMAP_FIELD_CHECKSUM &&
	    !digest_find(f->algorithm, strlen(f->algorithm), ret))
		return bmap_fault_set(e, BMAP_ALGORITHM, f->algorithm);
	if (!digest_is_available(*ret) &&
	    (f->nr_digests > 0 || has_file_checksum(f)))
		return bmap_fault_set(e, BMAP_LEFT_OUT, digest_name(*ret));
	return 0;
}

static int
check_numbers(const struct bmap_xml *f, struct bmap_error *e)
{
	const uint64_t *n = f->numbers;
	const struct ranges *r = &f->ranges;
	uint64_t mapped = 0;

	if (n[BMAP_FIELD_BLOCK_SIZE] == 0 ||
	    n[BMAP_FIELD_BLOCKS] !=
		    n[BMAP_FIELD_IMAGE_SIZE] / n[BMAP_FIELD_BLOCK_SIZE] +
			    (n[BMAP_FIELD_IMAGE_SIZE] %
				     n[BMAP_FIELD_BLOCK_SIZE] !=
			     0))
		return bmap_fault_set(e, BMAP_BLOCKS,
				      bmap_xml_name(BMAP_FIELD_BLOCKS));
	for (size_t i = 0; i < r->nr; i++)
		mapped += r->all[i].len;
	if (r->nr > 0 && r->all[r->nr - 1].off + r->all[r->nr - 1].len >
				 n[BMAP_FIELD_BLOCKS])
		return bmap_fault_set(e, BMAP_BLOCKS,
				      bmap_xml_name(BMAP_FIELD_MAP));
	return mapped == n[BMAP_FIELD_MAPPED]
		       ? 0
		       : bmap_fault_set(e, BMAP_BLOCKS,
					bmap_xml_name(BMAP_FIELD_MAPPED));
}

static int
check_values(const struct bmap_xml *f, enum digest_alg alg,
	     struct bmap_error *e)
{
	const struct ranges *r = &f->ranges;

	for (size_t i = 0; i < r->nr; i++)
		if (r->all[i].value_size > 0 &&
		    r->all[i].value_size != digest_size(alg))
			return bmap_fault_set(e, BMAP_VALUE,
					      bmap_xml_attribute(f));
	return 0;
}

// Of bytes, and within the image. Nothing is too large: the numbers agree.
static void
scale(struct bmap *m, uint64_t block, uint64_t size)
{
	struct ranges *r = &m->ranges;

	m->block_size = block;
	r->size = size;
	for (size_t i = 0; i < r->nr; i++) {
		struct ranges_one *one = &r->all[i];

		one->off *= block;
		one->len = min_u64(one->len * block, size - one->off);
	}
}

// The digest of all but `hole` bytes at `at`, which count as so many '0'.
static int
digest_around(enum digest_alg alg, const char *text, size_t len, size_t at,
	      size_t hole, unsigned char *ret)
{
	struct digest digest;
	int r = digest_init(&digest, alg);

	if (r == 0) {
		digest_update(&digest, text, at);
		for (size_t i = 0; i < hole; i++)
			digest_update(&digest, "0", 1);
		digest_update(&digest, text + at + hole, len - at - hole);
		r = digest_finish(&digest, ret);
	}
	digest_done(&digest);
	return r;
}

static int
check_whole(const struct bmap_xml *f, enum digest_alg alg, const char *text,
	    size_t len, struct bmap_error *e)
{
	const char *hex = f->checksum;
	const size_t hex_len = strlen(hex), size = digest_size(alg);
	unsigned char want[DIGEST_MAX_SIZE], got[DIGEST_MAX_SIZE];

	if (!has_file_checksum(f))
		return 0;
	const char *at = memmem(text, len, hex, hex_len);
	if (at == NULL || hex_len != 2 * size ||
	    digest_parse(hex, hex_len, want) < 0)
		return bmap_fault_set(e, BMAP_VALUE,
				      bmap_xml_name(bmap_xml_sum(f)));
	const int r = digest_around(alg, text, len, (size_t)(at - text),
				    hex_len, got);
	if (r == -ELIBACC)
		return bmap_fault_set(e, BMAP_UNLOADABLE, digest_soname());
	if (r < 0)
		return r;
	return memcmp(want, got, size) == 0
		       ? 0
		       : bmap_fault_set(e, BMAP_DAMAGED, "");
}

// What contradicts itself is damaged, too: that is said first.
static int
check_all(const struct bmap_xml *f, const char *text, size_t len,
	  struct bmap_error *e, enum digest_alg *ret_alg)
{
	int r = check_fields(f, e);

	if (r == 0)
		r = find_alg(f, e, ret_alg);
	if (r == 0)
		r = check_whole(f, *ret_alg, text, len, e);
	if (r == 0)
		r = check_numbers(f, e);
	return r == 0 ? check_values(f, *ret_alg, e) : r;
}

bool
bmap_is_available(void)
{
	return bmap_xml_is_available();
}

static int
sniff(const char *text, size_t len, struct bmap_error *e)
{
	static const char pgp[] = "-----BEGIN PGP SIGNED MESSAGE-----";

	*e = (struct bmap_error){0};
	if (len >= sizeof(pgp) - 1 && memcmp(text, pgp, sizeof(pgp) - 1) == 0)
		return bmap_fault_set(e, BMAP_SIGNED, "");
	if (!bmap_is_one(text, len))
		return bmap_fault_set(e, BMAP_FOREIGN, "");
	return len > INT32_MAX ? -EFBIG : 0;
}

int
bmap_parse(struct bmap *ret, const char *text, size_t len,
	   struct bmap_error *ret_error)
{
	struct bmap_xml found;
	enum digest_alg alg;
	int r = sniff(text, len, ret_error);

	if (r < 0)
		return r;
	r = bmap_xml_read(&found, text, len, ret_error);
	if (r == 0) {
		ret_error->line = 0; // of none
		r = check_all(&found, text, len, ret_error, &alg);
	}
	if (r < 0) {
		ranges_done(&found.ranges);
		return r;
	}
	*ret = (struct bmap){.major = found.major,
			     .minor = found.minor,
			     .nr_digests = found.nr_digests,
			     .alg = alg,
			     .ranges = found.ranges};
	scale(ret, found.numbers[BMAP_FIELD_BLOCK_SIZE],
	      found.numbers[BMAP_FIELD_IMAGE_SIZE]);
	return 0;
}

static void
put_range(struct text *t, const struct ranges_one *one)
{
	const uint64_t first = one->off / BMAP_BLOCK;
	const uint64_t last = (one->off + one->len - 1) / BMAP_BLOCK;
	char hex[DIGEST_HEX_MAX];

	digest_format(BMAP_ALG, one->value, hex);
	text_put(t, "        <Range chksum=\"%s\"> %" PRIu64, hex, first);
	if (last > first)
		text_put(t, "-%" PRIu64, last);
	text_put(t, " </Range>\n");
}

static uint64_t
blocks_of(uint64_t len)
{
	return len / BMAP_BLOCK + (len % BMAP_BLOCK != 0);
}

static void
put_head(struct text *t, const struct ranges *r)
{
	uint64_t mapped = 0;

	for (size_t i = 0; i < r->nr; i++)
		mapped += blocks_of(r->all[i].len);
	text_put(t,
		 "<?xml version=\"1.0\" ?>\n"
		 "<!-- Block map of an image, created by aiodd version %s.\n"
		 "     Only the blocks of its ranges hold data. -->\n\n"
		 "<bmap version=\"2.0\">\n",
		 PACKAGE_VERSION);
	text_put(t,
		 "    <ImageSize> %" PRIu64 " </ImageSize>\n"
		 "    <BlockSize> %u </BlockSize>\n"
		 "    <BlocksCount> %" PRIu64 " </BlocksCount>\n"
		 "    <MappedBlocksCount> %" PRIu64 " </MappedBlocksCount>\n"
		 "    <ChecksumType> %s </ChecksumType>\n",
		 r->size, BMAP_BLOCK, blocks_of(r->size), mapped,
		 digest_name(BMAP_ALG));
}

int
bmap_print(char **ret, size_t *ret_len, const struct ranges *r)
{
	const unsigned char nothing[DIGEST_MAX_SIZE] = {0};
	unsigned char value[DIGEST_MAX_SIZE];
	char hex[DIGEST_HEX_MAX];
	struct text t = {0};

	put_head(&t, r);
	digest_format(BMAP_ALG, nothing, hex);
	text_put(&t, "    <BmapFileChecksum> ");
	const size_t at = t.len;
	text_put(&t, "%s </BmapFileChecksum>\n    <BlockMap>\n", hex);
	for (size_t i = 0; i < r->nr; i++)
		put_range(&t, &r->all[i]);
	text_put(&t, "    </BlockMap>\n</bmap>\n");
	int got = text_take(&t, ret, ret_len);
	if (got < 0)
		return got;
	got = digest_around(BMAP_ALG, *ret, *ret_len, at, strlen(hex), value);
	if (got < 0) {
		free(*ret);
		return got;
	}
	digest_format(BMAP_ALG, value, hex);
	memcpy(*ret + at, hex, strlen(hex));
	return 0;
}
