// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "look.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beside.h"
#include "cut.h"
#include "event.h"
#include "fd.h"
#include "file.h"
#include "open.h"
#include "probe.h"
#include "request.h"
#include "side.h"

// What open would say of what is there. access: of faccessat. Devices and
// pipes can do something when they are opened, and are not.
static int
look(const char *path, int flags, int access)
{
	const int kept = O_DIRECT | O_NOATIME;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) &&
	    (flags & O_NOFOLLOW))
		return -ELOOP;
	if (stat(path, &st) < 0)
		return -errno;
	if ((flags & O_DIRECTORY) && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (S_ISDIR(st.st_mode) && (access & W_OK))
		return -EISDIR;
	if (faccessat(AT_FDCWD, path, access, AT_EACCESS) < 0)
		return -errno;
	if (S_ISSOCK(st.st_mode))
		return -ENXIO;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return 0;
	// For reading, as a lease or a drive is not waited for.
	const int fd = fd_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC |
					     (flags & kept), 0);
	if (fd >= 0)
		(void)close(fd); // only looked at
	return fd < 0 && (fd != -EACCES || (access & R_OK)) ? fd : 0;
}

// What open would say that is to make it.
static int
look_new(const char *path)
{
	struct beside beside;
	int r = beside_find(&beside, path, O_PATH);

	if (r == 0)
		r = beside_look(&beside);
	beside_done(&beside);
	return r;
}

static int
look_at_dst(const struct request *q)
{
	const int flags = open_dst_flags(q);
	struct stat st;
	const bool is_there = lstat(q->dst, &st) == 0;

	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return -EINVAL;
	if (is_there && (flags & O_EXCL))
		return -EEXIST;
	const int reads = request_reads_dst(q) ? R_OK : 0;
	const int r = look(q->dst, flags,
			   request_writes(q) ? reads | W_OK : reads);
	return r == -ENOENT && (flags & O_CREAT) ? look_new(q->dst) : r;
}

int
look_src(struct side *side, const struct request *q, const struct hooks *h)
{
	struct stat st;
	int error;

	open_init_src(side, q);
	if (q->src == NULL) {
		const int r = open_inherited(side, q->iflags, q, h);

		if (r < 0)
			return r;
		error = open_find_unreadable(side->fd, true);
	} else {
		const int r = look(q->src, open_flags_of(q->iflags), R_OK);

		if (r < 0)
			return side_tell(side, h, FAILURE_OPEN, -r);
		if (stat(q->src, &st) < 0)
			error = errno;
		else
			error = S_ISDIR(st.st_mode) ? EISDIR : 0;
	}
	return open_tell_unreadable(side, q, h, error);
}

int
look_dst(struct side *side, const struct request *q, const struct hooks *h)
{
	open_init_dst(side, q);
	if (q->dst == NULL)
		return open_inherited(side, q->oflags, q, h);
	if (cut_check(q, h) < 0)
		return -EOVERFLOW;
	const int r = look_at_dst(q);
	return r < 0 ? open_tell_dst(side, q, h, -r) : 0;
}

int
look_foresee(struct side *side, const char *name, unsigned flags,
	     const struct hooks *h)
{
	struct facts facts;
	int r = 0;

	if (name == NULL)
		probe_descriptor(side->fd, &facts);
	else
		r = probe_path(name, &facts);
	probe_flags(&facts, flags);
	file_set_facts(side, &facts);
	return r < 0 ? side_tell(side, h, FAILURE_OPEN, -r) : 0;
}
