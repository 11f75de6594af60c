// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "null.h"

#include <errno.h>

#include "bare.h"
#include "cut.h"
#include "probe.h"
#include "sync.h"

// It stays what it is, and has no bytes for messages to be among.
static void
null_probe(struct side *side, int message_fd)
{
	(void)message_fd;
	probe_descriptor(side->fd, &side->facts);
}

// No call would find it closed.
static int
null_open(struct side *side, int access, enum side_way way)
{
	(void)way;
	return side_allows(side, access) ? 0 : -EBADF;
}

// dd's own calls are made on it all the same. The others come with requests.
const struct side_ops null_ops = {
	.is_void = true,
	.probe = null_probe,
	.open = null_open,
	.read = bare_read,
	.write = bare_write,
	.seek = bare_seek,
	.get_size = bare_get_size,
	.set_size = bare_set_size,
	.cut = cut_dst,
	.sync = sync_side,
	.close = side_close,
};

const struct side null_side = {
	.ops = &null_ops,
	.fd = -1,
	.direct_fd = -1,
	.buffered_fd = -1,
	.clear_fd = -1,
	.facts.kind = FACTS_NULL,
};
