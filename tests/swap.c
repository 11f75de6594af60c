// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// swap DIRECTORY TARGET UID: as that user, replace the first file of a running
// aiodd in the directory by a link to the target, as soon as its name is there.
// Says so when it is looking.

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static int
is_swapped(const char *name, const char *target)
{
	return strstr(name, ".aiodd-") != NULL && unlink(name) == 0 &&
	       symlink(target, name) == 0;
}

int
main(int argc, char **argv)
{
	_Alignas(struct inotify_event) char events[4096];

	if (argc != 4 || setgid((gid_t)atoi(argv[3])) < 0 ||
	    setuid((uid_t)atoi(argv[3])) < 0 || chdir(argv[1]) < 0)
		return 2;
	const int fd = inotify_init();
	if (inotify_add_watch(fd, ".", IN_CREATE) < 0)
		return 2;
	puts("looking");
	fflush(stdout);
	for (;;) {
		const ssize_t n = read(fd, events, sizeof(events));

		for (char *p = events; p < events + n;) {
			const struct inotify_event *e = (void *)p;

			if (is_swapped(e->name, argv[2]))
				return 0;
			p += sizeof(*e) + e->len;
		}
	}
}
