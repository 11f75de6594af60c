// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "aio.h"
#include "base.h"
#include "copy.h"
#include "hasher.h"
#include "hold.h"
#include "failure.h"
#include "hooks.h"
#include "plan.h"
#include "stats.h"

#define GAP_MAX 512 // equal bytes between two ranges that are told as one

// What the page cache holds proves nothing. Its pages are clean by now, so
// that they can be dropped; O_DIRECT, where there is any, goes around it. All
// of the file, since a folio that lies in a range in part only would stay.
static void
drop_cache(const struct verify *v)
{
	if (v->dst->facts.kind == FACTS_BLOCK)
		(void)ioctl(v->dst->fd, BLKFLSBUF, 0);
	(void)posix_fadvise(v->dst->fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int
tell(const struct verify *v, enum failure_phase phase, uint64_t off, int r)
{
	v->hooks->notice(v->hooks->ctx, &(struct failure){.phase = phase,
							  .error = -r,
							  .name = v->dst->name,
							  .off = off});
	return r;
}

static void
tell_differs(struct verify *v, uint64_t off, uint64_t len, int wrote,
	     int found)
{
	v->nr_bad += len;
	v->hooks->notice(v->hooks->ctx,
			 &(struct failure){.phase = FAILURE_DIFFERS,
					   .name = v->dst->name,
					   .off = v->dst_off + off,
					   .len = len,
					   .wrote = wrote,
					   .found = found});
}

static int
copy_back(struct verify *v, struct copy *copy)
{
	const enum copy_verdict verdict = copy_run(copy);
	const uint64_t got = copy->stats_base + ring_prefix(&copy->ring);

	if (copy->is_stopped)
		return -ECANCELED;
	if (verdict == COPY_LOST)
		return tell(v, FAILURE_VERIFY, v->dst_off, -EIO);
	if (copy->failure.phase != FAILURE_NONE)
		return tell(v, FAILURE_VERIFY,
			    v->dst_off + copy->stats_base + copy->failure.off,
			    -copy->failure.error);
	if (got == v->len)
		return 0;
	tell_differs(v, got, v->len - got, -1, -1); // it ends too early
	return -EBADMSG;
}

// Kernel AIO where it is to be had, else inline. 0 or -errno.
static int
open_aio(const struct verify *v, struct plan *plan, struct aio *aio)
{
	if (plan->src.method == PLAN_AIO &&
	    aio_open(aio, v->kernel, plan->depth) == 0)
		return 0;
	plan->src = (struct plan_side){PLAN_INLINE, 0, ""};
	return aio_init(aio, NULL, plan->depth);
}

// Bytes at the beginning that are in memory.
static size_t
held_len(const struct verify *v)
{
	return v->hold != NULL ? (size_t)min_u64(v->hold->size, v->len) : 0;
}

// Through the ring, into nothing but the digest; what is held back has been
// handed to that.
static int
read_back(struct verify *v, struct endpoint *ep, struct hasher *hasher)
{
	const struct endpoint nothing = {.fd = -1};
	const size_t held = held_len(v);
	struct plan plan;
	struct aio aio;
	struct copy copy;
	int r;

	if (held == v->len)
		return 0;
	plan_make_back(&plan, v->request, &ep->facts, v->dst_off + held,
		       v->len - held);
	r = open_aio(v, &plan, &aio);
	if (r < 0)
		return tell(v, FAILURE_VERIFY, v->dst_off, r);
	r = copy_init(&copy, &plan, &aio, ep, &nothing);
	if (r < 0) {
		tell(v, FAILURE_VERIFY, v->dst_off, r);
	} else {
		copy.request = v->request;
		copy.stats = v->stats;
		copy.stats_base = held;
		copy.is_reading_back = true;
		copy.reader.pace = v->pace;
		copy_set_hasher(&copy, hasher);
		r = copy_open_loop(&copy, v->hooks);
		if (r < 0)
			tell(v, FAILURE_VERIFY, v->dst_off, r);
		else
			r = copy_back(v, &copy);
		copy_done(&copy);
	}
	aio_done(&aio);
	return r;
}

struct pair {
	unsigned char *wrote;
	unsigned char *found;
};

static bool
read_all(int fd, unsigned char *buf, uint64_t off, size_t len)
{
	size_t got = 0;

	while (got < len) {
		const ssize_t n = pread(fd, buf + got, len - got,
					(off_t)(off + got));
		if (n <= 0 && !(n < 0 && errno == EINTR))
			return false;
		got += n > 0 ? (size_t)n : 0;
	}
	return true;
}

// The runs of bytes that differ, small gaps between them included.
static void
compare_bytes(struct verify *v, const unsigned char *wrote,
	      const unsigned char *found, uint64_t off, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t first, last;

		while (i < len && wrote[i] == found[i])
			i++;
		if (i == len)
			return;
		first = last = i;
		for (; i < len && i - last <= GAP_MAX; i++)
			if (wrote[i] != found[i])
				last = i;
		tell_differs(v, off + first, last - first + 1,
			     wrote[first], found[first]);
	}
}

// The source may be read again where it has offsets and was not converted.
static bool
can_compare(const struct verify *v)
{
	return facts_has_offsets(&v->src->facts) &&
	       !(v->request->conv & (CONV_BYTES | CONV_SYNC | CONV_NOERROR));
}

static void
look_closer(struct verify *v, int fd, const struct pair *pair, uint64_t off)
{
	const size_t len = (size_t)min_u64(HASHER_RANGE_LEN, v->len - off);
	const size_t held = off == 0 ? held_len(v) : 0;
	const uint64_t told = v->nr_bad;

	if (can_compare(v) &&
	    read_all(v->src->fd, pair->wrote, v->src_off + off, len) &&
	    read_all(fd, pair->found, v->dst_off + off, len)) {
		if (held > 0)
			memcpy(pair->found, v->hold->block, held);
		compare_bytes(v, pair->wrote, pair->found, off, len);
	}
	// Equal now: one of the two changes from one read to the next.
	if (v->nr_bad == told)
		tell_differs(v, off, len, -1, -1);
}

static int
compare(struct verify *v, const struct endpoint *ep, const struct hasher *back)
{
	const uint64_t nr = (v->len + HASHER_RANGE_LEN - 1) / HASHER_RANGE_LEN;
	const int fd = ep->buffered_fd;
	struct pair pair = {malloc(HASHER_RANGE_LEN), malloc(HASHER_RANGE_LEN)};

	for (uint64_t i = 0; i < nr; i++) {
		if (hasher_is_same_range(v->written, back, i))
			continue;
		if (pair.wrote != NULL && pair.found != NULL)
			look_closer(v, fd, &pair, i * HASHER_RANGE_LEN);
		else
			tell_differs(v, i * HASHER_RANGE_LEN, HASHER_RANGE_LEN,
				     -1, -1);
	}
	free(pair.found);
	free(pair.wrote);
	return v->nr_bad > 0 ? -EBADMSG : 0;
}

int
verify_run(struct verify *v)
{
	struct endpoint ep;
	struct hasher *back;
	int r;

	if (v->len == 0)
		return 0;
	drop_cache(v);
	back = hasher_new(1U << HASHER_RANGES);
	if (back == NULL)
		return tell(v, FAILURE_VERIFY, v->dst_off, -ENOMEM);
	if (held_len(v) > 0) {
		hasher_put(back, 0, v->hold->block, held_len(v));
		hasher_wait(back, 1);
	}
	r = endpoint_open_back(v->dst, &ep);
	if (r < 0)
		tell(v, FAILURE_VERIFY, v->dst_off, r);
	else {
		r = read_back(v, &ep, back);
		hasher_finish(back, v->len);
		if (r == 0)
			r = compare(v, &ep, back);
		endpoint_close_extra(&ep);
	}
	hasher_free(back);
	return r;
}

// Around the page cache where that can be done.
static int
read_block(const struct verify *v, const struct endpoint *ep,
	   unsigned char *buf, size_t len)
{
	const uint32_t align = ep->facts.dio_align;
	const bool is_direct = align > 0 && v->dst_off % align == 0;
	const size_t want = is_direct ? (size_t)round_up(len, align) : len;

	return read_all(is_direct ? ep->direct_fd : ep->buffered_fd, buf,
			v->dst_off, want)
		       ? 0
		       : -EIO;
}

int
verify_block(struct verify *v, const struct hold *hold)
{
	const size_t len = (size_t)min_u64(hold->size, v->len);
	unsigned char *buf = aligned_alloc(HOLD_MAX, HOLD_MAX);
	struct endpoint ep;
	int r = buf != NULL ? endpoint_open_back(v->dst, &ep) : -ENOMEM;

	if (r == 0) {
		drop_cache(v);
		r = read_block(v, &ep, buf, len);
		endpoint_close_extra(&ep);
	}
	if (r < 0) {
		tell(v, FAILURE_VERIFY, v->dst_off, r);
	} else {
		compare_bytes(v, hold->block, buf, 0, len);
		r = v->nr_bad > 0 ? -EBADMSG : 0;
	}
	free(buf);
	return r;
}
