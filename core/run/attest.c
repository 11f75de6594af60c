// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "attest.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "event.h"
#include "fd.h"
#include "hooks.h"
#include "kinds.h"
#include "null.h"
#include "planner.h"
#include "survey.h"
#include "verify.h"

static bool
has_bmap(const struct transfer *t)
{
	return t->env.asked->compare == REQUEST_COMPARE_BMAP;
}

// What it is compared with. 0 or -errno, told.
static int
open_reference(struct transfer *t)
{
	t->src = null_side;
	return has_bmap(t) ? guide_open(&t->guide, &t->env)
			   : vouch_open(&t->vouch, &t->env, VOUCH_NEED);
}

// A block map is of an image, wherever that is. Returns likewise.
static int
check_reference(struct transfer *t, const struct side *dst)
{
	return has_bmap(t) ? 0 : vouch_attests(&t->vouch, dst);
}

// 0 or -errno, told.
static int
open_dst(struct transfer *t)
{
	struct output *out = &t->out;

	int r = open_reference(t);
	if (r == 0)
		r = output_open(out);
	if (r < 0)
		return r;
	output_probe(out);
	if (check_reference(t, &out->side) < 0 || output_open_back(out) < 0)
		return -EINVAL;
	hooks_tell(t->env.hooks, (struct event){.kind = NOTICE_PROBED});
	return 0;
}

// A run that was cut off has noted more than there may be. What it does not
// know is not missing.
static uint64_t
attested_len(const struct transfer *t)
{
	const struct manifest *m = &t->vouch.manifest;

	if (has_bmap(t))
		return t->guide.bmap.ranges.size;
	return m->header.is_complete
		       ? m->len
		       : max_u64(manifest_known_end(m),
				 min_u64(m->len, t->out.side.facts.size));
}

static void
plan(struct transfer *t)
{
	const uint64_t len = attested_len(t);
	struct facts back = t->out.side.facts;

	back.is_mapped = has_bmap(t);
	planner_make_back(&t->bulk.plan, t->env.asked, &back, 0, len);
	t->env.stats->bytes_total = has_bmap(t) ? guide_checked_len(&t->guide)
						: len;
	hooks_tell(t->env.hooks, (struct event){.kind = NOTICE_PLANNED});
}

// A file that is longer is another one; a disk is not.
static int
judge_size(const struct transfer *t, struct differ *d)
{
	const struct facts *facts = &t->out.side.facts;
	const uint64_t len = attested_len(t);

	if (!facts_is_file(facts) || facts->size <= len)
		return 0;
	differ_note(d, (struct differ_range){len, facts->size - len,
					     EVENT_NO_BYTE, -1});
	differ_finish(d);
	return -EBADMSG;
}

static int
compare_manifest(struct transfer *t, const struct differ *differ)
{
	struct verify v = {.env = &t->env,
			   .src = &t->src,
			   .dst = &t->out.side,
			   .back = &t->out.back,
			   .manifest = &t->vouch.manifest,
			   .len = attested_len(t),
			   .differ = *differ};
	const int r = verify_run(&v);

	verify_done(&v);
	return r;
}

static int
compare_bmap(struct transfer *t, struct differ *differ)
{
	struct survey s = {.env = &t->env,
			   .guide = &t->guide,
			   .dst = &t->out.side,
			   .back = &t->out.back,
			   .differ = differ};
	const int r = survey_run(&s);

	survey_done(&s);
	return r;
}

static int
compare(struct transfer *t)
{
	struct side *dst = &t->out.side, *back = &t->out.back;
	struct differ differ = {.env = &t->env,
				.kind = FAILURE_DIFFERS,
				.name = dst->name,
				.map = has_bmap(t) ? t->guide.path : NULL};

	// What others have just written has to be there, to be read from there.
	if (back->ops->write_out(back, 0, dst->facts.size) < 0)
		side_tell(dst, t->env.hooks, NOTICE_CACHE_KEPT, 0);
	int r = has_bmap(t) ? compare_bmap(t, &differ)
			    : compare_manifest(t, &differ);
	if ((r == 0 || r == -EBADMSG) && judge_size(t, &differ) < 0)
		r = -EBADMSG;
	return r;
}

// What is not known was not checked, so that it is no success.
static enum transfer_verdict
verdict_of(const struct transfer *t, int r)
{
	switch (r) {
	case 0:
		return t->env.stats->unchecked > 0 ? TRANSFER_INCOMPLETE
						   : TRANSFER_OK;
	case -EBADMSG:
		return TRANSFER_DIFFERS;
	case -ECANCELED:
		return TRANSFER_STOPPED;
	default:
		return TRANSFER_FAILED;
	}
}

enum transfer_verdict
attest_run(struct transfer *t)
{
	struct stats *stats = t->env.stats;
	int r = open_dst(t);

	if (r < 0)
		return transfer_not_begun(r);
	stats->start_ns = clock_ns();
	stats->is_comparison = true;
	transfer_set_pace(t);
	plan(t);
	r = compare(t);
	side_close_extra(&t->out.back);
	(void)t->out.side.ops->close(&t->out.side); // it was only read
	return verdict_of(t, r);
}

// Not as descriptor 1: the plan goes there.
static int
look_at_dst(struct transfer *t)
{
	const struct request *q = t->env.asked;
	const struct hooks *h = t->env.hooks;
	const struct side_kind *kind = kinds_find(q->dst, q->is_dd);
	struct side *dst = &t->out.side;

	if (open_reference(t) < 0 || kind->look_dst(dst, q, h) < 0 ||
	    kind->foresee(dst, q->dst, q->oflags, h) < 0 ||
	    !output_can_verify(&t->out))
		return -EINVAL;
	struct side opened = *dst;
	opened.fd = fd_open(q->dst, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	const int r = check_reference(t, &opened);
	if (opened.fd >= 0)
		(void)close(opened.fd); // only looked at
	return r;
}

enum transfer_verdict
attest_preview(struct transfer *t, struct facts *old)
{
	if (look_at_dst(t) < 0)
		return TRANSFER_UNCOUNTED;
	*old = t->out.side.facts;
	hooks_tell(t->env.hooks, (struct event){.kind = NOTICE_PROBED});
	plan(t);
	return TRANSFER_OK;
}
