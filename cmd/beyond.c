// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "beyond.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correct.h"
#include "event.h"
#include "message.h"
#include "options.h"
#include "quote.h"
#include "transfer.h"

bool
beyond_source(const struct options *options, const struct transfer_side *src)
{
	const struct facts *facts = src->facts;

	return options->skip.number.value > 0 && facts_has_offsets(facts) &&
	       facts->size > 0 && src->start > facts->size;
}

static bool
has_unit(const struct options_amount *amount)
{
	return strpbrk(amount->text, "kKMGTPEZYRQ") != NULL;
}

// " is 5 TiB in blocks of 256 KiB"; nothing for an amount in bytes. Malloc'd.
static char *
in_blocks(uint64_t bytes, uint64_t block, bool is_bytes)
{
	char *text = NULL, *amount, *unit;

	if (is_bytes || bytes == UINT64_MAX)
		return strdup("");
	amount = correct_amount(bytes);
	unit = correct_amount(block);
	if (amount == NULL || unit == NULL ||
	    asprintf(&text, " is %s in blocks of %s", amount, unit) < 0)
		text = NULL;
	free(unit);
	free(amount);
	return text;
}

// "; skip=20MiB counts bytes". Malloc'd.
static char *
as_bytes(const struct options_amount *amount)
{
	char *text = NULL, *bytes = correct_to_bytes(amount->text);

	if (bytes == NULL || asprintf(&text, "; %s=%s counts bytes",
				      amount->name, bytes) < 0)
		text = NULL;
	free(bytes);
	return text;
}

// f->len: the size of the source, 0: not known.
void
beyond_tell_skip(const struct options *options, const struct event *f)
{
	const struct request *q = &options->request;
	const struct options_amount *skip = &options->skip;
	const bool is_bytes = (q->iflags & FLAG_SKIP_BYTES) != 0;
	// Is it a number as people write bytes?
	const bool is_like_bytes = !options->has_block_size || has_unit(skip);
	const bool is_hinted = !is_bytes && is_like_bytes &&
			       (f->len == 0 || skip->number.value <= f->len);
	char *blocks = in_blocks(request_src_off(q, 0), q->ibs, is_bytes);
	char *bytes = is_hinted ? as_bytes(skip) : NULL;
	char *size = f->len > 0 ? correct_amount(f->len) : NULL;
	char *name = quote_name_always(f->name);

	message_error(0, "warning: %s=%s%s%s past the end of %s%s%s%s%s",
		      skip->name, skip->text, blocks ? blocks : "",
		      blocks && *blocks ? "," : " is", name ? name : "?",
		      size ? " (" : "", size ? size : "", size ? ")" : "",
		      bytes ? bytes : "");
	free(name);
	free(size);
	free(bytes);
	free(blocks);
}

bool
beyond_is_odd_seek(const struct options *options)
{
	const struct options_amount *seek = &options->seek;

	return options->nr_names > 0 && !options->has_block_size &&
	       seek->text != NULL &&
	       !(options->request.oflags & FLAG_SEEK_BYTES) &&
	       has_unit(seek);
}

void
beyond_tell_seek(const struct options *options)
{
	const struct request *q = &options->request;
	char *blocks = in_blocks(request_dst_off(q, 0), q->obs, false);
	char *bytes = as_bytes(&options->seek);

	message_error(0, "warning: %s=%s%s%s", options->seek.name,
		      options->seek.text, blocks ? blocks : "",
		      bytes ? bytes : "");
	free(bytes);
	free(blocks);
}
