// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"

#ifndef SYS_cachestat
#define SYS_cachestat 451 // 6.5; the same number on every architecture
#endif

#define FOLIO_MAX (2 * MIB) // one that lies in a range in part only stays
#define TRIES 8             // a page that is being read just now stays, too

int
cache_count(int fd, uint64_t off, uint64_t len, uint64_t *ret)
{
	struct {
		uint64_t off, len;
	} range = {off, len};
	struct {
		uint64_t nr_cache, nr_dirty, nr_writeback, nr_evicted,
			nr_recently_evicted;
	} pages = {0};

	if (syscall(SYS_cachestat, fd, &range, &pages, 0) < 0)
		return -errno;
	*ret = pages.nr_cache * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

// A file with nothing behind the page cache. A disk is none, though its name
// lies in such a file system.
static bool
is_memory(int fd)
{
	struct statfs fs;
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       fstatfs(fd, &fs) == 0 &&
	       ((uint32_t)fs.f_type == TMPFS_MAGIC ||
		(uint32_t)fs.f_type == RAMFS_MAGIC);
}

// BLKFLSBUF is for a block device and for root; it also lets go of the
// buffers that the kernel keeps for itself.
static bool
drop(int fd, uint64_t off, uint64_t len)
{
	uint64_t cached = 0;

	(void)posix_fadvise(fd, (off_t)off, (off_t)len, POSIX_FADV_DONTNEED);
	const int r = cache_count(fd, off, len, &cached);
	if (r == 0 && cached == 0)
		return true;
	(void)ioctl(fd, BLKFLSBUF, 0);
	return r < 0; // nobody can say whether that has helped
}

int
cache_drop(int fd, uint64_t off, uint64_t len)
{
	const uint64_t from = round_down(off, FOLIO_MAX);
	const uint64_t whole = round_up(off + len, FOLIO_MAX) - from;

	for (int i = 0; i < TRIES; i++)
		if (drop(fd, from, whole))
			return 0;
	return is_memory(fd) ? 0 : -EBUSY;
}

int
cache_write_out(int fd, uint64_t off, uint64_t len)
{
	const unsigned flags = SYNC_FILE_RANGE_WAIT_BEFORE |
			       SYNC_FILE_RANGE_WRITE |
			       SYNC_FILE_RANGE_WAIT_AFTER;

	while (sync_file_range(fd, (off_t)off, (off_t)len, flags) < 0)
		switch (errno) {
		case EINTR:
			break;
		case ENOSYS: // where the call is not to be had, the sync at
		case EPERM:  // the end has to find the error
		case EINVAL:
		case ESPIPE:
			return 0;
		default:
			return -errno;
		}
	return 0;
}
