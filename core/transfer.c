// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "failure.h"
#include "finish.h"
#include "hooks.h"
#include "probe.h"
#include "record.h"
#include "serial.h"

void
transfer_init(struct transfer *t, const struct request *q,
	      const struct hooks *hooks, struct stats *stats)
{
	*t = (struct transfer){.request = *q, .hooks = hooks, .stats = stats};
	t->bulk = (struct bulk){.request = &t->request,
				.hooks = hooks,
				.stats = stats,
				.src = &t->src,
				.dst = &t->dst};
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
	bulk_preview(&t->bulk);
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

static int
transfer_records(struct transfer *t, struct record *record,
		 enum bulk_verdict bulk)
{
	int r;

	if (bulk == BULK_DONE)
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

	if (serial->is_direct_off || t->bulk.needs_fsync)
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
	const enum bulk_verdict bulk = bulk_run(&t->bulk);
	int r = -EIO;

	serial_init(&serial, &t->request, &t->src, &t->dst, t->hooks);
	serial.ended_in_hole = t->bulk.base > 0 && (serial.is_sparse ||
						    t->request.keeps_holes);
	record_init(&record, &serial, &t->request, t->hooks, t->stats);
	if (bulk < BULK_FAILED)
		r = transfer_records(t, &record, bulk);
	else if (serial_end_hole(&serial) == 0 && bulk == BULK_STOPPED)
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
