// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "fd.h"

// Whatever the path leads to, it is the device or of no use.
static int
claim_path(const char *path, dev_t dev, int access)
{
	struct stat st;
	int fd = fd_move_up(fd_open(
		path, access | O_EXCL | O_NONBLOCK | O_CLOEXEC, 0));

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode) ||
			st.st_rdev != dev)) {
		(void)close(fd); // nothing went through it
		fd = -ENODEV;
	}
	return fd;
}

static int
claim_for(int access, int fd, const char *name, dev_t dev)
{
	char path[DISK_NAME_MAX];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int claim = claim_path(path, dev, access);
	// There is no /proc.
	if (claim == -ENOENT && name != NULL)
		claim = claim_path(name, dev, access);
	if (claim == -ENOENT || claim == -ENODEV)
		claim = claim_path(disk_name(dev, path, sizeof(path)), dev,
				   access);
	return claim;
}

int
claim_open(int fd, const char *name, dev_t dev, enum claim_use use)
{
	int claim = -EACCES;

	if (use == CLAIM_TO_CHANGE)
		claim = claim_for(O_RDWR, fd, name, dev);
	// The mode may allow no more, and that keeps others away as well.
	if (claim < 0 && claim != -EBUSY)
		claim = claim_for(O_RDONLY, fd, name, dev);
	return claim;
}
