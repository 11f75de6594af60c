// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "clone.h"
#include "copy.h"
#include "failure.h"
#include "finish.h"
#include "hooks.h"
#include "probe.h"
#include "record.h"
#include "serial.h"

#define KERNEL_STEP (8 * MIB) // of copy_file_range, a few milliseconds

void
transfer_init(struct transfer *t, const struct request *q,
	      const struct hooks *hooks, struct stats *stats)
{
	*t = (struct transfer){.request = *q,
			       .hooks = hooks,
			       .stats = stats,
			       .aio.eventfd = -1};
}

static void
transfer_plan(struct transfer *t)
{
	plan_make(&t->plan, &t->request, &t->src.facts, &t->dst.facts,
		  t->aio_error);
}

// Where the plan counts on kernel AIO, see whether there is any, and if not
// plan without. 0, or -ENOMEM.
static int
transfer_open_aio(struct transfer *t)
{
	const struct aio_kernel *kernel =
		plan_uses_aio(&t->plan) ? &aio_kernel_linux : NULL;
	int r = aio_init(&t->aio, kernel, t->plan.depth);

	if (kernel == NULL)
		return r;
	if (r == 0) {
		r = aio_probe(&t->aio);
		if (r < 0)
			aio_done(&t->aio);
	}
	if (r == 0) {
		aio_start_submitter(&t->aio);
		return 0;
	}
	t->aio_error = r;
	transfer_plan(t);
	return aio_init(&t->aio, NULL, t->plan.depth);
}

static int
preview_side(struct endpoint *ep, const char *path, int fd,
	     const struct hooks *h)
{
	int r = 0;

	*ep = (struct endpoint){.fd = fd, .name = path};
	if (path == NULL)
		probe_descriptor(fd, &ep->facts);
	else
		r = probe_path(path, &ep->facts);
	if (r < 0)
		h->notice(h->ctx, &(struct failure){.phase = FAILURE_OPEN,
						    .error = -r,
						    .name = path});
	return r;
}

enum transfer_verdict
transfer_preview(struct transfer *t)
{
	const struct request *q = &t->request;

	if (preview_side(&t->src, q->src, STDIN_FILENO, t->hooks) < 0 ||
	    preview_side(&t->dst, q->dst, STDOUT_FILENO, t->hooks) < 0)
		return TRANSFER_UNCOUNTED;
	// Opening it would cut it.
	if (q->dst != NULL && !(q->conv & CONV_NOTRUNC) &&
	    t->dst.facts.kind == FACTS_FILE)
		t->dst.facts.size = 0;
	transfer_plan(t);
	if (t->plan.way == PLAN_BULK && transfer_open_aio(t) == 0)
		aio_done(&t->aio);
	return TRANSFER_OK;
}

// A pipe of a megabyte takes a record without a sleep in the middle. Refused
// for what is no pipe, and beyond the user's share: then it stays as it is.
static void
widen_pipe(const struct endpoint *ep)
{
	if (ep->facts.kind == FACTS_STREAM)
		(void)fcntl(ep->fd, F_SETPIPE_SZ, (int)MIB);
}

static void
transfer_probe(struct transfer *t)
{
	probe_descriptor(t->src.fd, &t->src.facts);
	probe_descriptor(t->dst.fd, &t->dst.facts);
	if (!t->request.is_dd) {
		widen_pipe(&t->src);
		widen_pipe(&t->dst);
	}
}

// The descriptors and sizes that the plan counts on. False: one of them
// cannot be had; the facts say so now, and the plan is to be made again.
static bool
prepare_side(struct endpoint *ep, const struct plan_side *side, int access)
{
	if (side->method == PLAN_NOTHING)
		return true;
	if (endpoint_open_buffered(ep, access) < 0) {
		ep->facts.kind = FACTS_STREAM;
		return false;
	}
	if (side->method == PLAN_AIO && endpoint_open_direct(ep, access) < 0) {
		ep->facts.dio_align = 0;
		return false;
	}
	return true;
}

static bool
transfer_prepare(struct transfer *t)
{
	const struct plan *plan = &t->plan;

	if (!prepare_side(&t->src, &plan->src, O_RDONLY) ||
	    !prepare_side(&t->dst, &plan->dst, O_WRONLY))
		return false;
	if (plan->final_size > 0 &&
	    ftruncate(t->dst.fd, (off_t)plan->final_size) < 0) {
		t->dst.facts.dio_align = 0;
		return false;
	}
	return true;
}

// The file was given its final size at once: without all of its bytes it
// must not look complete.
static void
transfer_trim(struct transfer *t, uint64_t n)
{
	const struct plan *plan = &t->plan;

	if (plan->final_size > 0 && n < plan->len)
		(void)!ftruncate(t->dst.fd,
				 (off_t)max_u64(t->dst.facts.size,
						plan->dst_off + n));
}

