// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "safety.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "fd.h"

// The kernel gives nobody else a device that is used in one of these ways.
#define FORCE_USES (REQUEST_FORCE_SYSTEM | REQUEST_FORCE_MOUNTED | \
		    REQUEST_FORCE_SWAP | REQUEST_FORCE_HOLDERS)

struct check {
	const struct request *q;
	const struct facts *src;
	const struct facts *dst;
	int fd;
	struct disk_stack src_stack; // of block devices
	struct disk_stack dst_stack;
	unsigned found;              // enum request_force, so far
	struct safety *ret;
};

void
safety_init(struct safety *safety)
{
	*safety = (struct safety){.claim = -1};
}

void
safety_done(struct safety *safety)
{
	if (safety->claim >= 0)
		(void)close(safety->claim); // nothing went through it
	safety->claim = -1;
}

// Other file systems below /dev, such as /dev/shm, are for files.
static bool
is_on_dev(char *path)
{
	struct stat dev, dir;

	return strncmp(path, "/dev/", 5) == 0 && stat("/dev", &dev) == 0 &&
	       stat(dirname(path), &dir) == 0 && dir.st_dev == dev.st_dev;
}

int
safety_check_path(struct safety *safety, const struct request *q)
{
	char path[PATH_MAX] = "";

	if (q->is_dd || q->dst == NULL || (q->conv & CONV_NOCREAT) ||
	    (q->force & REQUEST_FORCE_MISSING))
		return 0;
	// glibc leaves in path the name that is missing, behind all links.
	if (realpath(q->dst, path) != NULL || errno != ENOENT ||
	    !is_on_dev(path))
		return 0;
	safety->reason = REQUEST_FORCE_MISSING;
	return -EPERM;
}

static uint64_t
src_len(const struct request *q, const struct facts *src)
{
	const uint64_t off = request_offset(src->pos, &q->skip, q->ibs);

	if (src->kind == FACTS_ZERO)
		return UINT64_MAX;
	if (src->kind != FACTS_FILE && src->kind != FACTS_BLOCK)
		return 0;
	return src->size > off ? src->size - off : 0;
}

uint64_t
safety_reach(const struct request *q, const struct facts *src,
	     const struct facts *dst)
{
	const uint64_t off = request_offset(dst->pos, &q->seek, q->obs);
	uint64_t len = src_len(q, src), reach;

	if (q->conv & (CONV_BLOCK | CONV_UNBLOCK))
		return 0; // the records change their lengths
	if (request_has_count(q))
		len = min_u64(len, request_offset(0, &q->count, q->ibs));
	// The last record is padded.
	if ((q->conv & CONV_SYNC) && len % q->ibs != 0)
		len += q->ibs - len % q->ibs;
	if (len == 0 || __builtin_add_overflow(off, len, &reach))
		return 0;
	return len == UINT64_MAX ? 0 : reach;
}

static bool
is_system(struct check *c)
{
	return mounts_find(&c->dst_stack, MOUNTS_ROOT, &c->ret->use);
}

static bool
is_mounted(struct check *c)
{
	return mounts_find(&c->dst_stack, MOUNTS_ANY, &c->ret->use);
}

static bool
is_swap(struct check *c)
{
	return mounts_find(&c->dst_stack, MOUNTS_SWAP, &c->ret->use);
}

static bool
is_held(struct check *c)
{
	c->ret->use.dev = c->dst_stack.held;
	c->ret->holder = c->dst_stack.holder;
	return c->dst_stack.holder != 0;
}

// Partitions of one disk lie side by side, also those of a loop device,
// which have the file under it in common.
static bool
is_overlapping(struct check *c)
{
	const dev_t src = c->src->rdev, dst = c->dst->rdev;

	if (src != 0 && (disk_stack_has(&c->dst_stack, src) ||
			 disk_stack_has(&c->src_stack, dst)))
		return true;
	return c->src->ino != 0 && c->src->ino == c->dst->ino &&
	       c->src->dev == c->dst->dev &&
	       disk_whole(src) != disk_whole(dst);
}

// Takes the claim, too: last of those that ask for users, since those who
// were found, and are to be written over, have it already.
static bool
is_busy(struct check *c)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->fd);
	c->ret->claim = fd_move_up(fd_open(path, O_RDONLY | O_EXCL |
						 O_NONBLOCK | O_CLOEXEC, 0));
	return c->ret->claim == -EBUSY && !(c->found & FORCE_USES);
}

static bool
is_too_small(struct check *c)
{
	c->ret->size = c->dst->size;
	c->ret->reach = safety_reach(c->q, c->src, c->dst);
	return c->ret->reach > c->ret->size;
}

// In the order of what would be worst.
static const struct {
	enum request_force reason;
	bool (*is_found)(struct check *c);
} checks[] = {
	{REQUEST_FORCE_SYSTEM, is_system},
	{REQUEST_FORCE_MOUNTED, is_mounted},
	{REQUEST_FORCE_SWAP, is_swap},
	{REQUEST_FORCE_HOLDERS, is_held},
	{REQUEST_FORCE_OVERLAP, is_overlapping},
	{REQUEST_FORCE_BUSY, is_busy},
	{REQUEST_FORCE_SIZE, is_too_small},
};

static int
refuse(struct check *c, enum request_force reason)
{
	struct safety *ret = c->ret;

	ret->reason = reason;
	ret->size = c->dst->size;
	disk_identify(&ret->identity, &c->dst_stack);
	safety_done(ret);
	return -EPERM;
}

int
safety_check(struct safety *safety, const struct request *q,
	     const struct facts *src, const struct facts *dst, int fd)
{
	struct check c = {.q = q, .src = src, .dst = dst, .fd = fd,
			  .ret = safety};

	if (q->is_dd || dst->rdev == 0)
		return 0;
	disk_stack_init(&c.dst_stack, dst->rdev);
	disk_stack_init(&c.src_stack, src->rdev);
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		if (!checks[i].is_found(&c))
			continue;
		if (!(q->force & checks[i].reason))
			return refuse(&c, checks[i].reason);
		c.found |= checks[i].reason;
	}
	safety->is_alone = safety->claim >= 0 && !(c.found & FORCE_USES) &&
			   disk_whole(dst->rdev) == dst->rdev;
	return 0;
}

bool
safety_is_src_live(const struct request *q, const struct facts *src,
		   struct mounts_use *ret)
{
	struct disk_stack stack;

	if (q->is_dd || src->rdev == 0)
		return false;
	disk_stack_init(&stack, src->rdev);
	return mounts_find(&stack, MOUNTS_WRITABLE, ret);
}
