// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "outcome.h"

#include <unistd.h>

#include "durability.h"
#include "event.h"
#include "hold.h"
#include "hooks.h"

static void
tell(const struct transfer *t, enum event_kind kind)
{
	hooks_tell(t->env.hooks,
		   (struct event){.kind = kind, .name = t->out.side.name});
}

// The byte in place of those that could not be read; -1: there is none.
static int
padding(const struct transfer *t)
{
	const struct request *q = t->env.asked;
	const bool is_padded = (q->conv & CONV_SYNC) ||
			       (facts_has_offsets(&t->src.facts) &&
				facts_keeps_place(&t->out.side.facts));

	if (q->map != NULL ? !(q->conv & CONV_SYNC) : !is_padded)
		return -1;
	return q->conv & (CONV_BLOCK | CONV_UNBLOCK) ? ' ' : 0;
}

static void
tell_incomplete(const struct transfer *t)
{
	const bool is_failure = request_is_trusted(t->env.asked);

	hooks_tell(t->env.hooks,
		   (struct event){.kind = is_failure ? FAILURE_INCOMPLETE
						     : NOTICE_INCOMPLETE,
				  .name = t->src.name,
				  .off = t->env.stats->nr_unread,
				  .len = t->env.stats->unread,
				  .wrote = padding(t),
				  .map = t->env.asked->map});
}

// By the map: what is not in it will be copied again.
static void
tell_untried(const struct transfer *t)
{
	const struct stats *s = t->env.stats;
	const bool is_saved = !s->rescue.is_unsaved;
	const uint64_t len = s->rescue.untried +
			     (is_saved ? 0 : s->bytes - s->rescue.saved);

	if (len == 0)
		return;
	hooks_tell(t->env.hooks,
		   (struct event){.kind = FAILURE_UNTRIED,
				  .name = t->src.name,
				  .len = len,
				  .fault = is_saved ? OURS_NO_FAULT
						    : MAPKEEP_UNSAVED,
				  .map = t->env.asked->map});
}

// A copy that ended before has shown by its counts that it did not.
static bool
lacks_sync(const struct transfer *t, enum transfer_verdict verdict)
{
	return verdict == TRANSFER_STOPPED && t->is_copied &&
	       !t->out.is_synced && durability_is_asked(t);
}

// By now the new file beside the old one is gone.
static void
tell_rename(const struct transfer *t)
{
	if (t->out.commit.is_renamed)
		tell(t, FAILURE_UNDURABLE);
	else
		tell(t, access(t->env.asked->dst, F_OK) == 0
				? FAILURE_NOT_REPLACED
				: FAILURE_REMOVED);
}

static void
tell_fate(const struct transfer *t, enum transfer_verdict verdict)
{
	const struct hold *hold = t->out.hold;
	const bool is_written = durability_stats(t).bytes > 0;

	if (t->env.asked->commit == REQUEST_COMMIT_RENAME)
		tell_rename(t);
	else if (t->env.asked->commit == REQUEST_COMMIT_FIRST_LAST &&
		 (hold == NULL || !hold->is_written))
		tell(t, is_written ? FAILURE_NO_FIRST_BLOCK
				   : FAILURE_OLD_FIRST_BLOCK);
	else if (verdict == TRANSFER_UNEXPECTED &&
		 request_writes(t->env.asked) &&
		 !facts_is_null(&t->out.side.facts))
		tell(t, FAILURE_WRITTEN);
}

// The block map that the destination was compared with, NULL: none was.
static const char *
bmap_of(const struct transfer *t)
{
	return t->env.asked->compare == REQUEST_COMPARE_BMAP ? t->guide.path
							     : NULL;
}

static void
tell_unchecked(const struct transfer *t)
{
	const char *bmap = bmap_of(t);

	hooks_tell(t->env.hooks,
		   (struct event){.kind = bmap != NULL ? FAILURE_NO_CHECKSUM
						       : FAILURE_UNKNOWN,
				  .name = t->out.side.name,
				  .len = t->env.stats->unchecked,
				  .map = bmap ? bmap : t->env.asked->map});
}

static void
tell_differs(const struct transfer *t)
{
	const bool has_src = t->env.asked->compare == REQUEST_COMPARE_ONLY;

	hooks_tell(t->env.hooks,
		   (struct event){.kind = has_src ? FAILURE_NOT_SOURCE
						  : FAILURE_NOT_SAME,
				  .name = t->out.side.name,
				  .off = t->env.stats->nr_differing,
				  .len = t->env.stats->differing,
				  .map = bmap_of(t)});
}

void
outcome_tell(const struct transfer *t, enum transfer_verdict verdict)
{
	const struct stats *s = t->env.stats;
	const bool is_broken = verdict == TRANSFER_STOPPED ||
			       verdict == TRANSFER_FAILED ||
			       verdict == TRANSFER_UNCOUNTED;

	if (t->env.asked->is_dd || s->start_ns == 0 || verdict == TRANSFER_OK ||
	    verdict == TRANSFER_REFUSED)
		return;
	if (s->unread > 0)
		tell_incomplete(t);
	if (is_broken)
		tell_untried(t);
	if (lacks_sync(t, verdict))
		tell(t, FAILURE_NOT_SYNCED);
	if (is_broken && t->env.asked->verify)
		tell(t, FAILURE_NOT_VERIFIED);
	tell_fate(t, verdict);
	if (s->unchecked > 0 &&
	    (request_is_attested(t->env.asked) || t->env.asked->map != NULL))
		tell_unchecked(t);
	if (verdict == TRANSFER_DIFFERS)
		tell_differs(t);
}

bool
outcome_can_go_on(const struct transfer *t, struct outcome_rest *ret)
{
	const struct request *q = t->env.asked;
	const uint64_t n = t->env.stats->bytes;
	const struct facts *dst = &t->out.side.facts;

	*ret = (struct outcome_rest){
		.skip = t->src_start + n,
		.seek = t->out.start + n,
		.count = request_has_count(q) ? request_count_len(q) - n
					      : UINT64_MAX,
	};
	// By name: a descriptor of the shell has moved. Of several destinations
	// each has its own rest.
	return !q->is_dd && n > 0 && t->legs == NULL && !t->is_copied &&
	       q->src != NULL && q->dst != NULL && q->map == NULL &&
	       q->bmap == NULL && q->compare == REQUEST_COMPARE_NONE &&
	       q->commit == REQUEST_COMMIT_NONE && !(q->conv & CONV_BYTES) &&
	       facts_has_offsets(&t->src.facts) && facts_has_offsets(dst) &&
	       !dst->is_append && ret->skip < t->src.facts.size;
}

uint64_t
outcome_untouched(const struct transfer *t)
{
	const struct request *q = t->env.asked;
	const uint64_t size = t->out.side.facts.size, end = t->env.stats->bytes;

	if (q->is_dd || q->dst == NULL || !request_writes(q) ||
	    !facts_is_device(&t->out.side.facts) || t->out.start > 0 ||
	    request_has_count(q) || end == 0 || !t->out.is_closed)
		return 0;
	return size > end ? size - end : 0;
}
