// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "bulk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "caution.h"
#include "clock.h"
#include "clone.h"
#include "copy.h"
#include "env.h"
#include "event.h"
#include "fd.h"
#include "hooks.h"
#include "memory.h"

// Of copy_file_range: as much as is through in KERNEL_NS, for signals and the
// progress wait for it.
#define KERNEL_STEP_MIN MIB
#define KERNEL_STEP_MAX (16 * MIB)
#define KERNEL_NS (5 * 1000 * 1000)

static void
bulk_plan(struct bulk *b)
{
	plan_make(&b->plan, b->request, &b->src->facts, &b->dst->facts,
		  &b->refused);
	if (!plan_is_large(&b->plan))
		return;
	if (b->memory == 0)
		b->memory = memory_allowed();
	plan_fit(&b->plan, b->memory);
}

static void
add_counters(struct aio_counters *sum, const struct aio_counters *add)
{
	sum->submitted += add->submitted;
	sum->announced += add->announced;
	sum->reaped += add->reaped;
	sum->inlined += add->inlined;
	sum->stalls += add->stalls;
	sum->longest_ns = max_u64(sum->longest_ns, add->longest_ns);
}

void
bulk_done(struct bulk *b)
{
	aio_done(&b->aio);
	add_counters(&b->counters, &b->aio.counters);
	b->aio.counters = (struct aio_counters){0};
}

// Where the plan counts on kernel AIO, see whether there is any, and if not
// plan without.
static void
bulk_open_aio(struct bulk *b)
{
	const bool is_wanted = plan_uses_aio(&b->plan);

	bulk_done(b); // with the stretch before
	const int r = aio_open(&b->aio, is_wanted ? b->env->kernel : NULL,
			       b->plan.depth);
	if (r == 0)
		return;
	b->refused.aio_error = r;
	bulk_plan(b);
}

static void
bulk_tell_plan(const struct bulk *b)
{
	hooks_tell(b->env->hooks, (struct event){.kind = NOTICE_PLANNED});
}

void
bulk_caution(struct bulk *b)
{
	if (!b->is_cautioned)
		caution_tell(b->request, &b->plan, b->src, b->dst,
			     b->env->hooks);
	b->is_cautioned = true;
}

// How much there is to copy, 0: only the end of the source will tell.
static void
bulk_expect(struct bulk *b)
{
	const uint64_t count_len = b->plan.count_len;

	if (b->plan.holes == PLAN_HOLES_KEEP)
		b->env->stats->moved_total = min_u64(b->plan.len,
						     b->src->facts.allocated);
	if (!facts_is_stream(&b->src->facts))
		b->env->stats->bytes_total = b->plan.len;
	else if ((b->request->iflags & FLAG_FULLBLOCK) &&
		 count_len != UINT64_MAX)
		b->env->stats->bytes_total = count_len; // or less
}

// The descriptors that the plan counts on for one side. False: one of them
// cannot be had, which is noted, and the plan is to be made again.
static bool
prepare_side(struct side *ep, const struct plan_side *side, int access,
	     struct plan_refused_side *refused)
{
	if (ep->ops->open(ep, access, SIDE_BUFFERED) < 0) {
		refused->offsets = true;
		return false;
	}
	if (plan_is_direct(side) &&
	    ep->ops->open(ep, access, SIDE_DIRECT) < 0) {
		refused->direct = true;
		return false;
	}
	return true;
}

// The final size at once. A file that others have made longer meanwhile is
// left as it is. 0 or -errno.
static int
bulk_grow(struct bulk *b)
{
	const off_t end = (off_t)b->plan.final_size;
	struct stat st;

	b->is_grown = false;
	if (end == 0)
		return 0;
	if (fstat(b->dst->fd, &st) < 0)
		return -errno;
	if (st.st_size >= end)
		return 0;
	const int r = fd_truncate(b->dst->fd, end);
	if (r < 0)
		return r;
	b->is_grown = true;
	b->grown_from = (uint64_t)st.st_size;
	// A file system that tells no holes calls them data.
	b->tells_holes = lseek(b->dst->direct_fd, end - 1, SEEK_DATA) < 0 &&
			 errno == ENXIO;
	return 0;
}

