// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "preview.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "commit.h"
#include "cut.h"
#include "event.h"
#include "fd.h"
#include "file.h"
#include "hasher.h"
#include "hooks.h"
#include "look.h"
#include "offload.h"
#include "probe.h"
#include "safety.h"

static int
preview_side(struct side *ep, const char *path, int fd, unsigned flags,
	     const struct hooks *h)
{
	struct facts facts;
	int r = 0;

	file_init(ep, fd, path ? path : ep->name, ep->is_dd);
	if (path == NULL)
		probe_descriptor(fd, &facts);
	else
		r = probe_path(path, &facts);
	probe_flags(&facts, flags);
	file_set_facts(ep, &facts);
	if (r < 0)
		hooks_tell(h, (struct event){.kind = FAILURE_OPEN,
					     .error = -r,
					     .name = path});
	return r;
}

// As it would be with the destination open, but only for reading. 0 or -EPERM.
static int
preview_safety(struct transfer *t)
{
	const struct request *q = &t->request;
	int fd = STDOUT_FILENO;

	if (q->dst != NULL && facts_has_offsets(&t->dst.facts))
		fd = fd_open(q->dst, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	const int r = safety_check(&t->safety, q, &t->src.facts,
				   &t->dst.facts, fd);
	safety_done(&t->safety);
	if (fd > STDERR_FILENO)
		(void)close(fd); // only looked at
	return r;
}

// What opening would meet, in the order of transfer_open. 0 or -errno, told;
// -EPERM by safety_check_path.
static int
preview_open(struct transfer *t, bool *is_safe)
{
	const struct request *q = &t->request;
	int r = commit_check(q, t->env.hooks);

	if (r < 0)
		return r;
	r = transfer_open_digest(t);
	hasher_free(t->env.hasher);
	t->env.hasher = NULL;
	if (r == 0)
		r = look_src(&t->src, q, t->env.hooks);
	*is_safe = r < 0 || safety_check_path(&t->safety, q) == 0;
	if (r < 0 || !*is_safe)
		return r;
	return q->commit == REQUEST_COMMIT_RENAME
		       ? commit_look(q, t->env.hooks)
		       : look_dst(&t->dst, q, t->env.hooks);
}

// Of what is not there, the mode will allow it.
static bool
preview_can_verify(struct transfer *t)
{
	if (!transfer_can_verify(t))
		return false;
	if (!t->request.verify || t->request.dst != NULL)
		return true;
	const int r = transfer_open_back(t);
	if (r == 0)
		side_close_extra(&t->back);
	return r == 0;
}

enum transfer_verdict
preview_run(struct transfer *t, struct facts *old)
{
	const struct request *q = &t->request;
	bool is_safe;

	if (preview_open(t, &is_safe) < 0)
		return TRANSFER_UNCOUNTED;
	if (preview_side(&t->src, q->src, STDIN_FILENO, q->iflags,
			 t->env.hooks) < 0 ||
	    preview_side(&t->dst, q->dst, STDOUT_FILENO, q->oflags,
			 t->env.hooks) < 0)
		return TRANSFER_UNCOUNTED;
	// It will be another file, even where it has the name of the source.
	*old = t->dst.facts;
	if (q->commit == REQUEST_COMMIT_RENAME)
		probe_replaced(&t->dst.facts);
	probe_messages(&t->dst.facts, t->env.hooks->message_fd);
	if (is_safe && !transfer_can_write(t))
		return TRANSFER_UNCOUNTED;
	is_safe = is_safe &&
		  (q->commit != REQUEST_COMMIT_RENAME ||
		   safety_check_replaced(&t->safety, q, old) == 0) &&
		  preview_safety(t) == 0;
	if (is_safe && !preview_can_verify(t))
		return TRANSFER_UNCOUNTED;
	// It would be cut.
	if (cut_is_due(q))
		probe_cut(&t->dst.facts);
	hooks_tell(t->env.hooks, (struct event){.kind = NOTICE_PROBED});
	bulk_preview(&t->bulk);
	if (!is_safe)
		return transfer_refused(t);
	transfer_warn_unchecked(t);
	// Blocks that are shared need no room.
	if (!t->bulk.plan.is_clone)
		bulk_caution(&t->bulk);
	return offload_can_clone(&t->bulk) ? TRANSFER_OK : TRANSFER_FAILED;
}
