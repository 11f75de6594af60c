// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "safety.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "claim.h"
#include "disk_stack.h"
#include "fd.h"
#include "overlap.h"

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
	struct disk_unseen uses;     // of the destination
	struct disk_unseen bytes;    // where they are
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
		(void)close(safety->claim); // what it did has told its errors
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

bool
safety_is_missing(const char *name)
{
	char path[PATH_MAX] = "";

	// glibc leaves in path the name that is missing, behind all links.
	return realpath(name, path) == NULL && errno == ENOENT &&
	       is_on_dev(path);
}

int
safety_check_path(struct safety *safety, const struct request *q)
{
	if (q->is_dd || q->dst == NULL || (q->conv & CONV_NOCREAT) ||
	    (q->force & REQUEST_FORCE_MISSING) || !safety_is_missing(q->dst))
		return 0;
	safety->reason = REQUEST_FORCE_MISSING;
	return -EPERM;
}

static bool
is_used(struct check *c, enum mounts_kind kind)
{
	const struct disk_stack *stack = &c->dst_stack;

	// Without a device upon it a file can only be swapped to.
	return (stack->nr > 0 ||
		(kind == MOUNTS_SWAP && stack->file_ino != 0)) &&
	       mounts_find(stack, kind, &c->ret->use, &c->uses);
}

static bool
is_system(struct check *c)
{
	return is_used(c, MOUNTS_ROOT);
}

static bool
is_mounted(struct check *c)
{
	return is_used(c, MOUNTS_ANY);
}

static bool
is_swap(struct check *c)
{
	return is_used(c, MOUNTS_SWAP);
}

static bool
has_holder(struct check *c)
{
	c->ret->use.dev = c->dst_stack.serving;
	c->ret->holder = c->dst_stack.holder;
	return c->dst_stack.holder != 0;
}

static bool
is_overlapping(struct check *c)
{
	return overlap_is_harmful(c->q, c->src, &c->src_stack, c->dst,
				  &c->dst_stack);
}

// Takes the claim, too: last of those that ask for users, since those who
// were found, and are to be written over, have it already.
static bool
is_busy(struct check *c)
{
	if (c->dst->rdev == 0)
		return false;
	c->ret->use.dev = c->dst->rdev;
	// udev looks at a device again that was open for writing.
	const int fd = c->ret->claim = claim_open(
		c->fd, c->q->dst, c->dst->rdev,
		c->q->plan_only ? CLAIM_TO_LOOK : CLAIM_TO_CHANGE);
	if (fd < 0 && fd != -EBUSY)
		disk_unseen_note(&c->bytes, "O_EXCL", -fd);
	return fd == -EBUSY && !(c->found & FORCE_USES);
}

// Who has the claim knows that nobody uses the device, whoever that could be;
// loop devices upon it, and what the source has in common with it, are to be
// seen all the same. A file cannot be claimed.
static bool
is_unchecked(struct check *c)
{
	struct disk_unseen *unseen = &c->ret->unseen;

	*unseen = c->bytes;
	disk_unseen_note(unseen, c->dst_stack.unseen.path,
			 c->dst_stack.unseen.error);
	disk_unseen_note(unseen, c->src_stack.unseen.path,
			 c->src_stack.unseen.error);
	if (unseen->error != 0 || c->dst_stack.nr == 0)
		return unseen->error != 0;
	*unseen = c->uses;
	return unseen->error != 0 && c->ret->claim < 0;
}

static bool
is_too_small(struct check *c)
{
	if (!facts_is_device(c->dst))
		return false; // a file grows
	c->ret->size = c->dst->size;
	c->ret->reach = overlap_reach(c->q, c->src, c->dst);
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
	{REQUEST_FORCE_HOLDERS, has_holder},
	{REQUEST_FORCE_OVERLAP, is_overlapping},
	{REQUEST_FORCE_BUSY, is_busy},
	{REQUEST_FORCE_UNCHECKED, is_unchecked},
	{REQUEST_FORCE_SIZE, is_too_small},
};

static int
refuse(struct check *c, enum request_force reason)
{
	struct safety *ret = c->ret;

	ret->reason = reason;
	ret->size = c->dst->size;
	ret->identity = (struct disk_identity){.nr_contents = 0};
	if (c->dst->rdev != 0)
		disk_identify(&ret->identity, &c->dst_stack);
	safety_done(ret);
	return -EPERM;
}

// Nobody else has the file open: no loop device, no swap, and not we as the
// source. The kernel gives a lease only then; it is given back at once, and a
// signal to its holder must not be the deadly SIGIO.
static bool
is_unshared(const struct check *c)
{
	if (c->q->dst == NULL || fcntl(c->fd, F_SETSIG, SIGURG) < 0 ||
	    fcntl(c->fd, F_SETLEASE, F_WRLCK) < 0)
		return false;
	// It is ours; but with it nobody could open the file, nor could we.
	for (int i = 0; i < 3; i++)
		if (fcntl(c->fd, F_SETLEASE, F_UNLCK) == 0)
			break;
	return true;
}

