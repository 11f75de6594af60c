// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "packed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bare.h"
#include "base.h"
#include "decoder.h"
#include "event.h"
#include "fd.h"
#include "feeder.h"
#include "hasher.h"
#include "hooks.h"
#include "probe.h"
#include "request.h"
#include "side.h"
#include "sniff.h"
#include "tap.h"

struct packed {
	struct sniff sniff;
	size_t head_done;	 // of its bytes, which a pipe has given
	struct decoder *decoder; // NULL: the bytes are as they are
	uint64_t size;		 // that it gives, as far as that is known
	bool is_exact;
	unsigned contents; // as facts.packed
	struct hasher *hasher;
	uint64_t nr_hashed;
	struct tap tap; // of what has to be waited for, once it is fed
	bool is_fed;
};

static ssize_t
read_file(const struct side *side, void *buf, size_t len)
{
	struct packed *p = side->own;
	const size_t n = p->sniff.has_offsets
				 ? 0
				 : min_u64(len, p->sniff.len - p->head_done);

	if (n == 0 && p->is_fed && !p->sniff.has_offsets) {
		const struct fill fill = tap_fill(&p->tap);

		return fill.read(fill.ctx, buf, len);
	}
	if (n == 0)
		return bare_read(side, buf, len);
	memcpy(buf, p->sniff.head + p->head_done, n);
	p->head_done += n;
	return (ssize_t)n;
}

static ssize_t
packed_input(void *ctx, void *buf, size_t len)
{
	const struct side *side = ctx;
	struct packed *p = side->own;
	const ssize_t n = read_file(side, buf, len);

	if (n > 0 && p->hasher != NULL) {
		hasher_update(p->hasher, p->nr_hashed, buf, (size_t)n);
		p->nr_hashed += (uint64_t)n;
	}
	return n;
}

static ssize_t
packed_read(const struct side *side, void *buf, size_t len)
{
	struct packed *p = side->own;

	return p->decoder != NULL ? decoder_fill(p->decoder, buf, len)
				  : read_file(side, buf, len);
}

static ssize_t
packed_fill(void *ctx, void *buf, size_t len)
{
	return packed_read(ctx, buf, len);
}

static void
packed_stop(void *ctx)
{
	const struct side *side = ctx;
	struct packed *p = side->own;
	const struct fill fill = tap_fill(&p->tap);

	fill.stop(fill.ctx);
}

static int
packed_feed(struct side *side, uint64_t pos)
{
	const struct fill fill = {packed_fill, packed_stop, side};
	struct packed *p = side->own;
	const int r = p->is_fed ? 0 : tap_init(&p->tap, side->fd);

	if (r < 0)
		return r;
	p->is_fed = true;
	side->engine = feeder_new(fill, pos);
	return side->engine != NULL ? 0 : -EAGAIN;
}

// In order only.
static int64_t
packed_seek(const struct side *side, int64_t off, int whence)
{
	(void)side;
	(void)off;
	(void)whence;
	return -ESPIPE;
}

static int
packed_get_size(const struct side *side, uint64_t *ret)
{
	(void)side;
	*ret = SIDE_NO_SIZE;
	return 0;
}

static void
set_facts(const struct packed *p, struct facts *facts)
{
	if (facts_is_file(facts) && facts->size > p->sniff.pos)
		facts->packed_size = facts->size - p->sniff.pos;
	facts->kind = FACTS_STREAM;
	facts->size = p->size;
	facts->is_at_least = !p->is_exact;
	facts->pos = 0;
	facts->dio_align = 0;
	facts->cached = 0;
	facts->allocated = p->size; // it has no holes
	facts->is_pipe = false;
	if (p->decoder != NULL) {
		facts->is_flow = true;
		facts->is_direct = false; // that is what it reads
	}
	facts->unpacked = p->decoder != NULL ? decoder_format(p->decoder)
					     : DECODE_NONE;
	facts->packed = p->contents;
}

static void
packed_probe(struct side *side, int message_fd)
{
	(void)message_fd; // nothing is written to it
	probe_descriptor(side->fd, &side->facts);
	set_facts(side->own, &side->facts);
}

static void
release(struct side *side)
{
	struct packed *p = side->own;

	// First the thread that reads.
	engine_free(side->engine);
	side->engine = NULL;
	if (p->is_fed)
		tap_done(&p->tap);
	decoder_free(p->decoder);
	free(p);
	side->own = NULL;
}

static int
packed_close(struct side *side)
{
	release(side);
	return side_close(side);
}

static const struct side_ops packed_ops = {
	.probe = packed_probe,
	.feed = packed_feed,
	.read = packed_read,
	.seek = packed_seek,
	.get_size = packed_get_size,
	.close = packed_close,
};

static ssize_t
read_at(void *ctx, void *buf, size_t len, uint64_t off)
{
	const struct side *side = ctx;
	const struct packed *p = side->own;

	return fd_read_at(side->fd, buf, len, (off_t)(p->sniff.pos + off));
}

