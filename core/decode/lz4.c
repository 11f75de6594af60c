// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// lz4, as its frames, by liblz4.

#include "config.h"

#include "codec.h"

#ifdef HAVE_LIBLZ4
#include <errno.h>
#include <lz4frame.h>

#include "base.h"
#include "lazy.h"

#define FUNCTIONS(X)                               \
	X(create, LZ4F_createDecompressionContext) \
	X(free, LZ4F_freeDecompressionContext)     \
	X(reset, LZ4F_resetDecompressionContext)   \
	X(decompress, LZ4F_decompress)             \
	X(is_error, LZ4F_isError)

static LAZY_STRUCT(liblz4, FUNCTIONS) liblz4;
LAZY_LIBRARY(liblz4, FUNCTIONS, "liblz4.so.1", "decompress",
	     "decompresses lz4 files", "suggested")

static int
lz4_open(void **ret, unsigned threads)
{
	LZ4F_dctx *context;

	(void)threads; // it has one
	if (load_liblz4() < 0)
		return -ELIBACC;
	if (liblz4.is_error(liblz4.create(&context, LZ4F_VERSION)))
		return -ENOMEM;
	*ret = context;
	return 0;
}

static void
lz4_close(void *state)
{
	liblz4.free(state);
}

static int
lz4_reset(void *state)
{
	liblz4.reset(state);
	return 0;
}

static int
lz4_step(void *state, struct codec_io *io)
{
	size_t took = io->in_len, gave = io->out_len;
	const size_t r = liblz4.decompress(state, io->out, &gave, io->in, &took,
					   NULL);

	codec_move(io, took, gave);
	if (liblz4.is_error(r))
		return -EBADMSG;
	return r == 0 ? CODEC_END : CODEC_MORE;
}

const struct codec lz4_codec = {
	"liblz4", lz4_open, lz4_close, lz4_reset, lz4_step, NULL, false,
};
#endif
