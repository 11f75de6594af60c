// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// First bytes of sources, and whole ones: words that formats begin with, and
// any bytes. What is known is begun by its format; a decoder ends, has taken no
// more than there is, and fails again as it has failed.

#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "decoder.h"
#include "fuzz.h"

#define OUT_MAX (256 * KIB) // a bomb has no end

static const struct {
	const char *bytes;
	size_t len;
} words[] = {
	{"\x1f\x8b\x08", 3},
	{"\x1f\x8b\x08\0\0\0\0\0\0\x03", 10},
	{"\xfd"
	 "7zXZ\0\0\x04\xe6\xd6\xb4\x46",
	 12},
	{"\x28\xb5\x2f\xfd", 4},
	{"\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00", 9}, // nothing
	{"BZh91AY&SY", 10},
	{"BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0", 14}, // nothing
	{"\x04\x22\x4d\x18", 4},
	{"\x04\x22\x4d\x18\x60\x40\x82\0\0\0\0", 11}, // nothing
	{"\x50\x2a\x4d\x18\x04\0\0\0", 8},
	{"\x5f\x2a\x4d\x18\0\0\0\0", 8},
	{"PK\3\4", 4},
	{"QFI\xfb", 4},
	{"ustar", 5},
	{"\0\0\0\0", 4},
};

struct source {
	const uint8_t *bytes;
	size_t len, done, step;
};

// The first byte is the step, the second a word, and now and then another.
void
fuzz_shape(uint8_t *data, size_t size)
{
	for (size_t i = 1; i < size; i++)
		if (i == 1 || data[i] % 8 == 0)
			data[i] = data[i] / 8 % ARRAY_LEN(words);
}

static size_t
spell(uint8_t *text, const uint8_t *data, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < size; i++) {
		if (data[i] < ARRAY_LEN(words)) {
			memcpy(text + len, words[data[i]].bytes,
			       words[data[i]].len);
			len += words[data[i]].len;
		} else {
			text[len++] = data[i];
		}
	}
	return len;
}

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

static ssize_t
read_source(void *ctx, void *buf, size_t len)
{
	struct source *s = ctx;
	const size_t n = min_u64(min_u64(len, s->step), s->len - s->done);

	memcpy(buf, s->bytes + s->done, n);
	s->done += n;
	return (ssize_t)n;
}

static void
check_decoder(enum decode_format format, struct source *s)
{
	static unsigned char out[4096];
	const struct decoder_input input = {read_source, s};
	struct decoder *d;
	uint64_t nr = 0;
	ssize_t n;

	if (decoder_open(&d, format, input, 1) < 0)
		return;
	while ((n = decoder_fill(d, out, sizeof(out))) > 0 && nr < OUT_MAX)
		nr += (uint64_t)n;
	must(decoder_in(d) <= s->done);
	must(n > 0 || decoder_out(d) == nr);
	must(n > 0 || decoder_fill(d, out, 1) == n);
	must(n != 0 || decoder_in(d) == s->len);
	must(n > 0 || decoder_error(d) == -n);
	decoder_free(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	uint8_t *text = malloc(size * 16);
	must(text != NULL);
	struct source s = {.bytes = text,
			   .len = spell(text, data + 1, size - 1),
			   .step = (size_t)data[0] + 1};
	const enum decode_format format = decode_sniff(text, s.len);
	must(format <= DECODE_TAR);
	if (format != DECODE_NONE && format < DECODE_NR) {
		must(decode_begins(format, text, s.len));
		check_decoder(format, &s);
	}
	free(text);
	return 0;
}
