// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "finish.h"

#include <errno.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "env.h"
#include "event.h"
#include "hooks.h"
#include "thread.h"

static int
tell(const struct hooks *h, enum event_kind kind, const char *name, int r)
{
	return hooks_tell(
		h, (struct event){.kind = kind, .error = -r, .name = name});
}

static int
sync_here(int (*sync)(int), int fd, const struct hooks *h)
{
	int r;

	do {
		r = sync(fd) < 0 ? -errno : 0;
	} while (r == -EINTR && !h->must_stop(h->ctx));
	return r == -EINTR ? -ECANCELED : r;
}

// A sync in a thread of its own. On the heap, because the run may end by a
// signal while it sleeps.
struct syncing {
	int (*sync)(int);
	int fd;
	int done_fd;     // eventfd
	int result;      // valid when done_fd is readable
	pthread_t thread;
};

static void *
syncing_main(void *ctx)
{
	struct syncing *s = ctx;

	// Not by a signal, which it has none of: a server may say so.
	do {
		s->result = s->sync(s->fd) < 0 ? -errno : 0;
	} while (s->result == -EINTR);
	(void)eventfd_write(s->done_fd, 1);
	return NULL;
}

static struct syncing *
syncing_new(int (*sync)(int), int fd)
{
	struct syncing *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	*s = (struct syncing){.sync = sync, .fd = fd};
	s->done_fd = eventfd(0, EFD_CLOEXEC);
	const bool is_started =
		s->done_fd >= 0 &&
		thread_start(&s->thread, syncing_main, s) == 0;
	if (is_started)
		return s;
	if (s->done_fd >= 0)
		(void)close(s->done_fd); // only counts
	free(s);
	return NULL;
}

// fsync sleeps without hearing signals, for as long as the disk needs.
static int
sync_wait(int (*sync)(int), int fd, const struct hooks *h)
{
	struct syncing *s = syncing_new(sync, fd);

	if (s == NULL)
		return sync_here(sync, fd, h);
	if (hooks_wait(h, s->done_fd) == -ECANCELED)
		return -ECANCELED; // the process ends
	pthread_join(s->thread, NULL); // sleeps where that could not
	const int r = s->result;
	(void)close(s->done_fd); // only counts
	free(s);
	return r;
}

int
finish_fsync(int fd, const struct hooks *h)
{
	return sync_wait(fsync, fd, h);
}

// The first error of a sync is the only one the kernel gives: it stands,
// whatever the next one says.
int
finish_sync(const struct endpoint *dst, unsigned conv, const struct env *env)
{
	const struct hooks *h = env->hooks;
	const bool is_dd = env->asked->is_dd;
	int (*const wait)(int (*)(int), int, const struct hooks *) =
		is_dd ? sync_here : sync_wait;
	int data = 0, all = 0;

	if (conv & CONV_FDATASYNC) {
		data = wait(fdatasync, dst->fd, h);
		if (data == -ENOSYS || data == -EINVAL)
			data = 0;
		else if (data < 0 && data != -ECANCELED)
			tell(h, FAILURE_FDATASYNC, dst->name, data);
		else if (data == 0)
			conv &= ~(unsigned)CONV_FDATASYNC;
	}
	if (data == -ECANCELED)
		return data;
	if (conv & (CONV_FSYNC | CONV_FDATASYNC)) {
		all = wait(fsync, dst->fd, h);
		if (all < 0 && all != -ECANCELED)
			tell(h, FAILURE_FSYNC, dst->name, all);
	}
	return data < 0 ? data : all;
}

int
finish_partitions(int fd)
{
	const int r = ioctl(fd, BLKRRPART) < 0 ? -errno : 0;

	return r == -EINVAL ? 0 : r;
}

int
finish_close(struct endpoint *src, struct endpoint *dst,
	     const struct hooks *h)
{
	int r = endpoint_close(src);

	if (r < 0)
		return tell(h, FAILURE_CLOSE_SRC, src->name, r);
	r = endpoint_close(dst);
	if (r < 0)
		return tell(h, FAILURE_CLOSE_DST, dst->name, r);
	return 0;
}
