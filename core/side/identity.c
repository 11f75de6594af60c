// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "identity.h"

#include <errno.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ACL "system.posix_acl_access"

mode_t
identity_mode(mode_t old, struct identity_kept kept)
{
	mode_t mode = old & 07777;

	// A program that runs as its owner is another one then.
	if (!kept.owner || !kept.group)
		mode &= 0777;
	// The new group has no rights, and the members of the old one are
	// others now. Who has become an other without the list is not known.
	if (!kept.group)
		mode &= 0700 | (mode >> 3 & 07);
	if (!kept.acl)
		mode &= 07700;
	return mode;
}

// False: there is a list, and we cannot have it.
static bool
take_acl(struct identity *identity, const char *path)
{
	const ssize_t len = lgetxattr(path, ACL, identity->acl,
				      sizeof(identity->acl));

	identity->acl_len = len > 0 ? (size_t)len : 0;
	return len >= 0 || errno == ENODATA || errno == EOPNOTSUPP;
}

void
identity_take(struct identity *identity, int fd, const struct stat *old,
	      const char *path)
{
	struct identity_kept kept;
	struct stat st = *old;

	*identity = (struct identity){.is_new = false};
	(void)fchmod(fd, 0600); // the umask may have left less
	if (fchown(fd, old->st_uid, old->st_gid) < 0)
		(void)!fchown(fd, (uid_t)-1, old->st_gid);
	(void)fstat(fd, &st);
	kept.owner = st.st_uid == old->st_uid;
	kept.group = st.st_gid == old->st_gid;
	kept.acl = take_acl(identity, path) &&
		   (kept.group || identity->acl_len == 0);
	if (!kept.acl)
		identity->acl_len = 0;
	identity->mode = identity_mode(old->st_mode, kept);
}

void
identity_make(struct identity *identity, int fd)
{
	struct stat st = {.st_mode = 0600};

	(void)fstat(fd, &st);
	*identity = (struct identity){.is_new = true,
				      .mode = st.st_mode & 07777};
	if ((st.st_mode & 0600) != 0600)
		(void)fchmod(fd, identity->mode | 0600);
}

// In place of what the directory gives to new files. False: it is not that of
// the old file.
static bool
give_acl(const struct identity *identity, int fd)
{
	if (identity->acl_len > 0)
		return fsetxattr(fd, ACL, identity->acl, identity->acl_len,
				 0) == 0;
	return fremovexattr(fd, ACL) == 0 || errno == ENODATA ||
	       errno == EOPNOTSUPP;
}

int
identity_give(const struct identity *identity, int fd)
{
	struct identity_kept kept = {true, true, true};
	struct stat st;

	if (!identity->is_new)
		kept.acl = give_acl(identity, fd);
	const mode_t mode = identity_mode(identity->mode, kept);
	// Not every file system has modes to give.
	if (fstat(fd, &st) == 0 && (st.st_mode & 07777) == mode)
		return 0;
	return fchmod(fd, mode) < 0 ? -errno : 0;
}
