// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat.h"
#include "event.h"
#include "hooks.h"
#include "nbd_side.h"
#include "open.h"
#include "sync.h"

static int
commit_tell(const struct hooks *h, enum event_kind kind, const char *name,
	    int error)
{
	hooks_tell(h,
		   (struct event){.kind = kind, .error = error, .name = name});
	return error > 0 ? -error : -EINVAL;
}

// What open would refuse, were it not for the other name.
static int
open_error(const struct request *q, struct stat *st)
{
	if (lstat(q->dst, st) == 0) {
		if (q->conv & CONV_EXCL)
			return EEXIST;
		if (S_ISLNK(st->st_mode) && (q->oflags & FLAG_NOFOLLOW))
			return ELOOP;
	}
	if (stat(q->dst, st) == 0)
		return faccessat(AT_FDCWD, q->dst, W_OK, AT_EACCESS) < 0
			       ? errno
			       : 0;
	const bool is_new = errno == ENOENT && !(q->conv & CONV_NOCREAT) &&
			    q->commit == REQUEST_COMMIT_RENAME;
	st->st_mode = S_IFREG;
	return is_new ? 0 : errno;
}

int
commit_check(const struct request *q, const struct hooks *h)
{
	struct stat st;

	// A server has to be asked what is there.
	if (q->commit == REQUEST_COMMIT_NONE ||
	    (q->commit == REQUEST_COMMIT_FIRST_LAST &&
	     nbd_side_is_export(q->dst)))
		return 0;
	int error = open_error(q, &st);
	if (error == 0 && S_ISREG(st.st_mode) && (q->oflags & FLAG_DIRECTORY))
		error = ENOTDIR;
	if (error > 0)
		return commit_tell(h, FAILURE_OPEN, q->dst, error);
	if (q->commit == REQUEST_COMMIT_RENAME && !S_ISREG(st.st_mode))
		return commit_tell(h, FAILURE_COMMIT_FILE, q->dst, 0);
	if (q->commit == REQUEST_COMMIT_FIRST_LAST && !S_ISBLK(st.st_mode))
		return commit_tell(h, FAILURE_COMMIT_DISK, q->dst, 0);
	return 0;
}

// The name that the file will have. 0, or -errno, told.
static int
find_name(struct beside *beside, const struct request *q,
	  const struct hooks *h)
{
	int r = beside_find(beside, q->dst, O_RDONLY);

	if (r < 0)
		return commit_tell(h, FAILURE_OPEN, q->dst, -r);
	if (!beside_is_there(beside, q->dst) ||
	    (beside->has_old && !S_ISREG(beside->old.st_mode)))
		return commit_tell(h, FAILURE_COMMIT_FILE, q->dst, 0);
	r = beside_check(beside);
	return r < 0 ? commit_tell(h, FAILURE_RENAME, q->dst, -r) : 0;
}

static int
make_file(struct commit *commit, const struct request *q,
	  const struct hooks *h)
{
	struct beside *beside = &commit->beside;
	int r = find_name(beside, q, h);

	if (r < 0)
		return r;
	commit->is_new_only = (q->conv & CONV_EXCL) != 0;
	r = beside_make(beside, open_make_flags(q));
	// What cannot share the old blocks has all of its bytes written.
	if (r == 0 && q->compare == REQUEST_COMPARE_UPDATE)
		(void)beside_clone(beside);
	return r < 0 ? commit_tell(h, FAILURE_OPEN, q->dst, -r) : 0;
}

int
commit_look(const struct request *q, const struct hooks *h)
{
	struct beside beside;
	int r = find_name(&beside, q, h);

	if (r == 0) {
		r = beside_look(&beside);
		if (r < 0)
			commit_tell(h, FAILURE_OPEN, q->dst, -r);
	}
	beside_done(&beside);
	return r;
}

int
commit_open(struct commit *commit, struct side *dst,
	    const struct request *q, const struct hooks *h)
{
	const int r = make_file(commit, q, h);

	return r < 0 ? r : open_take_dst(dst, commit->beside.fd, q, h);
}

int
commit_settle(const struct commit *commit, const struct hooks *h)
{
	const struct beside *beside = &commit->beside;
	const int r = beside->temp != NULL ? beside_settle(beside) : 0;

	return r < 0 ? commit_tell(h, FAILURE_COMMIT_MODE, beside->target, -r)
		     : 0;
}

int
commit_rename(struct commit *commit, const struct hooks *h)
{
	struct beside *beside = &commit->beside;
	const unsigned flags = commit->is_new_only ? RENAME_NOREPLACE : 0;

	if (beside->temp == NULL)
		return 0;
	int r = beside_rename(beside, flags);
	if (r == -ESTALE)
		return commit_tell(h, FAILURE_COMMIT_LOST, beside->target, 0);
	if (r < 0)
		return commit_tell(h, FAILURE_RENAME, beside->target, -r);
	commit->is_renamed = true;
	r = sync_descriptor(beside->dir, h);
	// A file system that has nothing to sync there.
	if (r == 0 || r == -EINVAL || r == -ENOSYS)
		return 0;
	if (r == -ECANCELED)
		return r;
	return commit_tell(h, FAILURE_FSYNC, beside->target, -r);
}

void
commit_done(struct commit *commit)
{
	beside_done(&commit->beside);
}
