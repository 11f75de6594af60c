// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "decoder.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "codec.h"

// With so many bytes of a member it is known what it is. They lie before what
// is read next, which begins on a page, as O_DIRECT wants it.
#define MARGIN 4096
#define AHEAD 16
#define INPUT_LEN (128 * 1024)

#ifdef HAVE_ISAL
#define ISAL &isal_codec
#else
#define ISAL NULL
#endif
#ifdef HAVE_LIBZ
#define ZLIB &gz_codec
#else
#define ZLIB NULL
#endif
#ifdef HAVE_LIBLZMA
#define LZMA &xz_codec
#else
#define LZMA NULL
#endif
#ifdef HAVE_LIBZSTD
#define ZSTD &zst_codec
#else
#define ZSTD NULL
#endif
#ifdef HAVE_LIBBZ2
#define BZ2 &bz2_codec
#else
#define BZ2 NULL
#endif
#ifdef HAVE_LIBLZ4
#define LZ4 &lz4_codec
#else
#define LZ4 NULL
#endif

// The better one first.
#define NR_CODECS 2
static const struct codec *const codecs[DECODE_NR][NR_CODECS] = {
	[DECODE_GZ] = {ISAL, ZLIB}, [DECODE_XZ] = {LZMA}, [DECODE_ZST] = {ZSTD},
	[DECODE_BZ2] = {BZ2},	    [DECODE_LZ4] = {LZ4},
};

enum decoder_place { WITHIN, BETWEEN, AT_END };

struct decoder {
	enum decode_format format;
	const struct codec *codec;
	void *state;
	enum decoder_place place;
	int error; // -errno from now on

	struct decoder_input input;
	// MARGIN, INPUT_LEN, and MARGIN, in which a library may look ahead.
	unsigned char *buf;
	const unsigned char *in;
	size_t in_len;
	bool is_last; // nothing comes behind that
	int input_error;	// -errno of a read, still to be told, or 0

	// The first bytes, and how many of them were given out.
	unsigned char head[DECODER_PEEK];
	size_t head_len;
	size_t head_done;

	_Atomic uint64_t nr_in;
	_Atomic uint64_t nr_out;
};

static int
open_codec(struct decoder *d, unsigned threads)
{
	int r = -ELIBACC;

	for (size_t i = 0; i < NR_CODECS && r == -ELIBACC; i++) {
		d->codec = codecs[d->format][i];
		if (d->codec != NULL)
			r = d->codec->open(&d->state, threads);
	}
	return r;
}

int
decoder_open(struct decoder **ret, enum decode_format format,
	     struct decoder_input input, unsigned threads)
{
	struct decoder *d = malloc(sizeof(*d));

	if (d == NULL)
		return -ENOMEM;
	*d = (struct decoder){.format = format, .input = input};
	d->buf = aligned_alloc(MARGIN, MARGIN + INPUT_LEN + MARGIN);
	const int r = d->buf != NULL ? open_codec(d, threads) : -ENOMEM;
	if (r < 0) {
		free(d->buf);
		free(d);
		return r;
	}
	*ret = d;
	return 0;
}

void
decoder_free(struct decoder *d)
{
	if (d == NULL)
		return;
	d->codec->close(d->state);
	free(d->buf);
	free(d);
}

// Fewer than AHEAD bytes are left of the input: get more behind them.
static int
refill(struct decoder *d)
{
	unsigned char *const at = d->buf + MARGIN, *const left = at - d->in_len;

	if (d->in_len > 0)
		memmove(left, d->in, d->in_len);
	d->in = left;
	const ssize_t n = d->input.read(d->input.ctx, at, INPUT_LEN);
	if (n < 0)
		return (int)n;
	d->is_last = n == 0;
	d->in_len += (size_t)n;
	return 0;
}

static void
take(struct decoder *d, size_t len)
{
	d->in += len;
	d->in_len -= len;
	d->nr_in += len;
}

