// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"

#define LINKS_MAX 40 // as many as the kernel follows

// The length of the directory in a path, with its slash.
static size_t
dir_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (size_t)(slash + 1 - path) : 0;
}

const char *
path_name(const char *path)
{
	return path + dir_len(path);
}

static char *
join(const char *path, const char *name)
{
	const size_t len = *name == '/' ? 0 : dir_len(path);
	char *text;

	if (asprintf(&text, "%.*s%s", (int)len, path, name) < 0)
		return NULL;
	return text;
}

int
path_open_dir(const char *path, int access)
{
	char *dir = strndup(path, dir_len(path));
	const int fd = dir != NULL
			       ? fd_open(*dir != '\0' ? dir : ".",
					 access | O_DIRECTORY | O_CLOEXEC, 0)
			       : -ENOMEM;
	const int r = fd_move_up(fd);

	free(dir);
	return r;
}

static int
stat_dir(const char *path, struct stat *ret)
{
	const int fd = path_open_dir(path, O_PATH);
	const int r = fd >= 0 ? fstat(fd, ret) : -1;

	if (fd >= 0)
		(void)close(fd); // only looked at
	return r;
}

// What fs.protected_symlinks does, also where it is off: in /tmp anybody
// could choose the file for us.
static bool
may_follow(const char *path)
{
	const mode_t open_to_all = S_ISVTX | S_IWOTH;
	struct stat link, dir;

	if (lstat(path, &link) < 0 || stat_dir(path, &dir) < 0)
		return false;
	errno = EACCES;
	return (dir.st_mode & open_to_all) != open_to_all ||
	       link.st_uid == geteuid() || link.st_uid == dir.st_uid;
}

// realpath() wants a name that exists.
char *
path_follow(const char *path)
{
	char *at = strdup(path);
	int error = ELOOP;

	for (int i = 0; at != NULL && i < LINKS_MAX; i++) {
		char link[PATH_MAX];
		const ssize_t len = readlink(at, link, sizeof(link) - 1);

		if (len < 0)
			return at;
		if (!may_follow(at)) {
			error = errno;
			break;
		}
		link[len] = '\0';
		char *next = join(at, link);
		free(at);
		at = next;
	}
	if (at != NULL)
		errno = error;
	free(at);
	return NULL;
}

bool
path_is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool
is_same_name(const char *a, const char *b)
{
	struct stat dir_a, dir_b;

	return strcmp(path_name(a), path_name(b)) == 0 &&
	       stat_dir(a, &dir_a) == 0 && stat_dir(b, &dir_b) == 0 &&
	       path_is_same_file(&dir_a, &dir_b);
}

bool
path_is_same(const char *a, const char *b)
{
	struct stat file_a, file_b;
	const bool has_a = stat(a, &file_a) == 0;
	const bool has_b = stat(b, &file_b) == 0;

	if (has_a || has_b)
		return has_a && has_b && !S_ISCHR(file_a.st_mode) &&
		       path_is_same_file(&file_a, &file_b);
	char *follow_a = path_follow(a), *follow_b = path_follow(b);
	const bool is_same = follow_a != NULL && follow_b != NULL &&
			     is_same_name(follow_a, follow_b);

	free(follow_a);
	free(follow_b);
	return is_same;
}

bool
path_is_open(const char *path, int fd)
{
	struct stat a, b;

	return stat(path, &a) == 0 && fstat(fd, &b) == 0 &&
	       !S_ISCHR(a.st_mode) && path_is_same_file(&a, &b);
}

bool
path_is_side(const char *path, const char *name, int fd)
{
	return name != NULL ? path_is_same(path, name) : path_is_open(path, fd);
}
