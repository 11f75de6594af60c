// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "method.h"

#include "base.h"
#include "sides.h"

// Why a side cannot do direct I/O, whatever is asked; NULL: it can.
static const char *
cached_reason(const struct plan_sides *s, const struct facts *side,
	      uint64_t off, bool is_refused)
{
	if (s->q->io == REQUEST_IO_INLINE)
		return "io=inline";
	if (side->dio_align == 0 || is_refused)
		return "this file system does not support O_DIRECT";
	if (off % side->dio_align != 0)
		return "the offset is not aligned for O_DIRECT";
	return NULL;
}

// align: 0: through the page cache.
static struct plan_side
without_aio(uint32_t align, const char *reason)
{
	return (struct plan_side){align > 0 ? PLAN_CALL : PLAN_INLINE, align,
				  reason};
}

static struct plan_side
by_server(const struct facts *side)
{
	return (struct plan_side){PLAN_NBD, side->dio_align,
				  "the server takes several at a time"};
}

// A copy that goes on goes on as it began: what is through counts as well.
static uint64_t
copy_len(const struct plan_sides *s, const struct plan *plan)
{
	return s->rest->done + plan->len;
}

struct plan_side
method_of_src(const struct plan_sides *s, const struct plan *plan)
{
	const struct facts *src = s->src;
	const uint32_t align = src->dio_align;
	const uint64_t data = min_u64(copy_len(s, plan), src->allocated);

	if (src->kind == FACTS_ZERO)
		return (struct plan_side){PLAN_NOTHING, 0,
					  "zeros need not be read"};
	if (facts_is_export(src))
		return by_server(src);
	if (!facts_has_offsets(src))
		return (struct plan_side){PLAN_FEED, 0,
					  "a stream fills the jobs"};
	const char *reason = cached_reason(s, src, plan->src_off,
					   s->refused->src.direct);
	if (reason != NULL)
		return (struct plan_side){PLAN_INLINE, 0, reason};
	if (s->refused->aio_error != 0)
		return without_aio(s->q->iflags & FLAG_DIRECT ? align : 0,
				   "kernel AIO is not available");
	if (s->q->io == REQUEST_IO_AIO)
		return (struct plan_side){PLAN_AIO, align, "io=aio"};
	if (s->q->iflags & FLAG_DIRECT)
		return (struct plan_side){PLAN_AIO, align, "iflag=direct"};
	if (data < PLAN_AIO_MIN && !src->is_remote)
		return (struct plan_side){PLAN_INLINE, 0, "less than 32 MiB"};
	if (src->cached >= data / 2)
		return (struct plan_side){PLAN_INLINE, 0,
					  "most of it is in the page cache"};
	if (src->kind == FACTS_BLOCK)
		return (struct plan_side){PLAN_AIO, align, "block device"};
	return (struct plan_side){PLAN_AIO, align,
				  "little of it is in the page cache"};
}

// To be read from the disk, not from the page cache, which proves nothing.
static struct plan_side
method_of_compared(const struct plan_sides *s, const struct plan *plan)
{
	const uint32_t align = s->dst->dio_align;
	const char *reason = cached_reason(s, s->dst, plan->dst_off,
					   s->refused->dst.direct);

	if (facts_is_export(s->dst))
		return by_server(s->dst);
	if (reason != NULL)
		return (struct plan_side){PLAN_INLINE, 0, reason};
	if (s->refused->aio_error != 0)
		return without_aio(align, "kernel AIO is not available");
	if (copy_len(s, plan) < PLAN_AIO_MIN && s->q->io != REQUEST_IO_AIO &&
	    !s->dst->is_remote)
		return without_aio(align, "less than 32 MiB");
	return (struct plan_side){PLAN_AIO, align, "verify=only"};
}

// So many bytes of data can be written directly. Is it worth it?
static struct plan_side
method_of_written(const struct plan_sides *s, const struct plan *plan,
		  uint64_t data, bool is_checked)
{
	const struct facts *dst = s->dst;
	const uint32_t align = dst->dio_align;

	// Direct writes that make a file longer are waited for one by one.
	if (plan->src.method == PLAN_FEED && facts_is_file(dst))
		return (struct plan_side){
			PLAN_INLINE, 0, "the length of a stream is not known"};
	if (data < PLAN_AIO_MIN && !dst->is_remote)
		return without_aio(is_checked ? align : 0, "less than 32 MiB");
	if (dst->kind == FACTS_BLOCK)
		return (struct plan_side){PLAN_AIO, align, "block device"};
	if (dst->is_remote)
		return (struct plan_side){PLAN_AIO, align,
					  "buffered writes wait for a server"};
	if (plan->is_compared)
		return (struct plan_side){PLAN_AIO, align,
					  "what is there is read, too"};
	if (sides_are_durable(s))
		return (struct plan_side){PLAN_AIO, align,
					  "the copy is synced"};
	if (data > dst->memory / PLAN_CACHE_SHARE)
		return (struct plan_side){PLAN_AIO, align,
					  "more than a quarter of the memory"};
	return (struct plan_side){PLAN_INLINE, 0,
				  "it fits in the page cache, not synced"};
}

struct plan_side
method_of_dst(const struct plan_sides *s, const struct plan *plan)
{
	const struct facts *dst = s->dst;
	const uint32_t align = dst->dio_align;
	const uint64_t len = copy_len(s, plan);
	const uint64_t data = plan->holes == PLAN_HOLES_KEEP
				      ? min_u64(len, s->src->allocated)
				      : len;

	if (!request_writes(s->q))
		return method_of_compared(s, plan);
	if (dst->kind == FACTS_NULL)
		return (struct plan_side){PLAN_NOTHING, 0,
					  "/dev/null discards everything"};
	if (facts_is_export(dst))
		return by_server(dst);
	// A device says what it cannot take, and where, only without the page
	// cache.
	const bool is_checked = dst->kind == FACTS_BLOCK &&
				(!s->q->is_dd || sides_are_durable(s));
	const bool is_direct = is_checked || (s->q->oflags & FLAG_DIRECT);
	const char *reason = cached_reason(s, dst, plan->dst_off,
					   s->refused->dst.direct);
	if (reason != NULL)
		return (struct plan_side){PLAN_INLINE, 0, reason};
	if (dst->is_checksummed)
		return (struct plan_side){PLAN_INLINE, 0,
					  "btrfs buffers direct writes"};
	// What is made is whole pages, and so is what lies between.
	if (!plan_clears(plan) && plan->sparse_unit % align != 0)
		return (struct plan_side){PLAN_INLINE, 0,
					  "obs= is too small for O_DIRECT"};
	if (s->refused->aio_error != 0)
		return without_aio(is_direct ? align : 0,
				   "kernel AIO is not available");
	if (s->q->io == REQUEST_IO_AIO)
		return (struct plan_side){PLAN_AIO, align, "io=aio"};
	if (s->q->oflags & FLAG_DIRECT)
		return (struct plan_side){PLAN_AIO, align, "oflag=direct"};
	return method_of_written(s, plan, data, is_checked);
}