static size_t
padding(const struct decoder *d)
{
	size_t n = 0;

	if (d->format == DECODE_GZ || d->format == DECODE_XZ)
		while (n < d->in_len && d->in[n] == 0)
			n++;
	return n;
}

// Behind a member: another one, the end, or what does not belong there.
static int
find_member(struct decoder *d)
{
	take(d, padding(d));
	if (d->in_len < AHEAD && !d->is_last)
		return refill(d);
	// Streams of xz, and what pads them, are multiples of four bytes.
	if (d->format == DECODE_XZ && d->nr_in % 4 != 0)
		return d->error = -EILSEQ;
	if (d->in_len == 0) {
		d->place = AT_END;
		return 0;
	}
	if (!decode_begins(d->format, d->in, d->in_len))
		return d->error = -EILSEQ;
	d->place = WITHIN;
	return d->error = d->codec->reset(d->state);
}

static int
decode(struct decoder *d, unsigned char **buf, size_t *len)
{
	if (d->in_len == 0 && !d->is_last)
		return refill(d);
	struct codec_io io = {d->in, d->in_len, *buf, *len, d->is_last};
	const int r = d->codec->step(d->state, &io);
	const size_t got = *len - io.out_len, took = d->in_len - io.in_len;

	take(d, took);
	*buf += got;
	*len -= got;
	d->nr_out += got;
	if (r == CODEC_END)
		d->place = BETWEEN;
	else if (r < 0)
		d->error = r;
	else if (got == 0 && took == 0)
		// It has what there is, and room.
		d->error = d->in_len == 0 ? -ENODATA : -EBADMSG;
	return d->error;
}

static ssize_t
fill(struct decoder *d, unsigned char *buf, size_t len)
{
	unsigned char *at = buf;
	int r = d->error != 0 ? d->error : d->input_error;

	d->input_error = 0;
	while (r == 0 && len > 0 && d->place != AT_END)
		r = d->place == WITHIN ? decode(d, &at, &len) : find_member(d);
	// What was decoded goes out first, and the error may come only once.
	if (at > buf && r != d->error && r != -EINTR)
		d->input_error = r;
	return at > buf ? at - buf : r;
}

ssize_t
decoder_fill(void *decoder, void *buf, size_t len)
{
	struct decoder *d = decoder;
	const size_t n = min_u64(len, d->head_len - d->head_done);

	if (n == 0)
		return fill(d, buf, len);
	memcpy(buf, d->head + d->head_done, n);
	d->head_done += n;
	const ssize_t more = fill(d, (unsigned char *)buf + n, len - n);
	return (ssize_t)n + (more > 0 ? more : 0);
}

ssize_t
decoder_peek(struct decoder *d, const unsigned char **ret)
{
	const ssize_t n = fill(d, d->head + d->head_len,
			       sizeof(d->head) - d->head_len);

	if (n < 0 && d->head_len == 0)
		return n;
	d->head_len += n > 0 ? (size_t)n : 0;
	*ret = d->head;
	return (ssize_t)d->head_len;
}

enum decode_format
decoder_format(const struct decoder *d)
{
	return d->format;
}

const char *
decoder_library(const struct decoder *d)
{
	return d->codec->library;
}

uint64_t
decoder_in(const struct decoder *d)
{
	return d->nr_in;
}

uint64_t
decoder_out(const struct decoder *d)
{
	return d->nr_out;
}

int
decoder_error(const struct decoder *d)
{
	return -d->error;
}

const char *
decoder_find_library(enum decode_format format)
{
	for (size_t i = 0; i < NR_CODECS; i++)
		if (codecs[format][i] != NULL)
			return codecs[format][i]->library;
	return NULL;
}

bool
decoder_measure(enum decode_format format, const struct decode_file *file,
		uint64_t *ret, bool *ret_is_exact)
{
	const struct codec *codec = codecs[format][0];

	if (codec == NULL || codec->measure == NULL)
		return false;
	*ret_is_exact = codec->is_measure_exact;
	return codec->measure(file, ret);
}
