// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// gzip by ISA-L, in less than half of zlib's time.

#include "config.h"

#include "codec.h"

#ifdef HAVE_ISAL
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "base.h"
#include "lazy.h"

#define FUNCTIONS(X)               \
	X(init, isal_inflate_init) \
	X(inflate, isal_inflate)

static LAZY_STRUCT(isal, FUNCTIONS) isal;
LAZY_LIBRARY(isal, FUNCTIONS, "libisal.so.2", "decompress",
	     "decompresses gzip files faster than zlib", "suggested")

static int
isal_reset(void *state)
{
	struct inflate_state *z = state;

	isal.init(z);
	z->crc_flag = ISAL_GZIP;
	return 0;
}

static int
isal_open(void **ret, unsigned threads)
{
	(void)threads; // it has one
	if (load_isal() < 0)
		return -ELIBACC;
	*ret = malloc(sizeof(struct inflate_state));
	return *ret != NULL ? isal_reset(*ret) : -ENOMEM;
}

static void
isal_close(void *state)
{
	free(state);
}

static int
isal_step(void *state, struct codec_io *io)
{
	struct inflate_state *z = state;
	const uint32_t in = (uint32_t)min_u64(io->in_len, CODEC_MOST);
	const uint32_t out = (uint32_t)min_u64(io->out_len, CODEC_MOST);

	z->next_in = (uint8_t *)(uintptr_t)io->in; // it only reads there
	z->avail_in = in;
	z->next_out = io->out;
	z->avail_out = out;
	const int r = isal.inflate(z);
	// Of what is damaged it may have taken a byte more than there was.
	const bool is_beyond = z->avail_in > in || z->avail_out > out;
	codec_move(io, z->avail_in > in ? in : in - z->avail_in,
		   z->avail_out > out ? out : out - z->avail_out);
	if (r < 0 || is_beyond)
		return -EBADMSG;
	return z->block_state == ISAL_BLOCK_FINISH ? CODEC_END : CODEC_MORE;
}

const struct codec isal_codec = {
	"ISA-L", isal_open, isal_close, isal_reset, isal_step, NULL, false,
};
#endif