// n bytes of the stretch are through: put both descriptors after them, and
// leave the rest as the request.
static void
transfer_advance(struct transfer *t, uint64_t n)
{
	struct request *q = &t->request;
	const uint64_t nr_records = n / q->ibs + (n % q->ibs != 0);

	// Neither can fail: the offsets were used, or came from lseek.
	(void)lseek(t->src.fd, (off_t)(t->plan.src_off + n), SEEK_SET);
	if (t->dst.facts.kind != FACTS_NULL)
		(void)lseek(t->dst.fd, (off_t)(t->plan.dst_off + n), SEEK_SET);
	t->src.facts.pos = t->plan.src_off + n;
	t->dst.facts.pos = t->plan.dst_off + n;
	t->dst.facts.size = max_u64(t->dst.facts.size, t->dst.facts.pos);
	t->needs_fsync = (q->oflags & FLAG_DIRECT) && t->plan.dst.align > 0 &&
			 t->dst.facts.pos % t->plan.dst.align != 0;
	t->base += n;
	stats_count(t->stats, t->base, q->ibs, q->obs);

	q->skip = q->seek = (struct request_extent){0, 0};
	if (!request_has_count(q))
		return;
	if (nr_records > q->count.blocks)
		q->count = (struct request_extent){0, 0};
	else
		q->count.blocks -= nr_records;
}

// Errors that the record engine can make less of, by smaller requests or
// without O_DIRECT. The others are final: the page cache must not swallow
// a write error that the device has reported.
static bool
can_retry_write(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EINVAL:
	case EOPNOTSUPP:
	case ENOMEM:
		return true;
	default:
		return false;
	}
}

enum step {
	STEP_DONE,      // count= is reached
	STEP_RECORDS,   // the record engine goes on
	STEP_PLAN,      // another stretch, planned anew
	// Nobody does.
	STEP_FAILED,    // told
	STEP_STOPPED,
};

// What the ring has left behind, and who goes on.
static enum step
transfer_settle(struct transfer *t, const struct copy *copy,
		enum copy_verdict verdict)
{
	const struct failure *failure = &copy->failure;
	const uint64_t n = ring_prefix(&copy->ring);
	const uint64_t whole = round_down(n, t->plan.unit);
	const uint64_t src_size = t->src.facts.size;
	const bool is_eof = n < t->plan.len ||
			    (t->src.facts.kind != FACTS_ZERO &&
			     t->plan.src_off + n >= src_size);

	transfer_trim(t, n);
	if (verdict == COPY_LOST) {
		t->aio_error = -EPERM;
		transfer_advance(t, whole);
		return STEP_PLAN;
	}
	if (copy->is_stopped) {
		transfer_advance(t, n);
		return STEP_STOPPED;
	}
	if (failure->phase == FAILURE_WRITE &&
	    !can_retry_write(failure->error)) {
		struct failure told = *failure;

		told.off += t->plan.dst_off;
		transfer_advance(t, n);
		t->hooks->notice(t->hooks->ctx, &told);
		return STEP_FAILED;
	}
	if (failure->phase == FAILURE_NONE && n == t->plan.count_len) {
		transfer_advance(t, n);
		return STEP_DONE;
	}
	transfer_advance(t, failure->phase == FAILURE_NONE && is_eof ? n
								     : whole);
	return STEP_RECORDS;
}

