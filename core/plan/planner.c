// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "planner.h"

#include "base.h"
#include "jobs.h"
#include "lcm.h"
#include "method.h"
#include "plan.h"
#include "sides.h"
#include "way.h"

#define PLAN_SPARSE_MAX (4 * MIB)

static void
plan_size(struct plan *plan, const struct request *q, const struct facts *dst)
{
	const uint64_t end = plan->dst_off + plan->len;

	plan->is_in_order = request_writes(q) &&
			    (plan->dst.method == PLAN_INLINE ||
			     plan->dst.method == PLAN_CALL);
	if (!request_writes(q))
		plan->size_reason = "nothing is written";
	else if (dst->kind != FACTS_FILE)
		plan->size_reason = "only a regular file has a size to set";
	else if (plan->dst.method != PLAN_AIO)
		plan->size_reason = "the file grows as it is written";
	else if (end <= dst->size)
		plan->size_reason = "the file is already large enough";
	else if (plan->src.method == PLAN_FEED) {
		plan->size_reason = "a stream has no size";
		plan->is_in_order = true;
	} else if (q->conv & CONV_NOTRUNC) {
		plan->size_reason = "conv=notrunc sets no size";
		plan->is_in_order = true;
	} else {
		plan->size_reason = "writes that extend a file are slow";
		plan->final_size = end;
	}
}

// dd leaves zeros out, whatever there is in their place.
static void
plan_zeros(struct plan *plan, const struct plan_sides *s)
{
	const struct request *q = s->q;
	const bool is_device = facts_is_device(s->dst);

	plan->zeros = PLAN_ZEROS_SKIP;
	if (q->is_dd || facts_is_null(s->dst))
		return;
	if (plan->is_compared) {
		plan->zeros = PLAN_ZEROS_WRITE;
		plan->zeros_reason = "where none are there";
	} else if (q->zeros == REQUEST_ZEROS_SKIP) {
		plan->zeros_reason = "zeros=skip";
	} else if (q->zeros == REQUEST_ZEROS_WRITE) {
		plan->zeros = PLAN_ZEROS_WRITE;
		plan->zeros_reason = "zeros=write";
	} else if (!is_device && s->dst->size <= plan->dst_off) {
		return; // nothing is there
	} else if (s->refused->zeros != NULL) {
		plan->zeros = PLAN_ZEROS_WRITE;
		plan->zeros_reason = s->refused->zeros;
	} else if (is_device) {
		plan->zeros = PLAN_ZEROS_OFFLOAD;
		plan->zeros_reason = "written if the device refuses";
	} else {
		plan->zeros = PLAN_ZEROS_PUNCH;
		plan->zeros_reason = "old data is there";
	}
}

// Why holes of the source need not be written as zeros, NULL: they must be.
static const char *
hole_reason(const struct plan *plan, const struct plan_sides *s)
{
	if (s->q->conv & CONV_SPARSE)
		return "conv=sparse";
	if (plan->zeros == PLAN_ZEROS_OFFLOAD)
		return "the device makes zeros";
	if (s->src->is_mapped)
		return "bmap=";
	if (s->q->zeros == REQUEST_ZEROS_SKIP)
		return "zeros=skip";
	// dd's operands are those of a file that has its blocks.
	return s->q->keeps_holes ? "SRC DST keeps holes" : NULL;
}

static void
plan_holes(struct plan *plan, const struct plan_sides *s)
{
	const char *reason = plan->zeros == PLAN_ZEROS_WRITE
				     ? NULL
				     : hole_reason(plan, s);
	// It gives zeros, and writing them is all that there is to do.
	const bool is_zero = facts_is_endless(s->src) && plan->zeros_reason &&
			     reason != NULL;

	if (!facts_has_holes(s->src) && !is_zero) {
		plan->holes_reason = "the source has none";
	} else if (plan->is_compared) {
		plan->holes = PLAN_HOLES_ZERO;
		plan->holes_reason = "what is there is compared with zeros";
	} else if (s->dst->kind == FACTS_NULL) {
		plan->holes = PLAN_HOLES_KEEP;
		plan->holes_reason = "/dev/null discards everything";
	} else if (reason != NULL) {
		plan->holes = plan_clears(plan) ? PLAN_HOLES_MAKE
						: PLAN_HOLES_KEEP;
		plan->holes_reason = reason;
	} else {
		plan->holes = PLAN_HOLES_ZERO;
		plan->holes_reason = "holes need not be read";
	}
}

