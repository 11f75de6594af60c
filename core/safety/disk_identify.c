// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "disk_identify.h"

#ifdef HAVE_LIBBLKID
#include <blkid.h>
#endif
#include <fcntl.h>
#include <limits.h>
#include <linux/major.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "disk.h"
#include "disk_stack.h"
#include "lazy.h"

#ifdef HAVE_LIBBLKID
#define BLKID(X)						\
	X(new_probe, blkid_new_probe)				\
	X(free_probe, blkid_free_probe)				\
	X(set_device, blkid_probe_set_device)			\
	X(enable_partitions, blkid_probe_enable_partitions)	\
	X(set_flags, blkid_probe_set_superblocks_flags)		\
	X(do_probe, blkid_do_fullprobe)				\
	X(lookup, blkid_probe_lookup_value)

static LAZY_STRUCT(blkid, BLKID) blkid;
LAZY_LIBRARY(blkid, BLKID, "libblkid.so.1", "content",
	     "says what a refused disk contains", "suggested")

static bool
can_read_contents(void)
{
	return load_blkid() == 0;
}

static void
copy_value(blkid_probe probe, const char *key, char *buf, size_t size)
{
	const char *value;

	if (blkid.lookup(probe, key, &value, NULL) == 0)
		snprintf(buf, size, "%s", value);
}

static void
read_content(int fd, struct disk_content *ret)
{
	blkid_probe probe = blkid.new_probe();

	if (probe == NULL)
		return;
	blkid.enable_partitions(probe, 1);
	blkid.set_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL);
	if (blkid.set_device(probe, fd, 0, 0) == 0 &&
	    blkid.do_probe(probe) == 0) {
		copy_value(probe, "PTTYPE", ret->type, sizeof(ret->type));
		copy_value(probe, "TYPE", ret->type, sizeof(ret->type));
		copy_value(probe, "LABEL", ret->label, sizeof(ret->label));
	}
	blkid.free_probe(probe);
}
#else
static bool
can_read_contents(void)
{
	return true; // nothing, but that is no news
}

static void
read_content(int fd, struct disk_content *ret)
{
	(void)fd;
	(void)ret;
}
#endif

static void
identify_content(dev_t dev, struct disk_content *ret)
{
	char path[DISK_NAME_MAX];
	struct stat st;
	const int fd = open(disk_name(dev, path, sizeof(path)),
			    O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	*ret = (struct disk_content){.type = ""};
	if (fd < 0)
		return;
	// A name can lead elsewhere, a number cannot.
	if (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == dev)
		read_content(fd, ret);
	(void)close(fd); // only read
}

// The first of these that sysfs has.
static void
identify_line(dev_t dev, const char *const names[], char *buf, size_t size)
{
	char path[PATH_MAX];

	for (buf[0] = '\0'; *names != NULL; names++)
		if (disk_read_line(disk_sys_path(path, dev, *names), buf, size))
			return;
}

void
disk_identify_model(struct disk_identity *ret, dev_t dev)
{
	static const char *const models[] = {
		"/device/model", "/loop/backing_file", "/dm/name", NULL};
	static const char *const serials[] = {
		"/serial", "/device/serial", "/device/wwid", NULL};
	const dev_t disk = disk_whole(dev);

	*ret = (struct disk_identity){.nr_contents = 0};
	identify_line(disk, models, ret->model, sizeof(ret->model));
	ret->is_loop = major(disk) == LOOP_MAJOR && ret->model[0] == '/';
	identify_line(disk, serials, ret->serial, sizeof(ret->serial));
}

void
disk_identify(struct disk_identity *ret, const struct disk_stack *stack)
{
	disk_identify_model(ret, stack->devs[0]);
	ret->is_unread = !can_read_contents();
	if (ret->is_unread)
		return;
	for (size_t i = 0; i < stack->nr; i++) {
		struct disk_content *content =
			&ret->contents[ret->nr_contents];
		const dev_t dev = stack->devs[i];

		if (ret->nr_contents == DISK_CONTENTS_MAX)
			return;
		// Of the disk of a partition, only the partition counts.
		if (i > 0 && (disk_whole(dev) != stack->devs[0]))
			continue;
		identify_content(dev, content);
		if (content->type[0] != '\0')
			ret->nr_contents++;
	}
}
