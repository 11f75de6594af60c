// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "splice.h"

#include <errno.h>
#include <fcntl.h>

#include "base.h"
#include "env.h"
#include "hooks.h"
#include "serial_read.h"
#include "serial_write.h"
#include "stats.h"

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

	len = min_u64(len, request_count_len(q));
	if (capacity < 0 || len <= (uint64_t)capacity)
		return 0;
	return round_down(len - (uint64_t)capacity, q->ibs);
}

// Up to len bytes, or until something is not plain. Returns them.
static uint64_t
splice_pages(struct serial *serial, uint64_t len)
{
	struct stats *stats = serial->env->stats;
	const struct request *q = serial->request;
	const struct hooks *h = serial->env->hooks;
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
		stats_count(stats, round_down(n, q->ibs), q->ibs, q->obs);
		stats->bytes = n;
		if (h->tick != NULL)
			h->tick(h->ctx);
	}
	serial->src_off += n;
	return n;
}

// The rest of a record that was begun, from n on. What was read and cannot be
// written is an error of the copy: nobody would read it again.
static int
end_record(struct serial *serial, uint64_t n)
{
	struct stats *stats = serial->env->stats;
	const struct request *q = serial->request;
	unsigned char buf[4 * KIB];
	int error = 0;

	while (n % q->ibs != 0 && error == 0) {
		const ssize_t got = serial_read(
			serial, buf,
			(size_t)min_u64(sizeof(buf), q->ibs - n % q->ibs));

		if (got <= 0)
			break;
		n += serial_write(serial, buf, (size_t)got, &error);
	}
	serial->last_read = 0; // a record's rest is no short read
	if (error == -ECANCELED)
		return error;
	stats_count(stats, n, q->ibs, q->obs);
	return error < 0 ? serial_tell_dst(serial, FAILURE_WRITE, -error) : 0;
}

int
splice_run(struct serial *serial)
{
	const struct hooks *h = serial->env->hooks;
	const uint64_t n = splice_pages(serial, splice_len(serial));

	if (h->must_stop(h->ctx))
		return -ECANCELED;
	return end_record(serial, n);
}
