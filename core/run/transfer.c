// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "beside.h"
#include "clock.h"
#include "cut.h"
#include "course.h"
#include "disk.h"
#include "event.h"
#include "finish.h"
#include "hasher.h"
#include "hold.h"
#include "hooks.h"
#include "judge.h"
#include "open.h"
#include "probe.h"
#include "writeback.h"

void
transfer_init(struct transfer *t, const struct request *q,
	      const struct hooks *hooks, struct stats *stats)
{
	*t = (struct transfer){.request = *q,
			       .env = {.asked = q,
				       .hooks = hooks,
				       .stats = stats,
				       .kernel = &aio_kernel_linux}};
	if (q->commit != REQUEST_COMMIT_NONE || q->verify)
		t->request.conv |= CONV_FSYNC;
	if (q->verify)
		t->request.digests |= 1U << HASH_RANGES;
	safety_init(&t->safety);
	t->bulk = (struct bulk){.request = &t->request,
				.env = &t->env,
				.src = &t->src,
				.dst = &t->dst};
}

static void
transfer_tell(const struct transfer *t, enum event_kind kind)
{
	hooks_tell(t->env.hooks, (struct event){.kind = kind});
}

static const char *
dst_name(const struct transfer *t)
{
	return t->request.dst ? t->request.dst : "standard output";
}

enum transfer_verdict
transfer_refused(const struct transfer *t)
{
	hooks_tell(t->env.hooks, (struct event){.kind = FAILURE_REFUSED,
						.name = dst_name(t),
						.safety = &t->safety});
	return TRANSFER_REFUSED;
}

void
transfer_warn_unchecked(const struct transfer *t)
{
	if (t->safety.unseen.error != 0)
		hooks_tell(t->env.hooks,
			   (struct event){.kind = NOTICE_UNCHECKED,
					  .name = dst_name(t),
					  .safety = &t->safety});
}

// A pipe of a megabyte takes a record without a sleep in the middle. Refused
// for what is no pipe, and beyond the user's share: then it stays as it is.
static void
widen_pipe(const struct side *ep)
{
	if (facts_is_stream(&ep->facts))
		(void)fcntl(ep->fd, F_SETPIPE_SZ, (int)MIB);
}

static void
probe_sides(struct transfer *t)
{
	t->src.ops->probe(&t->src, -1);
	t->dst.ops->probe(&t->dst, t->env.hooks->message_fd);
}

static void
transfer_probe(struct transfer *t)
{
	probe_sides(t);
	t->src_start = request_src_off(&t->request, t->src.facts.pos);
	t->dst_start = request_dst_off(&t->request, t->dst.facts.pos);
	if (t->request.is_dd)
		return;
	widen_pipe(&t->src);
	widen_pipe(&t->dst);
	// A disk is done when it can be pulled out.
	if (t->dst.facts.rdev != 0)
		t->request.conv |= CONV_FSYNC;
}

// From before the checks and the cut, which can take long.
static void
transfer_watch(struct transfer *t)
{
	const bool is_watched =
		!t->request.is_dd && facts_is_file(&t->src.facts) &&
		!facts_is_same(&t->src.facts, &t->dst.facts);

	change_init(&t->change, is_watched ? t->src.fd : -1);
}

static int
transfer_sync(struct transfer *t, const struct serial *serial)
{
	unsigned conv = t->request.conv;

	if (serial->is_direct_off || t->bulk.needs_fsync)
		conv |= CONV_FSYNC;
	int r = commit_settle(&t->commit, t->env.hooks);
	if (r == 0)
		r = finish_sync(&t->dst, conv, &t->env);
	if (r == -ECANCELED)
		return r;
	const int late = writeback_free(t->writeback);
	t->writeback = t->bulk.writeback = NULL;
	// A device that has refused something, and a kernel that tells each
	// error to one description only.
	if (r == 0 && late < 0)
		return hooks_tell(t->env.hooks,
				  (struct event){.kind = FAILURE_FSYNC,
						 .error = -late,
						 .name = t->dst.name});
	// The block that is held back is still to come.
	t->is_synced = r == 0 && t->bulk.hold == NULL &&
		       t->dst.close_error == 0 &&
		       (conv & (CONV_FSYNC | CONV_FDATASYNC));
	return r;
}