// Without sysfs a loop device is seen only if it has a name in /dev.
static void
find_users_of_file(struct check *c)
{
	disk_stack_init_file(&c->dst_stack, c->dst);
	if (c->dst_stack.is_blind)
		disk_unseen_note(&c->bytes, "/sys", ENOENT);
}

// A file without bytes has none to lose.
static void
find_file_stack(struct check *c)
{
	if (c->dst->size == 0 || is_unshared(c))
		return;
	find_users_of_file(c);
}

static void
find_src_file_stack(struct check *c)
{
	struct facts file = *c->src;

	if (file.unpacked != 0)
		file.size = file.packed_size;
	else if (!facts_is_file(&file))
		return;
	if (file.size > 0)
		disk_stack_init_file(&c->src_stack, &file);
}

static void
find_disk_stacks(struct check *c)
{
	disk_stack_init(&c->dst_stack, c->dst->rdev);
	if (c->src->rdev != 0)
		disk_stack_init(&c->src_stack, c->src->rdev);
	else
		find_src_file_stack(c);
	if (!c->dst_stack.is_blind)
		return;
	disk_unseen_note(&c->uses, "/sys", ENOENT);
	if (c->src->rdev != 0)
		disk_unseen_note(&c->bytes, "/sys", ENOENT);
}

// -EPERM: one of the checks has found something, and is not waived.
static int
run_checks(struct check *c)
{
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		if (!checks[i].is_found(c))
			continue;
		if (!(c->q->force & checks[i].reason))
			return refuse(c, checks[i].reason);
		c->found |= checks[i].reason;
	}
	return 0;
}

int
safety_check(struct safety *safety, const struct request *q,
	     const struct facts *src, const struct facts *dst, int fd)
{
	struct check c = {.q = q, .src = src, .dst = dst, .fd = fd,
			  .ret = safety};

	if (q->is_dd)
		return 0;
	disk_unseen_note(&c.bytes, "the destination", dst->error);
	if (dst->rdev != 0) {
		disk_unseen_note(&c.bytes, "the source", src->error);
		find_disk_stacks(&c);
	} else if (facts_is_file(dst)) {
		find_file_stack(&c);
	} else if (dst->error == 0 && !facts_is_export(dst)) {
		return 0;
	}
	const int r = run_checks(&c);
	safety->is_alone = safety->claim >= 0 && !(c.found & FORCE_USES) &&
			   disk_whole(dst->rdev) == dst->rdev;
	return r;
}

bool
safety_looks_inside(const struct request *q, const struct facts *dst)
{
	return !q->is_dd && q->decompress != REQUEST_DECOMPRESS_NO &&
	       !(q->force & REQUEST_FORCE_FORMAT) && request_writes(q) &&
	       !(q->conv & CONV_BYTES) &&
	       (facts_is_device(dst) ||
		q->decompress == REQUEST_DECOMPRESS_AUTO);
}

int
safety_check_format(struct safety *safety, const struct request *q,
		    const struct facts *src, const struct facts *dst,
		    enum decode_format contents)
{
	struct check c = {.q = q, .dst = dst, .ret = safety};

	// Into a file it may be wanted as it is, but what is to be decompressed
	// and cannot be.
	if (contents == DECODE_NONE || !safety_looks_inside(q, dst) ||
	    (!facts_is_device(dst) && !decode_is_foreign(contents)))
		return 0;
	if (dst->rdev != 0)
		disk_stack_init(&c.dst_stack, dst->rdev);
	safety->contents = contents;
	safety->is_src_export = facts_is_export(src);
	return refuse(&c, REQUEST_FORCE_FORMAT);
}

int
safety_check_replaced(struct safety *safety, const struct request *q,
		      const struct facts *old)
{
	const struct facts src = {.kind = FACTS_STREAM};
	struct request waived = *q;
	struct check c = {.q = &waived, .src = &src, .dst = old, .fd = -1,
			  .ret = safety};

	// Nothing that is mounted or swapped to is smaller than a page.
	if (q->is_dd || !facts_is_file(old) || old->size < 4 * KIB)
		return 0;
	// No byte of it is written, so what cannot be seen is no reason: others
	// may have images that we must not look at.
	waived.force |= REQUEST_FORCE_UNCHECKED;
	disk_stack_init_file(&c.dst_stack, old);
	return run_checks(&c);
}

bool
safety_is_src_live(const struct request *q, const struct facts *src,
		   struct mounts_use *ret)
{
	struct disk_stack stack;

	if (q->is_dd || src->rdev == 0)
		return false;
	disk_stack_init(&stack, src->rdev);
	// A warning may be missing.
	return mounts_find(&stack, MOUNTS_WRITABLE, ret,
			   &(struct disk_unseen){.error = 0});
}
