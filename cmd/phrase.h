// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parts of sentences: sizes, names that others chose, and disks.

#pragma once

#include <stdint.h>
#include <stdio.h>

struct disk_identity;

enum { PHRASE_SIZE_MAX = 48 };

// "300 MiB" where that is exact, else rounded: "8.1 MiB". In buf.
char *phrase_size(char buf[PHRASE_SIZE_MAX], uint64_t bytes);
// The same, but "8389120 bytes" where it would be rounded.
char *phrase_exact(char buf[PHRASE_SIZE_MAX], uint64_t bytes);

// Quoted whatever is in it.
void phrase_quoted(FILE *out, const char *before, const char *text);

// As messages have it before a colon; path: NULL: standard is meant.
void phrase_name(FILE *out, const char *path, const char *standard);

// "300 MiB, SanDisk Ultra, serial 1234, holds ext4 'data'".
void phrase_disk(FILE *out, uint64_t size, const struct disk_identity *disk);