static enum transfer_verdict
judge_verdict(int r)
{
	switch (r) {
	case 0:
		return TRANSFER_OK;
	case -ENODATA:
		return TRANSFER_INCOMPLETE;
	case -EBADMSG:
		return TRANSFER_DIFFERS;
	case -ESTALE:
		return TRANSFER_UNEXPECTED;
	case -ECANCELED:
		return TRANSFER_STOPPED;
	default:
		return TRANSFER_FAILED;
	}
}

// A download that failed, mostly.
static void
transfer_tell_empty(const struct transfer *t)
{
	const struct request *q = &t->request;
	const bool is_skipped = q->skip.blocks > 0 || q->skip.bytes > 0 ||
				(q->count.blocks == 0 && q->count.bytes == 0);
	const bool is_empty = !is_skipped && t->src.facts.size == 0 &&
			      t->env.stats->in_full +
					      t->env.stats->in_partial ==
				      0;

	if (is_empty && (q->verify || q->expected.algs != 0 ||
			 (!q->is_dd && t->dst.facts.rdev != 0)))
		hooks_tell(t->env.hooks,
			   (struct event){.kind = NOTICE_SRC_EMPTY,
					  .name = t->src.name});
}

static enum transfer_verdict
transfer_judge(struct transfer *t, struct judge *judge, bool has_changed)
{
	judge->verify.len = t->env.stats->bytes;
	judge->is_synced = t->is_synced;
	transfer_tell_empty(t);
	const int r = judge_copy(judge, has_changed);
	t->is_synced = judge->is_synced;
	return judge_verdict(r);
}

static struct judge
transfer_judge_of(struct transfer *t)
{
	return (struct judge){.verify = {.env = &t->env,
					 .src = &t->src,
					 .dst = &t->dst,
					 .back = &t->back,
					 .hold = t->bulk.hold,
					 .src_off = t->src_start,
					 .dst_off = t->dst_start},
			      .change = &t->change};
}

static enum transfer_verdict
transfer_copy(struct transfer *t)
{
	struct judge judge = transfer_judge_of(t);
	struct course course;
	const int r = course_run(&course, &t->bulk);
	const struct record *record = &course.record;
	const enum nocache_rest rest = record->is_at_eof ? NOCACHE_TO_EOF
							 : NOCACHE_PENDING;

	course_done(&course);
	t->is_copied = r == 0;
	if (r == 0) // now it is known
		t->env.stats->bytes_total = t->env.stats->bytes;
	if (record->is_out_of_memory)
		return TRANSFER_UNCOUNTED;
	if (r == -ECANCELED)
		return TRANSFER_STOPPED;
	const bool has_changed = judge_has_changed(&judge);
	const int synced = transfer_sync(t, &course.serial);
	if (synced == -ECANCELED)
		return TRANSFER_STOPPED;
	// Where dd quits, a failing sync leaves no time for statistics.
	if (record->has_quit)
		return synced < 0 ? TRANSFER_UNCOUNTED : TRANSFER_FAILED;
	if (serial_drop_cache(&course.serial, rest) < 0 || r < 0 || synced < 0)
		return TRANSFER_FAILED;
	// It is told when the others are closed: not all of it has arrived.
	if (t->dst.close_error < 0)
		return TRANSFER_FAILED;
	return transfer_judge(t, &judge, has_changed);
}

// Before anything is opened: a copy without the digest is not wanted.
int
transfer_open_digest(struct transfer *t)
{
	if (t->request.digests == 0)
		return 0;
	const int r = hasher_new(&t->env.hasher, t->request.digests);
	if (r < 0)
		hooks_tell(t->env.hooks,
			   (struct event){.kind = FAILURE_DIGEST, .error = -r});
	return r;
}

void
transfer_done(struct transfer *t)
{
	hasher_free(t->env.hasher);
	t->env.hasher = NULL;
	free(t->bulk.hold);
	t->bulk.hold = NULL;
	writeback_free(t->writeback);
	t->writeback = NULL;
}

