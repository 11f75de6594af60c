// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "caution.h"

#include <fcntl.h>
#include <unistd.h>

#include "base.h"
#include "disk.h"
#include "side.h"
#include "event.h"
#include "fd.h"
#include "hooks.h"
#include "label.h"
#include "mounts.h"
#include "overlap.h"
#include "plan.h"
#include "request.h"

uint64_t
caution_space(const struct request *q, const struct plan *plan,
	      const struct facts *src, const struct facts *dst)
{
	const uint64_t off = request_dst_off(q, dst->pos);
	const uint64_t reach = overlap_reach(q, src, dst);
	uint64_t holes = 0, old = 0;

	// Which blocks are zeros is seen when they are read.
	if (reach == 0 || (q->conv & CONV_SPARSE))
		return 0;
	const uint64_t len = reach - off;
	if (plan->holes == PLAN_HOLES_KEEP)
		holes = min_u64(src->size - src->allocated, len);
	// What is written over has its blocks already.
	if (!dst->is_append && dst->size > off)
		old = min_u64(dst->allocated, min_u64(dst->size, reach) - off);
	return len - holes > old ? len - holes - old : 0;
}

static void
tell_space(const struct request *q, const struct plan *plan,
	   const struct side *src, const struct side *dst,
	   const struct hooks *h)
{
	const uint64_t space = facts_is_file(&dst->facts)
				       ? caution_space(q, plan, &src->facts,
						       &dst->facts)
				       : 0;

	if (space >= CAUTION_SPACE_MIN && space > dst->facts.free)
		hooks_tell(h, (struct event){.kind = NOTICE_SPACE,
					     .name = dst->name,
					     .off = dst->facts.free,
					     .len = space});
}

// All of the disk from its start, byte by byte.
static bool
is_image(const struct request *q, const struct facts *src,
	 const struct facts *dst)
{
	return dst->rdev != 0 && facts_has_offsets(src) &&
	       request_src_off(q, src->pos) == 0 &&
	       request_dst_off(q, dst->pos) == 0 &&
	       !(q->conv & CONV_BYTES) && disk_whole(dst->rdev) == dst->rdev;
}

// A source that is only looked at is not open.
static ssize_t
read_start(const struct request *q, const struct side *src, unsigned char *buf,
	   size_t len)
{
	if (!q->plan_only || q->src == NULL)
		return src->ops->read_at(src, SIDE_BUFFERED, buf, len, 0);
	const int fd = fd_open(q->src, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	const ssize_t n = read(fd, buf, len);
	(void)close(fd); // only read
	return n;
}

static bool
read_label(struct label *ret, const struct request *q,
	   const struct side *src, uint32_t sector)
{
	// As O_DIRECT wants it.
	_Alignas(LABEL_MAX) unsigned char buf[LABEL_MAX];
	const ssize_t n = read_start(q, src, buf, sizeof(buf));

	return n > 0 && label_find(ret, buf, (size_t)n, sector);
}

static void
tell_label(const struct request *q, const struct side *src,
	   const struct side *dst, const struct hooks *h)
{
	const uint32_t sector = dst->facts.sector;
	const struct mounts_use disk = {.dev = dst->facts.rdev};
	struct label label;

	if (!is_image(q, &src->facts, &dst->facts) ||
	    !read_label(&label, q, src, sector))
		return;
	const uint64_t reach = overlap_reach(q, &src->facts, &dst->facts);
	if (reach <= label.sector)
		return; // it is not among what is copied
	if (label.sector != sector)
		hooks_tell(h, (struct event){.kind = NOTICE_SECTORS,
					     .name = dst->name,
					     .off = label.sector,
					     .len = sector});
	else if (label.end != dst->facts.size || reach < label.end)
		hooks_tell(h, (struct event){.kind = NOTICE_BACKUP,
					     .name = dst->name,
					     .use = &disk});
}

void
caution_tell(const struct request *q, const struct plan *plan,
	     const struct side *src, const struct side *dst,
	     const struct hooks *h)
{
	if (q->is_dd)
		return;
	tell_space(q, plan, src, dst, h);
	tell_label(q, src, dst, h);
}
