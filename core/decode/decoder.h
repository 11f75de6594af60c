// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A packed stream, read through whoever has it and given out as the bytes that
// were packed. All members that follow one another are one stream; gz and xz
// may have zeros behind them. Anything else there, a stream that is cut off
// and one that is damaged are errors, each its own. The libraries are loaded
// when a decoder is opened.
//
// One thread at a time may use a decoder; xz has threads of its own.

#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "decode.h"

// Where the packed bytes come from: as read(), but -errno. Errors are given
// on, and the next fill asks again.
struct decoder_input {
	ssize_t (*read)(void *ctx, void *buf, size_t len);
	void *ctx;
};

struct decoder;

// format: < DECODE_NR, but not DECODE_NONE. threads: at most, > 0. 0, -ELIBACC
// (the library, or a part of it, is not here, or was left out of the build),
// or -ENOMEM.
int decoder_open(struct decoder **ret, enum decode_format format,
		 struct decoder_input input, unsigned threads);
void decoder_free(struct decoder *d);

// The next len bytes, straight into buf. Fewer: the end, or an error, which
// the next call returns; 0: the end, and all of the input was read. -EBADMSG:
// damaged; -ENODATA: cut off; -EILSEQ: something else behind it; -ENOMEM: it
// wants more memory than it may have; -EOPNOTSUPP: the library
// does not know this form of it; or what the input's read has returned.
ssize_t decoder_fill(void *decoder, void *buf, size_t len);

// The first bytes, which fill gives all the same: up to DECODER_PEEK, before
// anything was filled. Fewer: the end, or an error, which comes behind them.
// An error of the input alone is returned, and can be asked for again.
#define DECODER_PEEK 512
ssize_t decoder_peek(struct decoder *d, const unsigned char **ret);

enum decode_format decoder_format(const struct decoder *d);
// The name of the library that decodes it.
const char *decoder_library(const struct decoder *d);
// Where it is, and where an error was found: bytes of the input that were
// decoded, and what they were decoded to. Any thread may ask.
uint64_t decoder_in(const struct decoder *d);
uint64_t decoder_out(const struct decoder *d);
// Positive errno of what could not be decoded, 0: all could, so far. As fill
// has it, without those of the input.
int decoder_error(const struct decoder *d);

// The library that this build would use, NULL: it was left out.
const char *decoder_find_library(enum decode_format format);

// How many bytes it would be decoded to, by what it says of itself: all of
// them, or at least so many. False: it says nothing, or is damaged.
bool decoder_measure(enum decode_format format, const struct decode_file *file,
		     uint64_t *ret, bool *ret_is_exact);
