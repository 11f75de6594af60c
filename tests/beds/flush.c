// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A file system that takes what is written and refuses it when the descriptor
// is closed, as a server may that has no room left: flush DIRECTORY MOUNTPOINT
// shows the files of the directory.

#define _GNU_SOURCE
#define FUSE_USE_VERSION 31

#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

// Of an open file: has something been written by it?
enum { CLEAN, WRITTEN };

static const char *dir;
static unsigned char state[1024];

static int
result(ssize_t r)
{
	return r < 0 ? -errno : (int)r;
}

static const char *
real(const char *path, char buf[PATH_MAX])
{
	snprintf(buf, PATH_MAX, "%s%s", dir, path);
	return buf;
}

static int
keep(int fd, struct fuse_file_info *fi)
{
	if (fd < 0)
		return -errno;
	if ((size_t)fd >= sizeof(state)) {
		(void)close(fd); // nothing was written
		return -ENFILE;
	}
	state[fd] = CLEAN;
	fi->fh = (uint64_t)fd;
	return 0;
}

static int
on_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	char buf[PATH_MAX];

	(void)fi;
	return result(lstat(real(path, buf), st));
}

// O_DIRECT is the kernel's.
static int
on_open(const char *path, struct fuse_file_info *fi)
{
	char buf[PATH_MAX];

	return keep(open(real(path, buf),
			 fi->flags & ~(O_DIRECT | O_APPEND)), fi);
}

static int
on_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	char buf[PATH_MAX];

	return keep(open(real(path, buf),
			 (fi->flags & ~O_DIRECT) | O_CREAT, mode), fi);
}

static int
on_read(const char *path, char *buf, size_t len, off_t off,
	struct fuse_file_info *fi)
{
	(void)path;
	return result(pread((int)fi->fh, buf, len, off));
}

static int
on_write(const char *path, const char *buf, size_t len, off_t off,
	 struct fuse_file_info *fi)
{
	(void)path;
	state[fi->fh] = WRITTEN;
	return result(pwrite((int)fi->fh, buf, len, off));
}

static int
on_flush(const char *path, struct fuse_file_info *fi)
{
	const int r = state[fi->fh] == WRITTEN ? -EDQUOT : 0;

	(void)path;
	state[fi->fh] = CLEAN; // each error is told once
	return r;
}

static int
on_release(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	return result(close((int)fi->fh));
}

static int
on_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	char buf[PATH_MAX];

	(void)fi;
	return result(truncate(real(path, buf), size));
}

static int
on_fsync(const char *path, int is_data, struct fuse_file_info *fi)
{
	(void)path;
	(void)is_data;
	(void)fi;
	return 0;
}

static int
on_rename(const char *from, const char *to, unsigned flags)
{
	char a[PATH_MAX], b[PATH_MAX];

	if (flags != 0)
		return -EINVAL;
	return result(rename(real(from, a), real(to, b)));
}

static int
on_unlink(const char *path)
{
	char buf[PATH_MAX];

	return result(unlink(real(path, buf)));
}

static int
on_chmod(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	char buf[PATH_MAX];

	(void)fi;
	return result(chmod(real(path, buf), mode));
}

static int
on_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi)
{
	char buf[PATH_MAX];

	(void)fi;
	return result(lchown(real(path, buf), uid, gid));
}

static const struct fuse_operations operations = {
	.getattr = on_getattr,
	.open = on_open,
	.create = on_create,
	.read = on_read,
	.write = on_write,
	.flush = on_flush,
	.release = on_release,
	.truncate = on_truncate,
	.fsync = on_fsync,
	.rename = on_rename,
	.unlink = on_unlink,
	.chmod = on_chmod,
	.chown = on_chown,
};

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	dir = argv[1];

	char *args[] = {argv[0], "-f", "-s", argv[2], NULL};
	return fuse_main(4, args, &operations, NULL);
}
