// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "mapsave.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat.h"
#include "fd.h"
#include "ours.h"

#define WORDS_MAX 128

static int
sync_fd(int fd)
{
	int r;

	do {
		r = fsync(fd) < 0 ? -errno : 0;
	} while (r == -EINTR);
	return r;
}

static int
open_dir(const struct beside *beside)
{
	return fd_move_up(fd_open_at(beside->dir, ".",
				     O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
}

static int
sync_dir(const struct beside *beside)
{
	const int fd = open_dir(beside);

	if (fd < 0)
		return fd;
	const int r = sync_fd(fd);
	(void)close(fd); // read-only
	// A file system that has nothing to sync there.
	return r == -EINVAL || r == -ENOSYS ? 0 : r;
}

// The lock comes before the name: who opens the new file finds it locked.
static int
make_next(const struct beside *beside, const char *text, size_t len)
{
	int r = fd_write_at(beside->fd, text, len, 0);

	if (r == 0)
		r = beside_settle(beside);
	if (r == 0)
		r = sync_fd(beside->fd);
	if (r == 0 && flock(beside->fd, LOCK_EX | LOCK_NB) < 0)
		r = -errno;
	return r;
}

// What replaces our file, or nothing: another file that has the name is that of
// somebody else, who may have a run of his own.
static int
replace(struct ours *ours)
{
	struct beside *beside = &ours->beside;
	const bool has_name = ours->fd >= 0 &&
			      beside_has_name(beside, ours->fd);
	const int old = ours->fd;
	const int r = beside_rename(beside, has_name ? 0 : RENAME_NOREPLACE);

	if (r < 0)
		return r;
	ours->fd = beside->fd;
	beside->fd = -1;
	beside->has_old = fstat(ours->fd, &beside->old) == 0;
	if (old >= 0)
		(void)close(old); // with its lock
	return 0;
}

int
mapsave_replace(struct ours *ours, const char *text, size_t len)
{
	struct beside *beside = &ours->beside;
	int r = beside_make(beside, O_RDWR);

	if (r == 0)
		r = make_next(beside, text, len);
	if (r == 0)
		r = replace(ours);
	beside_drop(beside);
	return r < 0 ? r : sync_dir(beside);
}

static bool
begins_with(const struct beside *beside, const char *name, const char *words)
{
	const size_t len = strlen(words);
	const int fd = fd_move_up(fd_open_at(
		beside->dir, name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0));
	char text[WORDS_MAX];
	struct stat st;

	if (fd < 0)
		return false;
	const bool is_so = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
			   len <= sizeof(text) &&
			   fd_read_at(fd, text, len, 0) == (ssize_t)len &&
			   memcmp(text, words, len) == 0;
	(void)close(fd); // only looked at
	return is_so;
}

void
mapsave_sweep(const struct ours *ours, const char *words)
{
	const struct beside *beside = &ours->beside;
	const int fd = open_dir(beside);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (dir == NULL && fd >= 0)
		(void)close(fd); // only looked at
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (beside_is_temp(beside, entry->d_name) &&
		    begins_with(beside, entry->d_name, words))
			(void)unlinkat(beside->dir, entry->d_name, 0);
	if (dir != NULL)
		(void)closedir(dir);
}