static void
measure(struct side *side, enum decode_format format)
{
	struct packed *p = side->own;
	struct stat st;

	if (fstat(side->fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    !p->sniff.has_offsets)
		return;
	const struct decode_file file = {.read_at = read_at,
					 .ctx = side,
					 .size = (uint64_t)st.st_size -
						 p->sniff.pos,
					 .head = p->sniff.head,
					 .head_len = p->sniff.len};
	if (!decoder_measure(format, &file, &p->size, &p->is_exact))
		p->size = 0;
}

static int
tell_format(const struct side *side, const struct hooks *h,
	    enum event_kind kind, int error, enum decode_format format)
{
	return hooks_tell(h, (struct event){.kind = kind,
					    .error = error,
					    .name = side->name,
					    .fault = format});
}

// What it begins with, and that it can be decoded.
static int
look_inside(struct side *side, const struct hooks *h)
{
	struct packed *p = side->own;
	const unsigned char *head = NULL; // or -flto doubts it
	ssize_t n;

	while ((n = decoder_peek(p->decoder, &head)) == -EINTR)
		if (h->must_stop(h->ctx))
			return -ECANCELED;
	if (n < 0)
		return side_tell(side, h, FAILURE_READ, (int)-n);
	if (decode_sniff(head, (size_t)n) == DECODE_TAR)
		p->contents = DECODE_TAR;
	return 0;
}

static int
start_decoder(struct side *side, enum decode_format format, unsigned threads,
	      const struct hooks *h)
{
	struct packed *p = side->own;
	const struct decoder_input input = {packed_input, side};
	const int r = decoder_open(&p->decoder, format, input, threads);

	if (r < 0)
		return tell_format(side, h, FAILURE_DECODER, -r, format);
	measure(side, format);
	return 0;
}

// What it is, and that it is what it should be.
static int
find_format(struct side *side, const struct request *q, const struct hooks *h,
	    enum decode_format *ret)
{
	struct packed *p = side->own;
	const enum decode_format wanted = request_decompress_as(q);
	const int r = sniff_take(&p->sniff, side, h);

	if (r < 0)
		return r;
	const enum decode_format is = decode_sniff(p->sniff.head, p->sniff.len);
	*ret = is < DECODE_NR ? is : DECODE_NONE;
	if (*ret == DECODE_NONE && is != DECODE_TAR)
		p->contents = is;
	return wanted != DECODE_NONE && is != wanted
		       ? tell_format(side, h, FAILURE_FORMAT, EINVAL, wanted)
		       : 0;
}

static int
open_packed(struct side *side, const struct request *q, const struct hooks *h)
{
	enum decode_format format;
	int r = find_format(side, q, h, &format);

	if (r == 0 && format != DECODE_NONE)
		r = start_decoder(side, format, (unsigned)q->threads, h);
	return r;
}

static struct packed *
packed_new(void)
{
	struct packed *p = aligned_alloc(_Alignof(struct packed), sizeof(*p));

	if (p != NULL)
		memset(p, 0, sizeof(*p));
	return p;
}

int
packed_open(struct side *side, const struct request *q, struct hasher *hasher,
	    const struct hooks *h)
{
	if (q->is_dd || q->decompress <= REQUEST_DECOMPRESS_NO)
		return 0;
	struct packed *const p = side->own = packed_new();
	if (p == NULL)
		return side_tell(side, h, FAILURE_OPEN, ENOMEM);
	p->hasher = hasher;
	const int r = open_packed(side, q, h);
	// Where nothing was taken from it, it is what it was.
	if (p->decoder == NULL && p->sniff.has_offsets) {
		release(side);
		return r;
	}
	side->ops = &packed_ops;
	return r == 0 && p->decoder != NULL ? look_inside(side, h) : r;
}

static int
open_to_look(const struct side *side, const struct request *q)
{
	return q->src == NULL
		       ? fcntl(side->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
		       : fd_open(q->src, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
}

int
packed_foresee(struct side *side, const struct request *q,
	       const struct hooks *h)
{
	struct side look = *side;

	if (!facts_has_offsets(&side->facts) ||
	    q->decompress <= REQUEST_DECOMPRESS_NO)
		return 0;
	look.fd = open_to_look(side, q);
	if (look.fd < 0)
		return 0; // what opening it says is told there
	const int r = packed_open(&look, q, NULL, h);
	if (r == 0 && look.ops == &packed_ops) {
		look.ops->probe(&look, -1);
		side->facts = look.facts;
	}
	look.ops->close(&look);
	return r;
}

struct packed_state
packed_state(const struct side *side)
{
	const struct packed *p = side->own;

	if (side->ops != &packed_ops || p == NULL || p->decoder == NULL)
		return (struct packed_state){.format = 0};
	return (struct packed_state){.format = decoder_format(p->decoder),
				     .library = decoder_library(p->decoder),
				     .in = decoder_in(p->decoder),
				     .out = decoder_out(p->decoder),
				     .error = decoder_error(p->decoder)};
}