static bool
bulk_prepare(struct bulk *b)
{
	const struct plan *plan = &b->plan;

	if (!prepare_side(b->src, &plan->src, O_RDONLY, &b->refused.src) ||
	    !prepare_side(b->dst, &plan->dst, O_WRONLY, &b->refused.dst))
		return false;
	// Through the page cache the file grows as it is written.
	if (bulk_grow(b) < 0) {
		b->refused.dst.direct = true;
		return false;
	}
	return true;
}

// The size that the destination has now, or -errno, told.
static int64_t
dst_size(const struct bulk *b)
{
	struct stat st;

	if (fstat(b->dst->fd, &st) == 0)
		return st.st_size;
	return hooks_tell(b->env->hooks, (struct event){.kind = FAILURE_STAT,
							.error = errno,
							.name = b->dst->name});
}

static int
cut_dst(struct bulk *b, uint64_t size)
{
	const int r = fd_truncate(b->dst->fd, (off_t)size);

	if (r == 0)
		return 0;
	return hooks_tell(b->env->hooks,
			  (struct event){.kind = FAILURE_TRUNCATE,
					 .error = -r,
					 .name = b->dst->name,
					 .off = size});
}

// Where the last data of the file ends, 0: none is at or behind off.
static uint64_t
end_of_data(int fd, uint64_t off)
{
	off_t data = (off_t)off, end = 0;

	while ((data = lseek(fd, data, SEEK_DATA)) >= 0 &&
	       (data = lseek(fd, data, SEEK_HOLE)) >= 0)
		end = data;
	return (uint64_t)end;
}

// The file was given its final size at once: without all of its bytes it
// must not look complete. What others have written is not ours to cut: a file
// that they have made longer, and data behind `next`, the last that this copy
// can have written. 0 or -errno, told.
static int
bulk_trim(struct bulk *b, uint64_t n, uint64_t next)
{
	const struct plan *plan = &b->plan;
	uint64_t size = max_u64(b->grown_from, plan->dst_off + n);

	if (!b->is_grown || n >= plan->len)
		return 0;
	const int64_t now = dst_size(b);
	if (now != (int64_t)plan->final_size)
		return now < 0 ? (int)now : 0;
	if (b->tells_holes)
		size = max_u64(size, end_of_data(b->dst->direct_fd,
						 plan->dst_off + next));
	b->is_grown = false;
	return cut_dst(b, size);
}

// Nothing of the stretch was begun.
static enum bulk_verdict
bulk_give_up(struct bulk *b)
{
	return bulk_trim(b, 0, 0) < 0 ? BULK_FAILED : BULK_RECORDS;
}

// Both descriptors stand behind the first n bytes of the stretch. 0 or
// -errno, told: who goes on would do so at the wrong place.
static int
bulk_put_offsets(struct bulk *b, uint64_t n)
{
	const struct plan *plan = &b->plan;
	enum event_kind kind = FAILURE_SKIP;
	const struct side *ep = b->src;
	int r = ep->ops->put(ep, plan->src_off + n);

	if (r == 0) {
		kind = FAILURE_SEEK;
		ep = b->dst;
		r = ep->ops->put(ep, plan->dst_off + n);
	}
	if (r == 0)
		return 0;
	return hooks_tell(
		b->env->hooks,
		(struct event){.kind = kind, .error = -r, .name = ep->name});
}

