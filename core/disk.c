// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "disk.h"

#ifdef HAVE_LIBBLKID
#include <blkid.h>
#endif
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base.h"
#include "lazy.h"

// Where sysfs has what it says of dev; name begins with a slash, or is empty.
static char *
sys_path(char path[PATH_MAX], dev_t dev, const char *name)
{
	snprintf(path, PATH_MAX, "/sys/dev/block/%u:%u%s", major(dev),
		 minor(dev), name);
	return path;
}

// The device whose sysfs directory this is.
static dev_t
dev_of_dir(const char *dir)
{
	char path[PATH_MAX];
	unsigned maj, min;

	if ((size_t)snprintf(path, sizeof(path), "%s/dev", dir) >= sizeof(path))
		return 0;
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return 0;
	const int nr = fscanf(f, "%u:%u", &maj, &min);
	(void)fclose(f); // only read
	return nr == 2 ? makedev(maj, min) : 0;
}

// The first line, without the spaces that pad it; "" if there is none.
static bool
read_line(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");

	if (f == NULL || fgets(buf, (int)size, f) == NULL)
		buf[0] = '\0';
	if (f != NULL)
		(void)fclose(f); // only read
	size_t len = strlen(buf);
	while (len > 0 && (buf[len - 1] == ' ' || buf[len - 1] == '\n'))
		buf[--len] = '\0';
	return len > 0;
}

static bool
is_partition(dev_t dev)
{
	char path[PATH_MAX];

	return access(sys_path(path, dev, "/partition"), F_OK) == 0;
}

dev_t
disk_whole(dev_t dev)
{
	char path[PATH_MAX];

	if (!is_partition(dev))
		return dev;
	const dev_t disk = dev_of_dir(sys_path(path, dev, "/.."));
	return disk != 0 ? disk : dev;
}

char *
disk_name(dev_t dev, char *buf, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	const ssize_t len = readlink(sys_path(path, dev, ""), target,
				     sizeof(target) - 1);

	snprintf(buf, size, "%u:%u", major(dev), minor(dev));
	if (len <= 0)
		return buf;
	target[len] = '\0';
	const char *slash = strrchr(target, '/');
	snprintf(buf, size, "/dev/%s", slash ? slash + 1 : target);
	// A slash in a name of the kernel, as in cciss/c0d0.
	for (char *c = buf; *c != '\0'; c++)
		if (*c == '!')
			*c = '/';
	return buf;
}

bool
disk_stack_has(const struct disk_stack *stack, dev_t dev)
{
	for (size_t i = 0; i < stack->nr; i++)
		if (stack->devs[i] == dev)
			return true;
	return false;
}

static void
stack_add(struct disk_stack *stack, dev_t dev)
{
	if (dev != 0 && stack->nr < DISK_STACK_MAX &&
	    !disk_stack_has(stack, dev))
		stack->devs[stack->nr++] = dev;
}

static void
stack_add_holder(struct disk_stack *stack, dev_t held, dev_t holder)
{
	if (stack->holder == 0 && holder != 0) {
		stack->held = held;
		stack->holder = holder;
	}
	stack_add(stack, holder);
}

// Calls found with each directory in dir that is one of a device.
static void
each_device(struct disk_stack *stack, dev_t below, const char *dir,
	    void (*found)(struct disk_stack *stack, dev_t below,
			  const char *dir))
{
	char path[PATH_MAX];
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL) {
		const int len = snprintf(path, sizeof(path), "%s/%s", dir,
					 entry->d_name);

		if (entry->d_name[0] != '.' && (size_t)len < sizeof(path))
			found(stack, below, path);
	}
	(void)closedir(d); // only read
}

static void
on_partition(struct disk_stack *stack, dev_t below, const char *dir)
{
	const dev_t dev = dev_of_dir(dir);

	(void)below;
	if (dev != 0 && is_partition(dev))
		stack_add(stack, dev);
}

static void
on_holder(struct disk_stack *stack, dev_t below, const char *dir)
{
	stack_add_holder(stack, below, dev_of_dir(dir));
}

// A loop device over a device is not among its holders.
static void
on_loop(struct disk_stack *stack, dev_t below, const char *dir)
{
	char path[PATH_MAX], file[PATH_MAX];
	struct stat st;

	if ((size_t)snprintf(path, sizeof(path), "%s/loop/backing_file",
			     dir) < sizeof(path) &&
	    read_line(path, file, sizeof(file)) && stat(file, &st) == 0 &&
	    S_ISBLK(st.st_mode) && st.st_rdev == below)
		stack_add_holder(stack, below, dev_of_dir(dir));
}

void
disk_stack_init(struct disk_stack *stack, dev_t dev)
{
	const dev_t disk = disk_whole(dev);
	char path[PATH_MAX];

	*stack = (struct disk_stack){.nr = 0};
	stack_add(stack, dev);
	stack_add(stack, disk);
	// It grows while we go through it.
	for (size_t i = 0; i < stack->nr; i++) {
		const dev_t below = stack->devs[i];

		// The other partitions of its disk are no part of it.
		if (below != disk || disk == dev)
			each_device(stack, below, sys_path(path, below, ""),
				    on_partition);
		each_device(stack, below, sys_path(path, below, "/holders"),
			    on_holder);
		each_device(stack, below, "/sys/block", on_loop);
	}
}

#ifdef HAVE_LIBBLKID
static struct {
	__typeof__(&blkid_new_probe) new_probe;
	__typeof__(&blkid_free_probe) free_probe;
	__typeof__(&blkid_probe_set_device) set_device;
	__typeof__(&blkid_probe_enable_partitions) enable_partitions;
	__typeof__(&blkid_probe_set_superblocks_flags) set_flags;
	__typeof__(&blkid_do_fullprobe) do_probe;
	__typeof__(&blkid_probe_lookup_value) lookup;
} blkid;

static bool
load_blkid(void)
{
	const struct lazy_symbol symbols[] = {
		{"blkid_new_probe", &blkid.new_probe},
		{"blkid_free_probe", &blkid.free_probe},
		{"blkid_probe_set_device", &blkid.set_device},
		{"blkid_probe_enable_partitions", &blkid.enable_partitions},
		{"blkid_probe_set_superblocks_flags", &blkid.set_flags},
		{"blkid_do_fullprobe", &blkid.do_probe},
		{"blkid_probe_lookup_value", &blkid.lookup},
	};

	return lazy_load("libblkid.so.1", symbols, ARRAY_LEN(symbols)) == 0;
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
	blkid_probe probe = load_blkid() ? blkid.new_probe() : NULL;

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
		if (read_line(sys_path(path, dev, *names), buf, size))
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
	identify_line(disk, serials, ret->serial, sizeof(ret->serial));
}

void
disk_identify(struct disk_identity *ret, const struct disk_stack *stack)
{
	disk_identify_model(ret, stack->devs[0]);
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
