// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "finish.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "aio.h"
#include "base.h"
#include "env.h"
#include "event.h"
#include "helper.h"
#include "hooks.h"

static int
tell(const struct hooks *h, enum event_kind kind, const char *name, int r)
{
	return hooks_tell(
		h, (struct event){.kind = kind, .error = -r, .name = name});
}

static int
sync_here(enum job_op op, int fd, const struct hooks *h)
{
	int r;

	do {
		r = (op == JOB_FSYNC ? fsync : fdatasync)(fd) < 0 ? -errno : 0;
	} while (r == -EINTR && !h->must_stop(h->ctx));
	return r == -EINTR ? -ECANCELED : r;
}

// A sync in a thread of its own. On the heap, because the run may end by a
// signal while it sleeps.
struct syncing {
	struct aio aio;
	struct job job;
	struct job_io io;
	bool is_done;
	int result;
};

static void
syncing_on_done(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	struct job *job = container_of(iocb, struct job, iocb);
	struct syncing *s = container_of(job, struct syncing, job);

	(void)ctx;
	(void)res2; // always 0
	s->result = (int)res;
	// Not by a signal, which the thread has none of: a server may say so.
	if (res == -EINTR)
		aio_queue(&s->aio, job, &s->io);
	else
		s->is_done = true;
}

static struct syncing *
syncing_new(enum job_op op, int fd)
{
	struct engine *engine = helper_new();
	struct syncing *s = engine != NULL ? calloc(1, sizeof(*s)) : NULL;

	if (s == NULL) {
		engine_free(engine);
		return NULL;
	}
	s->io = (struct job_io){.op = op,
				.route = JOB_BY_AIO,
				.fd = fd,
				.on_done = syncing_on_done};
	aio_init(&s->aio, engine);
	aio_queue(&s->aio, &s->job, &s->io);
	return s;
}

// fsync sleeps without hearing signals, for as long as the disk needs.
static int
sync_wait(enum job_op op, int fd, const struct hooks *h)
{
	const struct timespec look = {.tv_nsec = 1000 * 1000};
	struct syncing *s = syncing_new(op, fd);
	int r;

	if (s == NULL)
		return sync_here(op, fd, h);
	while (!s->is_done) {
		aio_submit(&s->aio);
		r = hooks_wait(h, aio_news_fd(&s->aio));
		if (r == -ECANCELED)
			return r; // the process ends
		if (r < 0)
			(void)nanosleep(&look, NULL); // nor is there a poll
		(void)aio_reap(&s->aio); // a thread loses nothing
	}
	r = s->result;
	aio_done(&s->aio);
	free(s);
	return r;
}

int
finish_fsync(int fd, const struct hooks *h)
{
	return sync_wait(JOB_FSYNC, fd, h);
}

// The first error of a sync is the only one the kernel gives: it stands,
// whatever the next one says.
int
finish_sync(const struct side *dst, unsigned conv, const struct env *env)
{
	const struct hooks *h = env->hooks;
	const bool is_dd = env->asked->is_dd;
	int (*const wait)(enum job_op, int, const struct hooks *) =
		is_dd ? sync_here : sync_wait;
	int data = 0, all = 0;

	if (conv & CONV_FDATASYNC) {
		data = wait(JOB_FDSYNC, dst->fd, h);
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
		all = wait(JOB_FSYNC, dst->fd, h);
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
finish_close(struct side *src, struct side *dst,
	     const struct hooks *h)
{
	int r = side_close(src);

	if (r < 0)
		return tell(h, FAILURE_CLOSE_SRC, src->name, r);
	r = side_close(dst);
	if (r < 0)
		return tell(h, FAILURE_CLOSE_DST, dst->name, r);
	return 0;
}
