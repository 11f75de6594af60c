// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Block maps: elements that they may have, and any bytes. The ranges of what is
// read are in order and within the image; printed and read again they are the
// same.

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "bmap.h"
#include "fuzz.h"

// The first ones make a whole map, in this order.
static const char *const words[] = {
	"<bmap version='1.2'>",
	"<ImageSize> 100000 </ImageSize>",
	"<BlockSize>4096</BlockSize>",
	"<BlocksCount>25</BlocksCount>",
	"<MappedBlocksCount>3  </MappedBlocksCount>",
	"<BlockMap>",
	"<Range>0</Range>",
	"<Range sha1='86f7e437faa5a7fce15d1ddcb9eaeaea377667b8'>7-7</Range>",
	"<Range>24</Range>",
	"</BlockMap>",
	"</bmap>",
	"<?xml version='1.0' ?>",
	"<?xml version='1.0' encoding='UTF-16'?>",
	"<!-- -->",
	"<!DOCTYPE bmap [<!ENTITY x '&x;&x;'>]>",
	"&x;",
	"&#48;",
	"<bmap version='2.0'>",
	"<bmap version='1.0'>",
	"<ImageSize>9223372036854775807</ImageSize>",
	"<ImageSize>",
	"</ImageSize>",
	"<BlockSize>1</BlockSize>",
	"<BlockSize>9223372036854775807</BlockSize>",
	"<BlocksCount>1</BlocksCount>",
	"<BlocksCount>9223372036854775807</BlocksCount>",
	"<MappedBlocksCount>0</MappedBlocksCount>",
	"<ChecksumType>sha256</ChecksumType>",
	"<BmapFileChecksum>0</BmapFileChecksum>",
	"<Range>",
	"</Range>",
	"<Range chksum='00'>1-9223372036854775807</Range>",
	"<Range>0-24</Range>",
	"<x/>",
	"<BlockMap/>",
	"-",
	"9999999999999999999",
	"\n",
};

enum { WHOLE = 11, NEWLINE = ARRAY_LEN(words) - 1, WORD_MAX = 80 };

// A whole map, with something else here and there.
void
fuzz_shape(uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] < 230)
			data[i] = i < WHOLE ? (uint8_t)i : NEWLINE;
		else if (data[i] < 253)
			data[i] = (uint8_t)((data[i] + i) % ARRAY_LEN(words));
}

static size_t
spell(char *text, const uint8_t *data, size_t size)
{
	char *end = text;

	for (size_t i = 0; i < size; i++) {
		if (data[i] < ARRAY_LEN(words))
			end = stpcpy(end, words[data[i]]);
		else
			*end++ = (char)data[i];
	}
	return (size_t)(end - text);
}

static void
must(int is_true)
{
	if (!is_true)
		abort();
}

static void
check_ranges(const struct bmap *m)
{
	const struct ranges *r = &m->ranges;
	uint64_t end = 0;

	must(r->size <= INT64_MAX);
	for (size_t i = 0; i < r->nr; i++) {
		must(r->all[i].off >= end && r->all[i].len > 0);
		must(r->all[i].off % m->block_size == 0);
		end = r->all[i].off + r->all[i].len;
		must(end <= r->size);
		must(end % m->block_size == 0 || end == r->size);
	}
	must(ranges_len(r) <= r->size);
}

static void
check_print(const struct ranges *r)
{
	struct bmap_error error;
	struct bmap again;
	char *text;
	size_t len;

	must(bmap_print(&text, &len, r) == 0);
	must(bmap_parse(&again, text, len, &error) == 0);
	must(again.ranges.nr == r->nr && again.ranges.size == r->size);
	for (size_t i = 0; i < r->nr; i++)
		must(again.ranges.all[i].off == r->all[i].off &&
		     again.ranges.all[i].len == r->all[i].len);
	free(text);
	bmap_done(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size * WORD_MAX + 1);
	struct bmap_error error;
	struct bmap m;

	must(text != NULL);
	const size_t len = spell(text, data, size);
	const int r = bmap_parse(&m, text, len, &error);
	free(text);
	if (r < 0) {
		must(r != -EINVAL || error.fault != BMAP_NO_FAULT);
		return 0;
	}
	check_ranges(&m);
	if (m.block_size % BMAP_BLOCK == 0)
		check_print(&m.ranges);
	bmap_done(&m);
	return 0;
}
