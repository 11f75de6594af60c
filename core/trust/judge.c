// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "judge.h"

#include <errno.h>

#include "change.h"
#include "clock.h"
#include "env.h"
#include "event.h"
#include "finish.h"
#include "guide.h"
#include "hasher.h"
#include "hold.h"
#include "hooks.h"
#include "stats.h"

bool
judge_has_changed(const struct judge *j)
{
	const struct request *q = j->verify.env->asked;
	const bool is_trusted = request_is_trusted(q);
	const unsigned changed = change_find(j->change);

	if (changed == 0)
		return false;
	hooks_tell(j->verify.env->hooks,
		   (struct event){.kind = is_trusted ? FAILURE_SRC_CHANGED
						     : NOTICE_SRC_CHANGED,
				  .name = j->verify.src->name,
				  .changed = changed});
	return is_trusted;
}

static int
finish_digests(const struct judge *j)
{
	const struct verify *v = &j->verify;
	const struct env *env = v->env;

	if (env->hasher == NULL)
		return 0;
	int r = hasher_finish(env->hasher, v->len, env->hooks);
	if (r == 0 && j->packed != NULL)
		r = hasher_finish(j->packed, j->packed_len, env->hooks);
	if (r == 0 || r == -ECANCELED)
		return r;
	return hooks_tell(env->hooks,
			  (struct event){.kind = FAILURE_DIGEST, .error = -r});
}

// What is it? What was unpacked may be meant, too.
static int
judge_digest(const struct judge *j)
{
	const struct env *env = j->verify.env;
	const struct request_expected *expected = &env->asked->expected;
	const int r = guide_judge(j->guide, j->verify.src, j->verify.len);

	if (r < 0)
		return r;
	if (expected->algs == 0)
		return 0;
	if (hasher_has(env->hasher, expected->algs, expected->value) ||
	    (j->packed != NULL &&
	     hasher_has(j->packed, expected->algs, expected->value)))
		return 0;
	hooks_tell(env->hooks, (struct event){.kind = FAILURE_UNEXPECTED,
					      .name = j->verify.src->name});
	return -ESTALE;
}

// Everything else is on the disk: now the block that was held back.
static int
release_block(struct judge *j)
{
	const struct verify *v = &j->verify;
	const struct hooks *h = v->env->hooks;

	if (v->hold == NULL)
		return 0;
	if (h->must_stop(h->ctx))
		return -ECANCELED;
	int r = hold_write(v->hold, v->dst, v->len);
	if (r < 0)
		return hooks_tell(h, (struct event){.kind = FAILURE_WRITE,
						    .error = -r,
						    .name = v->dst->name,
						    .off = v->hold->off});
	r = finish_sync(v->dst, CONV_FSYNC, h);
	j->is_synced = r == 0;
	return r;
}

// A download that failed, mostly.
static void
tell_empty(const struct judge *j)
{
	const struct verify *v = &j->verify;
	const struct request *q = v->env->asked;
	const struct stats *stats = v->env->stats;
	const bool is_skipped = q->skip.blocks > 0 || q->skip.bytes > 0 ||
				(q->count.blocks == 0 && q->count.bytes == 0);
	const bool is_empty = !is_skipped && v->src->facts.size == 0 &&
			      stats->in_full + stats->in_partial == 0;

	if (is_empty && (q->verify || q->expected.algs != 0 ||
			 (!q->is_dd && facts_is_device(&v->dst->facts))))
		hooks_tell(v->env->hooks,
			   (struct event){.kind = NOTICE_SRC_EMPTY,
					  .name = v->src->name});
}

// A file that is longer, or shorter, is another one; a disk is not.
static void
judge_size(const struct judge *j)
{
	const struct verify *v = &j->verify;
	const uint64_t end = v->dst_off + v->len;
	const uint64_t size = v->dst->facts.size;

	if (!facts_is_file(&v->dst->facts) ||
	    request_has_count(v->env->asked) || size <= end)
		return;
	differ_note(j->differ, (struct differ_range){v->len, size - end,
						     EVENT_NO_BYTE, -1});
}

// Nothing was written, and nothing is to be: what was there?
static int
judge_compared(const struct judge *j, bool is_whole)
{
	if (differ_has_any(j->differ))
		return -EBADMSG;
	return is_whole ? 0 : -ENODATA;
}

static bool
is_whole(const struct judge *j)
{
	const struct env *env = j->verify.env;

	return env->asked->is_dd || env->stats->unread == 0;
}

int
judge_src(struct judge *j, bool has_changed)
{
	int r;

	tell_empty(j);
	// Whatever else is found: the last range is told, too.
	if (j->differ != NULL) {
		judge_size(j);
		differ_finish(j->differ);
	}
	r = finish_digests(j);
	if (has_changed)
		return -ESTALE;
	if (r == 0 && is_whole(j))
		r = judge_digest(j);
	return r;
}

int
judge_dst(struct judge *j)
{
	struct verify *v = &j->verify;
	const struct request *q = v->env->asked;
	int r;

	// Nobody will see it.
	if (!is_whole(j) && q->commit != REQUEST_COMMIT_NONE)
		return -ENODATA;
	if (j->differ != NULL)
		return judge_compared(j, is_whole(j));
	if (!q->verify)
		return is_whole(j) ? release_block(j) : -ENODATA;
	if (v->env->stats->copied_ns == 0) // of several, the first
		v->env->stats->copied_ns = clock_ns();
	hooks_tell(v->env->hooks, (struct event){.kind = NOTICE_VERIFYING});
	// All but the block that is held back: a copy that differs does not
	// get it.
	r = verify_run(v);
	if (r == 0)
		r = is_whole(j) ? release_block(j) : -ENODATA;
	return r == 0 && v->hold != NULL ? verify_block(v) : r;
}

static int
judge_bytes(struct judge *j, bool has_changed)
{
	const int r = judge_src(j, has_changed);

	return r < 0 ? r : judge_dst(j);
}

// What was read in no order is read back.
static int
judge_mapped(struct judge *j, bool has_changed)
{
	struct verify *v = &j->verify;
	const struct env *env = v->env;
	const bool is_whole = env->stats->unread == 0;
	int r = 0;

	if (has_changed)
		return -ESTALE;
	if (env->asked->verify || (is_whole && env->asked->digests != 0)) {
		env->stats->copied_ns = clock_ns();
		hooks_tell(env->hooks,
			   (struct event){.kind = NOTICE_VERIFYING});
		r = verify_run(v);
	}
	if (r == 0 && is_whole)
		r = judge_digest(j);
	if (r == 0 && (!is_whole || env->stats->unchecked > 0))
		r = -ENODATA;
	return r;
}

int
judge_copy(struct judge *j, bool has_changed)
{
	const int r = j->verify.map != NULL ? judge_mapped(j, has_changed)
					    : judge_bytes(j, has_changed);

	verify_done(&j->verify);
	return r;
}