static enum step
transfer_stretch(struct transfer *t)
{
	struct copy copy;
	enum step step = STEP_RECORDS;

	if (copy_init(&copy, &t->plan, &t->aio, &t->src, &t->dst) < 0) {
		transfer_trim(t, 0);
		return step;
	}
	copy.request = &t->request;
	copy.stats = t->stats;
	copy.stats_base = t->base;
	if (copy_open_loop(&copy, t->hooks) == 0)
		step = transfer_settle(t, &copy, copy_run(&copy));
	else
		transfer_trim(t, 0);
	copy_done(&copy);
	return step;
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

// All of the stretch is through.
static enum step
transfer_complete(struct transfer *t)
{
	const struct plan *plan = &t->plan;

	transfer_advance(t, plan->len);
	return plan->len == plan->count_len ? STEP_DONE : STEP_RECORDS;
}

// From page cache to page cache, in steps that signals and progress can wait
// for. Where the kernel will not go on, the ring does.
static enum step
transfer_in_kernel(struct transfer *t)
{
	const struct plan *plan = &t->plan;
	const struct hooks *h = t->hooks;
	struct clone clone = {.src_fd = t->src.fd, .dst_fd = t->dst.fd};
	uint64_t n = 0;
	int64_t got = 1;

	while (n < plan->len && got > 0) {
		clone.src_off = plan->src_off + n;
		clone.dst_off = plan->dst_off + n;
		clone.len = min_u64(plan->len - n, KERNEL_STEP);
		got = clone_copy(&clone);
		n += got > 0 ? (uint64_t)got : 0;
		stats_count(t->stats, t->base + n, t->request.ibs,
			    t->request.obs);
		if (h->tick != NULL)
			h->tick(h->ctx);
		if (h->must_stop(h->ctx)) {
			transfer_advance(t, n);
			return STEP_STOPPED;
		}
	}
	if (n == plan->len)
		return transfer_complete(t);
	t->src.facts.is_kernel_copy = false;
	transfer_advance(t, round_down(n, plan->unit));
	return STEP_PLAN;
}

// The whole stretch without a byte of it passing through us. STEP_PLAN: it
// has to be copied.
static enum step
transfer_clone(struct transfer *t)
{
	const struct plan *plan = &t->plan;
	const struct clone clone = {.src_fd = t->src.fd,
				    .dst_fd = t->dst.fd,
				    .src_off = plan->src_off,
				    .dst_off = plan->dst_off,
				    .len = plan->len};
	const int r = plan->is_clone ? clone_extents(&clone) : -EOPNOTSUPP;

	if (r == 0)
		return transfer_complete(t);
	const bool is_empty = t->src.facts.kind == FACTS_FILE &&
			      t->src.facts.size == 0;
	if (t->request.clone != REQUEST_CLONE_ALWAYS || is_empty)
		return STEP_PLAN;
	t->hooks->notice(t->hooks->ctx,
			 &(struct failure){.phase = FAILURE_CLONE,
					   .error = -r,
					   .name = t->src.name});
	return STEP_FAILED;
}

// The stretches that the ring can copy. What is left is in t->request.
static enum step
transfer_bulk(struct transfer *t)
{
	enum step step;

	transfer_plan(t);
	t->stats->bytes_total = t->plan.len;
	step = transfer_clone(t);
	while (step == STEP_PLAN) {
		transfer_plan(t);
		if (t->plan.way == PLAN_RECORD)
			return STEP_RECORDS;
		if (t->plan.src.method == PLAN_KERNEL) {
			step = transfer_in_kernel(t);
			continue;
		}
		if (transfer_open_aio(t) < 0)
			return STEP_RECORDS;
		if (transfer_prepare(t))
			step = transfer_stretch(t);
		aio_done(&t->aio);
		add_counters(&t->counters, &t->aio.counters);
		endpoint_close_extra(&t->src);
		endpoint_close_extra(&t->dst);
	}
	return step;
}

static int
transfer_records(struct transfer *t, struct record *record, enum step step)
{
	int r;

	if (step == STEP_DONE)
		return record_finish(record);
	r = record_skip(record);
	if (r == 0)
		r = record_seek(record);
	if (r == 0 && (t->request.count.blocks > 0 ||
		       t->request.count.bytes > 0))
		r = record_run(record);
	return r;
}

static int
transfer_sync(struct transfer *t, const struct serial *serial)
{
	const struct request *q = &t->request;
	unsigned conv = q->conv;

	if (serial->is_direct_off || t->needs_fsync)
		conv |= CONV_FSYNC;
	// A disk is done when it can be pulled out.
	if (!q->is_dd && t->dst.facts.kind == FACTS_BLOCK)
		conv |= CONV_FSYNC;
	return finish_sync(&t->dst, conv, t->hooks);
}

static enum transfer_verdict
transfer_copy(struct transfer *t)
{
	struct serial serial;
	struct record record;
	const enum step step = transfer_bulk(t);
	int r = -EIO;

	serial_init(&serial, &t->request, &t->src, &t->dst, t->hooks);
	serial.ended_in_hole =
		t->base > 0 && (serial.is_sparse || t->request.keeps_holes);
	record_init(&record, &serial, &t->request, t->hooks, t->stats);
	if (step < STEP_FAILED)
		r = transfer_records(t, &record, step);
	else if (serial_end_hole(&serial) == 0 && step == STEP_STOPPED)
		r = -ECANCELED;
	const bool is_uncounted = record.is_out_of_memory;
	const enum nocache_rest rest = record.is_at_eof ? NOCACHE_TO_EOF
							: NOCACHE_PENDING;
	record_done(&record);
	if (is_uncounted)
		return TRANSFER_UNCOUNTED;
	if (r == -ECANCELED)
		return TRANSFER_STOPPED;
	const int synced = transfer_sync(t, &serial);
	if (synced == -ECANCELED)
		return TRANSFER_STOPPED;
	if (serial_drop_cache(&serial, rest) < 0 || r < 0 || synced < 0)
		return TRANSFER_FAILED;
	return TRANSFER_OK;
}

static enum transfer_verdict
transfer_open(struct transfer *t)
{
	int r = endpoint_open_src(&t->src, &t->request, t->hooks);

	if (r == 0)
		r = endpoint_open_dst(&t->dst, &t->request, t->hooks);
	if (r < 0)
		return r == -ECANCELED ? TRANSFER_STOPPED
				       : TRANSFER_UNCOUNTED;
	return TRANSFER_OK;
}

enum transfer_verdict
transfer_run(struct transfer *t)
{
	enum transfer_verdict verdict = transfer_open(t);

	if (verdict != TRANSFER_OK)
		return verdict;
	t->stats->start_ns = clock_ns();
	transfer_probe(t);
	verdict = transfer_copy(t);
	if (verdict == TRANSFER_UNCOUNTED)
		return verdict;
	if (finish_close(&t->src, &t->dst, t->hooks) < 0)
		return TRANSFER_UNCOUNTED;
	return verdict;
}
