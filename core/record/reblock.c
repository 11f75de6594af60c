// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "reblock.h"

#include <string.h>

#include "base.h"

static int
reblock_flush_full(struct reblock *reblock)
{
	if (reblock->fill < reblock->obs)
		return 0;
	reblock->fill = 0;
	return reblock->write(reblock->ctx, reblock->block, reblock->obs);
}

static int
put_byte(struct reblock *reblock, unsigned char byte)
{
	reblock->block[reblock->fill++] = byte;
	return reblock_flush_full(reblock);
}

static int
put_spaces(struct reblock *reblock, uint64_t nr)
{
	int r = 0;

	while (r == 0 && nr-- > 0)
		r = put_byte(reblock, reblock->space);
	return r;
}

static int
put_plain(struct reblock *reblock, const unsigned char *buf, size_t len)
{
	int r = 0;

	while (r == 0 && len > 0) {
		const size_t part = (size_t)min_u64(
			len, reblock->obs - reblock->fill);

		memcpy(reblock->block + reblock->fill, buf, part);
		reblock->fill += part;
		buf += part;
		len -= part;
		r = reblock_flush_full(reblock);
	}
	return r;
}

// One byte of a line that becomes a record of cbs bytes.
static int
put_blocked(struct reblock *reblock, unsigned char byte)
{
	const uint64_t column = reblock->column;

	if (byte == reblock->newline) {
		reblock->column = 0;
		return column < reblock->cbs
			       ? put_spaces(reblock, reblock->cbs - column)
			       : 0;
	}
	reblock->column++;
	if (column == reblock->cbs)
		reblock->stats->truncated++;
	return column < reblock->cbs ? put_byte(reblock, byte) : 0;
}

// One byte of a record of cbs bytes that becomes a line.
static int
put_unblocked(struct reblock *reblock, unsigned char byte)
{
	int r = 0;

	if (reblock->column == reblock->cbs) {
		reblock->column = 0;
		reblock->nr_spaces = 0;
		r = put_byte(reblock, reblock->newline);
	}
	reblock->column++;
	if (byte == reblock->space) {
		reblock->nr_spaces++;
		return r;
	}
	if (r == 0)
		r = put_spaces(reblock, reblock->nr_spaces);
	reblock->nr_spaces = 0;
	return r < 0 ? r : put_byte(reblock, byte);
}

int
reblock_put(struct reblock *reblock, const unsigned char *buf, size_t len)
{
	int r = 0;

	if (reblock->conv & CONV_BLOCK) {
		for (size_t i = 0; r == 0 && i < len; i++)
			r = put_blocked(reblock, buf[i]);
		return r;
	}
	if (reblock->conv & CONV_UNBLOCK) {
		for (size_t i = 0; r == 0 && i < len; i++)
			r = put_unblocked(reblock, buf[i]);
		return r;
	}
	return put_plain(reblock, buf, len);
}

int
reblock_finish(struct reblock *reblock)
{
	const uint64_t column = reblock->column;

	if (column == 0)
		return 0;
	if (reblock->conv & CONV_UNBLOCK)
		return put_byte(reblock, reblock->newline);
	if ((reblock->conv & CONV_BLOCK) && column < reblock->cbs)
		return put_spaces(reblock, reblock->cbs - column);
	return 0;
}
