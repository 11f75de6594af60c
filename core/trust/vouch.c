// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "vouch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "env.h"
#include "event.h"
#include "hooks.h"
#include "imprint.h"
#include "manifest_sample.h"
#include "request.h"
#include "side.h"

static int
tell(const struct vouch *v, enum event_kind kind, unsigned fault, int r)
{
	hooks_tell(v->env->hooks, (struct event){.kind = kind,
						 .error = -r,
						 .name = v->path,
						 .map = v->env->asked->map,
						 .fault = fault});
	return r < 0 ? r : -EINVAL;
}

static bool
is_mapped(const struct vouch *v)
{
	return v->env->asked->map != NULL;
}

static void
give_up(struct vouch *v)
{
	ours_done(&v->file);
	free(v->path);
	v->path = NULL;
}

// What is kept beside a map is of use, not of need, and a disk that is dying
// waits for no room to be made.
static int
refuse(struct vouch *v, unsigned fault, int r)
{
	if (!is_mapped(v) || fault != OURS_ERROR)
		return tell(v, FAILURE_MANIFEST, fault, r);
	(void)tell(v, NOTICE_MANIFEST, fault, r);
	give_up(v);
	return 0;
}

// 0, or -errno, told.
static int
read_file(struct vouch *v)
{
	const int r = manifest_open(&v->manifest, v->file.fd);

	v->is_new = r == -ENODATA;
	switch (r) {
	case 0:
	case -ENODATA:
		return 0;
	case -EPROTO:
		v->doubt = VOUCH_FORMAT;
		return 0;
	case -EBADMSG:
		v->doubt = VOUCH_DAMAGED;
		return 0;
	case -EILSEQ:
		return refuse(v, VOUCH_FOREIGN, 0);
	default:
		return refuse(v, OURS_ERROR, r);
	}
}

// Where nothing else will do.
static int
need_file(struct vouch *v)
{
	const enum vouch_fault fault = v->is_new ? VOUCH_NONE : v->doubt;

	return fault == VOUCH_NO_FAULT ? 0 : refuse(v, fault, 0);
}

static int
find_path(struct vouch *v, const struct request *q)
{
	int len = 0;

	if (q->manifest != NULL)
		len = asprintf(&v->path, "%s", q->manifest);
	else if (q->map != NULL && digest_is_available(DIGEST_XXH128))
		len = asprintf(&v->path, "%s.ranges", q->map);
	if (len >= 0)
		return 0;
	v->path = NULL;
	return refuse(v, OURS_ERROR, -ENOMEM);
}

// A map is looked at while a run is at it.
static enum ours_use
use_of_file(const struct vouch *v, enum vouch_use use)
{
	if (use == VOUCH_WRITE)
		return OURS_WRITE;
	return is_mapped(v) ? OURS_LOOK : OURS_READ;
}

int
vouch_open(struct vouch *v, const struct env *env, enum vouch_use use)
{
	const struct request *q = env->asked;
	unsigned fault;

	*v = (struct vouch){.env = env, .file.fd = -1};
	int r = find_path(v, q);
	if (r < 0 || v->path == NULL)
		return r;
	r = ours_open(&v->file, q, v->path, use_of_file(v, use), &fault);
	if (r < 0)
		return refuse(v, fault, fault == OURS_ERROR ? r : 0);
	v->is_new = v->file.fd < 0;
	r = v->is_new ? 0 : read_file(v);
	return r == 0 && use == VOUCH_NEED ? need_file(v) : r;
}

void
vouch_done(struct vouch *v)
{
	if (v->env == NULL)
		return;
	ours_done(&v->file);
	free(v->path);
	v->env = NULL;
}

bool
vouch_is_kept(const struct vouch *v)
{
	return v->file.fd >= 0 && !v->is_new && v->doubt == VOUCH_NO_FAULT;
}

const struct manifest *
vouch_manifest(const struct vouch *v)
{
	return vouch_is_kept(v) ? &v->manifest : NULL;
}

struct reading {
	const struct hooks *hooks;
	const struct side *back;
};

// Around the page cache where that can be done: it may have been there before
// the disk.
static int
read_sample(void *ctx, void *buf, size_t len, uint64_t off)
{
	const struct reading *reading = ctx;
	const struct side *back = reading->back;
	const uint32_t align = back->facts.dio_align;
	int r = -EINVAL;

	if (side_fd(back, SIDE_DIRECT) >= 0 && align > 0 && len % align == 0)
		r = side_read_whole(back, SIDE_DIRECT, buf, len, off,
				    reading->hooks);
	return r < 0 ? side_read_whole(back, SIDE_BUFFERED, buf, len, off,
				       reading->hooks)
		     : r;
}

