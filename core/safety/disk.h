// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a block device is called, and where sysfs knows of it. Devices are
// numbers here, as fstat gives them; paths are only looked up to be shown. A
// device without a number is 0.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// The first thing that could not be looked at.
struct disk_unseen {
	char path[64];
	int error;                  // positive errno; 0: all was seen
};

enum { DISK_NAME_MAX = 64 };

void disk_unseen_note(struct disk_unseen *unseen, const char *path, int error);

// The disk of a partition; any other device is its own.
dev_t disk_whole(dev_t dev);

// "/dev/sda1", or "259:1" for what has no name, in buf.
char *disk_name(dev_t dev, char *buf, size_t size);

// Where sysfs has what it says of dev; name begins with a slash, or is empty.
// path has room for PATH_MAX bytes.
char *disk_sys_path(char *path, dev_t dev, const char *name);
// The device whose sysfs directory this is. 0 or -errno.
int disk_read_dev(const char *dir, dev_t *ret);
// The first line, without the spaces that pad it. False: there is none, and
// buf is "".
bool disk_read_line(const char *path, char *buf, size_t size);
bool disk_is_partition(dev_t dev);
