// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// bz2 by libbz2.

#include "config.h"

#include "codec.h"

#ifdef HAVE_LIBBZ2
#include <bzlib.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base.h"
#include "lazy.h"

#define FUNCTIONS(X)                    \
	X(init, BZ2_bzDecompressInit)   \
	X(decompress, BZ2_bzDecompress) \
	X(end, BZ2_bzDecompressEnd)

static LAZY_STRUCT(libbz2, FUNCTIONS) libbz2;
LAZY_LIBRARY(libbz2, FUNCTIONS, "libbz2.so.1.0", "decompress",
	     "decompresses bz2 files", "suggested")

static int
bz2_open(void **ret, unsigned threads)
{
	(void)threads; // it has one
	if (load_libbz2() < 0)
		return -ELIBACC;
	bz_stream *const s = calloc(1, sizeof(*s));
	if (s == NULL || libbz2.init(s, 0, 0) != BZ_OK) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

static void
bz2_close(void *state)
{
	libbz2.end(state);
	free(state);
}

static int
bz2_reset(void *state)
{
	bz_stream *s = state;

	libbz2.end(s);
	*s = (bz_stream){0};
	return libbz2.init(s, 0, 0) == BZ_OK ? 0 : -ENOMEM;
}

static int
bz2_step(void *state, struct codec_io *io)
{
	bz_stream *s = state;
	const unsigned in = (unsigned)min_u64(io->in_len, CODEC_MOST);
	const unsigned out = (unsigned)min_u64(io->out_len, CODEC_MOST);

	s->next_in = (char *)(uintptr_t)io->in; // it only reads there
	s->avail_in = in;
	s->next_out = (char *)io->out;
	s->avail_out = out;
	const int r = libbz2.decompress(s);
	codec_move(io, in - s->avail_in, out - s->avail_out);
	switch (r) {
	case BZ_STREAM_END:
		return CODEC_END;
	case BZ_OK:
		return CODEC_MORE;
	case BZ_MEM_ERROR:
		return -ENOMEM;
	default:
		return -EBADMSG;
	}
}

const struct codec bz2_codec = {
	"libbz2", bz2_open, bz2_close, bz2_reset, bz2_step, NULL, false,
};
#endif
