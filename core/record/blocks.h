// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The memory of the record engine: a block of ibs and one of obs, or one for
// both. Each is taken when it is first needed, since count=0 takes none.

#pragma once

#include <stdbool.h>

struct request;

struct blocks {
	unsigned char *alloc;
	unsigned char *src; // ibs bytes, with room for one before
	unsigned char *dst; // obs bytes, or src
};

// 0 or -ENOMEM. Nothing is done if the block is there.
int blocks_take_src(struct blocks *blocks, const struct request *q);
int blocks_take_dst(struct blocks *blocks, const struct request *q);
void blocks_done(struct blocks *blocks);

// Whether dd could have its blocks. They are given back at once.
bool blocks_can_be_had(const struct request *q);
