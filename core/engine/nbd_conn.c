// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "nbd_conn.h"

#ifdef HAVE_LIBNBD
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base.h"
#include "fd.h"

int
nbd_conn_init(struct nbd_conn *c, const struct nbd_library *lib,
	      const struct nbd_engine_export *export, struct nbd_handle *handle)
{
	*c = (struct nbd_conn){
		.lib = lib,
		.export = export,
		.handle = handle,
		.wake_fd = fd_move_up(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
	};
	return c->wake_fd < 0 ? c->wake_fd : 0;
}

void
nbd_conn_done(struct nbd_conn *c)
{
	if (nbd_conn_is_up(c))
		(void)c->lib->aio_disconnect(c->handle, 0);
	c->lib->close(c->handle);
	if (c->wake_fd >= 0)
		(void)close(c->wake_fd); // only counts
}

void
nbd_conn_wake(struct nbd_conn *c)
{
	(void)eventfd_write(c->wake_fd, 1); // far from its limit
}

// Within a call on the handle: nothing may be called on it.
static int
on_ended(void *ctx, int *error)
{
	struct job *job = ctx;
	struct nbd_conn *c = job->with;

	if (*error != 0)
		job->res = -*error;
	job_list_put(&c->ended, job);
	return 1;
}

static int
on_extent(void *ctx, const char *meta, uint64_t off, uint32_t *entries,
	  size_t nr, int *error)
{
	struct nbd_engine_extents *extents = ctx;

	(void)meta; // there is no other
	(void)off;
	(void)error;
	for (size_t i = 0; i + 1 < nr; i += 2)
		extents->on_span(extents, entries[i],
				 entries[i + 1] & LIBNBD_STATE_ZERO);
	return 0;
}

static uint32_t
write_flags(const struct nbd_conn *c)
{
	return c->export->is_durable ? LIBNBD_CMD_FLAG_FUA : 0;
}

// A cookie, or -1.
static int64_t
begin(struct nbd_conn *c, struct job *job)
{
	const struct nbd_library *lib = c->lib;
	const struct iocb *iocb = &job->iocb;
	const uint64_t off = (uint64_t)iocb->u.c.offset;
	const size_t len = (size_t)job->res;
	const nbd_completion_callback done = {.callback = on_ended,
					      .user_data = job};

	switch (iocb->aio_lio_opcode) {
	case IO_CMD_PREAD:
		return lib->aio_pread(c->handle, iocb->u.c.buf, len, off, done,
				      0);
	case IO_CMD_PWRITE:
		return lib->aio_pwrite(c->handle, iocb->u.c.buf, len, off, done,
				       write_flags(c));
	case NBD_CMD_ZERO:
		return lib->aio_zero(c->handle, len, off, done,
				     write_flags(c));
	case NBD_CMD_EXTENTS:
		return lib->aio_block_status(
			c->handle, len, off,
			(nbd_extent_callback){.callback = on_extent,
					      .user_data = iocb->u.c.buf},
			done, 0);
	default:
		return lib->aio_flush(c->handle, done, 0);
	}
}

bool
nbd_conn_is_up(const struct nbd_conn *c)
{
	const struct nbd_library *lib = c->lib;

	return lib->aio_is_ready(c->handle) > 0 ||
	       lib->aio_is_processing(c->handle) > 0;
}

// Reads of whole blocks may reach behind the end.
static long
len_of(const struct nbd_conn *c, const struct iocb *iocb)
{
	const uint64_t off = (uint64_t)iocb->u.c.offset;

	if (iocb->aio_lio_opcode != IO_CMD_PREAD)
		return (long)iocb->u.c.nbytes;
	const uint64_t size = c->export->size;
	return (long)min_u64(iocb->u.c.nbytes, size - min_u64(off, size));
}

void
nbd_conn_start(struct nbd_conn *c, struct job *job)
{
	job->with = c;
	job->res = len_of(c, &job->iocb);
	if (job->res == 0 && job->iocb.aio_lio_opcode == IO_CMD_PREAD) {
		job_list_put(&c->ended, job);
	} else if (!nbd_conn_is_up(c)) {
		job->res = -ENOTCONN;
		job_list_put(&c->ended, job);
	} else if (begin(c, job) < 0) {
		// No callback has come, nor will.
		const int error = c->lib->get_errno();

		job->res = error > 0 ? -error : -EIO;
		job_list_put(&c->ended, job);
	}
}

void
nbd_conn_wait(struct nbd_conn *c)
{
	const struct nbd_library *lib = c->lib;
	const bool is_up = nbd_conn_is_up(c);
	const unsigned direction = is_up ? lib->aio_get_direction(c->handle)
					 : 0;
	struct pollfd fds[] = {
		{.fd = c->wake_fd, .events = POLLIN},
		{.fd = is_up ? lib->aio_get_fd(c->handle) : -1,
		 .events = nbd_library_events(direction)},
	};
	eventfd_t count;

	if (poll(fds, ARRAY_LEN(fds), -1) < 0)
		return;
	if (fds[0].revents != 0)
		(void)eventfd_read(c->wake_fd, &count);
	// What is wrong with the connection shows in the state that it leaves.
	if (fds[1].revents != 0)
		(void)nbd_library_notify(lib, c->handle, direction,
					 fds[1].revents);
}
#endif
