// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "feeder.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base.h"
#include "helper.h"

struct feeder {
	struct fill fill;
	uint64_t pos; // of the next byte
	_Atomic bool is_stopped;
	bool has_ended;
	ssize_t end; // 0 or -errno
};

// The bytes; fewer than len: that was the end.
static size_t
fill_up(struct feeder *f, unsigned char *buf, size_t len)
{
	size_t got = 0;

	while (got < len && !f->has_ended) {
		const ssize_t n = f->is_stopped
					  ? -ECANCELED
					  : f->fill.read(f->fill.ctx, buf + got,
							 len - got);

		if (n == -EINTR)
			continue;
		f->has_ended = n <= 0;
		f->end = n;
		got += n > 0 ? (size_t)n : 0;
	}
	f->pos += got;
	return got;
}

static long
feeder_make(void *ctx, const struct iocb *iocb)
{
	struct feeder *f = ctx;
	const uint64_t pos = (uint64_t)iocb->u.c.offset;
	const size_t len = iocb->u.c.nbytes;

	assert(iocb->aio_lio_opcode == IO_CMD_PREAD && pos >= f->pos);
	while (f->pos < pos && !f->has_ended)
		(void)fill_up(f, iocb->u.c.buf,
			      (size_t)min_u64(len, pos - f->pos));
	const size_t got = fill_up(f, iocb->u.c.buf, len);
	return got > 0 ? (long)got : f->end;
}

static void
feeder_stop(void *ctx)
{
	struct feeder *f = ctx;

	f->is_stopped = true; // also of what does not wait, but takes long
	f->fill.stop(f->fill.ctx);
}

struct engine *
feeder_new(struct fill fill, uint64_t pos)
{
	struct feeder *f = calloc(1, sizeof(*f));
	struct engine *engine = NULL;

	if (f == NULL)
		return NULL;
	f->fill = fill;
	f->pos = pos;
	engine = helper_new_for(&(struct helper_work){.make = feeder_make,
						      .stop = feeder_stop,
						      .free = free,
						      .ctx = f});
	if (engine == NULL)
		free(f);
	else
		engine->most = 2; // while one is made another waits
	return engine;
}
