// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "preview.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "commit.h"
#include "event.h"
#include "fd.h"
#include "hasher.h"
#include "hooks.h"
#include "kinds.h"
#include "legs.h"
#include "offload.h"
#include "open.h"
#include "overlap.h"
#include "packed.h"
#include "probe.h"
#include "safety.h"
#include "sniff.h"

static int
preview_side(struct side *side, const char *name, unsigned flags,
	     const struct env *env)
{
	return kinds_find(name, env->asked->is_dd)
		->foresee(side, name, flags, env->hooks);
}

// The facts that output_probe would find.
static void
preview_dst(struct transfer *t)
{
	const struct request *q = t->env.asked;
	struct facts *facts = &t->out.side.facts;

	// It will be another file, even where it has the name of the source.
	if (q->commit == REQUEST_COMMIT_RENAME)
		probe_replaced(facts);
	probe_messages(facts, t->env.hooks->message_fd);
	t->out.start = request_dst_off(q, facts->pos);
}

// The source as it would be open, to be looked at where nothing is taken by it;
// but an export, which is known by its facts.
static struct side
open_to_look(const struct transfer *t)
{
	struct side src = t->src;

	if (t->env.asked->src != NULL && facts_has_offsets(&src.facts))
		src.fd = fd_open(t->env.asked->src,
				 O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	return src;
}

static void
close_looked(const struct side *src)
{
	if (src->fd > STDERR_FILENO)
		(void)close(src->fd); // only looked at
}

static int
preview_guide(struct transfer *t)
{
	if (t->env.asked->bmap == NULL)
		return 0;
	guide_lead(&t->guide, &t->src);
	const struct side src = open_to_look(t);
	const int r = guide_check(&t->guide, &src, t->src_start);
	close_looked(&src);
	return r;
}

// What can be seen without taking it.
static int
preview_format(struct transfer *t)
{
	const struct request *q = t->env.asked;
	enum decode_format is = t->src.facts.packed;

	if (facts_has_offsets(&t->src.facts) &&
	    !facts_is_export(&t->src.facts) &&
	    safety_looks_inside(q, &t->out.side.facts)) {
		const struct side src = open_to_look(t);

		(void)sniff_look(&src, t->src_start, t->env.hooks, &is);
		close_looked(&src);
	}
	return safety_check_format(&t->out.safety, q, &t->src.facts,
				   &t->out.side.facts, is);
}

// As it would be with the destination open, but only for reading. 0 or -EPERM.
static int
preview_safety(struct transfer *t)
{
	const struct request *q = t->env.asked;
	int fd = STDOUT_FILENO;

	if (q->dst != NULL && facts_has_offsets(&t->out.side.facts))
		fd = fd_open(q->dst, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	const int r = safety_check(&t->out.safety, q, &t->src.facts,
				   &t->out.side.facts, fd);
	safety_done(&t->out.safety);
	if (fd > STDERR_FILENO)
		(void)close(fd); // only looked at
	return r < 0 ? r : preview_format(t);
}

// What opening would meet, in the order of conduct_run. 0 or -errno, told;
// -EPERM by safety_check_path.
static int
preview_open(struct transfer *t, bool *is_safe)
{
	const struct request *q = t->env.asked;
	int r = commit_check(q, t->env.hooks);

	if (r == 0)
		r = guide_open(&t->guide, &t->env);
	if (r < 0)
		return r;
	r = mapkeep_open(&t->keep, &t->env);
	if (r < 0)
		return r;
	r = vouch_open(&t->vouch, &t->env, VOUCH_LOOK);
	if (r < 0)
		return r;
	r = transfer_open_digest(t);
	hasher_free(t->env.hasher);
	t->env.hasher = NULL;
	hasher_free(t->packed_hasher);
	t->packed_hasher = NULL;
	if (r == 0)
		r = kinds_find(q->src, q->is_dd)
			    ->look_src(&t->src, q, t->env.hooks);
	*is_safe = r < 0 || !request_writes(q) || output_can_make(&t->out);
	if (r < 0 || !*is_safe)
		return r;
	if (q->commit != REQUEST_COMMIT_RENAME)
		return kinds_find(q->dst, q->is_dd)
			->look_dst(&t->out.side, q, t->env.hooks);
	open_init_dst(&t->out.side, q);
	return commit_look(q, t->env.hooks);
}

// Nothing can be done by it. Negative: there is no such file.
static int
find_fd(const char *path, int standard)
{
	return path != NULL ? fd_open(path, O_PATH | O_CLOEXEC, 0) : standard;
}

// 0 or -errno, told; -EPERM: refused.
static int
preview_map(struct transfer *t)
{
	const struct request *q = t->env.asked;
	struct side src = t->src, dst = t->out.side;

	if (q->map == NULL)
		return 0;
	src.fd = find_fd(q->src, STDIN_FILENO);
	dst.fd = find_fd(q->dst, STDOUT_FILENO);
	const int r = mapkeep_check(&t->keep, &src, &dst, t->src_start,
				    t->out.start);
	if (src.fd > STDERR_FILENO)
		(void)close(src.fd); // only looked at
	if (dst.fd > STDERR_FILENO)
		(void)close(dst.fd);
	t->out.is_kept = !t->keep.is_new;
	return r;
}

// Of what is not there, the mode will allow it.
static bool
preview_can_verify(struct transfer *t)
{
	if (!output_can_verify(&t->out))
		return false;
	if (!request_reads_dst(t->env.asked) || t->env.asked->dst != NULL)
		return true;
	const int r = output_open_back(&t->out);
	if (r == 0)
		side_close_extra(&t->out.back);
	return r == 0;
}

// Two of tee= have bytes in common, which is told.
static bool
preview_is_twice(const struct transfer *t)
{
	const struct facts *facts = &t->out.side.facts;

	for (const struct transfer *other = t->before; other != NULL;
	     other = other->before) {
		if (facts_is_null(facts) ||
		    !overlap_is_any(&other->out.side.facts, facts))
			continue;
		hooks_tell(t->env.hooks,
			   (struct event){.kind = FAILURE_TWICE,
					  .name = t->out.side.name,
					  .word = other->out.side.name});
		return true;
	}
	return false;
}

// With tee= only the ring copies.
static bool
preview_can_tee(const struct transfer *t)
{
	const char *why = legs_why_not(t, &t->out.side.facts, &t->bulk.plan);

	if (t->env.asked->nr_tees == 0 || why == NULL)
		return true;
	hooks_tell(t->env.hooks, (struct event){.kind = FAILURE_NOT_TEED,
						.name = t->out.side.name,
						.word = why});
	return false;
}

enum transfer_verdict
preview_run(struct transfer *t, struct facts *old)
{
	const struct request *q = t->env.asked;
	bool is_safe;
	int mapped = 0;

	if (preview_open(t, &is_safe) < 0)
		return TRANSFER_UNCOUNTED;
	if (preview_side(&t->src, q->src, q->iflags, &t->env) < 0 ||
	    packed_foresee(&t->src, q, t->env.hooks) < 0 ||
	    preview_side(&t->out.side, q->dst, q->oflags, &t->env) < 0)
		return TRANSFER_UNCOUNTED;
	t->src_start = request_src_off(q, t->src.facts.pos);
	if (preview_guide(t) < 0)
		return TRANSFER_UNEXPECTED;
	*old = t->out.side.facts;
	preview_dst(t);
	if (is_safe && !output_can_write(&t->out))
		return TRANSFER_UNCOUNTED;
	if (is_safe)
		mapped = preview_map(t);
	if (mapped < 0 && mapped != -EPERM)
		return TRANSFER_UNCOUNTED;
	const bool is_twice = is_safe && preview_is_twice(t);
	is_safe = is_safe && mapped == 0 && !is_twice &&
		  (q->commit != REQUEST_COMMIT_RENAME ||
		   output_can_replace(&t->out, old)) &&
		  (!request_writes(q) || preview_safety(t) == 0);
	if (is_safe && !preview_can_verify(t))
		return TRANSFER_UNCOUNTED;
	output_expect_cut(&t->out);
	hooks_tell(t->env.hooks, (struct event){.kind = NOTICE_PROBED});
	t->bulk.refused.compare = !output_has_old(&t->out);
	bulk_preview(&t->bulk);
	if (mapped < 0 || is_twice)
		return TRANSFER_REFUSED;
	if (!is_safe)
		return transfer_refused(t);
	if (!preview_can_tee(t))
		return TRANSFER_UNCOUNTED;
	output_warn_unchecked(&t->out);
	// Blocks that are shared need no room.
	if (!t->bulk.plan.is_clone)
		bulk_caution(&t->bulk);
	return offload_can_clone(&t->bulk) ? TRANSFER_OK : TRANSFER_FAILED;
}
