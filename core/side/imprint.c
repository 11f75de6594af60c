// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "imprint.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base.h"
#include "disk.h"
#include "disk_identify.h"
#include "little.h"
#include "side.h"

enum { AT_KIND = 0, AT_NUMBERS = 8, AT_NAME = 48 };

_Static_assert(AT_NAME + IMPRINT_NAME_MAX == IMPRINT_SIZE, "all of it");

static uint64_t
ns_of(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * 1000000000 + (uint64_t)ts->tv_nsec;
}

// f_fsid of most outlives the mount, if not a new device number.
static uint64_t
file_system_of(int fd)
{
	struct statfs fs;
	uint64_t id = 0;

	if (fstatfs(fd, &fs) == 0)
		memcpy(&id, &fs.f_fsid, min_u64(sizeof(id), sizeof(fs.f_fsid)));
	return id;
}

// The end of a long name, where they differ.
static void
set_name(struct imprint *imprint, const char *name)
{
	const size_t len = strlen(name);
	const size_t kept = (size_t)min_u64(len, IMPRINT_NAME_MAX - 1);

	memcpy(imprint->name, name + (len - kept), kept + 1);
}

static void
take_file(struct imprint *imprint, const struct side *side)
{
	const char *slash = side->name ? strrchr(side->name, '/') : NULL;
	struct stat st;

	if (fstat(side->fd, &st) < 0)
		return;
	imprint->kind = IMPRINT_FILE;
	imprint->size = (uint64_t)st.st_size;
	imprint->place = file_system_of(side->fd);
	imprint->ino = st.st_ino;
	imprint->mtime_ns = ns_of(&st.st_mtim);
	imprint->ctime_ns = ns_of(&st.st_ctim);
	set_name(imprint, slash ? slash + 1 : side->name ? side->name : "");
}

static uint64_t
partition_start(dev_t dev)
{
	char path[PATH_MAX], line[32];

	if (!disk_read_line(disk_sys_path(path, dev, "/start"), line,
			    sizeof(line)))
		return 0;
	return strtoull(line, NULL, 10);
}

static void
take_disk(struct imprint *imprint, const struct facts *facts)
{
	char name[sizeof(((struct disk_identity *)0)->model) +
		  sizeof(((struct disk_identity *)0)->serial) + 2];
	struct disk_identity disk;

	imprint->kind = IMPRINT_DISK;
	imprint->size = facts->size;
	imprint->place = partition_start(facts->rdev);
	imprint->ino = facts->ino;
	disk_identify_model(&disk, facts->rdev);
	snprintf(name, sizeof(name), "%s%s%s", disk.model,
		 disk.model[0] != '\0' && disk.serial[0] != '\0' ? " " : "",
		 disk.serial);
	if (name[0] == '\0')
		disk_name(disk_whole(facts->rdev), name, sizeof(name));
	set_name(imprint, name);
}

struct imprint
imprint_take(const struct side *side)
{
	struct imprint imprint = {.kind = IMPRINT_NONE};

	if (facts_is_file(&side->facts))
		take_file(&imprint, side);
	else if (facts_is_device(&side->facts))
		take_disk(&imprint, &side->facts);
	return imprint;
}

void
imprint_format(const struct imprint *imprint,
	       unsigned char ret[static IMPRINT_SIZE])
{
	const uint64_t numbers[] = {imprint->size, imprint->place, imprint->ino,
				    imprint->mtime_ns, imprint->ctime_ns};

	memset(ret, 0, IMPRINT_SIZE);
	little_put(ret + AT_KIND, 4, imprint->kind);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		little_put(ret + AT_NUMBERS + 8 * i, 8, numbers[i]);
	memcpy(ret + AT_NAME, imprint->name,
	       strnlen(imprint->name, IMPRINT_NAME_MAX - 1));
}

struct imprint
imprint_parse(const unsigned char id[static IMPRINT_SIZE])
{
	const uint64_t kind = little_get(id + AT_KIND, 4);
	struct imprint imprint = {.kind = IMPRINT_NONE};
	uint64_t *const numbers[] = {&imprint.size, &imprint.place,
				     &imprint.ino, &imprint.mtime_ns,
				     &imprint.ctime_ns};

	if (kind != IMPRINT_FILE && kind != IMPRINT_DISK)
		return imprint;
	imprint.kind = (enum imprint_kind)kind;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		*numbers[i] = little_get(id + AT_NUMBERS + 8 * i, 8);
	memcpy(imprint.name, id + AT_NAME, IMPRINT_NAME_MAX - 1);
	return imprint;
}

bool
imprint_is_same(const struct imprint *a, const struct imprint *b)
{
	if (a->kind != b->kind || a->place != b->place || a->ino != b->ino)
		return false;
	switch (a->kind) {
	case IMPRINT_FILE:
		return true;
	case IMPRINT_DISK:
		return a->size == b->size && strcmp(a->name, b->name) == 0;
	default:
		return false;
	}
}

bool
imprint_is_unchanged(const struct imprint *a, const struct imprint *b)
{
	return imprint_is_same(a, b) && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}
