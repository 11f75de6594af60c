// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "splice.h"

#include <errno.h>
#include <fcntl.h>

#include "base.h"
#include "hooks.h"

#define STEP MIB // what a pipe of ours holds

// Whole records, and all but what fills the pipe. So the reader has taken all
// pages of the file when the copy is through, and does not see what is then
// written to it.
static uint64_t
splice_len(const struct serial *serial)
{
	const struct request *q = serial->request;
	const int capacity = fcntl(serial->dst->fd, F_GETPIPE_SZ);
	const uint64_t size = serial->src->facts.size;
	uint64_t len = size > serial->src_off ? size - serial->src_off : 0;

	if (request_has_count(q))
		len = min_u64(len, request_offset(0, &q->count, q->ibs));
	if (capacity < 0 || len <= (uint64_t)capacity)
		return 0;
	return round_down(len - (uint64_t)capacity, q->ibs);
}

uint64_t
splice_run(struct serial *serial, struct stats *stats)
{
	const struct request *q = serial->request;
	const struct hooks *h = serial->hooks;
	const uint64_t len = splice_len(serial);
	uint64_t n = 0;

	while (n < len && !h->must_stop(h->ctx)) {
		const ssize_t got =
			splice(serial->src->fd, NULL, serial->dst->fd, NULL,
			       (size_t)min_u64(len - n, STEP), 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (uint64_t)got;
		stats_count(stats, n, q->ibs, q->obs);
		if (h->tick != NULL)
			h->tick(h->ctx);
	}
	serial->src_off += n;
	return n;
}
