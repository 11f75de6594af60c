// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "memory.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base.h"

struct version {
	const char *controller; // in "cgroup", and an option of the mount
	const char *type;       // of the mount
	const char *limits[2];  // files of a group
};

static const struct version versions[] = {
	{"", "cgroup2", {"memory.max", "memory.high"}},
	{"memory", "cgroup", {"memory.limit_in_bytes", NULL}},
};

uint64_t
memory_of_machine(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? UINT64_MAX
				  : (uint64_t)info.totalram * info.mem_unit;
}

static uint64_t
limit_of(int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

// "max" is no number.
static uint64_t
read_limit(const char *dir, const char *file)
{
	char path[PATH_MAX], text[32], *end;
	ssize_t n = -1;

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >=
	    (int)sizeof(path))
		return UINT64_MAX;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		(void)close(fd); // was only read
	}
	if (n <= 0)
		return UINT64_MAX;
	text[n] = '\0';
	const uint64_t limit = strtoull(text, &end, 10);
	return end == text ? UINT64_MAX : limit;
}

// Between commas, up to a colon or the end. No word at all is in no list but
// the empty one.
static bool
has_word(const char *list, const char *word)
{
	const size_t len = strlen(word);

	for (;;) {
		const size_t n = strcspn(list, ",:\n");

		if (n == len && memcmp(list, word, n) == 0)
			return true;
		if (list[n] != ',')
			return false;
		list += n + 1;
	}
}

// "4:memory:/a/b" -> "/a/b"; NULL: another hierarchy.
static const char *
own_group(const char *line, const struct version *v)
{
	const char *list = strchr(line, ':');
	const char *path = list ? strchr(list + 1, ':') : NULL;

	return path && has_word(list + 1, v->controller) ? path + 1 : NULL;
}

// In place: a space in a path is \040 there.
static void
unescape(char *path)
{
	char *to = path;
	unsigned byte;
	int len;

	for (; *path != '\0'; *to++ = (char)byte) {
		if (sscanf(path, "\\%3o%n", &byte, &len) != 1 || len != 4) {
			byte = (unsigned char)*path;
			len = 1;
		}
		path += len;
	}
	*to = '\0';
}

// "31 23 0:28 ROOT DIR rw - cgroup cgroup rw,memory"; the caller frees both.
static bool
parse_mount(const char *line, const struct version *v, char **ret_root,
	    char **ret_dir)
{
	const char *rest = strstr(line, " - ");
	char type[16], options[256];

	if (rest == NULL ||
	    sscanf(rest, " - %15s %*s %255s", type, options) != 2 ||
	    strcmp(type, v->type) != 0 ||
	    (*v->controller != '\0' && !has_word(options, v->controller)))
		return false;
	*ret_root = *ret_dir = NULL;
	if (sscanf(line, "%*s %*s %*s %ms %ms", ret_root, ret_dir) != 2) {
		free(*ret_root);
		return false;
	}
	unescape(*ret_root);
	unescape(*ret_dir);
	return true;
}

// From the group up to where the hierarchy is mounted.
static uint64_t
least_above(const struct version *v, const char *mount, const char *below)
{
	char dir[PATH_MAX];
	uint64_t least = UINT64_MAX;
	const size_t mount_len = strlen(mount);

	if (mount_len + strlen(below) >= sizeof(dir))
		return least;
	stpcpy(stpcpy(dir, mount), below);
	for (size_t len = strlen(dir); len >= mount_len;) {
		dir[len] = '\0';
		for (unsigned i = 0; i < ARRAY_LEN(v->limits); i++)
			if (v->limits[i] != NULL)
				least = min_u64(least,
						read_limit(dir, v->limits[i]));
		while (len > 0 && dir[--len] != '/')
			;
	}
	return least;
}

// In a container the mount begins at its group, or the path leads out of what
// can be seen: then there is the mount itself.
static const char *
below_mount(const char *group, const char *root)
{
	const size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);

	if (strncmp(group, root, len) != 0 || group[len] != '/' ||
	    strstr(group + len, "/..") != NULL)
		return "";
	return group + len;
}

static uint64_t
memory_of_group(const char *proc, const struct version *v, const char *entry)
{
	const char *group = own_group(entry, v);
	char path[PATH_MAX], *line = NULL, *root, *dir;
	size_t size = 0;
	uint64_t least = UINT64_MAX;

	if (group == NULL)
		return least;
	snprintf(path, sizeof(path), "%s/mountinfo", proc);
	FILE *mounts = fopen(path, "re");
	while (mounts != NULL && getline(&line, &size, mounts) >= 0) {
		if (!parse_mount(line, v, &root, &dir))
			continue;
		least = min_u64(least, least_above(v, dir,
						   below_mount(group, root)));
		free(root);
		free(dir);
	}
	free(line);
	if (mounts != NULL)
		(void)fclose(mounts); // was only read
	return least;
}

uint64_t
memory_of_groups(const char *proc)
{
	char path[PATH_MAX], *line = NULL;
	size_t size = 0;
	uint64_t least = UINT64_MAX;

	snprintf(path, sizeof(path), "%s/cgroup", proc);
	FILE *groups = fopen(path, "re");
	while (groups != NULL && getline(&line, &size, groups) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		for (unsigned i = 0; i < ARRAY_LEN(versions); i++)
			least = min_u64(least,
					memory_of_group(proc, &versions[i],
							line));
	}
	free(line);
	if (groups != NULL)
		(void)fclose(groups); // was only read
	return least;
}

uint64_t
memory_allowed(void)
{
	return min_u64(min_u64(memory_of_machine(),
			       memory_of_groups("/proc/self")),
		       min_u64(limit_of(RLIMIT_AS), limit_of(RLIMIT_DATA)));
}
