// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "cut.h"
#include "disk.h"
#include "env.h"
#include "event.h"
#include "facts.h"
#include "finish.h"
#include "hold.h"
#include "hooks.h"
#include "kinds.h"
#include "probe.h"
#include "request.h"
#include "sniff.h"
#include "stats.h"
#include "writeback.h"

void
output_init(struct output *out, const struct env *env)
{
	*out = (struct output){.env = env};
	safety_init(&out->safety);
}

void
output_done(struct output *out)
{
	free(out->hold);
	out->hold = NULL;
	writeback_free(out->writeback);
	out->writeback = NULL;
	clear_done(&out->clear);
}

const char *
output_name(const struct output *out)
{
	const char *path = out->env->asked->dst;

	return path ? path : "standard output";
}

static int
tell(const struct output *out, enum event_kind kind, int error)
{
	return side_tell(&out->side, out->env->hooks, kind, error);
}

static void
tell_safety(const struct output *out, enum event_kind kind)
{
	hooks_tell(out->env->hooks, (struct event){.kind = kind,
						   .name = output_name(out),
						   .safety = &out->safety});
}

void
output_tell_refused(const struct output *out)
{
	tell_safety(out, FAILURE_REFUSED);
}

void
output_warn_unchecked(const struct output *out)
{
	if (out->safety.unseen.error != 0)
		tell_safety(out, NOTICE_UNCHECKED);
}

bool
output_can_make(struct output *out)
{
	return safety_check_path(&out->safety, out->env->asked) == 0;
}

int
output_open(struct output *out)
{
	const struct request *q = out->env->asked;
	const struct hooks *h = out->env->hooks;

	return q->commit == REQUEST_COMMIT_RENAME
		       ? commit_open(&out->commit, &out->side, q, h)
		       : kinds_find(q->dst, q->is_dd)
				 ->open_dst(&out->side, q, h);
}

bool
output_can_replace(struct output *out, const struct facts *old)
{
	return safety_check_replaced(&out->safety, out->env->asked, old) == 0;
}

void
output_probe(struct output *out)
{
	struct side *side = &out->side;

	side->ops->probe(side, out->env->hooks->message_fd);
	out->start = request_dst_off(out->env->asked, side->facts.pos);
}

// dd finds out by its first write.
bool
output_can_write(const struct output *out)
{
	if (out->env->asked->is_dd || !request_writes(out->env->asked) ||
	    !out->side.facts.is_read_only)
		return true;
	hooks_tell(out->env->hooks,
		   (struct event){.kind = FAILURE_WRITE_PROTECTED,
				  .error = EROFS,
				  .name = output_name(out)});
	return false;
}

bool
output_can_verify(const struct output *out)
{
	const struct facts *facts = &out->side.facts;

	// What was written has to be found again.
	if (!request_reads_dst(out->env->asked) ||
	    (facts_has_offsets(facts) && !facts->is_append))
		return true;
	tell(out, FAILURE_NOT_VERIFIABLE, 0);
	return false;
}

// Before the first byte: what is found to be unreadable after the last one has
// cost the whole copy.
int
output_open_back(struct output *out)
{
	if (!output_can_verify(out))
		return -EINVAL;
	if (!request_reads_dst(out->env->asked))
		return 0;
	const int r = out->side.ops->open_back(&out->side, &out->back);
	return r < 0 ? tell(out, FAILURE_NOT_VERIFIABLE, -r) : 0;
}

bool
output_has_old(const struct output *out)
{
	const struct facts *facts = &out->side.facts;

	return !request_writes(out->env->asked) || !facts_is_file(facts) ||
	       facts->size > out->start;
}

bool
output_claim(struct output *out, const struct facts *src)
{
	return safety_check(&out->safety, out->env->asked, src,
			    &out->side.facts, out->side.fd) == 0;
}

// What is packed, onto a disk.
int
output_check_format(struct output *out, const struct side *src,
		    uint64_t src_off, const struct facts *dst)
{
	const struct request *q = out->env->asked;
	enum decode_format is = src->facts.packed;
	int r = 0;

	if (safety_looks_inside(q, dst))
		r = sniff_look(src, src_off, out->env->hooks, &is);
	return r < 0 ? r : safety_check_format(&out->safety, q,
						     &src->facts, dst, is);
}

// Looking again at a file that was cut to nothing costs more calls than a
// small copy has, and would find just this.
void
output_expect_cut(struct output *out)
{
	if (cut_is_due(out->env->asked) && !out->is_kept)
		probe_cut(&out->side.facts);
}

static int
set_size(struct output *out, uint64_t size)
{
	const int r = side_set_size(&out->side, size);

	if (r < 0)
		hooks_tell(out->env->hooks,
			   (struct event){.kind = FAILURE_TRUNCATE,
					  .error = -r,
					  .name = out->side.name,
					  .off = size});
	return r;
}

// Not a byte is cut off before it is clear that it may be.
int
output_cut(struct output *out, const struct facts *src)
{
	const struct request *q = out->env->asked;

	// All processes that write a part set the same.
	if (q->has_dst_size && facts_is_file(&out->side.facts)) {
		const int set = set_size(out, q->dst_size);

		return set < 0 ? set : 1;
	}
	if (!cut_is_due(q) || out->is_kept || out->side.ops->cut == NULL)
		return 0;
	const int r = out->side.ops->cut(&out->side, q, out->env->hooks);
	if (r < 0)
		return r;
	// The source may be shorter now, too.
	if (q->seek.blocks > 0 || facts_is_same(src, &out->side.facts))
		return 1;
	output_expect_cut(out);
	return 0;
}

