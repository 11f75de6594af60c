// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "beside.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 // as many as the kernel follows

int
beside_dir_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (int)(slash + 1 - path) : 0;
}

static char *
join(const char *path, const char *name)
{
	const int len = *name == '/' ? 0 : beside_dir_len(path);
	char *text;

	if (asprintf(&text, "%.*s%s", len, path, name) < 0)
		return NULL;
	return text;
}

// realpath() wants a name that exists.
char *
beside_follow(const char *path)
{
	char *at = strdup(path);

	for (int i = 0; at != NULL && i < LINKS_MAX; i++) {
		char link[PATH_MAX];
		const ssize_t len = readlink(at, link, sizeof(link) - 1);

		if (len < 0)
			return at;
		link[len] = '\0';
		char *next = join(at, link);
		free(at);
		at = next;
	}
	free(at);
	errno = ELOOP;
	return NULL;
}

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool
beside_is_there(const char *path, const char *target)
{
	struct stat a, b;
	const bool has_a = stat(path, &a) == 0;
	const bool has_b = lstat(target, &b) == 0;

	return has_a == has_b && (!has_a || is_same_file(&a, &b));
}

// The directory that the path is in.
static int
stat_dir(const char *path, struct stat *ret)
{
	char *dir = strndup(path, (size_t)beside_dir_len(path));
	const int r = dir != NULL ? stat(*dir != '\0' ? dir : ".", ret) : -1;

	free(dir);
	return r;
}

static bool
is_same_name(const char *a, const char *b)
{
	struct stat dir_a, dir_b;

	return strcmp(a + beside_dir_len(a), b + beside_dir_len(b)) == 0 &&
	       stat_dir(a, &dir_a) == 0 && stat_dir(b, &dir_b) == 0 &&
	       is_same_file(&dir_a, &dir_b);
}

bool
beside_is_same(const char *a, const char *b)
{
	struct stat file_a, file_b;
	const bool has_a = stat(a, &file_a) == 0;
	const bool has_b = stat(b, &file_b) == 0;

	if (has_a || has_b)
		return has_a && has_b && !S_ISCHR(file_a.st_mode) &&
		       is_same_file(&file_a, &file_b);
	char *follow_a = beside_follow(a), *follow_b = beside_follow(b);
	const bool is_same = follow_a != NULL && follow_b != NULL &&
			     is_same_name(follow_a, follow_b);

	free(follow_a);
	free(follow_b);
	return is_same;
}

bool
beside_is_open(const char *path, int fd)
{
	struct stat a, b;

	return stat(path, &a) == 0 && fstat(fd, &b) == 0 &&
	       !S_ISCHR(a.st_mode) && is_same_file(&a, &b);
}

char *
beside_temp(const char *target)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	const int len = beside_dir_len(target);
	unsigned char random[6];
	char suffix[sizeof(random) + 1] = "", *temp;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return NULL;
	for (size_t i = 0; i < sizeof(random); i++)
		suffix[i] = letters[random[i] % 32];
	if (asprintf(&temp, "%.*s.%.200s.aiodd-%s", len, target, target + len,
		     suffix) < 0)
		return NULL;
	return temp;
}
