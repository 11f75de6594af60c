// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// One library behind a format, as the decoder drives it: one member at a time.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What goes in and comes out of one step. Both move on by what was taken.
struct codec_io {
	const unsigned char *in;
	size_t in_len;
	unsigned char *out;
	size_t out_len;
	bool is_last;          // nothing comes behind in
};

// At once, for libraries that count in 32 bits.
#define CODEC_MOST (1U << 30)

static inline void
codec_move(struct codec_io *io, size_t took, size_t gave)
{
	io->in += took;
	io->in_len -= took;
	io->out += gave;
	io->out_len -= gave;
}

struct decode_file;

enum codec_step { CODEC_MORE, CODEC_END };

struct codec {
	const char *library;   // its name
	// Ready for the first member. 0, -ELIBACC or -ENOMEM.
	int (*open)(void **ret, unsigned threads);
	void (*close)(void *state);
	// Ready for the next member. 0 or -ENOMEM.
	int (*reset)(void *state);
	// CODEC_END: the member is complete, and all of it is given out.
	// -EBADMSG, -ENOMEM or -EOPNOTSUPP. It takes or gives something, if
	// there is something to take and room to give; if it does neither, it
	// wants more of what it has not got.
	int (*step)(void *state, struct codec_io *io);
	// As decoder_measure. NULL: none tells it.
	bool (*measure)(const struct decode_file *file, uint64_t *ret);
	bool is_measure_exact;
};

// Each where the build has it.
extern const struct codec gz_codec;
extern const struct codec isal_codec;
extern const struct codec xz_codec;
extern const struct codec zst_codec;
extern const struct codec bz2_codec;
extern const struct codec lz4_codec;
