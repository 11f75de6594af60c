// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A file system of one file, "disk", that keeps its bytes in another file and
// answers late and out of order: each write is carried out after 0 to
// MILLISECONDS, and when there is no FILE.hold; each read when there is no
// FILE.hold-reads, or that has an offset in it, and the read does not have the
// byte there. The length of each is first noted in FILE.asked, if there is
// such a file.
//
// If there is a FILE.forgets at the start, what is written is in FILE only when
// it is synced, and gone when an empty FILE.cut comes; the number of lost
// pages is then in that.
//
// usage: late FILE MILLISECONDS -f MOUNTPOINT
//
// cc late.c $(pkg-config --cflags --libs fuse3)

#define FUSE_USE_VERSION 312
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK "/disk"
#define MAX_REQUESTS 256
#define PAGE 4096

static int disk;
static unsigned int max_delay_ms;
static char hold[4096], hold_reads[4096], asked[4096];

// What forgets: a copy of its own of each page that is written.
static struct {
	pthread_mutex_t lock;
	char *now;	// NULL: it does not
	char *is_dirty; // of each page
	size_t size;
	char cut[4096];
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
map_cache(void)
{
	cache.now = mmap(cache.now, cache.size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | (cache.now ? MAP_FIXED : 0), disk, 0);
	if (cache.now == MAP_FAILED)
		abort();
}

static int
open_cache(const char *path)
{
	char forgets[4096];
	struct stat st;

	snprintf(forgets, sizeof(forgets), "%s.forgets", path);
	snprintf(cache.cut, sizeof(cache.cut), "%s.cut", path);
	if (access(forgets, F_OK) < 0)
		return 0;
	if (fstat(disk, &st) < 0)
		return -1;
	cache.size = (size_t)st.st_size;
	cache.is_dirty = calloc(cache.size / PAGE + 1, 1);
	map_cache();
	return 0;
}

// The power fails.
static void
cut_if_wanted(void)
{
	const int fd = open(cache.cut, O_WRONLY | O_CLOEXEC);
	unsigned long lost = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (size_t i = 0; i <= cache.size / PAGE; i++)
		lost += cache.is_dirty[i];
	memset(cache.is_dirty, 0, cache.size / PAGE + 1);
	map_cache();
	dprintf(fd, "%lu\n", lost);
	close(fd);
}

static ssize_t
move(char *to, const char *from, size_t size, off_t off, int is_write)
{
	const size_t at = (size_t)off, rest = cache.size - at;

	if (at >= cache.size)
		return 0;
	size = size < rest ? size : rest;
	pthread_mutex_lock(&cache.lock);
	cut_if_wanted();
	memcpy(is_write ? cache.now + at : to, is_write ? from : cache.now + at,
	       size);
	for (size_t i = at / PAGE; is_write && i * PAGE < at + size; i++)
		cache.is_dirty[i] = 1;
	pthread_mutex_unlock(&cache.lock);
	return (ssize_t)size;
}

static ssize_t
read_disk(char *data, size_t size, off_t off)
{
	return cache.now ? move(data, NULL, size, off, 0)
			 : pread(disk, data, size, off);
}

static ssize_t
write_disk(const char *data, size_t size, off_t off)
{
	return cache.now ? move(NULL, data, size, off, 1)
			 : pwrite(disk, data, size, off);
}

static void
sync_disk(void)
{
	pthread_mutex_lock(&cache.lock);
	for (size_t i = 0; i < cache.size / PAGE; i++) {
		if (cache.is_dirty[i] &&
		    pwrite(disk, cache.now + i * PAGE, PAGE,
			   (off_t)(i * PAGE)) != PAGE)
			abort();
		cache.is_dirty[i] = 0;
	}
	pthread_mutex_unlock(&cache.lock);
}

static int
late_getattr(const char *path, struct stat *ret, struct fuse_file_info *info)
{
	(void)info;
	if (strcmp(path, DISK) == 0)
		return fstat(disk, ret) < 0 ? -errno : 0;
	if (strcmp(path, "/") != 0)
		return -ENOENT;
	ret->st_mode = S_IFDIR | 0755;
	ret->st_nlink = 2;
	return 0;
}

static int
late_open(const char *path, struct fuse_file_info *info)
{
	(void)info;
	return strcmp(path, DISK) == 0 ? 0 : -ENOENT;
}

static void
note(size_t size)
{
	const int fd = open(asked, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0)
		return;
	dprintf(fd, "%zu\n", size);
	close(fd);
}

static void
wait_without(const char *path)
{
	while (access(path, F_OK) == 0)
		usleep(1000);
}

static int
holds(off_t off, size_t size)
{
	char text[32] = "";
	const int fd = open(hold_reads, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	const ssize_t n = read(fd, text, sizeof(text) - 1);
	const off_t at = strtoll(text, NULL, 10);

	close(fd);
	return n <= 0 || (at >= off && at < off + (off_t)size);
}

static int
late_read(const char *path, char *data, size_t size, off_t off,
	  struct fuse_file_info *info)
{
	(void)path;
	(void)info;
	note(size);
	while (holds(off, size))
		usleep(1000);
	const ssize_t r = read_disk(data, size, off);

	return r < 0 ? -errno : (int)r;
}

// Another delay than the request before, and the same ones in every run.
static void
wait_a_while(void)
{
	static atomic_uint seed;
	unsigned int n = atomic_fetch_add(&seed, 1) * 2654435761U >> 16;

	if (max_delay_ms)
		usleep(n % (max_delay_ms * 1000));
	wait_without(hold);
}

static int
late_write(const char *path, const char *data, size_t size, off_t off,
	   struct fuse_file_info *info)
{
	(void)path;
	(void)info;
	note(size);
	wait_a_while();
	const ssize_t r = write_disk(data, size, off);

	return r < 0 ? -errno : (int)r;
}

static int
late_fsync(const char *path, int is_datasync, struct fuse_file_info *info)
{
	(void)path;
	(void)is_datasync;
	(void)info;
	if (cache.now)
		sync_disk();
	return 0;
}

static void *
late_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	(void)config;
	connection->max_background = MAX_REQUESTS;
	connection->congestion_threshold = MAX_REQUESTS;
	return NULL;
}

static const struct fuse_operations operations = {
	.getattr = late_getattr,
	.open = late_open,
	.read = late_read,
	.write = late_write,
	.fsync = late_fsync,
	.init = late_init,
};

int
main(int argc, char **argv)
{
	char threads[64];

	if (argc < 4) {
		fputs("usage: late FILE MILLISECONDS -f MOUNTPOINT\n", stderr);
		return 1;
	}
	disk = open(argv[1], O_RDWR | O_CLOEXEC);
	if (disk < 0 || open_cache(argv[1]) < 0) {
		perror(argv[1]);
		return 1;
	}
	snprintf(hold, sizeof(hold), "%s.hold", argv[1]);
	snprintf(hold_reads, sizeof(hold_reads), "%s.hold-reads", argv[1]);
	snprintf(asked, sizeof(asked), "%s.asked", argv[1]);
	max_delay_ms = (unsigned int)strtoul(argv[2], NULL, 10);
	snprintf(threads, sizeof(threads), "-omax_threads=%d", MAX_REQUESTS);
	argv[1] = argv[0];
	argv[2] = threads;
	return fuse_main(argc - 1, argv + 1, &operations, NULL);
}
