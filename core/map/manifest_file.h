// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The file of a manifest: two headers, then records, which are numbered. What
// is not there is zeros. 0 or -errno.

#pragma once

#include <stdint.h>
#include <sys/types.h>

#define MANIFEST_FILE_RECORD 16
#define MANIFEST_FILE_RECORDS_AT 8192

static inline off_t
manifest_file_at(uint64_t nr)
{
	return (off_t)(MANIFEST_FILE_RECORDS_AT + nr * MANIFEST_FILE_RECORD);
}

int manifest_file_read(int fd, unsigned char *buf, size_t len, off_t off);
int manifest_file_write(int fd, const unsigned char *buf, size_t len,
			off_t off);
int manifest_file_sync(int fd);

// Records that it has room for: a length in a header is no more than a number.
uint64_t manifest_file_nr(int fd);
// The next one, from nr on, that may be no zeros; UINT64_MAX: there is none.
uint64_t manifest_file_next(int fd, uint64_t nr);

// Zeros from one to before the other, as far as there is anything.
int manifest_file_clear(int fd, uint64_t from, uint64_t to);
// At most nr are left.
int manifest_file_cut(int fd, uint64_t nr);
// There is room for nr, as far as the file system can say.
int manifest_file_reserve(int fd, uint64_t nr);
