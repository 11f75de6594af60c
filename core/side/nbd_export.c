// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "nbd_export.h"

#ifdef HAVE_LIBNBD
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "engine.h"
#include "event.h"
#include "extent.h"
#include "hooks.h"
#include "nbd_engine.h"
#include "side.h"
#include "sync.h"

#define SECTOR 512
#define AGAIN_MS 200 // between two attempts to connect
// A server may write the zeros one after the other, and the client of another
// program would think that it is gone.
#define ZERO_MOST (128 * MIB)

static long
request(const struct side *side, int command, void *buf, uint64_t len,
	uint64_t off)
{
	return nbd_engine_call(side->engine, command, buf, len, off);
}

// By which it is known that two are the same.
static uint64_t
hash_of(const char *address)
{
	uint64_t hash = 14695981039346656037U; // FNV-1a

	for (; *address != '\0'; address++)
		hash = (hash ^ (unsigned char)*address) * 1099511628211U;
	return hash | 1;
}

static void
export_probe(struct side *side, int message_fd)
{
	const struct nbd_export *nbd = nbd_export_of(side);
	const struct nbd_link_info *info = &nbd->info;

	(void)message_fd; // they go elsewhere
	side->facts = (struct facts){
		.kind = FACTS_NBD,
		.size = info->size,
		.dev = UINT64_MAX, // no file is there
		.ino = nbd->link.command != NULL
			       ? (uintptr_t)nbd // like no other
			       : hash_of(side->name),
		.sector = (uint32_t)max_u64(info->block, SECTOR),
		.dio_align = nbd->align,
		.max_size = UINT64_MAX,
		.allocated = info->size,
		.free = UINT64_MAX,
		.memory = UINT64_MAX,
		.most = info->most,
		.is_read_only = info->is_read_only,
		.is_remote = true,
		.is_not_synced = !info->can_flush,
		.has_unseen_holes = info->can_tell_holes,
	};
}

static int
export_open(struct side *side, int access, enum side_way way)
{
	(void)side;
	(void)access;
	(void)way;
	return 0;
}

static int
export_open_back(const struct side *side, struct side *ret)
{
	*ret = *side;
	return 0;
}

// What is no whole block: that is read, all of it, and changed.
static ssize_t
transfer_part(const struct side *side, int command, unsigned char *buf,
	      size_t len, uint64_t off)
{
	const size_t block = (size_t)nbd_export_of(side)->info.block;
	const size_t from = (size_t)(off % block);
	unsigned char *all = malloc(block);
	long r = all == NULL
			 ? -ENOMEM
			 : request(side, IO_CMD_PREAD, all, block, off - from);

	len = (size_t)min_u64(len, block - from);
	if (r >= 0 && command == IO_CMD_PREAD) {
		memcpy(buf, all + from, len);
	} else if (r >= 0) {
		memcpy(all + from, buf, len);
		r = request(side, command, all, (uint64_t)r, off - from);
	}
	free(all);
	return r < 0 ? r : (ssize_t)len;
}

static ssize_t
transfer(const struct side *side, int command, unsigned char *buf, size_t len,
	 uint64_t off)
{
	const struct nbd_link_info *info = &nbd_export_of(side)->info;
	const uint64_t whole = round_down(min_u64(len, info->most),
					  info->block);

	if (off % info->block != 0 || whole == 0)
		return transfer_part(side, command, buf, len, off);
	return request(side, command, buf, whole, off);
}

static ssize_t
export_read_at(const struct side *side, enum side_way way, void *buf,
	       size_t len, uint64_t off)
{
	const uint64_t size = nbd_export_of(side)->info.size;

	(void)way;
	if (off >= size || len == 0)
		return 0;
	return transfer(side, IO_CMD_PREAD, buf,
			(size_t)min_u64(len, size - off), off);
}

static ssize_t
export_write_last(const struct side *side, const void *buf, size_t len,
		  uint64_t off)
{
	const uint64_t size = nbd_export_of(side)->info.size;

	if (off >= size)
		return -ENOSPC;
	return transfer(side, IO_CMD_PWRITE, (unsigned char *)(uintptr_t)buf,
			(size_t)min_u64(len, size - off), off);
}

static ssize_t
export_write_at(const struct side *side, enum side_way way, const void *buf,
		size_t len, uint64_t off)
{
	(void)way;
	return export_write_last(side, buf, len, off);
}

static ssize_t
export_read(const struct side *side, void *buf, size_t len)
{
	struct nbd_export *nbd = nbd_export_of(side);
	const ssize_t n = export_read_at(side, SIDE_BUFFERED, buf, len,
					 nbd->pos);

	nbd->pos += n > 0 ? (size_t)n : 0;
	return n;
}

static ssize_t
export_write(const struct side *side, const void *buf, size_t len)
{
	struct nbd_export *nbd = nbd_export_of(side);
	const ssize_t n = export_write_last(side, buf, len, nbd->pos);

	nbd->pos += n > 0 ? (size_t)n : 0;
	return n;
}

static int64_t
export_seek(const struct side *side, int64_t off, int whence)
{
	struct nbd_export *nbd = nbd_export_of(side);
	const int64_t from = whence == SEEK_SET	  ? 0
			     : whence == SEEK_CUR ? (int64_t)nbd->pos
						  : (int64_t)nbd->info.size;

	if (off < -from)
		return -EINVAL;
	nbd->pos = (uint64_t)(from + off);
	return (int64_t)nbd->pos;
}