// As long as it would be had it been cut at the beginning.
int
output_cut_rest(struct output *out)
{
	const struct request *q = out->env->asked;
	const uint64_t end = out->start + out->env->stats->bytes;
	uint64_t size;

	if (q->compare != REQUEST_COMPARE_UPDATE || (q->conv & CONV_NOTRUNC) ||
	    q->dst == NULL || !facts_is_file(&out->side.facts))
		return 0;
	const int r = out->side.ops->get_size(&out->side, &size);
	if (r < 0)
		return tell(out, FAILURE_STAT, -r);
	if (size <= end)
		return 0;
	return set_size(out, end);
}

static int
prepare_hold(struct output *out)
{
	if (out->env->asked->commit != REQUEST_COMMIT_FIRST_LAST)
		return 0;
	out->hold = hold_new(out->start, out->side.facts.sector);
	if (out->hold != NULL)
		return 0;
	hooks_tell(out->env->hooks,
		   (struct event){.kind = FAILURE_DST_MEMORY, .len = HOLD_MAX});
	return -ENOMEM;
}

// A device takes that from who has it exclusively, whatever is in the page
// cache; and it is read around that.
static const char *
prepare_claim(struct output *out)
{
	const int claim = out->safety.claim;
	const int flags = claim < 0 ? -1 : fcntl(claim, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) != O_RDWR ||
	    fcntl(claim, F_SETFL, flags | O_DIRECT) < 0)
		return "the device is not held exclusively";
	out->side.clear_fd = claim;
	return NULL;
}

// Of what the block that is written last takes the place, nothing is lost
// before. Where a file has nothing, nothing needs to be made.
static void
prepare_clear(struct output *out, const struct facts *src)
{
	const struct request *q = out->env->asked;
	const struct facts *dst = &out->side.facts;
	const bool has_zeros = (q->conv & CONV_SPARSE) ||
			       facts_is_endless(src) || facts_has_holes(src);
	const uint64_t from =
		out->hold == NULL ? 0 : out->hold->off + out->hold->size;

	if (q->is_dd || q->zeros != REQUEST_ZEROS_AUTO || !has_zeros ||
	    dst->is_append)
		return;
	if (facts_is_device(dst)) {
		// A server that makes none says so when it is asked.
		clear_init(&out->clear, &out->side, from, UINT64_MAX,
			   facts_is_export(dst) ? NULL : prepare_claim(out));
	} else if (facts_is_file(dst) && dst->size > out->start) {
		out->side.clear_fd = out->side.fd;
		clear_init(&out->clear, &out->side, 0, dst->size, NULL);
	}
}

// The page cache is between us and a sync.
static bool
has_cache_to_sync(const struct output *out, const struct facts *src)
{
	const struct facts *dst = &out->side.facts;
	const unsigned direct = FLAG_DIRECT | FLAG_SYNC | FLAG_DSYNC;
	const bool is_short = facts_has_offsets(src) &&
			      src->size < WRITEBACK_MIN;

	return output_syncs(out) != 0 && !(out->env->asked->oflags & direct) &&
	       !dst->is_direct && !is_short && facts_has_offsets(dst);
}

int
output_prepare(struct output *out, const struct facts *src)
{
	const int r = prepare_hold(out);

	prepare_clear(out, src);
	if (r < 0 || !has_cache_to_sync(out, src))
		return r;
	// A description of its own: the kernel tells each of an error once, and
	// the sync has to hear of it, too.
	const int fd = side_reopen(&out->side, O_WRONLY);
	if (fd >= 0)
		out->writeback = writeback_new(fd);
	return 0;
}

unsigned
output_syncs(const struct output *out)
{
	return request_syncs(out->env->asked, facts_is_disk(&out->side.facts));
}

int
output_sync(struct output *out, unsigned conv)
{
	int r = commit_settle(&out->commit, out->env->hooks);

	if (r == 0)
		r = finish_sync(&out->side, conv, out->env->hooks);
	// The thread of writeback sleeps as long as the sync would.
	if (r == -ECANCELED)
		return r;
	const int late = writeback_free(out->writeback);
	out->writeback = NULL;
	// A device that has refused something, and a kernel that tells each
	// error to one description only.
	if (r == 0 && late < 0)
		return tell(out, FAILURE_FSYNC, -late);
	// The block that is held back is still to come.
	out->is_synced = r == 0 && out->hold == NULL &&
			 out->side.close_error == 0 && conv != 0;
	return r;
}

// Partition tables lie in the first MiB of a disk.
static bool
has_new_table(const struct output *out)
{
	const struct request *q = out->env->asked;
	const dev_t dev = out->side.facts.rdev;

	return !q->is_dd && q->dst != NULL && dev != 0 && out->is_synced &&
	       out->env->stats->bytes > 0 && out->start < MIB &&
	       disk_whole(dev) == dev;
}

void
output_read_table(const struct output *out)
{
	const int claim = out->safety.claim;

	if (!has_new_table(out))
		return;
	// Who does not hold it exclusively is refused where somebody does.
	const int r = finish_partitions(claim >= 0 ? claim : out->side.fd);
	if (r < 0)
		tell(out, NOTICE_TABLE_KEPT, -r);
}

int
output_rename(struct output *out)
{
	const struct hooks *h = out->env->hooks;

	if (out->env->asked->commit != REQUEST_COMMIT_RENAME)
		return 0;
	// The last moment at which the old file can be kept.
	if (h->must_stop(h->ctx))
		return -ECANCELED;
	return commit_rename(&out->commit, h);
}
