// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "disk_stack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base.h"
#include "facts.h"
#include "fd.h"

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
	if (disk_stack_has(stack, dev))
		return;
	if (stack->nr < DISK_STACK_MAX)
		stack->devs[stack->nr++] = dev;
	else
		disk_unseen_note(&stack->unseen, "/sys/block", EOVERFLOW);
}

static void
stack_add_holder(struct disk_stack *stack, dev_t serving, dev_t holder)
{
	if (stack->holder == 0) {
		stack->serving = serving;
		stack->holder = holder;
	}
	stack_add(stack, holder);
}

// Calls found with each entry of dir.
static void
each_entry(struct disk_stack *stack, dev_t below, const char *dir,
	   void (*found)(struct disk_stack *stack, dev_t below,
			 const char *dir))
{
	char path[PATH_MAX];
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (d == NULL) {
		disk_unseen_note(&stack->unseen, dir, errno);
		return;
	}
	while (errno = 0, (entry = readdir(d)) != NULL) {
		const int len = snprintf(path, sizeof(path), "%s/%s", dir,
					 entry->d_name);

		if (entry->d_name[0] != '.' && (size_t)len < sizeof(path))
			found(stack, below, path);
	}
	if (errno != 0)
		disk_unseen_note(&stack->unseen, dir, errno);
	(void)closedir(d); // only read
}

// Whether the entry is a device; most in the directory of a disk are not.
static bool
is_device(struct disk_stack *stack, const char *dir, dev_t *ret)
{
	const int r = disk_read_dev(dir, ret);

	if (r < 0 && r != -ENOENT && r != -ENOTDIR && r != -ENODEV)
		disk_unseen_note(&stack->unseen, dir, -r);
	return r == 0;
}

static void
on_partition(struct disk_stack *stack, dev_t below, const char *dir)
{
	dev_t dev;

	(void)below;
	if (is_device(stack, dir, &dev) && disk_is_partition(dev))
		stack_add(stack, dev);
}

static void
on_holder(struct disk_stack *stack, dev_t below, const char *dir)
{
	dev_t dev;

	if (is_device(stack, dir, &dev))
		stack_add_holder(stack, below, dev);
}

// What a loop device is over.
struct store {
	dev_t loop;   // its own number
	uint64_t dev; // of a file
	uint64_t ino;
	uint64_t rdev; // of a device, else 0
	uint64_t from; // the bytes of it
	uint64_t to;   // UINT64_MAX: all
};

static uint64_t
end_of(uint64_t from, uint64_t len)
{
	return len > 0 ? from + len : UINT64_MAX;
}

// The kernel says it by numbers, whatever has become of the path. -ENXIO:
// over nothing, -ENODEV: the name is another device's.
static int
ask_loop(const char *name, struct store *ret)
{
	char path[DISK_NAME_MAX];
	struct loop_info64 info = {0};
	struct stat st;

	snprintf(path, sizeof(path), "/dev/%s", name);
	const int fd = fd_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	int r = fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0 && (!S_ISBLK(st.st_mode) || major(st.st_rdev) != LOOP_MAJOR))
		r = -ENODEV;
	else if (r == 0 && ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
		r = -errno;
	(void)close(fd); // only looked at
	if (r < 0)
		return r;
	if (info.lo_number != strtoul(name + strlen("loop"), NULL, 10))
		return -ENODEV;
	*ret = (struct store){.loop = st.st_rdev,
			      .dev = info.lo_device,
			      .ino = info.lo_inode,
			      .rdev = info.lo_rdevice,
			      .from = info.lo_offset,
			      .to = end_of(info.lo_offset,
					   info.lo_sizelimit)};
	return 0;
}

// -ENXIO: it is over nothing, or no longer.
static int
read_text(const char *dir, const char *name, char *buf, size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*s/%s", NAME_MAX, dir, name);
	errno = 0;
	if (disk_read_line(path, buf, size))
		return 0;
	return errno == 0 || errno == ENOENT || errno == ENODEV ? -ENXIO
								: -errno;
}

static int
read_number(const char *dir, const char *name, uint64_t *ret)
{
	char line[32];
	const int r = read_text(dir, name, line, sizeof(line));

	*ret = r == 0 ? strtoull(line, NULL, 10) : 0;
	return r;
}

// A loop device ends where its file ended when it was set up, less a partial
// last sector, or earlier if it has a limit. The file may have grown since; but
// a path that leads nowhere is mostly the host's, in a container, where every
// file that is long enough would be refused.
static bool
may_be_over(const struct disk_stack *stack, const char *dir, bool has_path)
{
	uint64_t size, offset, limit;

	if (!stack->knows_size || read_number(dir, "size", &size) < 0 ||
	    read_number(dir, "loop/offset", &offset) < 0 ||
	    read_number(dir, "loop/sizelimit", &limit) < 0 || size == 0)
		return true;
	const uint64_t end = size * 512 + offset;
	return stack->file_size >= end &&
	       (has_path || limit > 0 || stack->file_size - end < 512);
}