// n bytes of the stretch are through: put both descriptors after them, and
// leave the rest as the request. The verdict, or BULK_FAILED.
static enum bulk_verdict
bulk_advance(struct bulk *b, uint64_t n, enum bulk_verdict verdict)
{
	struct request *q = b->request;
	const uint64_t nr_records = n / q->ibs + (n % q->ibs != 0);
	const bool is_put = bulk_put_offsets(b, n) == 0;

	b->src->facts.pos = b->plan.src_off + n;
	b->dst->facts.pos = b->plan.dst_off + n;
	b->dst->facts.size = max_u64(b->dst->facts.size, b->dst->facts.pos);
	// dd syncs where it turned O_DIRECT off; we never had it on.
	if ((q->oflags & FLAG_DIRECT) &&
	    !b->dst->ops->is_void && b->plan.dst.align == 0)
		b->needs_fsync = true;
	b->base += n;
	stats_count(b->env->stats, b->base, q->ibs, q->obs);
	b->env->stats->skipped = min_u64(b->env->stats->skipped, b->base);

	q->skip = q->seek = (struct request_amount){0, 0};
	if (request_has_count(q) && nr_records > q->count.blocks)
		q->count = (struct request_amount){0, 0};
	else if (request_has_count(q))
		q->count.blocks -= nr_records;
	return is_put || verdict == BULK_STOPPED ? verdict : BULK_FAILED;
}

// The copy goes on at a record boundary before what was written: a record
// that is then left out must leave nothing behind. What it has written ends
// the file, or others have written there.
static enum bulk_verdict
bulk_step_back(struct bulk *b, uint64_t whole, uint64_t n,
	       enum bulk_verdict verdict)
{
	const uint64_t start = b->plan.dst_off, old = b->dst->facts.size;

	if (whole < n && facts_is_file(&b->dst->facts) && old < start + n) {
		const int64_t now = dst_size(b);

		if (now < 0 || (now == (int64_t)(start + n) &&
				cut_dst(b, max_u64(old, start + whole)) < 0))
			verdict = BULK_FAILED;
	}
	return bulk_advance(b, whole, verdict);
}

// The record engine may get further. Not on a device that is full: the page
// cache has room, and takes what the device refuses.
static bool
can_retry_write(const struct bulk *b, const struct copy *copy)
{
	const int error = copy->failure.error;
	const bool is_full = error == ENOSPC || error == EDQUOT;

	return writer_can_retry(error) && copy->writer.nr_broken == 0 &&
	       !(is_full && facts_is_device(&b->dst->facts));
}

// What was written around the page cache may be in it as it was before.
static void
bulk_drop_cache(struct bulk *b, const struct copy *copy)
{
	const struct plan *plan = &b->plan;

	// The kernel itself sees to other files; verify= says the same.
	const struct facts *dst = &b->dst->facts;
	const bool is_late = plan_is_direct(&plan->dst) &&
			     (facts_is_device(dst) || dst->is_remote);

	if (is_late && copy->ring.next > 0 &&
	    b->dst->ops->drop_cache(b->dst, plan->dst_off, copy->ring.next) <
		    0 &&
	    !b->request->is_dd && !b->request->verify)
		hooks_tell(b->env->hooks,
			   (struct event){.kind = NOTICE_CACHE_KEPT,
					  .name = b->dst->name});
	if ((b->request->oflags & FLAG_DIRECT) && copy->writer.nr_cached > 0)
		b->needs_fsync = true;
}

// Byte n of the stretch could not be written: whatever goes into its record has
// been read before, and dd counts it. A record that ends with the source has
// words of its own.
static enum event_kind
bulk_count_refused(struct bulk *b, uint64_t n)
{
	const struct request *q = b->request;
	const struct plan *plan = &b->plan;
	const uint64_t base = b->base - n;
	const uint64_t end = round_down(n, q->obs) + q->obs;
	uint64_t left = plan->count_len;

	if (facts_has_offsets(&b->src->facts))
		left = min_u64(left, b->src->facts.size - plan->src_off);
	const uint64_t read = base + min_u64(round_up(end, q->ibs), left);
	b->env->stats->in_full = read / q->ibs;
	b->env->stats->in_partial = read % q->ibs != 0;
	return q->is_single_buffer || left < end ? FAILURE_WRITE
						 : FAILURE_WRITE_TO;
}

