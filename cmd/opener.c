// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "opener.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// What is open may be on a server that is gone, so nobody is asked.
static bool
is_device(int dir, const char *name, dev_t dev)
{
	struct statx st;

	return statx(dir, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		     STATX_TYPE, &st) == 0 &&
	       S_ISBLK(st.stx_mode) &&
	       makedev(st.stx_rdev_major, st.stx_rdev_minor) == dev;
}

static bool
has_open(pid_t pid, dev_t dev, bool *is_unseen)
{
	char path[32];
	struct dirent *entry;
	bool is_found = false;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	if (dir == NULL) {
		*is_unseen |= errno != ENOENT; // it has ended
		return false;
	}
	while (!is_found && (entry = readdir(dir)) != NULL)
		is_found = entry->d_name[0] != '.' &&
			   is_device(dirfd(dir), entry->d_name, dev);
	(void)closedir(dir); // only read
	return is_found;
}

static void
read_name(struct opener *opener)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", opener->pid);
	FILE *f = fopen(path, "re");
	if (f == NULL ||
	    fgets(opener->name, sizeof(opener->name), f) == NULL)
		opener->name[0] = '\0';
	opener->name[strcspn(opener->name, "\n")] = '\0';
	if (f != NULL)
		(void)fclose(f); // only read
}

bool
opener_find(dev_t dev, struct opener *ret)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	unsigned nr = 0;
	bool is_unseen = false;

	while (dir != NULL && nr < 2 && (entry = readdir(dir)) != NULL) {
		const pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || pid == getpid() ||
		    !has_open(pid, dev, &is_unseen))
			continue;
		if (nr++ == 0)
			ret->pid = pid;
	}
	if (dir != NULL)
		(void)closedir(dir); // only read
	if (nr == 0)
		return false;
	ret->is_only = nr == 1 && !is_unseen;
	read_name(ret);
	return true;
}
