// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "beside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat.h"
#include "fd.h"
#include "path.h"

int
beside_find(struct beside *beside, const char *path, int dir_access)
{
	*beside = (struct beside){.dir = -1, .fd = -1};
	beside->target = path_follow(path);
	if (beside->target == NULL)
		return -errno;
	const char *name = path_name(beside->target);
	if (*name == '\0')
		return *path == '\0' ? -ENOENT : -EISDIR;
	beside->dir = path_open_dir(beside->target, dir_access);
	if (beside->dir < 0)
		return beside->dir;
	beside->has_old = fstatat(beside->dir, name, &beside->old,
				  AT_SYMLINK_NOFOLLOW) == 0;
	return beside->has_old || errno == ENOENT ? 0 : -errno;
}

bool
beside_is_there(const struct beside *beside, const char *path)
{
	struct stat st;
	const bool has_path = stat(path, &st) == 0;

	return has_path == beside->has_old &&
	       (!has_path || path_is_same_file(&st, &beside->old));
}

static bool
may_act_as_owner(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, data) < 0 ||
	       (data[0].effective & 1U << CAP_FOWNER) != 0;
}

// Without an answer it may.
static bool
has_attribute(int dir, const char *name, uint64_t attributes)
{
	struct statx stx;
	const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT |
			  (*name == '\0' ? AT_EMPTY_PATH : 0);

	return statx(dir, name, flags, STATX_TYPE, &stx) == 0 &&
	       (stx.stx_attributes & attributes) != 0;
}

int
beside_check(const struct beside *beside)
{
	const uint64_t fixed = STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE;
	const char *name = path_name(beside->target);
	const uid_t us = geteuid();
	struct stat dir;

	// New files can be made there, and get no other name.
	if (has_attribute(beside->dir, "", fixed))
		return -EPERM;
	if (!beside->has_old)
		return 0;
	if (has_attribute(beside->dir, name, STATX_ATTR_MOUNT_ROOT))
		return -EBUSY;
	if (has_attribute(beside->dir, name, fixed))
		return -EPERM;
	if (fstat(beside->dir, &dir) == 0 && (dir.st_mode & S_ISVTX) &&
	    beside->old.st_uid != us && dir.st_uid != us &&
	    !may_act_as_owner())
		return -EPERM;
	return 0;
}

#define INFIX ".aiodd-"

static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

enum { NR_LETTERS = 6, NAME_KEPT = 200 };

// malloc'd; NULL: errno.
static char *
make_name(const char *name)
{
	unsigned char random[NR_LETTERS];
	char suffix[sizeof(random) + 1] = "", *temp;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return NULL;
	for (size_t i = 0; i < sizeof(random); i++)
		suffix[i] = letters[random[i] % 32];
	if (asprintf(&temp, ".%.*s" INFIX "%s", NAME_KEPT, name, suffix) < 0)
		return NULL;
	return temp;
}

bool
beside_is_temp(const struct beside *beside, const char *name)
{
	const char *target = path_name(beside->target);
	const size_t len = strlen(target);

	if (len > NAME_KEPT || *name++ != '.' ||
	    strncmp(name, target, len) != 0 ||
	    strncmp(name + len, INFIX, strlen(INFIX)) != 0)
		return false;
	const char *suffix = name + len + strlen(INFIX);
	return strlen(suffix) == NR_LETTERS &&
	       strspn(suffix, letters) == NR_LETTERS;
}

struct facts
beside_old(const struct beside *beside)
{
	if (!beside->has_old || !S_ISREG(beside->old.st_mode))
		return (struct facts){.kind = FACTS_STREAM};
	return (struct facts){.kind = FACTS_FILE,
			      .dev = beside->old.st_dev,
			      .ino = beside->old.st_ino,
			      .size = (uint64_t)beside->old.st_size};
}

const char *
beside_name(const struct beside *beside)
{
	return path_name(beside->target);
}

// fd: a file; name: in the directory, and no link.
static bool
is_named(const struct beside *beside, int fd, const char *name)
{
	struct stat a, b;

	return fstatat(beside->dir, name, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(fd, &b) == 0 && path_is_same_file(&a, &b);
}

bool
beside_has_name(const struct beside *beside, int fd)
{
	return is_named(beside, fd, beside_name(beside));
}

int
beside_look(const struct beside *beside)
{
	return faccessat(beside->dir, ".", W_OK | X_OK, AT_EACCESS) < 0
		       ? -errno
		       : 0;
}

int
beside_make(struct beside *beside, int flags)
{
	char *temp = make_name(path_name(beside->target));

	if (temp == NULL)
		return -errno;
	beside->fd = fd_move_up(fd_open_at(
		beside->dir, temp,
		flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		beside->has_old ? 0600 : 0666));
	if (beside->fd < 0) {
		free(temp);
		return beside->fd;
	}
	beside->temp = temp;
	if (beside->has_old)
		identity_take(&beside->identity, beside->fd, &beside->old,
			      beside->target);
	else
		identity_make(&beside->identity, beside->fd);
	return 0;
}

int
beside_clone(const struct beside *beside)
{
	const int old = openat(beside->dir, path_name(beside->target),
			       O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r = -ENOENT;

	if (old < 0)
		return -errno;
	if (fstat(old, &st) == 0 && path_is_same_file(&st, &beside->old))
		r = ioctl(beside->fd, FICLONE, old) < 0 ? -errno : 0;
	(void)close(old); // was only read
	return r;
}

int
beside_settle(const struct beside *beside)
{
	return identity_give(&beside->identity, beside->fd);
}

static bool
is_ours(const struct beside *beside)
{
	return is_named(beside, beside->fd, beside->temp);
}

static int
take_name(const struct beside *beside, unsigned flags)
{
	const char *name = path_name(beside->target);
	const int dir = beside->dir;

	if (flags == 0)
		return renameat(dir, beside->temp, dir, name);
	if (renameat2(dir, beside->temp, dir, name, flags) == 0)
		return 0;
	// NFS knows no flags. A link replaces nothing either.
	if (errno != EINVAL || linkat(dir, beside->temp, dir, name, 0) < 0)
		return -1;
	return unlinkat(dir, beside->temp, 0);
}

int
beside_rename(struct beside *beside, unsigned flags)
{
	if (!is_ours(beside))
		return -ESTALE;
	if (take_name(beside, flags) < 0)
		return -errno;
	free(beside->temp);
	beside->temp = NULL;
	return 0;
}

void
beside_drop(struct beside *beside)
{
	if (beside->temp != NULL && is_ours(beside))
		(void)unlinkat(beside->dir, beside->temp, 0);
	free(beside->temp);
	beside->temp = NULL;
	if (beside->fd >= 0)
		(void)close(beside->fd); // another one has told the errors
	beside->fd = -1;
}

void
beside_done(struct beside *beside)
{
	if (beside->target == NULL)
		return;
	beside_drop(beside);
	if (beside->dir >= 0)
		(void)close(beside->dir); // read-only
	free(beside->target);
	*beside = (struct beside){.dir = -1, .fd = -1};
}