// What the ring has left behind, and who goes on.
static enum bulk_verdict
bulk_settle(struct bulk *b, const struct copy *copy,
	    enum copy_verdict verdict)
{
	const struct event *failure = &copy->failure;
	const uint64_t n = ring_prefix(&copy->ring);
	const uint64_t whole = round_down(n, b->plan.unit);
	const uint64_t src_size = b->src->facts.size;
	const bool is_eof = n < b->plan.len ||
			    (!facts_is_endless(&b->src->facts) &&
			     b->plan.src_off + n >= src_size);

	const bool is_trimmed = bulk_trim(b, n, copy->ring.next) == 0;

	bulk_drop_cache(b, copy);
	if (verdict == COPY_LOST && is_trimmed) {
		// Without kernel AIO it is the loop itself that cannot sleep.
		const bool was_aio = plan_uses_aio(&b->plan);

		b->refused.aio_error = -EPERM;
		return bulk_step_back(b, whole, n,
				      was_aio ? BULK_AGAIN : BULK_RECORDS);
	}
	if (copy->is_stopped)
		return bulk_advance(b, n, BULK_STOPPED);
	if (failure->kind == FAILURE_WRITE &&
	    !(is_trimmed && can_retry_write(b, copy))) {
		struct event told = *failure;

		told.off += b->plan.dst_off;
		(void)bulk_advance(b, n, BULK_FAILED); // as it is
		told.kind = bulk_count_refused(b, n);
		hooks_tell(b->env->hooks, told);
		return BULK_FAILED;
	}
	if (!is_trimmed)
		return bulk_advance(b, n, BULK_FAILED);
	if (failure->kind == EVENT_NONE && n == b->plan.count_len)
		return bulk_advance(b, n, BULK_DONE);
	if (failure->kind == EVENT_NONE && is_eof)
		return bulk_advance(b, n, BULK_RECORDS);
	return bulk_step_back(b, whole, n, BULK_RECORDS);
}

static uint64_t
copy_direct(const struct copy *copy)
{
	const uint64_t n = ring_prefix(&copy->ring);

	if (copy->writer.align == 0 || n < copy->writer.nr_cached)
		return 0;
	return n - copy->writer.nr_cached;
}

uint64_t
bulk_direct(const struct bulk *b)
{
	return b->nr_direct + (b->copy != NULL ? copy_direct(b->copy) : 0);
}

static enum bulk_verdict
bulk_stretch(struct bulk *b)
{
	const struct copy_parts parts = {.env = b->env,
					 .plan = &b->plan,
					 .aio = &b->aio,
					 .src = b->src,
					 .dst = b->dst,
					 .hold = b->hold,
					 .writeback = b->writeback,
					 .base = b->base};
	struct copy copy;
	enum bulk_verdict verdict;

	if (copy_init(&copy, &parts) < 0)
		return bulk_give_up(b);
	if (copy_open_loop(&copy) == 0) {
		b->copy = &copy;
		const enum copy_verdict end = copy_run(&copy);
		b->copy = NULL;
		b->nr_direct += copy_direct(&copy);
		verdict = bulk_settle(b, &copy, end);
	} else {
		verdict = bulk_give_up(b);
	}
	copy_done(&copy);
	return verdict;
}

// All of the stretch is through.
static enum bulk_verdict
bulk_complete(struct bulk *b)
{
	const struct plan *plan = &b->plan;

	return bulk_advance(b, plan->len,
			    plan->len == plan->count_len ? BULK_DONE
							 : BULK_RECORDS);
}

