// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "expect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "facts.h"
#include "hasher.h"
#include "lookup.h"
#include "message.h"
#include "quote.h"

// A digest that was written in another way than ALG:HEX. False: it is none.
static bool
guess_alg(const char *text, enum digest_alg *ret)
{
	const size_t len = strcspn(text, "=");
	const unsigned algs = digest_of_length(strlen(text));

	if (text[len] == '=')
		return digest_find(text, len, ret);
	if (algs == 0 || text[strspn(text, DIGEST_HEX)] != '\0')
		return false;
	*ret = (enum digest_alg)__builtin_ctz(algs);
	return true;
}

// operand: quoted, and so is name; NULL: standard input.
static void
tell_file(const char *operand, const char *name, int error)
{
	switch (error) {
	case ENOENT:
		if (name != NULL)
			message_error(0, "expect=%s: no digest for %s; "
				      "use as=NAME to look for another name",
				      operand, name);
		else
			message_error(0, "expect=%s: standard input has no "
				      "name to look up; give it one with as=",
				      operand);
		return;
	case ENOTUNIQ:
		message_error(0, "expect=%s: several different digests for %s",
			      operand, name);
		return;
	case EILSEQ:
		message_error(0, "expect=%s: not a checksum file", operand);
		return;
	default:
		message_error(error, "expect=%s", operand);
	}
}

// WORD:HEX. 0: it is none, else the length of the word.
static size_t
alg_length(const char *text)
{
	const size_t len = strspn(text, "-0123456789_"
					"abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	const size_t nr = text[len] == ':' ? strspn(text + len + 1, DIGEST_HEX)
					   : 0;

	return nr > 0 && text[len + 1 + nr] == '\0' ? len : 0;
}

static void
tell_alg(const char *operand, const char *word, size_t len)
{
	char names[128] = "";

	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++) {
		const size_t end = strlen(names);

		snprintf(names + end, sizeof(names) - end, "%s%s",
			 alg == 0		? ""
			 : alg + 1 == DIGEST_NR ? " or "
						: ", ",
			 digest_name(alg));
	}
	message_error(0,
		      "expect=%s: '%.*s' is no algorithm, and there is no "
		      "such file; expect=ALG:HEX takes %s",
		      operand, (int)len, word, names);
}

static void
tell_unopened(const char *operand, const char *path, int error)
{
	enum digest_alg alg;

	if (error == ENOENT && guess_alg(path, &alg))
		message_error(0, "expect=%s: no such file; to give the digest "
			      "itself, write expect=%s:HEX",
			      operand, digest_name(alg));
	else if (error == ENOENT && alg_length(path) > 0)
		tell_alg(operand, path, alg_length(path));
	else
		message_error(error, "expect=%s", operand);
}

static int
parse_file(const char *path, const char *name, const char *other,
	   struct lookup *ret)
{
	FILE *file = fopen(path, "re");
	int r = file != NULL ? lookup_digest(file, name, ret) : -errno;

	if (file != NULL && r == -ENOENT && other != NULL &&
	    fseek(file, 0, SEEK_SET) == 0)
		r = lookup_digest(file, other, ret);
	char *quoted_path = quote_name_colon(path);
	char *quoted_name = name != NULL ? quote_name_always(name) : NULL;
	const char *p = quoted_path != NULL ? quoted_path : "?";
	const char *n = quoted_name != NULL || name == NULL ? quoted_name
							     : "?";

	if (file == NULL)
		tell_unopened(p, path, -r);
	else if (r < 0)
		tell_file(p, n, -r);
	free(quoted_name);
	free(quoted_path);
	if (file != NULL)
		(void)fclose(file); // only read
	return r;
}

static int
parse_hex(const char *text, const char *hex, enum digest_alg alg,
	  struct request_expected *ret)
{
	const size_t len = 2 * digest_size(alg);

	ret->algs = 1U << alg;
	if (strlen(hex) == len && digest_parse(hex, len, ret->value) == 0)
		return 0;
	char *quoted = quote_name_colon(text);

