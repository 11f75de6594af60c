// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "plan.h"

#include <assert.h>

#include "base.h"
#include "pace.h"

#define PLAN_UNIT_MAX (64 * MIB) // of record sizes that do not divide
#define PLAN_SPARSE_MAX (4 * MIB)
#define PLAN_READ_MAX 0x7ffff000 // what one read gives at most
#define PLAN_FIT_DEPTH 4 // smaller jobs rather than fewer

struct sides {
	const struct request *q;
	const struct rest *rest;
	const struct facts *src;
	const struct facts *dst;
	const struct plan_refused *refused;
};

static uint64_t
gcd(uint64_t a, uint64_t b)
{
	while (b > 0) {
		const uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

// The least common multiple, or UINT64_MAX if it does not fit.
static uint64_t
lcm(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a / gcd(a, b), b, &product) ? UINT64_MAX
								  : product;
}

static bool
is_same_storage(const struct facts *a, const struct facts *b)
{
	const bool is_one = a->dev == b->dev && a->ino == b->ino;

	return facts_has_offsets(a) && facts_has_offsets(b) &&
	       (is_one || facts_is_same(a, b));
}

static bool
is_direct_asked(const struct request *q)
{
	return ((q->iflags | q->oflags) & FLAG_DIRECT) != 0;
}

// dd lets the kernel refuse a misaligned O_DIRECT request: called as dd, so
// do we, by making the same requests.
static bool
is_misaligned_as_dd(const struct sides *s, const struct plan *plan)
{
	const struct request *q = s->q;
	const uint32_t src = s->src->sector, dst = s->dst->sector;

	if (!q->is_dd)
		return false;
	return ((q->iflags & FLAG_DIRECT) &&
		(q->ibs % src != 0 || plan->src_off % src != 0)) ||
	       ((q->oflags & FLAG_DIRECT) &&
		(q->obs % dst != 0 || plan->dst_off % dst != 0));
}

// A record of zeros is a hole, and O_DIRECT takes no part of a sector.
static bool
is_whole(const struct request *q)
{
	return (q->conv & CONV_SPARSE) || (q->oflags & FLAG_DIRECT);
}

// Why dd's own order is needed, from what was asked; NULL: it is not.
static const char *
record_reason_asked(const struct request *q)
{
	if (q->conv & CONV_BYTES)
		return "conv= converts each record";
	if (q->is_dd && q->ibs > PLAN_READ_MAX)
		return "ibs= is more than one read can return";
	// What a bad disk answers depends on what it is asked for.
	if (q->is_dd && (q->conv & CONV_NOERROR))
		return "conv=noerror must read exactly as dd does";
	if ((q->conv & CONV_NOERROR) && request_is_hashed(q) && is_whole(q))
		return "conv=noerror may replace data that is hashed";
	if ((q->iflags | q->oflags) & FLAG_NOCACHE)
		return "nocache drops the cache record by record";
	return NULL;
}

// The same from what was found.
static const char *
record_reason_found(const struct sides *s, const struct plan *plan)
{
	const enum facts_kind src = s->src->kind;
	const enum facts_kind dst = s->dst->kind;

	if (s->refused->src.offsets ||
	    (!facts_has_offsets(s->src) && src != FACTS_ZERO))
		return "the source is not seekable";
	if (s->refused->dst.offsets ||
	    (!facts_has_offsets(s->dst) && dst != FACTS_NULL))
		return "the destination is not seekable";
	if (s->dst->is_append)
		return "the destination is opened for appending";
	if (s->dst->has_messages)
		return "messages are written to the destination, too";
	if (is_same_storage(s->src, s->dst))
		return "source and destination are the same file or device";
	if (is_misaligned_as_dd(s, plan))
		return "O_DIRECT with records that are not whole sectors";
	return NULL;
}

// Nobody needs to see the bytes, nor to count their records as they come.
static bool
can_splice(const struct sides *s)
{
	const struct request *q = s->q;
	const unsigned flags = FLAG_DIRECT | FLAG_NOCACHE | FLAG_SYNC |
			       FLAG_DSYNC | FLAG_NONBLOCK;

	return facts_has_offsets(s->src) && s->dst->is_pipe && !q->is_dd &&
	       q->io == REQUEST_IO_AUTO && q->ibs == q->obs && q->conv == 0 &&
	       !request_is_hashed(q) && q->rate == 0 &&
	       !((q->iflags | q->oflags) & flags);
}

// The bytes that can be copied by offset, as far as can be known now.
static uint64_t
stretch_len(const struct sides *s, const struct plan *plan)
{
	const struct request *q = s->q;
	const uint64_t no_limit = round_down(INT64_MAX, PLAN_ALIGN);
	uint64_t len = no_limit;

	if (plan->src_off == UINT64_MAX || plan->dst_off == UINT64_MAX)
		return 0; // the record engine words the refusal
	if (facts_has_offsets(s->src))
		len = s->src->size > plan->src_off
			      ? s->src->size - plan->src_off
			      : 0;
	len = min_u64(len, plan->count_len);
	if (s->dst->kind == FACTS_BLOCK)
		len = min_u64(len, s->dst->size > plan->dst_off
					   ? s->dst->size - plan->dst_off
					   : 0);
	if (plan->dst_off >= no_limit || len >= no_limit - plan->dst_off)
		return 0; // without an end there is no stretch
	// The last short record is padded, or written without O_DIRECT, by
	// whoever does records.
	if ((q->conv & CONV_SYNC) || (q->is_dd && is_direct_asked(q)))
		len = round_down(len, plan->unit);
	return len;
}

static bool
may_clone(const struct sides *s)
{
	return s->q->clone == REQUEST_CLONE_ALWAYS ||
	       (s->q->clone == REQUEST_CLONE_AUTO &&
		!s->src->is_kernel_copy);
}

static const char *
plan_stretch(struct plan *plan, const struct sides *s)
{
	const struct request *q = s->q;
	uint64_t end;

	plan->unit = lcm(q->ibs, q->obs);
	if (q->ibs != q->obs && plan->unit > PLAN_UNIT_MAX)
		return "ibs= and obs= have no common multiple within 64 MiB";
	plan->src_off = s->src->kind == FACTS_ZERO
				? 0
				: rest_off(s->rest,
					   request_src_off(q, s->src->pos));
	plan->dst_off = s->dst->kind == FACTS_NULL
				? 0
				: rest_off(s->rest,
					   request_dst_off(q, s->dst->pos));
	plan->count_len = rest_count_len(s->rest, q);
	plan->len = stretch_len(s, plan);
	if (plan->len < (may_clone(s) ? 1 : PLAN_BULK_MIN))
		return "less than 128 KiB, or of unknown length";
	if (__builtin_add_overflow(plan->dst_off, plan->len, &end) ||
	    (s->dst->kind == FACTS_FILE && end > s->dst->max_size))
		return "the file would exceed the size limit";
	return NULL;
}

// Why a side cannot do direct I/O, whatever is asked; NULL: it can.
static const char *
cached_reason(const struct sides *s, const struct facts *side, uint64_t off,
	      bool is_refused)
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

// A copy that goes on goes on as it began: what is through counts as well.
static uint64_t
copy_len(const struct sides *s, const struct plan *plan)
{
	return s->rest->done + plan->len;
}

static struct plan_side
plan_src(const struct sides *s, const struct plan *plan)
{
	const struct facts *src = s->src;
	const uint32_t align = src->dio_align;
	const uint64_t data = min_u64(copy_len(s, plan), src->allocated);

	if (src->kind == FACTS_ZERO)
		return (struct plan_side){PLAN_NOTHING, 0,
					  "zeros need not be read"};
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

static bool
is_durable(const struct sides *s)
{
	return request_syncs(s->q, s->dst->rdev != 0) != 0 ||
	       (s->q->oflags & (FLAG_SYNC | FLAG_DSYNC));
}

static struct plan_side
plan_dst(const struct sides *s, const struct plan *plan)
{
	const struct facts *dst = s->dst;
	const uint32_t align = dst->dio_align;
	const uint64_t len = copy_len(s, plan);
	const uint64_t data = plan->holes == PLAN_HOLES_KEEP
				      ? min_u64(len, s->src->allocated)
				      : len;

	if (dst->kind == FACTS_NULL)
		return (struct plan_side){PLAN_NOTHING, 0,
					  "/dev/null discards everything"};
	// A device says what it cannot take, and where, only without the page
	// cache.
	const bool is_checked = dst->kind == FACTS_BLOCK &&
				(!s->q->is_dd || is_durable(s));
	const bool is_direct = is_checked || (s->q->oflags & FLAG_DIRECT);
	const char *reason = cached_reason(s, dst, plan->dst_off,
					   s->refused->dst.direct);
	if (reason != NULL)
		return (struct plan_side){PLAN_INLINE, 0, reason};
	if (dst->is_checksummed)
		return (struct plan_side){PLAN_INLINE, 0,
					  "btrfs buffers direct writes"};
	if (plan->sparse_unit % align != 0)
		return (struct plan_side){PLAN_INLINE, 0,
					  "obs= is too small for O_DIRECT"};
	if (s->refused->aio_error != 0)
		return without_aio(is_direct ? align : 0,
				   "kernel AIO is not available");
	if (s->q->io == REQUEST_IO_AIO)
		return (struct plan_side){PLAN_AIO, align, "io=aio"};
	if (s->q->oflags & FLAG_DIRECT)
		return (struct plan_side){PLAN_AIO, align, "oflag=direct"};
	if (data < PLAN_AIO_MIN && !dst->is_remote)
		return without_aio(is_checked ? align : 0, "less than 32 MiB");
	if (dst->kind == FACTS_BLOCK)
		return (struct plan_side){PLAN_AIO, align, "block device"};
	if (dst->is_remote)
		return (struct plan_side){PLAN_AIO, align,
					  "buffered writes wait for a server"};
	if (is_durable(s))
		return (struct plan_side){PLAN_AIO, align,
					  "the copy is synced"};
	if (data > dst->memory / PLAN_CACHE_SHARE)
		return (struct plan_side){PLAN_AIO, align,
					  "more than a quarter of the memory"};
	return (struct plan_side){PLAN_INLINE, 0,
				  "it fits in the page cache, not synced"};
}

// Two direct requests should not meet within a page or a block of the file
// system, which lets in one at a time then: that of the destination, or where
// only the source is direct, its own. Records of zeros begin with the copy.
static size_t
plan_skew(const struct plan *plan)
{
	const uint64_t off = plan->dst.align > 0 ? plan->dst_off
						 : plan->src_off;
	const size_t skew = (size_t)(off % plan->step);

	if ((plan->src.align == 0 && plan->dst.align == 0) ||
	    plan->sparse_unit > 0 ||
	    skew % max_u64(plan->src.align, 1) != 0)
		return 0;
	return skew;
}

static void
plan_jobs(struct plan *plan, const struct request *q)
{
	const bool is_aio = plan_uses_aio(plan);
	const bool is_direct =
		plan_is_direct(&plan->src) || plan_is_direct(&plan->dst);
	uint64_t size = is_direct ? PLAN_JOB_SIZE : PLAN_CACHE_SIZE;

	plan->job_reason = is_direct ? "suits direct I/O"
				     : "suits the page cache";
	if (q->iosize > 0) {
		size = q->iosize;
		plan->job_reason = "iosize=";
	}
	if (q->rate > 0 && size > pace_piece(q->rate)) {
		size = pace_piece(q->rate);
		plan->job_reason = "1/20 second of data at rate=";
	}
	plan->step = plan->sparse_unit > 0
			     ? (size_t)lcm(plan->sparse_unit, PLAN_ALIGN)
			     : PLAN_ALIGN;
	// A direct request is for whole sectors, and must fit the buffer.
	plan->step = (size_t)lcm(plan->step, max_u64(plan->src.align, 1));
	plan->step = (size_t)lcm(plan->step, max_u64(plan->dst.align, 1));
	plan->job_size = (size_t)round_up(size, plan->step);
	assert(plan->job_size > 0);
	plan->skew = plan_skew(plan);
	plan->resume_unit = lcm(plan->unit, plan->step);
	if (plan->resume_unit > PLAN_UNIT_MAX)
		plan->resume_unit = plan->unit;

	plan->depth = is_aio ? PLAN_DEPTH : 1;
	plan->depth_reason = is_aio ? "keeps the device busy"
				    : "no overlap without kernel AIO";
	if (!is_aio && request_is_hashed(q)) {
		plan->depth = PLAN_DIGEST_DEPTH;
		plan->depth_reason = "hashing overlaps the copy";
	}
	if (q->depth > 0) {
		plan->depth = (unsigned)q->depth;
		plan->depth_reason = "depth=";
	}
	if (plan->depth > PLAN_RING_MAX / plan->job_size) {
		plan->depth = (unsigned)max_u64(
			1, PLAN_RING_MAX / plan->job_size);
		plan->depth_reason = "buffers are limited to 1 GiB";
	}
	const uint64_t burst = q->rate / 5 / plan->job_size;
	if (q->rate > 0 && plan->depth > max_u64(burst, 2)) {
		plan->depth = (unsigned)max_u64(burst, 2);
		plan->depth_reason = "1/5 second of data at rate=";
	}
	const uint64_t nr_jobs = (plan->len - 1) / plan->job_size + 1;
	if (nr_jobs < plan->depth) {
		plan->depth = (unsigned)nr_jobs;
		plan->depth_reason = "enough for the whole copy";
	}
}

static void
plan_size(struct plan *plan, const struct request *q, const struct facts *dst)
{
	const uint64_t end = plan->dst_off + plan->len;

	plan->is_in_order = plan->dst.method == PLAN_INLINE ||
			    plan->dst.method == PLAN_CALL;
	if (dst->kind != FACTS_FILE)
		plan->size_reason = "only a regular file has a size to set";
	else if (plan->dst.method != PLAN_AIO)
		plan->size_reason = "the file grows as it is written";
	else if (end <= dst->size)
		plan->size_reason = "the file is already large enough";
	else if (q->conv & CONV_NOTRUNC) {
		plan->size_reason = "conv=notrunc sets no size";
		plan->is_in_order = true;
	} else {
		plan->size_reason = "writes that extend a file are slow";
		plan->final_size = end;
	}
}

// A hole may stay one only where nothing else is behind it.
static void
plan_holes(struct plan *plan, const struct sides *s)
{
	const bool is_fresh = s->dst->kind == FACTS_FILE &&
			      s->dst->size <= plan->dst_off;

	if (s->src->allocated >= s->src->size) {
		plan->holes_reason = "the source has none";
	} else if (s->dst->kind == FACTS_NULL) {
		plan->holes = PLAN_HOLES_KEEP;
		plan->holes_reason = "/dev/null discards everything";
	} else if (s->q->conv & CONV_SPARSE) {
		plan->holes = PLAN_HOLES_KEEP;
		plan->holes_reason = "conv=sparse";
	} else if (s->q->keeps_holes && is_fresh) {
		plan->holes = PLAN_HOLES_KEEP;
		plan->holes_reason = "SRC DST keeps holes";
	} else {
		plan->holes = PLAN_HOLES_ZERO;
		plan->holes_reason = "holes need not be read";
	}
}

// Both sides go through the page cache of one file system that copies there
// by itself, and nobody needs to see the bytes, or to keep the cache from
// being far ahead of the disk.
static void
plan_kernel(struct plan *plan, const struct sides *s)
{
	if (s->q->io != REQUEST_IO_AUTO || request_is_hashed(s->q) ||
	    s->q->rate > 0 || is_durable(s) ||
	    plan->src.method != PLAN_INLINE ||
	    plan->dst.method != PLAN_INLINE || plan->holes != PLAN_HOLES_READ ||
	    plan->sparse_unit > 0 || !s->src->is_kernel_copy ||
	    s->refused->kernel_copy || s->src->dev != s->dst->dev ||
	    s->dst->kind != FACTS_FILE || s->src->is_direct ||
	    s->dst->is_direct)
		return;
	plan->src.method = PLAN_KERNEL;
	plan->dst.method = PLAN_KERNEL;
	plan->job_reason = plan->depth_reason = "not used";
}

static void
plan_clone(struct plan *plan, const struct sides *s)
{
	if (s->q->clone <= REQUEST_CLONE_NEVER)
		plan->clone_reason = "not asked for";
	else if (request_is_hashed(s->q))
		plan->clone_reason = "hashing needs the data";
	else if (s->q->conv & CONV_SPARSE)
		plan->clone_reason = "conv=sparse looks for holes in the data";
	else if (s->src->kind != FACTS_FILE || s->dst->kind != FACTS_FILE)
		plan->clone_reason = "only regular files can be cloned";
	else if (!may_clone(s))
		plan->clone_reason = "this file system cannot clone";
	else if (s->src->dev != s->dst->dev)
		plan->clone_reason = "the files are on different file systems";
	else {
		plan->clone_reason = "both files are on the same file system";
		plan->is_clone = true;
	}
}

// What is set up for one side serves the other as well.
static void
prefer_aio(struct plan_side *side)
{
	if (side->method == PLAN_CALL)
		side->method = PLAN_AIO;
}

void
plan_make(struct plan *plan, const struct request *q, const struct rest *rest,
	  const struct facts *src, const struct facts *dst,
	  const struct plan_refused *refused)
{
	const struct sides s = {q, rest, src, dst, refused};

	*plan = (struct plan){.way = PLAN_RECORD,
			      .rate = q->rate,
			      .is_whole = is_whole(q)};
	const char *too_short = plan_stretch(plan, &s);
	if (can_splice(&s)) {
		plan->way = PLAN_SPLICE;
		plan->way_reason = "a pipe can take pages without copying them";
		return;
	}
	if ((plan->way_reason = record_reason_asked(q)) != NULL ||
	    (plan->way_reason = record_reason_found(&s, plan)) != NULL ||
	    (plan->way_reason = too_short) != NULL)
		return;
	if ((q->conv & CONV_SPARSE) && dst->kind != FACTS_NULL) {
		if (lcm(q->obs, PLAN_ALIGN) > PLAN_SPARSE_MAX) {
			plan->way_reason = "conv=sparse with large records";
			return;
		}
		plan->sparse_unit = (size_t)q->obs;
	}
	plan->way = PLAN_BULK;
	plan->way_reason = "both sides are seekable";
	plan_holes(plan, &s);
	plan->src = plan_src(&s, plan);
	plan->dst = plan_dst(&s, plan);
	if (plan_uses_aio(plan)) {
		prefer_aio(&plan->src);
		prefer_aio(&plan->dst);
	}
	plan_jobs(plan, q);
	plan_kernel(plan, &s);
	plan_clone(plan, &s);
	plan_size(plan, q, dst);
	// dd writes nothing behind a byte that it cannot read.
	plan->is_any_order = !q->is_dd && !plan->is_in_order;
}

void
plan_make_back(struct plan *plan, const struct request *q, uint32_t align,
	       uint64_t off, uint64_t len)
{
	const bool is_direct = q->io != REQUEST_IO_INLINE && align > 0 &&
			       off % align == 0;

	*plan = (struct plan){.way = PLAN_BULK,
			      .src_off = off,
			      .len = len,
			      .unit = 1,
			      .src = {PLAN_INLINE, 0, "verify="},
			      .dst = {PLAN_NOTHING, 0, "verify="}};
	if (is_direct)
		plan->src = (struct plan_side){PLAN_AIO, align, "verify="};
	plan_jobs(plan, q);
}

bool
plan_is_direct(const struct plan_side *side)
{
	return side->method == PLAN_CALL || side->method == PLAN_AIO;
}

bool
plan_is_large(const struct plan *plan)
{
	return plan->way == PLAN_BULK &&
	       plan->depth > PLAN_RING_SMALL / plan->job_size;
}

void
plan_fit(struct plan *plan, uint64_t memory)
{
	const uint64_t most = max_u64(memory / PLAN_RING_SHARE,
				      PLAN_RING_SMALL);
	const uint64_t part = most / min_u64(plan->depth, PLAN_FIT_DEPTH);

	if (plan->depth <= most / plan->job_size)
		return;
	if (plan->job_size > part) {
		plan->job_size = (size_t)max_u64(round_down(part, plan->step),
						 plan->step);
		plan->job_reason = "memory is limited";
	}
	const uint64_t depth = max_u64(1, most / plan->job_size);
	if (depth >= plan->depth)
		return;
	plan->depth = (unsigned)depth;
	plan->depth_reason = "a quarter of the available memory";
}

bool
plan_uses_aio(const struct plan *plan)
{
	return plan->src.method == PLAN_AIO || plan->dst.method == PLAN_AIO;
}