static enum transfer_verdict
transfer_open(struct transfer *t)
{
	if (commit_check(&t->request, t->env.hooks) < 0 ||
	    transfer_open_digest(t) < 0)
		return TRANSFER_UNCOUNTED;
	int r = open_src(&t->src, &t->request, t->env.hooks);

	// Opening it would create it.
	if (r == 0 && safety_check_path(&t->safety, &t->request) < 0)
		return transfer_refused(t);
	if (r == 0)
		r = t->request.commit == REQUEST_COMMIT_RENAME
			    ? commit_open(&t->commit, &t->dst, &t->request,
					  t->env.hooks)
			    : open_dst(&t->dst, &t->request,
						t->env.hooks);
	if (r < 0)
		return r == -ECANCELED ? TRANSFER_STOPPED
				       : TRANSFER_UNCOUNTED;
	const struct facts old = beside_old(&t->commit.beside);
	return safety_check_replaced(&t->safety, &t->request, &old) < 0
		       ? transfer_refused(t)
		       : TRANSFER_OK;
}

static int
transfer_hold(struct transfer *t)
{
	if (t->request.commit != REQUEST_COMMIT_FIRST_LAST)
		return 0;
	t->bulk.hold = hold_new(t->dst_start, t->dst.facts.sector);
	if (t->bulk.hold != NULL)
		return 0;
	hooks_tell(t->env.hooks,
		   (struct event){.kind = FAILURE_DST_MEMORY, .len = HOLD_MAX});
	return -ENOMEM;
}

static void
transfer_pace(struct transfer *t)
{
	if (t->request.rate == 0)
		return;
	pace_init(&t->pace, t->request.rate, t->env.stats->start_ns);
	t->env.pace = &t->pace;
}

// The page cache is between us and a sync.
static void
transfer_writeback(struct transfer *t)
{
	const struct facts *src = &t->src.facts, *dst = &t->dst.facts;
	const unsigned direct = FLAG_DIRECT | FLAG_SYNC | FLAG_DSYNC;
	const bool is_short = facts_has_offsets(src) &&
			      src->size < WRITEBACK_MIN;

	if (!(t->request.conv & (CONV_FSYNC | CONV_FDATASYNC)) ||
	    (t->request.oflags & direct) || dst->is_direct || is_short ||
	    !facts_has_offsets(dst))
		return;
	const int fd = side_reopen(&t->dst, O_WRONLY);
	if (fd >= 0)
		t->writeback = t->bulk.writeback = writeback_new(fd);
}

// Not a byte is cut off before it is clear that it may be.
static int
transfer_cut(struct transfer *t)
{
	struct facts *dst = &t->dst.facts;

	if (!cut_is_due(&t->request))
		return 0;
	const int r = cut_dst(&t->dst, &t->request, t->env.hooks);
	if (r < 0)
		return r;
	if (t->request.seek.blocks > 0 || facts_is_same(&t->src.facts, dst))
		probe_sides(t);
	else
		probe_cut(dst);
	return 0;
}

// dd finds out by its first write.
bool
transfer_can_write(const struct transfer *t)
{
	if (t->request.is_dd || !t->dst.facts.is_read_only)
		return true;
	hooks_tell(t->env.hooks, (struct event){.kind = FAILURE_WRITE_PROTECTED,
						.error = EROFS,
						.name = dst_name(t)});
	return false;
}

bool
transfer_can_verify(const struct transfer *t)
{
	const struct facts *dst = &t->dst.facts;

	// What was written has to be found again.
	if (!t->request.verify || (facts_has_offsets(dst) && !dst->is_append))
		return true;
	hooks_tell(t->env.hooks, (struct event){.kind = FAILURE_NOT_VERIFIABLE,
						.name = t->dst.name});
	return false;
}

// Before the first byte: what is found to be unreadable after the last one has
// cost the whole copy.
int
transfer_open_back(struct transfer *t)
{
	if (!transfer_can_verify(t))
		return -EINVAL;
	if (!t->request.verify)
		return 0;
	const int r = t->dst.ops->open_back(&t->dst, &t->back);
	if (r < 0)
		hooks_tell(t->env.hooks,
			   (struct event){.kind = FAILURE_NOT_VERIFIABLE,
					  .error = -r,
					  .name = t->dst.name});
	return r;
}

