// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "decoder.h"
#include "message.h"
#include "quote.h"

static const char *
reason_of(int error)
{
	switch (error) {
	case EBADMSG:
		return "damaged";
	case ENODATA:
		return "cut off";
	case EILSEQ:
		return "other data follows";
	case ENOMEM:
		return "it needs more memory than there is";
	case EOPNOTSUPP:
		return "made by a program that is too new";
	default:
		return strerror(error);
	}
}

static void
tell_decoder(const char *name, const struct event *f)
{
	const char *library = decoder_find_library(f->fault);

	if (library == NULL)
		message_error(0,
			      "cannot decompress %s: decompress=%s was left "
			      "out of this build",
			      name, decode_name(f->fault));
	else if (f->error == ELIBACC)
		message_error(0,
			      "cannot decompress %s: %s is not installed, or "
			      "too old",
			      name, library);
	else
		message_error(f->error, "cannot decompress %s", name);
}

void
unpack_tell(const struct event *f)
{
	char *quoted = quote_name_always(f->name);
	const char *name = quoted != NULL ? quoted : "?";

	if (f->kind == FAILURE_FORMAT)
		message_error(0, "cannot decompress %s: it is not in %s format",
			      name, decode_name(f->fault));
	else if (f->kind == FAILURE_DECODER)
		tell_decoder(name, f);
	else
		message_error(0,
			      "cannot decompress %s: %s at input offset "
			      "%" PRIu64 ", output offset %" PRIu64,
			      name, reason_of(f->error), f->off, f->len);
	free(quoted);
}
