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

bool
beside_is_there(const char *path, const char *target)
{
	struct stat a, b;
	const bool has_a = stat(path, &a) == 0;
	const bool has_b = lstat(target, &b) == 0;

	return has_a == has_b &&
	       (!has_a || (a.st_dev == b.st_dev && a.st_ino == b.st_ino));
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
