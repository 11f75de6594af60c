// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// zst by libzstd.

#include "config.h"

#include "codec.h"

#ifdef HAVE_LIBZSTD
#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "decode.h"
#include "lazy.h"
#include "memory.h"

// The library takes as much without being told to.
#define WINDOW_LOG 27

#define FUNCTIONS(X)                         \
	X(create, ZSTD_createDCtx)           \
	X(free, ZSTD_freeDCtx)               \
	X(reset, ZSTD_DCtx_reset)            \
	X(set, ZSTD_DCtx_setParameter)       \
	X(bounds, ZSTD_dParam_getBounds)     \
	X(decompress, ZSTD_decompressStream) \
	X(is_error, ZSTD_isError)            \
	X(error, ZSTD_getErrorCode)          \
	X(content_size, ZSTD_getFrameContentSize)

static LAZY_STRUCT(zstd, FUNCTIONS) zstd;
LAZY_LIBRARY(zstd, FUNCTIONS, "libzstd.so.1", "decompress",
	     "decompresses zst files", "suggested")

// The largest window that half of the memory has room for: files made with
// --long want more than the library allows by itself.
static int
window_log(void)
{
	const uint64_t most = memory_allowed() / 2;
	int log = zstd.bounds(ZSTD_d_windowLogMax).upperBound;

	while (log > WINDOW_LOG && UINT64_C(1) << log > most)
		log--;
	return log;
}

static int
zst_open(void **ret, unsigned threads)
{
	(void)threads; // it has one
	if (load_zstd() < 0)
		return -ELIBACC;
	*ret = zstd.create();
	if (*ret == NULL)
		return -ENOMEM;
	zstd.set(*ret, ZSTD_d_windowLogMax, window_log());
	return 0;
}

static void
zst_close(void *state)
{
	zstd.free(state);
}

static int
zst_reset(void *state)
{
	zstd.reset(state, ZSTD_reset_session_only);
	return 0;
}

static int
error_of(size_t r)
{
	switch (zstd.error(r)) {
	case ZSTD_error_memory_allocation:
	case ZSTD_error_frameParameter_windowTooLarge:
		return -ENOMEM;
	case ZSTD_error_frameParameter_unsupported:
	case ZSTD_error_version_unsupported:
	case ZSTD_error_dictionary_wrong:
		return -EOPNOTSUPP;
	default:
		return -EBADMSG;
	}
}

static int
zst_step(void *state, struct codec_io *io)
{
	ZSTD_inBuffer in = {io->in, io->in_len, 0};
	ZSTD_outBuffer out = {io->out, io->out_len, 0};
	const size_t r = zstd.decompress(state, &out, &in);

	codec_move(io, in.pos, out.pos);
	if (zstd.is_error(r))
		return error_of(r);
	return r == 0 ? CODEC_END : CODEC_MORE;
}

// Of the first frame with something in it; others may follow.
static bool
zst_measure(const struct decode_file *file, uint64_t *ret)
{
	const size_t at = decode_skip(file->head, file->head_len);

	if (at >= file->head_len || load_zstd() < 0)
		return false;
	const unsigned long long size = zstd.content_size(file->head + at,
							  file->head_len - at);
	if (size >= ZSTD_CONTENTSIZE_ERROR)
		return false; // or it is not said
	*ret = size;
	return true;
}

const struct codec zst_codec = {
	"libzstd", zst_open, zst_close, zst_reset, zst_step, zst_measure, false,
};
#endif
