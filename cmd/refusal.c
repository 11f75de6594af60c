// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "refusal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "quote.h"
#include "safety.h"
#include "units.h"

// What others chose, such as a label, may hold anything.
static void
put_quoted(FILE *f, const char *before, const char *text)
{
	char *quoted = quote_name_always(text);

	fprintf(f, "%s%s", before, quoted ? quoted : "?");
	free(quoted);
}

// 0: the file that is written to.
static void
put_device(FILE *f, dev_t dev)
{
	char name[DISK_NAME_MAX] = "it";

	fputs(dev != 0 ? disk_name(dev, name, sizeof(name)) : name, f);
}

static void
put_unseen(FILE *f, const struct disk_unseen *unseen)
{
	fprintf(f, " (%s: %s)", unseen->path, strerror(unseen->error));
}

const char *
refusal_word(enum request_force reason)
{
	// In the order of the bits.
	static const char *const words[] = {
		"missing", "system", "mounted", "swap",
		"holders", "busy",   "overlap", "size",
		"unchecked",
	};

	return words[__builtin_ctz(reason)];
}

static void
put_reason(FILE *f, const struct safety *safety)
{
	switch (safety->reason) {
	case REQUEST_FORCE_MISSING:
		fputs("it does not exist, and would become a file in /dev", f);
		return;
	case REQUEST_FORCE_SYSTEM:
		fputs("the root file system is on ", f);
		put_device(f, safety->use.dev);
		return;
	case REQUEST_FORCE_MOUNTED:
		put_device(f, safety->use.dev);
		put_quoted(f, " is mounted on ", safety->use.target);
		return;
	case REQUEST_FORCE_SWAP:
		put_device(f, safety->use.dev);
		fputs(" is in use as swap", f);
		return;
	case REQUEST_FORCE_HOLDERS:
		put_device(f, safety->use.dev);
		fputs(" is in use by ", f);
		put_device(f, safety->holder);
		return;
	case REQUEST_FORCE_BUSY:
		fputs("somebody else has it exclusively", f);
		return;
	case REQUEST_FORCE_UNCHECKED:
		fputs("it cannot be seen whether it is in use", f);
		put_unseen(f, &safety->unseen);
		return;
	case REQUEST_FORCE_OVERLAP:
		fputs("it has bytes in common with the source", f);
		return;
	default:
		fprintf(f, "it ends at %" PRIu64 " bytes, the copy at %" PRIu64,
			safety->size, safety->reach);
	}
}

static void
put_identity(FILE *f, const struct safety *safety)
{
	const struct disk_identity *disk = &safety->identity;
	char size[UNITS_TEXT_MAX];

	units_format_iec(size, sizeof(size), safety->size);
	fprintf(f, "; it has %s", size);
	if (disk->model[0] != '\0')
		put_quoted(f, ", model ", disk->model);
	if (disk->serial[0] != '\0')
		put_quoted(f, ", serial ", disk->serial);
	for (size_t i = 0; i < disk->nr_contents; i++) {
		const struct disk_content *content = &disk->contents[i];

		fprintf(f, "%s%s", i == 0 ? ", holds " : " + ", content->type);
		if (content->label[0] != '\0')
			put_quoted(f, " ", content->label);
	}
}

typedef void (*put_fn)(FILE *out, const struct failure *f);

// How it begins, the name, and what put makes of f.
static void
tell(const struct failure *f, const char *before, put_fn put)
{
	char *line = NULL;
	size_t len;
	FILE *out = open_memstream(&line, &len);

	if (out != NULL) {
		put_quoted(out, before, f->name);
		put(out, f);
	}
	if (out == NULL || fclose(out) != 0)
		message_error(ENOMEM, "%s?", before);
	else
		message_error(0, "%s", line);
	free(line);
}

static void
put_refusal(FILE *out, const struct failure *f)
{
	const struct safety *safety = f->safety;

	fputs(": ", out);
	put_reason(out, safety);
	if (safety->reason != REQUEST_FORCE_MISSING)
		put_identity(out, safety);
	fprintf(out, "; force=%s waives this check",
		refusal_word(safety->reason));
}

static void
put_live(FILE *out, const struct failure *f)
{
	fputs(" may change during the copy: ", out);
	put_device(out, f->use->dev);
	put_quoted(out, " is mounted read-write on ", f->use->target);
}

static void
put_unchecked(FILE *out, const struct failure *f)
{
	const bool is_claimed = f->safety->claim >= 0;

	fputs(": it cannot be seen what uses it", out);
	put_unseen(out, &f->safety->unseen);
	if (is_claimed)
		fputs(", but nobody has it exclusively", out);
}

void
refusal_tell(const struct failure *f)
{
	tell(f, "not writing to ", put_refusal);
}

void
refusal_warn(const struct failure *f)
{
	tell(f, "warning: ",
	     f->phase == NOTICE_UNCHECKED ? put_unchecked : put_live);
}
