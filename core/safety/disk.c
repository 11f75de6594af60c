// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "disk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

char *
disk_sys_path(char *path, dev_t dev, const char *name)
{
	snprintf(path, PATH_MAX, "/sys/dev/block/%u:%u%s", major(dev),
		 minor(dev), name);
	return path;
}

int
disk_read_dev(const char *dir, dev_t *ret)
{
	char path[PATH_MAX];
	unsigned maj, min;

	if ((size_t)snprintf(path, sizeof(path), "%s/dev", dir) >= sizeof(path))
		return -ENAMETOOLONG;
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return -errno;
	const int nr = fscanf(f, "%u:%u", &maj, &min);
	(void)fclose(f); // only read
	if (nr != 2)
		return -EIO;
	*ret = makedev(maj, min);
	return 0;
}

bool
disk_read_line(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");

	if (f == NULL || fgets(buf, (int)size, f) == NULL)
		buf[0] = '\0';
	if (f != NULL)
		(void)fclose(f); // only read
	size_t len = strlen(buf);
	while (len > 0 && (buf[len - 1] == ' ' || buf[len - 1] == '\n'))
		buf[--len] = '\0';
	return len > 0;
}

bool
disk_is_partition(dev_t dev)
{
	char path[PATH_MAX];

	return access(disk_sys_path(path, dev, "/partition"), F_OK) == 0;
}

dev_t
disk_whole(dev_t dev)
{
	char path[PATH_MAX];
	dev_t disk = dev;

	// Where it cannot be read, a partition is taken for a disk.
	if (disk_is_partition(dev))
		(void)disk_read_dev(disk_sys_path(path, dev, "/.."), &disk);
	return disk;
}

char *
disk_name(dev_t dev, char *buf, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	const ssize_t len = readlink(disk_sys_path(path, dev, ""), target,
				     sizeof(target) - 1);

	snprintf(buf, size, "%u:%u", major(dev), minor(dev));
	if (len <= 0)
		return buf;
	target[len] = '\0';
	const char *slash = strrchr(target, '/');
	snprintf(buf, size, "/dev/%s", slash ? slash + 1 : target);
	// A slash in a name of the kernel, as in cciss/c0d0.
	for (char *c = buf; *c != '\0'; c++)
		if (*c == '!')
			*c = '/';
	return buf;
}

void
disk_unseen_note(struct disk_unseen *unseen, const char *path, int error)
{
	if (unseen->error != 0)
		return;
	unseen->error = error;
	snprintf(unseen->path, sizeof(unseen->path), "%s", path);
}
