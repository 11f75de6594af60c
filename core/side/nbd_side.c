// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "nbd_side.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "engine.h"
#include "event.h"
#include "extent.h"
#include "hooks.h"
#include "job.h"
#include "nbd_engine.h"
#include "nbd_holes.h"
#include "nbd_link.h"
#include "request.h"
#include "side.h"
#include "sync.h"

#define SECTOR 512
#define AGAIN_MS 200 // between two attempts to connect
// A server may write the zeros one after the other, and the client of another
// program would think that it is gone.
#define ZERO_MOST (128 * MIB)

#define PIPED "[[ "

static const char *const schemes[] = {
	"nbd://",	"nbds://",	"nbd+unix://",
	"nbds+unix://", "nbd+vsock://", "nbds+vsock://",
};

struct nbd {
	struct job_call flush; // of engine
	struct engine *engine;
	struct nbd_link link;
	uint64_t patience; // seconds in which it may come back
	struct nbd_link_info info;
	uint32_t align; // of what goes through the ring
	uint64_t pos;	// where it stands
	const struct hooks *hooks;
	struct nbd_holes holes;
	bool is_all_data; // nobody says where holes are
	bool is_left;	  // by a signal, with a flush under way
};

bool
nbd_side_is_command(const char *name)
{
	return strncmp(name, "[ ", 2) == 0 || strncmp(name, PIPED, 3) == 0;
}

