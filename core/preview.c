// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "preview.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "commit.h"
#include "failure.h"
#include "fd.h"
#include "hooks.h"
#include "probe.h"
#include "safety.h"

static int
preview_side(struct endpoint *ep, const char *path, int fd, unsigned flags,
	     const struct hooks *h)
{
	int r = 0;

	*ep = (struct endpoint){.fd = fd, .name = path};
	if (path == NULL)
		probe_descriptor(fd, &ep->facts);
	else
		r = probe_path(path, &ep->facts);
	ep->facts.is_direct |= (flags & FLAG_DIRECT) != 0;
	ep->facts.is_append |= (flags & FLAG_APPEND) != 0;
	if (r < 0)
		hooks_tell(h, (struct failure){.phase = FAILURE_OPEN,
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

	if (safety_check_path(&t->safety, q) < 0)
		return -EPERM;
	if (q->dst != NULL && facts_has_offsets(&t->dst.facts))
		fd = fd_open(q->dst, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	const int r = safety_check(&t->safety, q, &t->src.facts,
				   &t->dst.facts, fd);
	safety_done(&t->safety);
	if (fd > STDERR_FILENO)
		(void)close(fd); // only looked at
	return r;
}

enum transfer_verdict
preview_run(struct transfer *t)
{
	const struct request *q = &t->request;

	if (commit_check(q, t->hooks) < 0)
		return TRANSFER_UNCOUNTED;
	if (preview_side(&t->src, q->src, STDIN_FILENO, q->iflags,
			 t->hooks) < 0 ||
	    preview_side(&t->dst, q->dst, STDOUT_FILENO, q->oflags,
			 t->hooks) < 0)
		return TRANSFER_UNCOUNTED;
	// It will be another file, even where it has the name of the source.
	const struct facts old = t->dst.facts;
	if (q->commit == REQUEST_COMMIT_RENAME)
		t->dst.facts.size = t->dst.facts.ino = 0;
	t->dst.facts.has_messages = probe_is_on(&t->dst.facts,
						t->hooks->message_fd);
	const bool is_safe =
		preview_safety(t) == 0 &&
		(q->commit != REQUEST_COMMIT_RENAME ||
		 safety_check_replaced(&t->safety, q, &old) == 0);
	// It would be cut.
	if (endpoint_is_cut(q) && t->dst.facts.kind == FACTS_FILE)
		t->dst.facts.size = 0;
	hooks_tell(t->hooks, (struct failure){.phase = NOTICE_PROBED});
	bulk_preview(&t->bulk);
	if (!is_safe)
		return transfer_refused(t);
	transfer_warn_unchecked(t);
	return transfer_can_verify(t) ? TRANSFER_OK : TRANSFER_UNCOUNTED;
}
