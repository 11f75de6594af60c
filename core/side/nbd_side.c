// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "nbd_side.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "event.h"
#include "nbd_export.h"
#include "nbd_link.h"
#include "request.h"
#include "side.h"
#include "sniff.h"

#define SECTOR 512
#define PIPED "[[ "

static const char *const schemes[] = {
	"nbd://",	"nbds://",	"nbd+unix://",
	"nbds+unix://", "nbd+vsock://", "nbds+vsock://",
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

#ifdef HAVE_LIBNBD
bool
nbd_side_is_available(void)
{
	return true;
}

static void
init(struct side *side, const char *name)
{
	*side = (struct side){.fd = -1,
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
	const int r = nbd_export_open(side, &link, h);

	if (r == -ECANCELED)
		return r;
	if (r < 0)
		return side_tell(side, h, FAILURE_OPEN, -r);
	struct nbd_export *nbd = nbd_export_of(side);
	nbd->align = align_of(&nbd->info, start);
	nbd->patience = q->reconnect;
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
	const struct nbd_link_info *info = &nbd_export_of(side)->info;

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
			side->ops->close(side);
	}
	return r;
}

// It is asked what it is like, and left again.
static int
look(struct side *side)
{
	side->ops->probe(side, -1);
	return side->ops->close(side);
}

int
nbd_side_look_src(struct side *side, const struct request *q,
		  const struct hooks *h)
{
	enum decode_format is = DECODE_NONE;
	int r = nbd_side_open_src(side, q, h);

	if (r < 0)
		return r;
	side->ops->probe(side, -1);
	r = sniff_look(side, request_src_off(q, 0), h, &is);
	side->facts.packed = is;
	side->ops->close(side);
	return r;
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
#else
bool
nbd_side_is_available(void)
{
	return false;
}
#endif
