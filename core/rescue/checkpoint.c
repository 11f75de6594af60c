// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "checkpoint.h"

#include <assert.h>
#include <fcntl.h>
#include <unistd.h>

#include "base.h"
#include "manifest.h"
#include "mapkeep.h"
#include "side.h"

int
checkpoint_init(struct checkpoint *cp, struct aio *aio, struct mapkeep *keep,
		const struct manifest *manifest, const struct side *dst)
{
	*cp = (struct checkpoint){.aio = aio,
				  .keep = keep,
				  .manifest = manifest,
				  .own = dst->engine,
				  .fd = -1};
	if (dst->engine == NULL)
		cp->fd = side_reopen(dst, O_WRONLY);
	aio_add_helper(aio);
	return dst->engine == NULL && cp->fd < 0 ? cp->fd : 0;
}

void
checkpoint_done(struct checkpoint *cp)
{
	map_done(&cp->map);
	if (cp->fd >= 0)
		(void)close(cp->fd); // what it had to say the sync has heard
}

static void
checkpoint_end(struct checkpoint *cp, long res)
{
	cp->is_out = false;
	if (res < 0 && cp->error == 0)
		cp->error = (int)-res;
	map_done(&cp->map);
}

static void
on_saved(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	struct checkpoint *cp = container_of(iocb, struct checkpoint, job.iocb);

	(void)ctx;
	(void)res2;
	checkpoint_end(cp, res);
}

static long
save(struct job_call *call, uint64_t pos, uint64_t len)
{
	struct checkpoint *cp = container_of(call, struct checkpoint, call);

	const int r = cp->manifest ? manifest_flush(cp->manifest) : 0;

	(void)pos;
	(void)len;
	return r < 0 ? r : mapkeep_save(cp->keep, &cp->map, &cp->status);
}

static void
on_synced(io_context_t ctx, struct iocb *iocb, long res, long res2)
{
	struct checkpoint *cp = container_of(iocb, struct checkpoint, job.iocb);
	const struct job_io io = {.op = JOB_CALL,
				  .route = JOB_BY_HELPER,
				  .call = &cp->call,
				  .on_done = on_saved};

	(void)ctx;
	(void)res2;
	if (res < 0) {
		checkpoint_end(cp, res);
		return;
	}
	cp->is_synced = true;
	cp->call.make = save;
	aio_queue(cp->aio, &cp->job, &io);
}

void
checkpoint_start(struct checkpoint *cp, struct map *map,
		 const struct mapfile_status *status)
{
	const struct job_io io = {.op = JOB_FDSYNC,
				  .route = JOB_BY_HELPER,
				  .own = cp->own,
				  .fd = cp->fd,
				  .on_done = on_synced};

	assert(!cp->is_out);
	cp->map = *map;
	*map = (struct map){0};
	cp->status = *status;
	cp->is_out = true;
	cp->is_synced = false;
	cp->job = (struct job){0};
	aio_queue(cp->aio, &cp->job, &io);
}
