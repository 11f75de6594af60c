// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base.h"
#include "cache.h"
#include "disk.h"
#include "fd.h"
#include "memory.h"
#include "request.h"

#define DIO_ALIGN_GUESS 4096 // for a file system that cannot be asked

#define SAMPLES 32 // of the page cache
#define SAMPLE_STEP MIB

#define FUSE_MAGIC 0x65735546
#define RAMFS_MAGIC_FOUND 0x858458f6
#define CONFIGFS_MAGIC_FOUND 0x62656570

static bool
is_kernel_text(uint32_t magic)
{
	switch (magic) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case BPF_FS_MAGIC:
	case EFIVARFS_MAGIC:
	case CONFIGFS_MAGIC_FOUND:
		return true;
	default:
		return false;
	}
}

// A file system that has no blocks does not say how many are free.
static uint64_t
free_of(const struct statfs *fs)
{
	uint64_t bytes;

	if (fs->f_blocks == 0 ||
	    __builtin_mul_overflow(fs->f_bavail, fs->f_frsize, &bytes))
		return UINT64_MAX;
	return bytes;
}

// btrfs writes around the page cache only where it keeps no checksums.
static bool
has_checksums(int fd)
{
	int flags = 0;

	return ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 ||
	       !(flags & FS_NOCOW_FL);
}

static uint32_t
guess_dio_align(int fd, uint32_t magic)
{
	int sector;

	if (ioctl(fd, BLKSSZGET, &sector) == 0)
		return (uint32_t)sector;
	if (magic == TMPFS_MAGIC || magic == RAMFS_MAGIC_FOUND)
		return 0;
	return DIO_ALIGN_GUESS;
}

static uint32_t
dio_align_of(int fd, uint32_t magic)
{
#ifdef STATX_DIOALIGN
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &sx) == 0 &&
	    (sx.stx_mask & STATX_DIOALIGN)) {
		if (sx.stx_dio_mem_align == 0)
			return 0;
		return (uint32_t)max_u64(sx.stx_dio_mem_align,
					 sx.stx_dio_offset_align);
	}
#endif
	return guess_dio_align(fd, magic);
}

// A loop device holds the bytes of its file: copying between the two is
// copying a file onto itself.
static bool
probe_loop(int fd, struct facts *facts)
{
	struct loop_info64 info;

	if (ioctl(fd, LOOP_GET_STATUS64, &info) < 0) {
		// Over nothing, or no loop device.
		if (major(facts->rdev) == LOOP_MAJOR && errno != ENXIO)
			facts->error = errno;
		return false;
	}
	facts->dev = info.lo_device;
	facts->ino = info.lo_inode;
	return info.lo_inode != 0;
}

static void
probe_block(int fd, dev_t rdev, struct facts *facts)
{
	uint64_t size;
	int sector;

	facts->kind = FACTS_BLOCK;
	facts->rdev = rdev;
	if (ioctl(fd, BLKGETSIZE64, &size) == 0)
		facts->size = facts->allocated = size;
	int is_read_only;
	if (ioctl(fd, BLKROGET, &is_read_only) == 0)
		facts->is_read_only = is_read_only != 0;
	if (ioctl(fd, BLKSSZGET, &sector) == 0)
		facts->sector = (uint32_t)sector;
	if (!probe_loop(fd, facts)) {
		// The two sides are seen to overlap on a disk and a partition.
		facts->dev = disk_whole(rdev);
		facts->ino = 0;
	}
	facts->dio_align = dio_align_of(fd, 0);
}

// Bytes of a range of the file in the page cache.
static uint64_t
cached_in(int fd, uint64_t off, uint64_t len)
{
	uint64_t cached = 0;

	(void)cache_count(fd, off, len, &cached); // 0 where nobody can say
	return cached;
}

// Of the whole file, by samples: the kernel looks at each page, 15 ms for a
// cached GiB. Where there are holes samples tell little, and pages are fewer.
static uint64_t
cached_of(int fd, const struct facts *facts)
{
	const uint64_t nr = facts->size / SAMPLE_STEP;
	uint64_t cached = 0;

	if (nr < 2 * SAMPLES || facts->allocated < facts->size)
		return cached_in(fd, 0, facts->size);
	for (uint64_t i = 0; i < SAMPLES; i++)
		cached += cached_in(fd, i * nr / SAMPLES * SAMPLE_STEP,
				    SAMPLE_STEP);
	return (uint64_t)((double)cached / (SAMPLES * SAMPLE_STEP) *
			  (double)facts->size);
}

static void
probe_file(int fd, const struct stat *st, struct facts *facts)
{
	struct statfs fs;
	struct rlimit limit;

	if (fstatfs(fd, &fs) < 0)
		fs = (struct statfs){.f_type = 0};
	const uint32_t magic = (uint32_t)fs.f_type;
	if (is_kernel_text(magic))
		return;
	facts->free = free_of(&fs);
	facts->kind = FACTS_FILE;
	facts->size = (uint64_t)st->st_size;
	facts->changed_ns = (uint64_t)st->st_ctim.tv_sec * 1000000000 +
			    (uint64_t)st->st_ctim.tv_nsec;
	facts->memory = memory_of_machine();
	facts->dio_align = dio_align_of(fd, magic);
	facts->is_overlay = magic == OVERLAYFS_SUPER_MAGIC;
	facts->is_checksummed = magic == BTRFS_SUPER_MAGIC && has_checksums(fd);
	facts->is_kernel_copy = magic == EXT4_SUPER_MAGIC ||
				magic == TMPFS_MAGIC;
	facts->is_remote = magic == FUSE_MAGIC || magic == NFS_SUPER_MAGIC;
	// A server need not tell how many blocks it uses, and says 0.
	facts->allocated = facts->is_remote
				   ? facts->size
				   : min_u64(facts->size,
					     (uint64_t)st->st_blocks * 512);
	facts->cached = cached_of(fd, facts);
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY)
		facts->max_size = limit.rlim_cur;
}