// Both sides go through the page cache of one file system that copies there
// by itself, and nobody needs to see the bytes, or to keep the cache from
// being far ahead of the disk.
static void
plan_kernel(struct plan *plan, const struct plan_sides *s)
{
	if (s->q->io != REQUEST_IO_AUTO || s->q->nr_tees > 0 ||
	    request_is_hashed(s->q) || plan->is_compared ||
	    s->q->manifest != NULL || s->q->rate > 0 || sides_are_durable(s) ||
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
plan_clone(struct plan *plan, const struct plan_sides *s)
{
	if (s->q->clone <= REQUEST_CLONE_NEVER)
		plan->clone_reason = "not asked for";
	else if (s->q->nr_tees > 0)
		plan->clone_reason = "tee= needs the data";
	else if (plan->is_compared)
		plan->clone_reason = "what is there is compared";
	else if (s->q->manifest != NULL)
		plan->clone_reason = "the manifest needs the data";
	else if (s->q->bmap != NULL)
		plan->clone_reason = "bmap= needs the data";
	else if (request_is_hashed(s->q))
		plan->clone_reason = "hashing needs the data";
	else if (s->q->zeros == REQUEST_ZEROS_WRITE)
		plan->clone_reason = "zeros=write writes holes";
	else if (s->q->conv & CONV_SPARSE)
		plan->clone_reason = "conv=sparse looks for holes in the data";
	else if (s->src->kind != FACTS_FILE || s->dst->kind != FACTS_FILE)
		plan->clone_reason = "only regular files can be cloned";
	else if (!sides_may_clone(s))
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

// What both sides take in one request.
static size_t
most_of(const struct facts *src, const struct facts *dst)
{
	if (src->most == 0 || dst->most == 0)
		return (size_t)max_u64(src->most, dst->most);
	return (size_t)min_u64(src->most, dst->most);
}

void
planner_make(struct plan *plan, const struct request *q,
	     const struct rest *rest, const struct facts *src,
	     const struct facts *dst, const struct plan_refused *refused)
{
	const struct plan_sides s = {q, rest, src, dst, refused};

	*plan = (struct plan){.way = PLAN_RECORD,
			      .rate = q->rate,
			      .is_compared = q->compare !=
						     REQUEST_COMPARE_NONE &&
					     !refused->compare,
			      .is_whole = way_is_whole(q) && request_writes(q)};
	const char *too_short = way_measure(plan, &s);
	if (way_can_splice(&s)) {
		plan->way = PLAN_SPLICE;
		plan->way_reason = "a pipe can take pages without copying them";
		return;
	}
	if ((plan->way_reason = way_record_reason(&s, plan)) != NULL ||
	    (plan->way_reason = too_short) != NULL)
		return;
	plan_zeros(plan, &s);
	// A record of zeros is compared like the others, and stays a hole.
	if ((q->conv & CONV_SPARSE) && dst->kind != FACTS_NULL &&
	    plan->zeros != PLAN_ZEROS_WRITE && !plan->is_compared) {
		if (lcm(q->obs, PLAN_ALIGN) > PLAN_SPARSE_MAX) {
			plan->way_reason = "conv=sparse with large records";
			return;
		}
		plan->sparse_unit = (size_t)q->obs;
	}
	plan->way = PLAN_BULK;
	plan->way_reason = way_can_feed(&s) ? "a stream is read ahead"
					    : "both sides are seekable";
	plan_holes(plan, &s);
	plan->src = method_of_src(&s, plan);
	plan->dst = method_of_dst(&s, plan);
	// Through the page cache there is nothing to gain.
	if (plan->src.method == PLAN_FEED && q->nr_tees == 0 &&
	    !plan_is_direct(&plan->dst) && plan->dst.method != PLAN_NBD) {
		plan->way = PLAN_RECORD;
		plan->way_reason = "the source is not seekable";
		return;
	}
	if (plan_uses_aio(plan)) {
		prefer_aio(&plan->src);
		prefer_aio(&plan->dst);
	}
	plan->job_most = most_of(src, dst);
	jobs_plan(plan, q);
	plan_kernel(plan, &s);
	plan_clone(plan, &s);
	plan_size(plan, q, dst);
	// dd writes nothing behind a byte that it cannot read.
	plan->is_any_order = !q->is_dd && !plan->is_in_order &&
			     plan->dst.method != PLAN_KERNEL;
}

// By kernel AIO also where it is short: what takes long must stop nobody.
void
planner_make_mapped(struct plan *plan, const struct request *q,
		    const struct facts *src, const struct facts *dst,
		    const struct plan_refused *refused)
{
	const struct rest rest = {.done = 0};
	struct request asked = *q;
	const struct plan_sides s = {&asked, &rest, src, dst, refused};

	// What they mean to others the map has.
	asked.conv &= ~(unsigned)(CONV_NOERROR | CONV_SYNC);
	if (asked.io == REQUEST_IO_AUTO)
		asked.io = REQUEST_IO_AIO;
	*plan = (struct plan){.way = PLAN_RECORD,
			      .rate = q->rate,
			      .holes_reason = "map=",
			      .clone_reason = "map="};
	(void)way_measure(plan, &s);
	plan->way_reason = facts_is_endless(src) || facts_is_null(dst)
				   ? "a side has no offsets"
				   : way_record_reason(&s, plan);
	if (plan->way_reason != NULL)
		return;
	plan->way = PLAN_BULK;
	plan->way_reason = "map=";
	plan->src = method_of_src(&s, plan);
	plan->dst = method_of_dst(&s, plan);
	plan->job_reason = plan->depth_reason = "there is nothing to copy";
	plan->size_reason = "map= keeps it";
	if (plan->len == 0)
		return;
	plan->job_most = most_of(src, dst);
	jobs_plan(plan, &asked);
	plan->step = (size_t)lcm(plan->step, PLAN_MAPPED_STEP);
	plan->job_size = (size_t)round_up(plan->job_size, plan->step);
	plan->depth = PLAN_MAPPED_SPARE +
		      (unsigned)(q->depth > 0 ? q->depth : PLAN_DEPTH);
	plan->depth_reason = "for reads that are overdue, too";
	if (facts_is_file(dst) && dst->size < plan->dst_off + plan->len)
		plan->final_size = plan->dst_off + plan->len;
}

void
planner_make_back(struct plan *plan, const struct request *q,
		  const struct facts *back, uint64_t off, uint64_t len)
{
	const uint32_t align = back->dio_align;
	const bool is_direct = q->io != REQUEST_IO_INLINE && align > 0 &&
			       off % align == 0;

	*plan = (struct plan){.way = PLAN_BULK,
			      .way_reason = "it is read back",
			      .clone_reason = "nothing is written",
			      .size_reason = "nothing is written",
			      .holes_reason = "they are read",
			      .rate = q->rate,
			      .src_off = off,
			      .len = len,
			      .unit = 1,
			      .src = {PLAN_INLINE, 0, "verify="},
			      .dst = {PLAN_NOTHING, 0, "verify="}};
	if (back->is_mapped) {
		plan->holes = PLAN_HOLES_KEEP;
		plan->holes_reason = "bmap= says nothing of them";
	}
	if (facts_is_export(back))
		plan->src = (struct plan_side){PLAN_NBD, align, "verify="};
	else if (is_direct)
		plan->src = (struct plan_side){PLAN_AIO, align, "verify="};
	plan->job_most = (size_t)back->most;
	jobs_plan(plan, q);
}