	message_error(0, "expect=%s: %s needs %zu hex digits",
		      quoted ? quoted : "?", digest_name(alg), len);
	free(quoted);
	return -EINVAL;
}

int
expect_parse(const char *text, const char *name, const char *other,
	     struct lookup *ret)
{
	const size_t len = strcspn(text, ":");
	enum digest_alg alg;

	*ret = (struct lookup){.is_signed = false};
	if (text[len] == ':' && digest_find(text, len, &alg))
		return parse_hex(text, text + len + 1, alg, &ret->expected);
	return parse_file(text, name, other, ret);
}

// Of what has an end that is known, the bytes of it that are copied; else 0.
static uint64_t
known_len(const struct request *q, const struct facts *src, uint64_t from)
{
	if (!facts_has_offsets(src) || src->size <= from)
		return 0;
	return min_u64(src->size - from, request_count_len(q));
}

static bool
is_part(const struct request *q, const struct facts *src, uint64_t from)
{
	if (facts_has_offsets(src))
		return known_len(q, src, from) != src->size;
	return q->skip.blocks > 0 || q->skip.bytes > 0 || request_has_count(q);
}

// conv=sync pads the last block.
static bool
is_converted(const struct request *q, const struct facts *src, uint64_t from)
{
	const uint64_t len = known_len(q, src, from);

	return (q->conv & CONV_BYTES) ||
	       ((q->conv & CONV_SYNC) && (len == 0 || len % q->ibs != 0));
}

char *
expect_subject(const char *what, const struct request *q,
	       const struct facts *src, uint64_t from)
{
	char *text;

	if (asprintf(&text, "%s%s%s",
		     is_part(q, src, from) ? "the copied part of " : "", what,
		     is_converted(q, src, from) ? ", as converted," : "") < 0)
		return NULL;
	return text;
}

// What its bytes are called, quoted.
static char *
contents_of(const char *name, const struct request *q, const struct facts *src,
	    uint64_t from)
{
	char *quoted = quote_name_always(name), *what = NULL, *subject = NULL;

	if (quoted != NULL &&
	    asprintf(&what, "%s%s",
		     src->unpacked != 0 ? "the decompressed " : "", quoted) > 0)
		subject = expect_subject(what, q, src, from);
	free(what);
	free(quoted);
	return subject;
}

char *
expect_word(const struct expect_found *found, const struct request *q,
	    const struct facts *src, uint64_t from)
{
	const struct request_expected *e = &q->expected;
	const bool is_packed = found->packed_hasher != NULL &&
			       !hasher_has(found->hasher, e->algs, e->value);
	const struct hasher *hasher = is_packed ? found->packed_hasher
						: found->hasher;
	char *text = NULL,
	     *subject = is_packed ? quote_name_always(found->name)
				  : contents_of(found->name, q, src, from);

	if (subject != NULL &&
	    asprintf(&text, "%s has the expected %s", subject,
		     digest_name(hasher_find(hasher, e->algs, e->value))) < 0)
		text = NULL;
	free(subject);
	return text;
}

void
expect_tell(const struct expect_found *found, const struct request *q,
	    const struct facts *src, uint64_t from)
{
	const struct request_expected *e = &q->expected;
	const enum digest_alg alg = hasher_find(found->hasher, e->algs,
						e->value);
	char is[DIGEST_HEX_MAX], packed[DIGEST_HEX_MAX], wanted[DIGEST_HEX_MAX];
	char *subject = contents_of(found->name, q, src, from);

	digest_format(alg, hasher_result(found->hasher, alg), is);
	digest_format(alg, e->value, wanted);
	if (found->packed_hasher != NULL) {
		digest_format(alg, hasher_result(found->packed_hasher, alg),
			      packed);
		message_error(0,
			      "%s is not what was expected: its %s is %s, that "
			      "of the compressed file is %s, not %s",
			      subject ? subject : "?", digest_name(alg), is,
			      packed, wanted);
	} else {
		message_error(
			0, "%s is not what was expected: its %s is %s, not %s",
			subject ? subject : "?", digest_name(alg), is, wanted);
	}
	free(subject);
}