static void
export_find_data(const struct side *side, uint64_t pos, struct extent *extent)
{
	struct nbd_export *nbd = nbd_export_of(side);

	if (pos >= extent->start && pos < extent->end)
		return;
	if (!nbd->is_all_data && nbd->info.can_tell_holes) {
		const int r = nbd_holes_find(&nbd->holes, side->engine,
					     nbd->info.size, pos, extent);

		if (r == 0)
			return;
		// Who then reads finds out that it is gone.
		nbd->is_all_data = r != -ENOTCONN;
		if (nbd->is_all_data)
			side_tell(side, nbd->hooks, NOTICE_NO_HOLES, 0);
	}
	*extent = (struct extent){pos, max_u64(pos, nbd->info.size)};
}

static int
export_punch(const struct side *side, uint64_t off, uint64_t len)
{
	long r = nbd_export_of(side)->info.can_zero ? 0 : -EOPNOTSUPP;

	for (uint64_t n; r >= 0 && len > 0; off += n, len -= n) {
		n = min_u64(len, ZERO_MOST);
		r = request(side, NBD_CMD_ZERO, NULL, n, off);
	}
	return r < 0 ? (int)r : 0;
}

// There is no cache between it and us.
static int
export_cache(const struct side *side, uint64_t off, uint64_t len)
{
	(void)side;
	(void)off;
	(void)len;
	return 0;
}

static int
export_get_size(const struct side *side, uint64_t *ret)
{
	(void)side;
	*ret = SIDE_NO_SIZE;
	return 0;
}

static int
export_set_size(const struct side *side, uint64_t size)
{
	(void)side;
	(void)size;
	return -EINVAL;
}

static long
flush(struct job_call *job_call, uint64_t pos, uint64_t len)
{
	struct nbd_export *nbd = container_of(job_call, struct nbd_export,
					      flush);

	return nbd_engine_call(nbd->engine, IO_CMD_FDSYNC, NULL, len, pos);
}

static int
export_sync(const struct side *side, bool is_data_only, const struct hooks *h)
{
	struct nbd_export *nbd = nbd_export_of(side);

	(void)is_data_only; // its size is no matter of ours
	const int r = sync_call(&nbd->flush, h);
	nbd->is_left = r == -ECANCELED;
	return r;
}

// 0, -errno, or -ECANCELED: a signal.
static int
connect_again(const struct side *side, const struct hooks *h)
{
	struct nbd_export *nbd = nbd_export_of(side);
	struct engine *engine = side->engine;
	int r;

	nbd->link.until_ns = clock_ns() + nbd->patience * 1000000000;
	while ((r = nbd_link_open(&nbd->link, h, &engine, &nbd->info)) < 0) {
		if (r == -ECANCELED || h->must_stop(h->ctx))
			return -ECANCELED;
		if (r == -ESTALE || clock_ns() > nbd->link.until_ns)
			return r;
		if (h->tick != NULL)
			h->tick(h->ctx);
		(void)poll(NULL, 0, AGAIN_MS);
	}
	return 0;
}

static int
export_reconnect(struct side *side, const struct hooks *h, uint64_t *ret_lost)
{
	struct nbd_export *nbd = nbd_export_of(side);
	const uint64_t lost = nbd_engine_unflushed(side->engine);

	// Who has ended a server that we have started has ended the copy.
	if (nbd->patience == 0 || nbd->link.command != NULL)
		return -EOPNOTSUPP;
	side_tell(side, h, NOTICE_LOST, 0);
	const int r = connect_again(side, h);
	if (r == -ESTALE)
		side_tell(side, h, FAILURE_EXPORT_CHANGED, 0);
	if (r < 0)
		return r;
	*ret_lost = lost;
	return 0;
}

static int
export_close(struct side *side)
{
	struct nbd_export *nbd = nbd_export_of(side);

	nbd_holes_done(&nbd->holes);
	// The thread that flushes may only be about to begin with it: then both
	// stay up to the end of the process.
	if (nbd->is_left) {
		engine_abandon(side->engine);
	} else {
		engine_free(side->engine);
		free(nbd);
	}
	side->engine = NULL;
	side->own = NULL;
	return 0;
}

const struct side_ops nbd_export_ops = {
	.probe = export_probe,
	.open = export_open,
	.open_back = export_open_back,
	.read = export_read,
	.write = export_write,
	.seek = export_seek,
	.find_data = export_find_data,
	.read_at = export_read_at,
	.write_at = export_write_at,
	.write_last = export_write_last,
	.punch = export_punch,
	.drop_cache = export_cache,
	.write_out = export_cache,
	.get_size = export_get_size,
	.set_size = export_set_size,
	.sync = export_sync,
	.reconnect = export_reconnect,
	.close = export_close,
};

int
nbd_export_open(struct side *side, const struct nbd_link *link,
		const struct hooks *h)
{
	struct nbd_export *nbd = calloc(1, sizeof(*nbd));

	if (nbd == NULL)
		return -ENOMEM;
	const int r = nbd_link_open(link, h, &side->engine, &nbd->info);
	if (r < 0) {
		free(nbd);
		return r;
	}
	nbd->flush.make = flush;
	nbd->engine = side->engine;
	nbd->link = *link;
	nbd->hooks = h;
	side->ops = &nbd_export_ops;
	side->own = nbd;
	return 0;
}
#endif
