// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "disk.h"

#ifdef HAVE_LIBBLKID
#include <blkid.h>
#endif
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
#include "lazy.h"

// Where sysfs has what it says of dev; name begins with a slash, or is empty.
static char *
sys_path(char path[PATH_MAX], dev_t dev, const char *name)
{
	snprintf(path, PATH_MAX, "/sys/dev/block/%u:%u%s", major(dev),
		 minor(dev), name);
	return path;
}

// The device whose sysfs directory this is: 0, or -errno.
static int
read_dev(const char *dir, dev_t *ret)
{
	char path[PATH_MAX];
	unsigned maj, min;

	if ((size_t)snprintf(path, sizeof(path), "%s/dev", dir) >= sizeof(path))
		return -ENAMETOOLONG;
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return -errno;
	const int nr = fscanf(f, "%u:%u", &maj, &min);
	(void)fclose(f); // only read
	if (nr != 2)
		return -EIO;
	*ret = makedev(maj, min);
	return 0;
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
	dev_t disk = dev;

	// Where it cannot be read, a partition is taken for a disk.
	if (is_partition(dev))
		(void)read_dev(sys_path(path, dev, "/.."), &disk);
	return disk;
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

void
disk_unseen_note(struct disk_unseen *unseen, const char *path, int error)
{
	if (unseen->error != 0)
		return;
	unseen->error = error;
	snprintf(unseen->path, sizeof(unseen->path), "%s", path);
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
	const int r = read_dev(dir, ret);

	if (r < 0 && r != -ENOENT && r != -ENOTDIR && r != -ENODEV)
		disk_unseen_note(&stack->unseen, dir, -r);
	return r == 0;
}

static void
on_partition(struct disk_stack *stack, dev_t below, const char *dir)
{
	dev_t dev;

	(void)below;
	if (is_device(stack, dir, &dev) && is_partition(dev))
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
	struct loop_info64 info;
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

static uint64_t
read_number(const char *dir, const char *name)
{
	char path[PATH_MAX], line[32];

	snprintf(path, sizeof(path), "%.*s/%s", NAME_MAX, dir, name);
	return read_line(path, line, sizeof(line)) ? strtoull(line, NULL, 10)
						   : 0;
}

// Of one that we may not open, or that has no name here, there is the path.
static int
read_loop(const struct disk_stack *stack, const char *dir, struct store *ret)
{
	char path[PATH_MAX], file[PATH_MAX];
	struct stat st;
	dev_t loop;
	const int r = read_dev(dir, &loop);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%.*s/loop/backing_file", NAME_MAX, dir);
	errno = 0;
	if (!read_line(path, file, sizeof(file)))
		return errno == ENOENT ? -ENXIO : -EIO;
	if (stat(file, &st) < 0) {
		const int error = errno;
		const uint64_t end = read_number(dir, "size") * 512 +
				     read_number(dir, "loop/offset");

		// A file that is smaller is not under it.
		return stack->file_ino != 0 && end > stack->file_size ? -ENXIO
								      : -error;
	}
	const uint64_t from = read_number(dir, "loop/offset");
	*ret = (struct store){
		.loop = loop,
		.dev = st.st_dev,
		.ino = st.st_ino,
		.rdev = S_ISBLK(st.st_mode) ? st.st_rdev : 0,
		.from = from,
		.to = end_of(from, read_number(dir, "loop/sizelimit"))};
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
			each_entry(stack, below, sys_path(path, below, ""),
				   on_partition);
		if (!stack->is_blind)
			each_entry(stack, below,
				   sys_path(path, below, "/holders"),
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
				     .file_to = UINT64_MAX};
	each_loop(stack, 0);
	stack_grow(stack, 0, 0);
}

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
	blkid_probe probe = load_blkid() == 0 ? blkid.new_probe() : NULL;

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
	ret->is_loop = major(disk) == LOOP_MAJOR && ret->model[0] == '/';
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
