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
claim_path(const char *path, dev_t dev)
{
	struct stat st;
	int fd = fd_move_up(fd_open(
		path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC, 0));

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode) ||
			st.st_rdev != dev)) {
		(void)close(fd); // nothing went through it
		fd = -ENODEV;
	}
	return fd;
}

int
claim_open(int fd, const char *name, dev_t dev)
{
	char path[DISK_NAME_MAX];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int claim = claim_path(path, dev);
	// There is no /proc.
	if (claim == -ENOENT && name != NULL)
		claim = claim_path(name, dev);
	if (claim == -ENOENT || claim == -ENODEV)
		claim = claim_path(disk_name(dev, path, sizeof(path)), dev);
	return claim;
}