// Of one that we may not open, or that has no name here, there is the path.
static int
read_loop(const struct disk_stack *stack, const char *dir, struct store *ret)
{
	char file[PATH_MAX];
	uint64_t from, limit;
	struct stat st;
	dev_t loop;
	int r = disk_read_dev(dir, &loop);

	if (r == 0)
		r = read_text(dir, "loop/backing_file", file, sizeof(file));
	if (r < 0)
		return r;
	if (stat(file, &st) < 0) {
		const int error = errno;

		return may_be_over(stack, dir, error != ENOENT) ? -error
								: -ENXIO;
	}
	r = read_number(dir, "loop/offset", &from);
	if (r == 0)
		r = read_number(dir, "loop/sizelimit", &limit);
	if (r < 0)
		return r;
	*ret = (struct store){.loop = loop,
			      .dev = st.st_dev,
			      .ino = st.st_ino,
			      .rdev = S_ISBLK(st.st_mode) ? st.st_rdev : 0,
			      .from = from,
			      .to = end_of(from, limit)};
	return 0;
}

static bool
is_loop_name(const char *name)
{
	const size_t len = strlen("loop");

	return strncmp(name, "loop", len) == 0 && name[len] != '\0' &&
	       name[len + strspn(name + len, "0123456789")] == '\0';
}

// What is under a loop device is on a server that is gone: it is no file of
// ours, which has just been opened, and no device.
static bool
is_gone(int error)
{
	return error == ENOTCONN || error == ESTALE || error == EIO;
}

// What the loop device of this name is over, if that can be seen.
static int
find_store(struct disk_stack *stack, const char *dir, struct store *ret)
{
	int r = ask_loop(strrchr(dir, '/') + 1, ret);

	if (r == -EACCES || r == -EPERM || r == -ENOENT || r == -ENODEV)
		r = read_loop(stack, dir, ret);
	if (r < 0 && r != -ENXIO && !is_gone(-r))
		disk_unseen_note(&stack->unseen, dir, -r);
	return r;
}

// A loop device over a device is not among its holders.
static void
on_loop(struct disk_stack *stack, dev_t below, const char *dir)
{
	const char *name = strrchr(dir, '/') + 1;
	char path[PATH_MAX];
	struct store store = {.loop = 0};

	if (!is_loop_name(name))
		return;
	snprintf(path, sizeof(path), "%.*s/loop", NAME_MAX, dir);
	if (!stack->is_blind && access(path, F_OK) < 0)
		return; // it is over nothing
	const int r = find_store(stack, dir, &store);
	const bool is_apart = store.loop == stack->own ||
			      store.from >= stack->file_to ||
			      store.to <= stack->file_from;
	if (r == 0 && (below != 0 ? store.rdev == below
				  : disk_stack_is_file(stack, store.dev,
						       store.ino) &&
					    !is_apart))
		stack_add_holder(stack, below != 0 ? below : stack->own,
				 store.loop);
}

bool
disk_stack_is_file(const struct disk_stack *stack, uint64_t dev, uint64_t ino)
{
	return stack->file_ino != 0 && stack->file_ino == ino &&
	       stack->file_dev == dev;
}

static void
each_loop(struct disk_stack *stack, dev_t below)
{
	each_entry(stack, below, stack->is_blind ? "/dev" : "/sys/block",
		   on_loop);
}

// All that is upon what is in it. It grows while we go through it.
static void
stack_grow(struct disk_stack *stack, dev_t dev, dev_t disk)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < stack->nr; i++) {
		const dev_t below = stack->devs[i];

		// The other partitions of its disk are no part of it.
		if (!stack->is_blind && (below != disk || disk == dev))
			each_entry(stack, below, disk_sys_path(path, below, ""),
				   on_partition);
		if (!stack->is_blind)
			each_entry(stack, below,
				   disk_sys_path(path, below, "/holders"),
				   on_holder);
		each_loop(stack, below);
	}
}

static bool
has_sysfs(void)
{
	return access("/sys/dev/block", F_OK) == 0;
}

// Other loop devices over the same bytes of a file.
static void
find_siblings(struct disk_stack *stack, dev_t disk)
{
	char name[DISK_NAME_MAX], dir[PATH_MAX];
	struct store own;

	// Without sysfs all loop devices are unseen, and that is told.
	if (stack->is_blind)
		return;
	disk_name(disk, name, sizeof(name));
	if (strncmp(name, "/dev/", strlen("/dev/")) != 0)
		return; // it has gone, and has only a number
	snprintf(dir, sizeof(dir), "/sys/block/%s", name + strlen("/dev/"));
	if (major(disk) != LOOP_MAJOR || find_store(stack, dir, &own) < 0 ||
	    own.rdev != 0)
		return;
	stack->own = disk;
	stack->file_dev = own.dev;
	stack->file_ino = own.ino;
	stack->file_from = own.from;
	stack->file_to = own.to;
	each_loop(stack, 0);
}

void
disk_stack_init(struct disk_stack *stack, dev_t dev)
{
	const dev_t disk = disk_whole(dev);

	*stack = (struct disk_stack){.is_blind = !has_sysfs()};
	stack_add(stack, dev);
	stack_add(stack, disk);
	find_siblings(stack, disk);
	stack_grow(stack, dev, disk);
}

void
disk_stack_init_file(struct disk_stack *stack, const struct facts *file)
{
	*stack = (struct disk_stack){.is_blind = !has_sysfs(),
				     .file_dev = file->dev,
				     .file_ino = file->ino,
				     .file_size = file->size,
				     .knows_size = true,
				     .file_to = UINT64_MAX};
	each_loop(stack, 0);
	stack->knows_size = false; // of devices, from here on
	stack_grow(stack, 0, 0);
}