static void
probe_char(dev_t rdev, struct facts *facts)
{
	enum { MEM_NULL = 3, MEM_ZERO = 5 };

	if (rdev == makedev(1, MEM_NULL))
		facts->kind = FACTS_NULL;
	else if (rdev == makedev(1, MEM_ZERO))
		facts->kind = FACTS_ZERO;
}

// A tape drops what there is of a block behind a read, a socket of datagrams
// the same of a message: what they are read by is for the user to choose. Of
// all devices only the two of random numbers are known to be none of these.
static bool
is_flow(int fd, const struct stat *st)
{
	socklen_t len = sizeof(int);
	int type;

	if (S_ISSOCK(st->st_mode))
		return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
		       type == SOCK_STREAM;
	return S_ISFIFO(st->st_mode) ||
	       (S_ISCHR(st->st_mode) && (st->st_rdev == makedev(1, 8) ||
					 st->st_rdev == makedev(1, 9)));
}

static void
probe_open(int fd, const struct stat *st, struct facts *facts)
{
	facts->kind = FACTS_STREAM;
	facts->dev = st->st_dev;
	facts->ino = st->st_ino;
	facts->sector = 512;
	facts->max_size = UINT64_MAX;
	facts->is_pipe = S_ISFIFO(st->st_mode);
	facts->is_flow = is_flow(fd, st);
	if (S_ISBLK(st->st_mode))
		probe_block(fd, st->st_rdev, facts);
	else if (S_ISREG(st->st_mode))
		probe_file(fd, st, facts);
	else if (S_ISCHR(st->st_mode))
		probe_char(st->st_rdev, facts);
}

void
probe_descriptor(int fd, struct facts *facts)
{
	struct stat st;

	*facts = (struct facts){.kind = FACTS_STREAM};
	if (fstat(fd, &st) < 0) {
		facts->error = errno == EBADF ? 0 : errno; // it is closed
		return;
	}
	probe_open(fd, &st, facts);

	const off_t pos = lseek(fd, 0, SEEK_CUR);
	if (pos >= 0)
		facts->pos = (uint64_t)pos;
	else
		facts->kind = FACTS_STREAM;
	const int flags = fcntl(fd, F_GETFL);
	facts->is_append = flags >= 0 && (flags & O_APPEND);
	facts->is_direct = flags >= 0 && (flags & O_DIRECT);
}

static bool
is_on(const struct facts *facts, int fd)
{
	struct stat st;

	if (!facts_has_offsets(facts) || fstat(fd, &st) < 0)
		return false;
	if (facts->rdev != 0 && S_ISBLK(st.st_mode))
		return st.st_rdev == facts->rdev;
	return facts->ino != 0 && st.st_ino == facts->ino &&
	       st.st_dev == facts->dev;
}

void
probe_messages(struct facts *facts, int message_fd)
{
	facts->has_messages = is_on(facts, message_fd);
}

void
probe_flags(struct facts *facts, unsigned flags)
{
	facts->is_direct |= (flags & FLAG_DIRECT) != 0;
	facts->is_append |= (flags & FLAG_APPEND) != 0;
}

void
probe_cut(struct facts *facts)
{
	if (!facts_is_file(facts))
		return;
	if (__builtin_add_overflow(facts->free, facts->allocated, &facts->free))
		facts->free = UINT64_MAX;
	facts->size = facts->allocated = facts->cached = 0;
}

void
probe_replaced(struct facts *facts)
{
	facts->size = facts->allocated = facts->ino = 0;
}

static int
probe_missing(const char *path, struct facts *facts)
{
	struct stat st;
	char *copy = strdup(path);

	if (copy == NULL)
		return -ENOMEM;
	const int fd = fd_open(dirname(copy),
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	free(copy);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == 0) {
		st.st_ino = 0;
		st.st_size = 0;
		st.st_mode = S_IFREG;
		probe_open(fd, &st, facts);
	}
	(void)close(fd); // only looked at
	return 0;
}

int
probe_path(const char *path, struct facts *facts)
{
	struct stat st;

	*facts = (struct facts){.kind = FACTS_STREAM};
	if (stat(path, &st) < 0)
		return errno == ENOENT ? probe_missing(path, facts) : -errno;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		probe_open(-1, &st, facts);
		return 0;
	}
	// O_NONBLOCK: looking must not wait for a drive or a lease.
	const int fd = fd_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0 && fd != -EACCES) // it may be one to be written only
		return fd;
	probe_open(fd, &st, facts);
	if (fd >= 0)
		(void)close(fd); // only looked at
	return 0;
}
