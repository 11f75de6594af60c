// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where a path leads, and whether that is the same file: also of names that do
// not exist yet. A path is looked up anew each time, so that an answer holds no
// longer than nobody renames anything.

#pragma once

#include <stdbool.h>
#include <sys/stat.h>

// The last part of a path, within it; empty behind a slash.
const char *path_name(const char *path);

// Where the links at the end of the path lead, malloc'd; NULL: errno. Of those
// in a sticky directory that all may write to, only our own and those of its
// owner are followed, as with fs.protected_symlinks.
char *path_follow(const char *path);

// The directory that the path is in; access: O_RDONLY or O_PATH. A descriptor,
// or -errno.
int path_open_dir(const char *path, int access);

// Whether two paths are the same file, or, where there is none yet, the same
// name in the same directory.
bool path_is_same(const char *a, const char *b);

// Whether the file behind a descriptor has this name among its names.
bool path_is_open(const char *path, int fd);

// The one or the other: of a side with a name, or of the descriptor that stands
// for one without.
bool path_is_side(const char *path, const char *name, int fd);

bool path_is_same_file(const struct stat *a, const struct stat *b);
