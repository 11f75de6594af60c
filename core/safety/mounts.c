// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "mounts.h"

#include <errno.h>

#include "disk.h"
#include "disk_stack.h"

#ifdef HAVE_LIBMOUNT

#include <ctype.h>
#include <dirent.h>
#include <libmount.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base.h"
#include "lazy.h"

#define MNT(X)					\
	X(new_table, mnt_new_table)		\
	X(unref_table, mnt_unref_table)		\
	X(parse_file, mnt_table_parse_file)	\
	X(parse_swaps, mnt_table_parse_swaps)	\
	X(new_iter, mnt_new_iter)		\
	X(free_iter, mnt_free_iter)		\
	X(next_fs, mnt_table_next_fs)		\
	X(devno, mnt_fs_get_devno)		\
	X(source, mnt_fs_get_source)		\
	X(target, mnt_fs_get_target)		\
	X(fs_options, mnt_fs_get_fs_options)	\
	X(get_option, mnt_optstr_get_option)

static LAZY_STRUCT(mnt, MNT) mnt;
LAZY_LIBRARY(mnt, MNT, "libmount.so.1", "mounts",
	     "finds mounted file systems and swap", "recommended")

struct search {
	const struct disk_stack *stack;
	enum mounts_kind kind;
	struct mounts_use *ret;
	struct disk_unseen *unseen;

	// Most processes share one namespace. Those that are too many to be
	// remembered are only read again.
	ino_t seen[64];
	size_t nr_seen;
};

// btrfs and swap have no number there, but the path of a device. Paths
// elsewhere are not followed: they may wait for a dead server.
static dev_t
dev_of(struct libmnt_fs *fs)
{
	const dev_t dev = mnt.devno(fs);
	const char *source = mnt.source(fs);
	struct stat st;

	if (major(dev) != 0 || source == NULL ||
	    strncmp(source, "/dev/", 5) != 0 || stat(source, &st) < 0 ||
	    !S_ISBLK(st.st_mode))
		return dev;
	return st.st_rdev;
}

static bool
is_on_file(const struct search *s, struct libmnt_fs *fs)
{
	const char *source = mnt.source(fs);
	struct stat st;

	return s->kind == MOUNTS_SWAP && source != NULL &&
	       stat(source, &st) == 0 &&
	       disk_stack_is_file(s->stack, st.st_dev, st.st_ino);
}

static bool
is_wanted(struct libmnt_fs *fs, enum mounts_kind kind)
{
	const char *target = mnt.target(fs);

	switch (kind) {
	case MOUNTS_ROOT:
		return target != NULL && strcmp(target, "/") == 0;
	case MOUNTS_WRITABLE:
		// Of the file system; this mount of it may be read-only.
		return mnt.get_option(mnt.fs_options(fs), "rw", NULL,
				      NULL) == 0;
	default:
		return true;
	}
}

static bool
search_table(const struct search *s, struct libmnt_table *table)
{
	struct libmnt_iter *iter = mnt.new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	bool is_found = false;

	while (iter != NULL && !is_found &&
	       mnt.next_fs(table, iter, &fs) == 0) {
		const char *target = mnt.target(fs);
		const dev_t dev = dev_of(fs);

		is_found = (disk_stack_has(s->stack, dev) ||
			    is_on_file(s, fs)) &&
			   is_wanted(fs, s->kind);
		if (!is_found)
			continue;
		s->ret->dev = dev;
		snprintf(s->ret->target, sizeof(s->ret->target), "%s",
			 target ? target : "");
	}
	mnt.free_iter(iter);
	return is_found;
}

// Other processes may have ended, or be none of our business, and a kernel be
// without swap.
static void
note_unseen(const struct search *s, const char *path, int error)
{
	const bool is_ours = strncmp(path, "/proc/self/", 11) == 0;
	const bool is_hidden = error == EACCES || error == EPERM;
	const bool is_gone = error == ENOENT || error == ESRCH ||
			     error == EINVAL; // of a zombie

	if (error != 0 && (is_ours || !(is_hidden || is_gone)))
		disk_unseen_note(s->unseen, path, error);
}

static bool
search_file(const struct search *s, const char *path,
	    int (*parse)(struct libmnt_table *table, const char *path))
{
	struct libmnt_table *table = mnt.new_table();
	const int r = table != NULL ? parse(table, path) : -ENOMEM;
	const bool is_found = r == 0 && search_table(s, table);

	note_unseen(s, path, r < 0 ? -r : r);
	mnt.unref_table(table);
	return is_found;
}

static bool
is_seen(struct search *s, ino_t namespace)
{
	for (size_t i = 0; i < s->nr_seen; i++)
		if (s->seen[i] == namespace)
			return true;
	if (s->nr_seen < ARRAY_LEN(s->seen))
		s->seen[s->nr_seen++] = namespace;
	return false;
}

static bool
search_process(struct search *s, const char *pid)
{
	char path[NAME_MAX + sizeof("/proc//mountinfo")];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", pid);
	if (stat(path, &st) < 0) {
		note_unseen(s, path, errno);
		return false;
	}
	if (is_seen(s, st.st_ino))
		return false;
	snprintf(path, sizeof(path), "/proc/%s/mountinfo", pid);
	return search_file(s, path, mnt.parse_file);
}

static bool
search_processes(struct search *s)
{
	struct dirent *entry;
	// Our own paths say most to the user.
	bool is_found = search_process(s, "self");
	DIR *proc = opendir("/proc");

	if (proc == NULL) {
		disk_unseen_note(s->unseen, "/proc", errno);
		return is_found;
	}
	while (errno = 0, !is_found && (entry = readdir(proc)) != NULL)
		is_found = isdigit((unsigned char)entry->d_name[0]) &&
			   search_process(s, entry->d_name);
	if (errno != 0)
		disk_unseen_note(s->unseen, "/proc", errno);
	(void)closedir(proc); // only read
	return is_found;
}

bool
mounts_find(const struct disk_stack *stack, enum mounts_kind kind,
	    struct mounts_use *ret, struct disk_unseen *unseen)
{
	struct search s = {.stack = stack,
			   .kind = kind,
			   .ret = ret,
			   .unseen = unseen};

	if (load_mnt() < 0) {
		disk_unseen_note(unseen, "libmount", ENOPKG);
		return false;
	}
	switch (kind) {
	case MOUNTS_SWAP:
		return search_file(&s, "/proc/swaps", mnt.parse_swaps);
	case MOUNTS_ROOT:
		return search_process(&s, "self") || search_process(&s, "1");
	default:
		return search_processes(&s);
	}
}

#else

bool
mounts_find(const struct disk_stack *stack, enum mounts_kind kind,
	    struct mounts_use *ret, struct disk_unseen *unseen)
{
	(void)stack;
	(void)kind;
	(void)ret;
	disk_unseen_note(unseen, "libmount", ENOPKG);
	return false;
}

#endif
