// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "request.h"

// Whole pages with room for size bytes and nr pages more, or NULL.
static unsigned char *
alloc_pages(uint64_t size, unsigned nr)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t len;

	if (__builtin_add_overflow(size, (nr + 1) * page - 1, &len))
		return NULL;
	return aligned_alloc(page, round_down(len, page));
}

// One page before the block has room for the byte that conv=swab holds back.
int
blocks_take_src(struct blocks *blocks, const struct request *q)
{
	if (blocks->src != NULL)
		return 0;
	blocks->alloc = alloc_pages(q->ibs, 1);
	if (blocks->alloc == NULL)
		return -ENOMEM;
	blocks->src = blocks->alloc + sysconf(_SC_PAGESIZE);
	return 0;
}

int
blocks_take_dst(struct blocks *blocks, const struct request *q)
{
	int r = 0;

	if (blocks->dst != NULL)
		return 0;
	if (q->is_single_buffer) {
		r = blocks_take_src(blocks, q);
		blocks->dst = blocks->src;
	} else {
		blocks->dst = alloc_pages(q->obs, 0);
	}
	return r < 0 || blocks->dst == NULL ? -ENOMEM : 0;
}

void
blocks_done(struct blocks *blocks)
{
	if (blocks->dst != blocks->src)
		free(blocks->dst);
	free(blocks->alloc);
	*blocks = (struct blocks){0};
}

bool
blocks_can_be_had(const struct request *q)
{
	struct blocks blocks = {0};
	const bool are_had = blocks_take_src(&blocks, q) == 0 &&
			     blocks_take_dst(&blocks, q) == 0;

	blocks_done(&blocks);
	return are_had;
}
