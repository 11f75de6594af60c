// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "overlap.h"

#include "base.h"
#include "disk.h"
#include "disk_stack.h"
#include "facts.h"
#include "request.h"

static uint64_t
src_len(const struct request *q, const struct facts *src)
{
	const uint64_t off = request_src_off(q, src->pos);

	if (facts_is_endless(src))
		return UINT64_MAX;
	if (!facts_has_offsets(src) && src->unpacked == 0 && !src->is_mapped)
		return 0;
	return src->size > off ? src->size - off : 0;
}

uint64_t
overlap_reach(const struct request *q, const struct facts *src,
	      const struct facts *dst)
{
	const uint64_t off = request_dst_off(q, dst->pos);
	uint64_t len = src_len(q, src), reach;

	if (q->conv & (CONV_BLOCK | CONV_UNBLOCK))
		return 0; // the records change their lengths
	len = min_u64(len, request_count_len(q));
	// The last record is padded.
	if ((q->conv & CONV_SYNC) && len % q->ibs != 0)
		len += q->ibs - len % q->ibs;
	if (len == 0 || __builtin_add_overflow(off, len, &reach))
		return 0;
	return len == UINT64_MAX ? 0 : reach;
}

// What is written is as long as what was read; a last record that is padded is
// read on.
static bool
keeps_length(const struct request *q, uint64_t len)
{
	if (q->conv & (CONV_BLOCK | CONV_UNBLOCK))
		return false;
	return !(q->conv & CONV_SYNC) || len % q->ibs == 0;
}

// A file is converted in place, or a part of it is moved to where it does not
// meet itself: no byte is written, or cut off, before it is read.
static bool
is_in_place(const struct request *q, const struct facts *src,
	    const struct facts *dst)
{
	const uint64_t from = request_src_off(q, src->pos);
	const uint64_t end = request_has_count(q)
				     ? request_offset(from, &q->count, q->ibs)
				     : UINT64_MAX;
	uint64_t to = request_dst_off(q, dst->pos);

	if (!facts_is_file(src))
		return false;
	if (q->dst != NULL && !(q->conv & CONV_NOTRUNC)) {
		if (q->seek.blocks == 0)
			to = 0; // it is cut there
		return to > from && to >= end;
	}
	if (dst->is_append)
		to = dst->size;
	if (to > from)
		return to >= end;
	return keeps_length(q, src_len(q, src));
}

// Partitions of one disk lie side by side, also those of a loop device,
// which have the file under it in common.
static bool
has_common(const struct facts *a, const struct disk_stack *over_a,
	   const struct facts *b, const struct disk_stack *over_b)
{
	if ((a->rdev != 0 && disk_stack_has(over_b, a->rdev)) ||
	    (b->rdev != 0 && disk_stack_has(over_a, b->rdev)))
		return true;
	return facts_is_same(a, b) &&
	       (a->rdev == 0 || b->rdev == 0 ||
		disk_whole(a->rdev) != disk_whole(b->rdev));
}

bool
overlap_is_harmful(const struct request *q, const struct facts *src,
		   const struct disk_stack *over_src, const struct facts *dst,
		   const struct disk_stack *over_dst)
{
	// A disk and a file that lies on it have no offsets in common.
	return has_common(src, over_src, dst, over_dst) &&
	       (dst->rdev != 0 || !is_in_place(q, src, dst));
}

bool
overlap_is_any(const struct facts *a, const struct facts *b)
{
	struct disk_stack over_a = {.nr = 0}, over_b = {.nr = 0};

	if (a->rdev != 0)
		disk_stack_init(&over_a, a->rdev);
	if (b->rdev != 0)
		disk_stack_init(&over_b, b->rdev);
	return has_common(a, &over_a, b, &over_b);
}