// A run that was cut off has left times that it could not foresee.
static enum vouch_fault
compare_imprints(const struct vouch *v, const struct side *dst)
{
	const struct imprint now = imprint_take(dst);
	const struct imprint then = imprint_parse(v->manifest.header.ids.dst);

	if (!imprint_is_same(&now, &then))
		return VOUCH_OTHER;
	return imprint_is_unchanged(&now, &then) || is_mapped(v)
		       ? VOUCH_NO_FAULT
		       : VOUCH_CHANGED;
}

int
vouch_attests(struct vouch *v, const struct side *dst)
{
	const struct imprint now = imprint_take(dst);
	const struct imprint then = imprint_parse(v->manifest.header.ids.dst);

	if (!imprint_is_same(&now, &then))
		return refuse(v, VOUCH_OTHER, 0);
	return v->manifest.len == 0 && !v->manifest.header.is_complete
		       ? refuse(v, VOUCH_EMPTY, 0)
		       : 0;
}

int
vouch_check(struct vouch *v, const struct side *dst, const struct side *back)
{
	struct reading reading = {.hooks = v->env->hooks, .back = back};
	int r = 0;

	if (v->is_new && !request_writes(v->env->asked))
		(void)tell(v, NOTICE_MANIFEST, VOUCH_NONE, 0);
	if (v->file.fd < 0 || v->is_new)
		return 0;
	if (v->doubt == VOUCH_NO_FAULT)
		v->doubt = compare_imprints(v, dst);
	// With a map it counts only where that says so, and what it says is
	// looked at, not relied on.
	if (v->doubt == VOUCH_NO_FAULT && !is_mapped(v))
		r = manifest_sample(&v->manifest, read_sample, &reading);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		v->doubt = r == -EBADMSG ? VOUCH_DIFFERS : VOUCH_UNREAD;
	if (v->doubt != VOUCH_NO_FAULT)
		(void)tell(v, NOTICE_MANIFEST, v->doubt, r == -EBADMSG ? 0 : r);
	return 0;
}

static struct manifest_ids
ids_of(const struct side *src, const struct side *dst)
{
	const struct imprint from = imprint_take(src), to = imprint_take(dst);
	struct manifest_ids ids;

	imprint_format(&from, ids.src);
	imprint_format(&to, ids.dst);
	return ids;
}

static int
make_file(struct vouch *v)
{
	if (v->file.fd >= 0)
		return 0;
	const int made = ours_make(&v->file);
	if (made < 0)
		return made;
	const int r = manifest_open(&v->manifest, v->file.fd);
	return r == -ENODATA ? 0 : r;
}

// What is found there counts, so it must not be in the page cache alone.
static int
sync_dst(const struct vouch *v, const struct side *dst)
{
	const int r = dst->ops->sync(dst, true, v->env->hooks);

	return r < 0 && r != -ECANCELED
		       ? side_tell(dst, v->env->hooks, FAILURE_FDATASYNC, -r)
		       : r;
}

int
vouch_begin(struct vouch *v, const struct side *src, const struct side *dst,
	    uint64_t len)
{
	const struct manifest_ids ids = ids_of(src, dst);
	const bool is_kept = vouch_is_kept(v);

	if (v->path == NULL)
		return 0;
	int r = sync_dst(v, dst);
	if (r < 0)
		return r;
	r = make_file(v);
	if (r == 0)
		r = is_mapped(v)
			    ? manifest_begin_mapped(&v->manifest, &ids, len,
						    is_kept)
			    : manifest_begin(&v->manifest, &ids, len, is_kept);
	if (r == 0)
		return 0;
	// A later run must not rely on what this one does not keep up.
	if (is_mapped(v) && v->file.fd >= 0)
		(void)!ftruncate(v->file.fd, 0);
	return refuse(v, OURS_ERROR, r);
}

int
vouch_forget(struct vouch *v, const struct side *src, const struct side *dst)
{
	const struct manifest_ids ids = ids_of(src, dst);

	if (v->path == NULL)
		return 0;
	const int r = manifest_begin(&v->manifest, &ids, 0, false);
	return r < 0 ? refuse(v, OURS_ERROR, r) : 0;
}

int
vouch_end(struct vouch *v, const struct side *src, const struct side *dst,
	  uint64_t end)
{
	const struct manifest_ids ids = ids_of(src, dst);
	const struct imprint to = imprint_parse(ids.dst);

	if (v->path == NULL)
		return 0;
	const int r = manifest_end(&v->manifest, end, to.size, &ids);
	return r < 0 ? refuse(v, OURS_ERROR, r) : 0;
}
