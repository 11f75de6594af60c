// SPDX-License-Identifier: GPL-3.0-or-later
//
// Names for a file that is made beside another, to take its name when it is
// complete. Names are malloc'd; NULL: errno.

#pragma once

#include <stdbool.h>

// The length of the directory in a path, with its slash.
int beside_dir_len(const char *path);

// Where the links at the end of the path lead, which may be a name that does
// not exist yet.
char *beside_follow(const char *path);

// Whether they lead to target. A link of /proc has the path as its text, and
// may lead elsewhere: to a file without a name.
bool beside_is_there(const char *path, const char *target);

// Whether two paths are the same file, or, where there is none yet, the same
// name in the same directory.
bool beside_is_same(const char *a, const char *b);

// Whether the file behind a descriptor has this name among its names.
bool beside_is_open(const char *path, int fd);

// .NAME.aiodd-XXXXXX in the directory of target.
char *beside_temp(const char *target);
