// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// gzip by zlib.

#include "config.h"

#include "codec.h"

#ifdef HAVE_LIBZ
#define ZLIB_CONST
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "base.h"
#include "lazy.h"

#define GZIP_ONLY (16 + MAX_WBITS)

#define FUNCTIONS(X)           \
	X(init, inflateInit2_) \
	X(reset, inflateReset) \
	X(inflate, inflate)    \
	X(end, inflateEnd)

static LAZY_STRUCT(zlib, FUNCTIONS) zlib;
LAZY_LIBRARY(zlib, FUNCTIONS, "libz.so.1", "decompress",
	     "decompresses gzip files where libisal cannot be had", "suggested")

static int
gz_open(void **ret, unsigned threads)
{
	(void)threads; // it has one
	if (load_zlib() < 0)
		return -ELIBACC;
	z_stream *const z = calloc(1, sizeof(*z));
	if (z == NULL ||
	    zlib.init(z, GZIP_ONLY, ZLIB_VERSION, (int)sizeof(*z)) != Z_OK) {
		free(z);
		return -ENOMEM;
	}
	*ret = z;
	return 0;
}

static void
gz_close(void *state)
{
	zlib.end(state);
	free(state);
}

static int
gz_reset(void *state)
{
	zlib.reset(state);
	return 0;
}

static int
gz_step(void *state, struct codec_io *io)
{
	z_stream *z = state;
	const uInt in = (uInt)min_u64(io->in_len, CODEC_MOST);
	const uInt out = (uInt)min_u64(io->out_len, CODEC_MOST);

	z->next_in = io->in;
	z->avail_in = in;
	z->next_out = io->out;
	z->avail_out = out;
	const int r = zlib.inflate(z, Z_NO_FLUSH);
	codec_move(io, in - z->avail_in, out - z->avail_out);
	switch (r) {
	case Z_STREAM_END:
		return CODEC_END;
	case Z_OK:
	case Z_BUF_ERROR: // nothing was to be done
		return CODEC_MORE;
	case Z_MEM_ERROR:
		return -ENOMEM;
	default:
		return -EBADMSG;
	}
}

const struct codec gz_codec = {
	"zlib", gz_open, gz_close, gz_reset, gz_step, NULL, false,
};
#endif
