// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Whether others change a file while it is read: its size and times as its
// descriptor tells them, at first and later. Reading changes the access time
// alone, which is not looked at.

#pragma once

#include <stdint.h>
#include <time.h>

enum change_of {
	CHANGE_SIZE = 1 << 0,
	CHANGE_MTIME = 1 << 1,
	CHANGE_CTIME = 1 << 2,
};

struct change {
	int fd;                 // borrowed; -1: nothing is watched
	uint64_t size;
	struct timespec mtime;
	struct timespec ctime;
};

// Of what is no regular file, or no file at all, nothing is watched.
void change_init(struct change *change, int fd);

// What has changed since: a set of enum change_of.
unsigned change_find(const struct change *change);
