// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The record engine: any block sizes, conversions and counts over any bytes.
// What is not converted arrives as it was, and the statistics add up.

#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "env.h"
#include "file.h"
#include "fuzz.h"
#include "hooks.h"
#include "record.h"
#include "serial.h"

enum { HEAD = 12 };

void
fuzz_shape(uint8_t *data, size_t size)
{
	// Runs of zeros and spaces, and lines.
	static const uint8_t often[] = {0, 0, ' ', ' ', '\n', 'a'};

	for (size_t i = HEAD; i < size; i++)
		if (data[i] % 2)
			data[i] = often[data[i] % sizeof(often)];
}

static void
on_notice(void *ctx, const struct event *f)
{
	(void)ctx;
	(void)f;
}

static bool
on_must_stop(void *ctx)
{
	(void)ctx;
	return false;
}

static void
must(int is_true)
{
	if (!is_true)
		abort();
}

static struct request
make_request(const uint8_t *head)
{
	struct request q = {
		.ibs = 1 + head[0] % 40,
		.obs = 1 + head[1] % 40,
		.cbs = head[2] % 20,
		.count = {head[3] % 2 ? head[4] : REQUEST_NO_LIMIT, 0},
		.skip = {head[5] % 4, 0},
		.seek = {head[6] % 4, 0},
		.conv = (unsigned)(head[7] | head[8] << 8) &
			(CONV_BYTES | CONV_SYNC | CONV_SPARSE | CONV_NOERROR),
		.iflags = head[9] % 2 ? FLAG_FULLBLOCK : 0,
	};

	if (q.cbs == 0 || (q.conv & CONV_BLOCK))
		q.conv &= ~(unsigned)CONV_UNBLOCK;
	if (q.cbs == 0)
		q.conv &= ~(unsigned)CONV_BLOCK;
	q.count.bytes = q.count.blocks != REQUEST_NO_LIMIT
				? head[10] % q.ibs
				: 0;
	q.is_single_buffer = head[11] % 2 && !(q.conv & CONV_BYTES);
	if (q.is_single_buffer)
		q.obs = q.ibs;
	return q;
}

// Nothing was converted: the bytes are there, where they belong.
static void
check_plain(const struct request *q, const uint8_t *data, size_t size, int fd,
	    const struct stats *stats)
{
	const size_t skip = (size_t)(q->skip.blocks * q->ibs);
	const size_t left = size > skip ? size - skip : 0;
	const size_t len = (size_t)stats->bytes;
	uint8_t *got = calloc(1, len + 1);

	must(len <= left);
	if (!request_has_count(q))
		must(len == left);
	if (got != NULL && len > 0) {
		const ssize_t n = pread(fd, got, len,
					(off_t)(q->seek.blocks * q->obs));
		must(n == (ssize_t)len);
		must(memcmp(got, data + skip, len) == 0);
	}
	free(got);
}

static void
check_stats(const struct request *q, const struct stats *stats)
{
	const uint64_t in = stats->in_full + stats->in_partial;

	if (request_has_count(q))
		must(in <= q->count.blocks + (q->count.bytes > 0));
	must(stats->bytes >= stats->out_full * q->obs);
	must(stats->bytes <= stats->out_full * q->obs +
				     stats->out_partial * q->obs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEAD)
		return 0;
	const struct request q = make_request(data);
	const struct hooks hooks = {.notice = on_notice,
				    .must_stop = on_must_stop};
	struct side src, dst;
	struct stats stats = {0};
	const struct env env = {
		.asked = &q, .hooks = &hooks, .stats = &stats};
	struct serial serial;
	struct record record;
	const size_t len = size - HEAD;

	file_init(&src, memfd_create("src", 0), "src", q.is_dd);
	file_init(&dst, memfd_create("dst", 0), "dst", q.is_dd);
	must(src.fd >= 0 && dst.fd >= 0);
	must(pwrite(src.fd, data + HEAD, len, 0) == (ssize_t)len);
	serial_init(&serial, &env, &q, &src, &dst);
	record_init(&record, &serial);
	must(record_skip(&record) == 0 && record_seek(&record) == 0);
	if (q.count.blocks > 0 || q.count.bytes > 0)
		must(record_run(&record) == 0);
	record_done(&record);
	check_stats(&q, &stats);
	if (!(q.conv & (CONV_BYTES | CONV_SYNC)))
		check_plain(&q, data + HEAD, len, dst.fd, &stats);
	close(src.fd);
	close(dst.fd);
	return 0;
}
