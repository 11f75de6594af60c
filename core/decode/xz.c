// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// xz by liblzma, with as many threads as the blocks of a file allow. Those that
// have no memory of their own left decode one after another.

#include "config.h"

#include "codec.h"

#ifdef HAVE_LIBLZMA
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#include "base.h"
#include "decode.h"
#include "lazy.h"
#include "memory.h"

#define THREADING_MOST (1400 * MIB)
#define FLAGS LZMA_TELL_UNSUPPORTED_CHECK

#if LZMA_VERSION >= UINT32_C(50040002)
#define XZ_INIT(X)                                  \
	X(init, lzma_stream_decoder_mt)             \
	X(info, lzma_file_info_decoder)             \
	X(index_size, lzma_index_uncompressed_size) \
	X(index_end, lzma_index_end)
#else
#define XZ_INIT(X) X(init, lzma_stream_decoder)
#endif
#define FUNCTIONS(X)       \
	XZ_INIT(X)         \
	X(code, lzma_code) \
	X(end, lzma_end)

static LAZY_STRUCT(lzma, FUNCTIONS) lzma;
LAZY_LIBRARY(lzma, FUNCTIONS, "liblzma.so.5", "decompress",
	     "decompresses xz files", "suggested")

struct xz {
	lzma_stream stream;
	uint32_t nr_threads;
	uint64_t memory;
};

#if LZMA_VERSION >= UINT32_C(50040002)
static lzma_ret
start(struct xz *xz)
{
	const lzma_mt mt = {
		.flags = FLAGS,
		.threads = xz->nr_threads,
		.memlimit_threading = min_u64(xz->memory / 4, THREADING_MOST),
		.memlimit_stop = xz->memory / 2,
	};

	return lzma.init(&xz->stream, &mt);
}
#else
static lzma_ret
start(struct xz *xz)
{
	return lzma.init(&xz->stream, xz->memory / 2, FLAGS);
}
#endif

static int
xz_reset(void *state)
{
	return start(state) == LZMA_OK ? 0 : -ENOMEM;
}

static void
xz_close(void *state)
{
	struct xz *xz = state;

	lzma.end(&xz->stream);
	free(xz);
}

static int
xz_open(void **ret, unsigned threads)
{
	if (load_lzma() < 0)
		return -ELIBACC;
	struct xz *const xz = malloc(sizeof(*xz));
	if (xz == NULL)
		return -ENOMEM;
	*xz = (struct xz){.stream = LZMA_STREAM_INIT,
			  .nr_threads = threads,
			  .memory = memory_allowed()};
	const int r = xz_reset(xz);
	if (r < 0)
		xz_close(xz);
	else
		*ret = xz;
	return r;
}

static int
xz_step(void *state, struct codec_io *io)
{
	lzma_stream *const s = &((struct xz *)state)->stream;

	s->next_in = io->in;
	s->avail_in = io->in_len;
	s->next_out = io->out;
	s->avail_out = io->out_len;
	const lzma_ret r = lzma.code(s, io->is_last ? LZMA_FINISH : LZMA_RUN);
	codec_move(io, io->in_len - s->avail_in, io->out_len - s->avail_out);
	switch (r) {
	case LZMA_STREAM_END:
		return CODEC_END;
	case LZMA_OK:
	case LZMA_BUF_ERROR: // nothing was to be done
		return CODEC_MORE;
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return -ENOMEM;
	case LZMA_OPTIONS_ERROR:
	case LZMA_UNSUPPORTED_CHECK:
		return -EOPNOTSUPP;
	default:
		return -EBADMSG;
	}
}

#if LZMA_VERSION >= UINT32_C(50040002)
#define MEASURE_LEN 4096 // read at once

// The indexes of all streams, from the last one to the first.
static lzma_ret
read_index(lzma_stream *s, const struct decode_file *file)
{
	unsigned char buf[MEASURE_LEN];
	uint64_t off = 0;
	lzma_ret r = LZMA_OK;

	while (r == LZMA_OK || r == LZMA_SEEK_NEEDED) {
		if (r == LZMA_SEEK_NEEDED)
			off = s->seek_pos;
		if (r == LZMA_SEEK_NEEDED || s->avail_in == 0) {
			const ssize_t n = file->read_at(file->ctx, buf,
							sizeof(buf), off);

			if (n <= 0)
				return LZMA_DATA_ERROR;
			s->next_in = buf;
			s->avail_in = (size_t)n;
			off += (uint64_t)n;
		}
		r = lzma.code(s, LZMA_RUN);
	}
	return r;
}

static bool
xz_measure(const struct decode_file *file, uint64_t *ret)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_index *index = NULL;

	if (load_lzma() < 0)
		return false;
	lzma_ret r = lzma.info(&s, &index, memory_allowed() / 4, file->size);
	if (r == LZMA_OK)
		r = read_index(&s, file);
	lzma.end(&s);
	if (r != LZMA_STREAM_END)
		return false;
	*ret = lzma.index_size(index);
	lzma.index_end(index, NULL);
	return true;
}
#else
#define xz_measure NULL
#endif

const struct codec xz_codec = {
	"liblzma", xz_open, xz_close, xz_reset, xz_step, xz_measure, true,
};
#endif
