// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "ours.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "path.h"
#include "request.h"
#include "safety.h"

// The name, before it is opened: that can wait for ever, or do things.
static enum ours_fault
look_at(const struct request *q, const char *path)
{
	struct stat st;

	if (path_is_side(path, q->src, STDIN_FILENO) ||
	    path_is_side(path, q->dst, STDOUT_FILENO))
		return OURS_SIDE;
	if (stat(path, &st) == 0)
		return S_ISREG(st.st_mode) ? OURS_NO_FAULT : OURS_NO_FILE;
	return errno == ENOENT && safety_is_missing(path) ? OURS_NO_DEVICE
							  : OURS_NO_FAULT;
}

static int
open_file(const struct ours *ours, int flags)
{
	return fd_move_up(fd_open_at(
		ours->beside.dir, beside_name(&ours->beside),
		flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666));
}

// Who replaces the file has its successor locked before that has the name. So
// a lock on what has no name any more is no lock.
static int
lock_file(const struct ours *ours, int how, unsigned *fault)
{
	const bool is_locked = flock(ours->fd, how | LOCK_NB) == 0;

	if (!is_locked && errno != EWOULDBLOCK)
		return -errno;
	if (is_locked && beside_has_name(&ours->beside, ours->fd))
		return 0;
	*fault = OURS_IN_USE;
	return -EINVAL;
}

// What was opened is what was looked at, and nobody else writes to it.
static int
check_file(const struct ours *ours, enum ours_use use, unsigned *fault)
{
	struct stat st;

	if (fstat(ours->fd, &st) < 0)
		return -errno;
	if (!path_is_same_file(&st, &ours->beside.old))
		return -ESTALE;
	if (!S_ISREG(st.st_mode)) {
		*fault = OURS_NO_FILE;
		return -EINVAL;
	}
	if (use == OURS_LOOK)
		return 0;
	return lock_file(ours, use == OURS_WRITE ? LOCK_EX : LOCK_SH, fault);
}

static int
find_file(struct ours *ours, const struct request *q, const char *path,
	  unsigned *fault)
{
	const enum ours_fault found = look_at(q, path);

	if (found != OURS_NO_FAULT) {
		*fault = found;
		return -EINVAL;
	}
	const int r = beside_find(&ours->beside, path, O_PATH);
	if (r == 0 && !beside_is_there(&ours->beside, path))
		return -ESTALE; // a link of /proc, to what has no name
	return r == 0 && !ours->beside.has_old ? beside_look(&ours->beside) : r;
}

int
ours_open(struct ours *ours, const struct request *q, const char *path,
	  enum ours_use use, unsigned *ret_fault)
{
	*ours = (struct ours){.fd = -1};
	*ret_fault = OURS_ERROR;
	const int r = find_file(ours, q, path, ret_fault);
	if (r < 0 || !ours->beside.has_old)
		return r;
	ours->fd = open_file(ours, use == OURS_WRITE ? O_RDWR : O_RDONLY);
	return ours->fd < 0 ? ours->fd : check_file(ours, use, ret_fault);
}

int
ours_make(struct ours *ours)
{
	ours->fd = open_file(ours, O_RDWR | O_CREAT | O_EXCL);
	if (ours->fd < 0)
		return ours->fd;
	return flock(ours->fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

void
ours_done(struct ours *ours)
{
	if (ours->fd >= 0)
		(void)close(ours->fd); // it was synced
	ours->fd = -1;
	beside_done(&ours->beside);
}