static enum transfer_verdict
transfer_check(struct transfer *t)
{
	const struct hooks *h = t->env.hooks;
	const bool is_safe = safety_check(&t->safety, &t->request,
					  &t->src.facts, &t->dst.facts,
					  t->dst.fd) == 0;
	struct mounts_use use;

	// Both before anything is lost.
	if (is_safe && transfer_open_back(t) < 0)
		return TRANSFER_UNCOUNTED;
	const int r = is_safe ? transfer_cut(t) : 0;

	if (r < 0)
		return r == -ECANCELED ? TRANSFER_STOPPED
				       : TRANSFER_UNCOUNTED;
	transfer_tell(t, NOTICE_PROBED);
	if (!is_safe)
		return transfer_refused(t);
	transfer_warn_unchecked(t);
	if (safety_is_src_live(&t->request, &t->src.facts, &use))
		hooks_tell(h, (struct event){.kind = NOTICE_SRC_LIVE,
					     .name = t->src.name,
					     .use = &use});
	return TRANSFER_OK;
}

// Partition tables lie in the first MiB of a disk.
static bool
has_new_table(const struct transfer *t, enum transfer_verdict verdict)
{
	const dev_t dev = t->dst.facts.rdev;

	return !t->request.is_dd && t->request.dst != NULL && dev != 0 &&
	       (verdict == TRANSFER_OK || verdict == TRANSFER_INCOMPLETE) &&
	       t->is_synced && t->env.stats->bytes > 0 && t->dst_start < MIB &&
	       disk_whole(dev) == dev;
}

// While the claim keeps others from what is found.
static void
transfer_partitions(const struct transfer *t, enum transfer_verdict verdict)
{
	const int claim = t->safety.claim;

	if (!has_new_table(t, verdict))
		return;
	const int r = finish_partitions(claim >= 0 ? claim : t->dst.fd);
	if (r < 0)
		hooks_tell(t->env.hooks,
			   (struct event){.kind = NOTICE_TABLE_KEPT,
					  .error = -r,
					  .name = t->dst.name});
}

static enum transfer_verdict
transfer_opened(struct transfer *t)
{
	enum transfer_verdict verdict;

	transfer_probe(t);
	transfer_watch(t);
	if (!transfer_can_write(t))
		return TRANSFER_UNCOUNTED;
	verdict = transfer_check(t);
	if (verdict != TRANSFER_OK)
		return verdict;
	t->env.stats->start_ns = clock_ns();
	if (transfer_hold(t) < 0)
		return TRANSFER_UNCOUNTED;
	transfer_pace(t);
	transfer_writeback(t);
	verdict = transfer_copy(t);
	bulk_done(&t->bulk);
	if (t->request.verify)
		side_close_extra(&t->back);
	transfer_partitions(t, verdict);
	safety_done(&t->safety);
	if (verdict == TRANSFER_UNCOUNTED)
		return verdict;
	if (finish_close(&t->src, &t->dst, t->env.hooks) < 0)
		return TRANSFER_UNCOUNTED;
	t->is_closed = true;
	return verdict;
}

static enum transfer_verdict
transfer_rename(struct transfer *t)
{
	if (t->env.hooks->must_stop(t->env.hooks->ctx))
		return TRANSFER_STOPPED;
	const int r = commit_rename(&t->commit, t->env.hooks);
	if (r == -ECANCELED)
		return TRANSFER_STOPPED;
	return r < 0 ? TRANSFER_FAILED : TRANSFER_OK;
}

enum transfer_verdict
transfer_run(struct transfer *t)
{
	enum transfer_verdict verdict = transfer_open(t);

	if (verdict == TRANSFER_OK)
		verdict = transfer_opened(t);
	if (verdict == TRANSFER_OK &&
	    t->request.commit == REQUEST_COMMIT_RENAME)
		verdict = transfer_rename(t);
	commit_done(&t->commit);
	return verdict;
}
