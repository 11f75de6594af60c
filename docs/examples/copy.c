// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Copies SRC to the new file DST by kernel AIO with callbacks, as docs/LIBAIO.md
// explains it: cc -o copy copy.c -laio && ./copy SRC DST
#define _GNU_SOURCE
#include <assert.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NR_JOBS = 8, BLOCK = 1 << 20, ALIGN = 4096 };

static struct job {               // one buffer, and the one request it has
	struct iocb iocb;
	unsigned char *buf;
	off_t off;                // in both files
	size_t len, done;
} jobs[NR_JOBS];
static io_context_t ctx;
static int src, dst, news;        // news: the eventfd
static off_t size, next;          // next: to be read
static unsigned long submitted, announced, reaped;

static long check(long r, const char *what) // libaio leaves errno alone
{
	if (r < 0 && r != -EINTR)
		errx(1, "%s: %s", what, strerror((int)-r));
	return r;
}

// What is missing of it. io_prep_* clears the whole iocb, so that callback and
// eventfd have to be set behind it, each time: nobody else calls io_prep_*.
static void job_submit(struct job *job, int fd, io_callback_t callback)
{
	struct iocb *iocb = &job->iocb;
	const size_t len = (job->len - job->done + ALIGN - 1) & -(size_t)ALIGN;

	(fd == src ? io_prep_pread : io_prep_pwrite)(
		iocb, fd, job->buf + job->done, len, job->off + (off_t)job->done);
	io_set_callback(iocb, callback);
	io_set_eventfd(iocb, news);
	check(io_submit(ctx, 1, &iocb), "io_submit");
	submitted++;
}

// The job of a request that has ended, or NULL: the rest is on its way.
static struct job *job_end(struct iocb *iocb, long res, io_callback_t callback)
{
	struct job *job = (void *)((char *)iocb - offsetof(struct job, iocb));
	const int fd = iocb->aio_fildes;

	check(res != 0 ? res : -ENODATA, fd == src ? "read" : "write");
	job->done += (size_t)res;
	if (job->done >= job->len)
		return job;
	job_submit(job, fd, callback);
	return NULL;
}

static void on_read(io_context_t c, struct iocb *iocb, long res, long res2);
static void job_start(struct job *job)
{
	job->off = next;
	job->len = (size_t)(size - next < BLOCK ? size - next : BLOCK);
	job->done = 0;
	next += (off_t)job->len;
	if (job->len > 0)
		job_submit(job, src, on_read);
}

static void on_write(io_context_t c, struct iocb *iocb, long res, long res2)
{
	struct job *job = job_end(iocb, res, on_write);

	if (job != NULL)
		job_start(job);
}

static void on_read(io_context_t c, struct iocb *iocb, long res, long res2)
{
	struct job *job = job_end(iocb, res, on_read);

	if (job == NULL)
		return;
	job->done = 0;                    // same job, same iocb, same buffer
	job_submit(job, dst, on_write);
}

static void reap(void) // as many as were announced, and not one more
{
	struct io_event ev[NR_JOBS];
	eventfd_t n;

	for (announced += eventfd_read(news, &n) == 0 ? n : 0; reaped < announced;) {
		const long r = check(io_getevents(ctx, 1, (long)(announced - reaped),
						  ev, NULL), "io_getevents");
		for (long i = 0; i < r; i++, reaped++)
			((io_callback_t)ev[i].data)(ctx, ev[i].obj, (long)ev[i].res,
						    (long)ev[i].res2);
	}
}

int main(int argc, char **argv)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct stat st;

	if (argc != 3)
		errx(1, "usage: copy SRC DST");
	// Without O_DIRECT the reads and writes are made within io_submit.
	src = open(argv[1], O_RDONLY | O_DIRECT | O_CLOEXEC);
	dst = open(argv[2], O_WRONLY | O_CREAT | O_EXCL | O_DIRECT | O_CLOEXEC, 0666);
	news = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	const int loop = epoll_create1(EPOLL_CLOEXEC);
	if (src < 0 || dst < 0 || news < 0 || loop < 0 || fstat(src, &st) < 0 ||
	    epoll_ctl(loop, EPOLL_CTL_ADD, news, &event) < 0)
		err(1, "%s to %s", argv[1], argv[2]);
	size = st.st_size;
	// So is a write that extends a file: the size comes first.
	if (ftruncate(dst, size) < 0)
		err(1, "%s", argv[2]);
	check(io_setup(NR_JOBS, &ctx), "io_setup");
	for (struct job *job = jobs; job < jobs + NR_JOBS; job++) {
		if ((job->buf = aligned_alloc(ALIGN, BLOCK)) == NULL)
			err(1, "memory");
		job_start(job);
	}
	while (reaped < submitted)
		if (epoll_wait(loop, &event, 1, -1) == 1)
			reap();
	assert(submitted == announced && announced == reaped);
	io_destroy(ctx); // nothing is under way: the buffers are ours
	// The last block was written whole.
	if (ftruncate(dst, size) < 0 || fsync(dst) < 0 || close(dst) < 0)
		err(1, "%s", argv[2]);
	return 0;
}
