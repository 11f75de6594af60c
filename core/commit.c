// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "beside.h"
#include "failure.h"
#include "fd.h"
#include "finish.h"
#include "hooks.h"

#define ACL "system.posix_acl_access"

static int
commit_tell(const struct hooks *h, enum failure_phase phase, const char *name,
	    int error)
{
	hooks_tell(h, (struct failure){.phase = phase,
				       .error = error,
				       .name = name});
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

	if (q->commit == REQUEST_COMMIT_NONE)
		return 0;
	const int error = open_error(q, &st);
	if (error > 0)
		return commit_tell(h, FAILURE_OPEN, q->dst, error);
	if (q->commit == REQUEST_COMMIT_RENAME && !S_ISREG(st.st_mode))
		return commit_tell(h, FAILURE_COMMIT_FILE, q->dst, 0);
	if (q->commit == REQUEST_COMMIT_FIRST_LAST && !S_ISBLK(st.st_mode))
		return commit_tell(h, FAILURE_COMMIT_DISK, q->dst, 0);
	return 0;
}

// The directory of the target, to be synced after the rename.
static int
open_dir(const struct commit *commit)
{
	const size_t len = (size_t)beside_dir_len(commit->target);
	char *dir = strndup(commit->target, len);
	int fd = -ENOMEM;

	if (dir != NULL)
		fd = fd_open(*dir != '\0' ? dir : ".",
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	free(dir);
	return fd;
}

// Find the names and make the file. Nobody but us may open it before it has
// the mode of the old one.
static int
make_temp(struct commit *commit, const struct request *q, bool has_old)
{
	const int dir = open_dir(commit);

	if (dir < 0)
		return dir;
	(void)close(dir); // it was only to be seen that it will open
	char *temp = beside_temp(commit->target);
	if (temp == NULL)
		return -ENOMEM;
	const int fd = fd_open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			       has_old ? 0600 : 0666);
	if (fd < 0) {
		free(temp);
		return fd;
	}
	(void)close(fd); // endpoint opens it, with the flags of oflag=
	commit->temp = temp;
	commit->is_new_only = (q->conv & CONV_EXCL) != 0;
	return 0;
}

// As it would be if the old file had been written. 0 or -errno.
static int
take_identity(int fd, const char *target, const struct stat *old)
{
	char acl[4096];
	mode_t mode = old->st_mode & 07777;

	// Whoever may not give files away keeps the group at least; a program
	// that runs as its owner is another one then.
	if (fchown(fd, old->st_uid, old->st_gid) < 0) {
		(void)!fchown(fd, (uid_t)-1, old->st_gid);
		mode &= ~(mode_t)(S_ISUID | S_ISGID);
	}
	if (fchmod(fd, mode) < 0)
		return -errno;
	const ssize_t len = getxattr(target, ACL, acl, sizeof(acl));
	if (len > 0)
		return fsetxattr(fd, ACL, acl, (size_t)len, 0) < 0 ? -errno
								   : 0;
	if (len < 0 && errno == ERANGE)
		return -errno;
	// What the directory gives to new files.
	(void)fremovexattr(fd, ACL);
	return 0;
}

int
commit_open(struct commit *commit, struct endpoint *dst,
	    const struct request *q, const struct hooks *h)
{
	struct request beside_it = *q;
	struct stat old;

	commit->target = beside_follow(q->dst);
	if (commit->target == NULL)
		return commit_tell(h, FAILURE_OPEN, q->dst, errno);
	if (!beside_is_there(q->dst, commit->target))
		return commit_tell(h, FAILURE_COMMIT_FILE, q->dst, 0);
	const bool has_old = lstat(commit->target, &old) == 0;
	int r = make_temp(commit, q, has_old);
	if (r < 0)
		return commit_tell(h, FAILURE_OPEN, q->dst, -r);

	beside_it.dst = commit->temp;
	beside_it.conv &= ~(unsigned)CONV_EXCL;
	beside_it.conv |= CONV_NOCREAT;
	r = endpoint_open_dst(dst, &beside_it, h);
	dst->name = q->dst;
	if (r < 0 || !has_old)
		return r;
	r = take_identity(dst->fd, commit->target, &old);
	return r < 0 ? commit_tell(h, FAILURE_COMMIT_MODE, q->dst, -r) : 0;
}

static int
take_name(const struct commit *commit)
{
	const unsigned flags = commit->is_new_only ? RENAME_NOREPLACE : 0;

	if (renameat2(AT_FDCWD, commit->temp, AT_FDCWD, commit->target,
		      flags) == 0)
		return 0;
	// NFS knows no flags. A link replaces nothing either.
	if (errno != EINVAL || !commit->is_new_only ||
	    link(commit->temp, commit->target) < 0)
		return -errno;
	return unlink(commit->temp) < 0 ? -errno : 0;
}

int
commit_rename(struct commit *commit, const struct hooks *h)
{
	int r = take_name(commit);

	if (r < 0)
		return commit_tell(h, FAILURE_RENAME, commit->target, -r);
	free(commit->temp);
	commit->temp = NULL;
	const int dir = open_dir(commit);
	if (dir < 0)
		return commit_tell(h, FAILURE_FSYNC, commit->target, -dir);
	r = finish_fsync(dir, h);
	(void)close(dir); // read-only
	// A file system that has nothing to sync there.
	if (r == 0 || r == -EINVAL || r == -ENOSYS)
		return 0;
	if (r == -ECANCELED)
		return r;
	return commit_tell(h, FAILURE_FSYNC, commit->target, -r);
}

void
commit_done(struct commit *commit)
{
	if (commit->temp != NULL)
		(void)unlink(commit->temp);
	free(commit->temp);
	free(commit->target);
	*commit = (struct commit){.target = NULL};
}