// From page cache to page cache, in steps that signals and progress can wait
// for. Where the kernel will not go on, the ring does.
static enum bulk_verdict
bulk_in_kernel(struct bulk *b)
{
	const struct plan *plan = &b->plan;
	const struct hooks *h = b->env->hooks;
	struct clone clone = {.src_fd = b->src->fd, .dst_fd = b->dst->fd};
	uint64_t n = 0, step = KERNEL_STEP_MIN;
	int64_t got = 1;

	while (n < plan->len && (got > 0 || got == -EINTR)) {
		const uint64_t start_ns = clock_ns();

		clone.src_off = plan->src_off + n;
		clone.dst_off = plan->dst_off + n;
		clone.len = min_u64(plan->len - n, step);
		got = clone_copy(&clone);
		n += got > 0 ? (uint64_t)got : 0;
		if (clock_ns() - start_ns > KERNEL_NS)
			step = max_u64(step / 2, KERNEL_STEP_MIN);
		else
			step = min_u64(step * 2, KERNEL_STEP_MAX);
		stats_count(b->env->stats, b->base + n, b->request->ibs,
			    b->request->obs);
		(void)b->src->ops->put(b->src, plan->src_off + n);
		(void)b->dst->ops->put(b->dst, plan->dst_off + n);
		if (h->tick != NULL)
			h->tick(h->ctx);
		if (h->must_stop(h->ctx))
			return bulk_advance(b, n, BULK_STOPPED);
	}
	if (n == plan->len)
		return bulk_complete(b);
	b->refused.kernel_copy = true;
	return bulk_advance(b, round_down(n, plan->unit), BULK_AGAIN);
}

// BULK_AGAIN: it may be copied as well.
static enum bulk_verdict
bulk_not_cloned(const struct bulk *b, int r)
{
	const bool is_empty = facts_is_file(&b->src->facts) &&
			      b->src->facts.size == 0;

	if (b->request->clone != REQUEST_CLONE_ALWAYS || is_empty)
		return BULK_AGAIN;
	hooks_tell(b->env->hooks, (struct event){.kind = FAILURE_CLONE,
						 .error = -r,
						 .name = b->src->name});
	return BULK_FAILED;
}

// The whole stretch without a byte of it passing through us. BULK_AGAIN: it
// has to be copied.
static enum bulk_verdict
bulk_clone(struct bulk *b)
{
	const struct plan *plan = &b->plan;
	const struct clone clone = {.src_fd = b->src->fd,
				    .dst_fd = b->dst->fd,
				    .src_off = plan->src_off,
				    .dst_off = plan->dst_off,
				    .len = plan->len};
	const struct hooks *h = b->env->hooks;
	int r = -EOPNOTSUPP;

	if (plan->is_clone) {
		bulk_tell_plan(b);
		do {
			r = clone_extents(&clone);
		} while (r == -EINTR && !h->must_stop(h->ctx));
	}
	if (r == 0) {
		b->env->stats->skipped = plan->len;
		b->env->stats->moved_total = 0; // data, too, is not moved
		return bulk_complete(b);
	}
	if (r == -EINTR)
		return BULK_STOPPED;
	return bulk_not_cloned(b, r);
}

// The stretches that the ring can copy. What is left is in b->request.
enum bulk_verdict
bulk_run(struct bulk *b)
{
	enum bulk_verdict verdict;

	bulk_plan(b);
	bulk_expect(b);
	verdict = bulk_clone(b);
	while (verdict == BULK_AGAIN) {
		bulk_plan(b);
		const bool is_in_ring = b->plan.way == PLAN_BULK &&
					b->plan.src.method != PLAN_KERNEL;
		if (is_in_ring)
			bulk_open_aio(b);
		bulk_tell_plan(b);
		bulk_caution(b);
		if (b->plan.way != PLAN_BULK)
			return BULK_RECORDS;
		if (!is_in_ring) {
			verdict = bulk_in_kernel(b);
			continue;
		}
		if (bulk_prepare(b))
			verdict = bulk_stretch(b);
		aio_start_done(&b->aio); // while others go on: bulk_done
		side_close_extra(b->src);
		side_close_extra(b->dst);
	}
	return verdict;
}

void
bulk_preview(struct bulk *b)
{
	bulk_plan(b);
	if (b->plan.way == PLAN_BULK)
		bulk_open_aio(b);
	bulk_done(b);
	bulk_expect(b);
	bulk_tell_plan(b);
}

bool
bulk_can_clone(const struct bulk *b)
{
	return b->plan.is_clone ||
	       bulk_not_cloned(b, -EOPNOTSUPP) != BULK_FAILED;
}
