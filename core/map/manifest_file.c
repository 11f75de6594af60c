// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "manifest_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "fd.h"

#define RECORD MANIFEST_FILE_RECORD
#define RECORDS_AT MANIFEST_FILE_RECORDS_AT

int
manifest_file_read(int fd, unsigned char *buf, size_t len, off_t off)
{
	memset(buf, 0, len);
	const ssize_t n = fd_read_at(fd, buf, len, off);
	return n < 0 ? (int)n : 0;
}

int
manifest_file_write(int fd, const unsigned char *buf, size_t len, off_t off)
{
	return fd_write_at(fd, buf, len, off);
}

int
manifest_file_sync(int fd)
{
	int r;

	do {
		r = fdatasync(fd) < 0 ? -errno : 0;
	} while (r == -EINTR);
	return r;
}

uint64_t
manifest_file_nr(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size < RECORDS_AT)
		return 0;
	return ((uint64_t)st.st_size - RECORDS_AT + RECORD - 1) / RECORD;
}

uint64_t
manifest_file_next(int fd, uint64_t nr)
{
	const off_t data = lseek(fd, manifest_file_at(nr), SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? UINT64_MAX : nr;
	return max_u64(nr, ((uint64_t)data - RECORDS_AT) / RECORD);
}

static int
allocate(int fd, int mode, uint64_t from, uint64_t nr)
{
	int r;

	do {
		r = fallocate(fd, mode, manifest_file_at(from),
			      (off_t)(nr * RECORD)) < 0
			    ? -errno
			    : 0;
	} while (r == -EINTR);
	return r;
}

// One costs less as a write, and a hole takes no time however long it is.
int
manifest_file_clear(int fd, uint64_t from, uint64_t to)
{
	static const unsigned char zeros[64 * KIB];
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	int r = 0;

	to = min_u64(to, manifest_file_nr(fd));
	if (from + 1 < to && allocate(fd, mode, from, to - from) == 0)
		return 0;
	while (r == 0 && from < to) {
		const uint64_t nr = min_u64(to - from, sizeof(zeros) / RECORD);

		r = manifest_file_write(fd, zeros, (size_t)nr * RECORD,
					manifest_file_at(from));
		from += nr;
	}
	return r;
}

int
manifest_file_cut(int fd, uint64_t nr)
{
	if (manifest_file_nr(fd) <= nr)
		return 0;
	return ftruncate(fd, manifest_file_at(nr)) < 0 ? -errno : 0;
}

int
manifest_file_reserve(int fd, uint64_t nr)
{
	const int r = nr > 0 ? allocate(fd, 0, 0, nr) : 0;

	return r == -EOPNOTSUPP || r == -ENOSYS ? 0 : r;
}