bool
nbd_side_is_export(const char *name)
{
	if (name == NULL)
		return false;
	if (nbd_side_is_command(name))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (strncmp(name, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

static struct nbd *
nbd_of(const struct side *side)
{
	return side->own;
}

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
nbd_side_probe(struct side *side, int message_fd)
{
	const struct nbd *nbd = nbd_of(side);
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
nbd_side_open(struct side *side, int access, enum side_way way)
{
	(void)side;
	(void)access;
	(void)way;
	return 0;
}

static int
nbd_side_open_back(const struct side *side, struct side *ret)
{
	*ret = *side;
	return 0;
}

// What is no whole block: that is read, all of it, and changed.
static ssize_t
transfer_part(const struct side *side, int command, unsigned char *buf,
	      size_t len, uint64_t off)
{
	const size_t block = (size_t)nbd_of(side)->info.block;
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
	const struct nbd_link_info *info = &nbd_of(side)->info;
	const uint64_t whole = round_down(min_u64(len, info->most),
					  info->block);

	if (off % info->block != 0 || whole == 0)
		return transfer_part(side, command, buf, len, off);
	return request(side, command, buf, whole, off);
}

static ssize_t
nbd_side_read_at(const struct side *side, enum side_way way, void *buf,
		 size_t len, uint64_t off)
{
	const uint64_t size = nbd_of(side)->info.size;

	(void)way;
	if (off >= size || len == 0)
		return 0;
	return transfer(side, IO_CMD_PREAD, buf,
			(size_t)min_u64(len, size - off), off);
}

static ssize_t
nbd_side_write_last(const struct side *side, const void *buf, size_t len,
		    uint64_t off)
{
	const uint64_t size = nbd_of(side)->info.size;

	if (off >= size)
		return -ENOSPC;
	return transfer(side, IO_CMD_PWRITE, (unsigned char *)(uintptr_t)buf,
			(size_t)min_u64(len, size - off), off);
}

static ssize_t
nbd_side_write_at(const struct side *side, enum side_way way, const void *buf,
		  size_t len, uint64_t off)
{
	(void)way;
	return nbd_side_write_last(side, buf, len, off);
}

static ssize_t
nbd_side_read(const struct side *side, void *buf, size_t len)
{
	struct nbd *nbd = nbd_of(side);
	const ssize_t n = nbd_side_read_at(side, SIDE_BUFFERED, buf, len,
					   nbd->pos);

	nbd->pos += n > 0 ? (size_t)n : 0;
	return n;
}

static ssize_t
nbd_side_write(const struct side *side, const void *buf, size_t len)
{
	struct nbd *nbd = nbd_of(side);
	const ssize_t n = nbd_side_write_last(side, buf, len, nbd->pos);

	nbd->pos += n > 0 ? (size_t)n : 0;
	return n;
}

static int64_t
nbd_side_seek(const struct side *side, int64_t off, int whence)
{
	struct nbd *nbd = nbd_of(side);
	const int64_t from = whence == SEEK_SET	  ? 0
			     : whence == SEEK_CUR ? (int64_t)nbd->pos
						  : (int64_t)nbd->info.size;

	if (off < -from)
		return -EINVAL;
	nbd->pos = (uint64_t)(from + off);
	return (int64_t)nbd->pos;
}

static void
nbd_side_find_data(const struct side *side, uint64_t pos, struct extent *extent)
{
	struct nbd *nbd = nbd_of(side);

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
nbd_side_punch(const struct side *side, uint64_t off, uint64_t len)
{
	long r = nbd_of(side)->info.can_zero ? 0 : -EOPNOTSUPP;

	for (uint64_t n; r >= 0 && len > 0; off += n, len -= n) {
		n = min_u64(len, ZERO_MOST);
		r = request(side, NBD_CMD_ZERO, NULL, n, off);
	}
	return r < 0 ? (int)r : 0;
}

// There is no cache between it and us.
static int
nbd_side_cache(const struct side *side, uint64_t off, uint64_t len)
{
	(void)side;
	(void)off;
	(void)len;
	return 0;
}

static int
nbd_side_get_size(const struct side *side, uint64_t *ret)
{
	(void)side;
	*ret = SIDE_NO_SIZE;
	return 0;
}

static int
nbd_side_set_size(const struct side *side, uint64_t size)
{
	(void)side;
	(void)size;
	return -EINVAL;
}

static long
flush(struct job_call *job_call, uint64_t pos, uint64_t len)
{
	struct nbd *nbd = container_of(job_call, struct nbd, flush);

	return nbd_engine_call(nbd->engine, IO_CMD_FDSYNC, NULL, len, pos);
}

static int
nbd_side_sync(const struct side *side, bool is_data_only, const struct hooks *h)
{
	struct nbd *nbd = nbd_of(side);

	(void)is_data_only; // its size is no matter of ours
	const int r = sync_call(&nbd->flush, h);
	nbd->is_left = r == -ECANCELED;
	return r;
}

// 0, -errno, or -ECANCELED: a signal.
static int
connect_again(const struct side *side, const struct hooks *h)
{
	struct nbd *nbd = nbd_of(side);
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
nbd_side_reconnect(struct side *side, const struct hooks *h, uint64_t *ret_lost)
{
	struct nbd *nbd = nbd_of(side);
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
nbd_side_close(struct side *side)
{
	struct nbd *nbd = nbd_of(side);

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

static const struct side_ops nbd_side_ops = {
	.probe = nbd_side_probe,
	.open = nbd_side_open,
	.open_back = nbd_side_open_back,
	.read = nbd_side_read,
	.write = nbd_side_write,
	.seek = nbd_side_seek,
	.find_data = nbd_side_find_data,
	.read_at = nbd_side_read_at,
	.write_at = nbd_side_write_at,
	.write_last = nbd_side_write_last,
	.punch = nbd_side_punch,
	.drop_cache = nbd_side_cache,
	.write_out = nbd_side_cache,
	.get_size = nbd_side_get_size,
	.set_size = nbd_side_set_size,
	.sync = nbd_side_sync,
	.reconnect = nbd_side_reconnect,
	.close = nbd_side_close,
};

/* Opening */

static void
init(struct side *side, const char *name)
{
	*side = (struct side){.ops = &nbd_side_ops,
			      .fd = -1,
			      .direct_fd = -1,
			      .buffered_fd = -1,
			      .clear_fd = -1,
			      .name = name};
}

// Whole sectors where all of the copy is, as disks have them: then what cannot
// be read or written is a sector, not a byte.
static uint32_t
align_of(const struct nbd_link_info *info, uint64_t start)
{
	if (info->block > 1)
		return (uint32_t)info->block;
	return info->size % SECTOR == 0 && start % SECTOR == 0 ? SECTOR : 1;
}

static struct nbd_link
link_of(const struct side *side, const struct request *q, bool is_read)
{
	return (struct nbd_link){
		.address = side->name,
		.command = is_read ? q->src_server : q->dst_server,
		.is_piped = strncmp(side->name, PIPED, strlen(PIPED)) == 0,
		.wanted = (unsigned)q->connections,
		.is_durable = !is_read &&
			      (q->oflags & (FLAG_SYNC | FLAG_DSYNC)),
		.is_flushed = !is_read && q->reconnect > 0,
		.is_read = is_read,
	};
}

// start: of the copy.
static int
connect_to(struct side *side, const struct request *q, bool is_read,
	   uint64_t start, const struct hooks *h)
{
	const struct nbd_link link = link_of(side, q, is_read);
	struct nbd *nbd = calloc(1, sizeof(*nbd));

	if (nbd == NULL)
		return side_tell(side, h, FAILURE_OPEN, ENOMEM);
	const int r = nbd_link_open(&link, h, &side->engine, &nbd->info);
	if (r < 0) {
		free(nbd);
		return r == -ECANCELED ? r
				       : side_tell(side, h, FAILURE_OPEN, -r);
	}
	nbd->flush.make = flush;
	nbd->engine = side->engine;
	nbd->align = align_of(&nbd->info, start);
	nbd->link = link;
	nbd->patience = q->reconnect;
	nbd->hooks = h;
	side->own = nbd;
	return 0;
}

int
nbd_side_open_src(struct side *side, const struct request *q,
		  const struct hooks *h)
{
	init(side, q->src);
	return connect_to(side, q, true, request_src_off(q, 0), h);
}

// What it cannot do is found before it is done.
static int
check_dst(const struct side *side, const struct request *q,
	  const struct hooks *h)
{
	const struct nbd_link_info *info = &nbd_of(side)->info;

	if (info->is_read_only || !request_writes(q))
		return 0; // others tell that
	if (!info->can_flush && request_syncs(q, false) != 0)
		return side_tell(side, h, FAILURE_NO_FLUSH, EOPNOTSUPP);
	if (!info->can_write_through && (q->oflags & (FLAG_SYNC | FLAG_DSYNC)))
		return side_tell(side, h, FAILURE_NO_FUA, EOPNOTSUPP);
	if (q->verify && request_dst_off(q, 0) % info->block != 0)
		return side_tell(side, h, FAILURE_NO_BACK, EINVAL);
	return 0;
}

int
nbd_side_open_dst(struct side *side, const struct request *q,
		  const struct hooks *h)
{
	init(side, q->dst);
	int r = connect_to(side, q, false, request_dst_off(q, 0), h);
	if (r == 0) {
		r = check_dst(side, q, h);
		if (r < 0)
			nbd_side_close(side);
	}
	return r;
}

// It is asked what it is like, and left again.
static int
look(struct side *side)
{
	nbd_side_probe(side, -1);
	return nbd_side_close(side);
}

int
nbd_side_look_src(struct side *side, const struct request *q,
		  const struct hooks *h)
{
	const int r = nbd_side_open_src(side, q, h);

	return r < 0 ? r : look(side);
}

int
nbd_side_look_dst(struct side *side, const struct request *q,
		  const struct hooks *h)
{
	const int r = nbd_side_open_dst(side, q, h);

	return r < 0 ? r : look(side);
}

int
nbd_side_foresee(struct side *side, const char *name, unsigned flags,
		 const struct hooks *h)
{
	(void)side; // it has been looked at
	(void)name;
	(void)flags;
	(void)h;
	return 0;
}
