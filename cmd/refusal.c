// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "refusal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "opener.h"
#include "phrase.h"
#include "quote.h"
#include "safety.h"

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
		"missing", "system", "mounted",	  "swap", "holders", "busy",
		"overlap", "size",   "unchecked", "map",  "format",
	};

	return words[__builtin_ctz(reason)];
}

static void
put_busy(FILE *f, const struct safety *safety)
{
	struct opener opener;

	fputs("another process has it open exclusively", f);
	if (!opener_find(safety->use.dev, &opener))
		return;
	char *name = quote_name_colon(opener.name);
	fprintf(f, " (pid %d, %s%s)", opener.pid, name ? name : "?",
		opener.is_only ? "" : ", or another that has it open");
	free(name);
}

static void
put_too_small(FILE *f, const struct safety *safety)
{
	char lack[PHRASE_SIZE_MAX], reach[PHRASE_SIZE_MAX];

	fprintf(f, "it is %s too small for %s",
		phrase_exact(lack, safety->reach - safety->size),
		phrase_exact(reach, safety->reach));
}

static void
put_contents(FILE *f, enum decode_format contents)
{
	if (contents < DECODE_NR || contents == DECODE_LZMA ||
	    contents == DECODE_OLD_LZ4)
		fprintf(f, "the source is compressed (%s)",
			decode_name(contents));
	else if (contents == DECODE_QCOW2)
		fputs("the source is a qcow2 image", f);
	else
		fprintf(f, "the source is a %s archive", decode_name(contents));
}

// What to do about that.
static void
put_hint(FILE *f, const struct safety *safety)
{
	const enum decode_format contents = safety->contents;

	if (contents < DECODE_NR)
		fputs(safety->is_src_export
			      ? "have the server unpack it (nbdkit "
				"--filter=xz or gzip), "
			      : "decompress=auto decompresses it, ", f);
	else
		fprintf(f, "'%s' unpacks it, ",
			contents == DECODE_QCOW2     ? "qemu-img convert -O raw"
			: contents == DECODE_LZMA    ? "xz -dc"
			: contents == DECODE_OLD_LZ4 ? "lz4 -dc"
						     : "bsdtar -xO");
}

static void
put_reason(FILE *f, const struct safety *safety)
{
	switch (safety->reason) {
	case REQUEST_FORCE_MISSING:
		fputs("it does not exist and would become a regular file", f);
		return;
	case REQUEST_FORCE_SYSTEM:
		fputs("the root file system is on ", f);
		put_device(f, safety->use.dev);
		return;
	case REQUEST_FORCE_MOUNTED:
		put_device(f, safety->use.dev);
		phrase_quoted(f, " is mounted on ", safety->use.target);
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
		put_busy(f, safety);
		return;
	case REQUEST_FORCE_SIZE:
		put_too_small(f, safety);
		return;
	case REQUEST_FORCE_FORMAT:
		put_contents(f, safety->contents);
		return;
	case REQUEST_FORCE_UNCHECKED:
		fputs("cannot tell whether it is in use", f);
		put_unseen(f, &safety->unseen);
		return;
	default:
		fputs("it shares data with the source", f);
	}
}

typedef void (*put_fn)(FILE *out, const struct event *f);

// How it begins, the name, and what put makes of f.
static void
tell(const struct event *f, const char *before, put_fn put)
{
	char *line = NULL;
	size_t len;
	FILE *out = open_memstream(&line, &len);

	if (out != NULL) {
		phrase_quoted(out, before, f->name);
		put(out, f);
	}
	if (out == NULL || fclose(out) != 0)
		message_error(ENOMEM, "%s?", before);
	else
		message_error(0, "%s", line);
	free(line);
}

// What ends the use that was found, as a shell reads it.
static void
put_remedy(FILE *out, const struct safety *safety)
{
	const bool is_swap = safety->reason == REQUEST_FORCE_SWAP &&
			     safety->use.dev != 0;
	char name[DISK_NAME_MAX];
	char *quoted;

	if (safety->reason != REQUEST_FORCE_MOUNTED && !is_swap)
		return;
	quoted = quote_name_colon(
		is_swap ? disk_name(safety->use.dev, name, sizeof(name))
			: safety->use.target);
	fprintf(out, "%s %s first, or ", is_swap ? "swapoff" : "umount",
		quoted ? quoted : "?");
	free(quoted);
}

static void
put_identity(FILE *out, const struct safety *safety)
{
	if (safety->reason == REQUEST_FORCE_MISSING ||
	    (safety->reason == REQUEST_FORCE_FORMAT && safety->size == 0))
		return;
	fputs(" (", out);
	phrase_disk(out, safety->size, &safety->identity);
	fputs(")", out);
}

static void
put_refusal(FILE *out, const struct event *f)
{
	const enum request_force reason = f->safety->reason;

	put_identity(out, f->safety);
	fputs(": ", out);
	put_reason(out, f->safety);
	fputs("; ", out);
	put_remedy(out, f->safety);
	if (reason == REQUEST_FORCE_FORMAT)
		put_hint(out, f->safety);
	fprintf(out, "force=%s %s", refusal_word(reason),
		reason == REQUEST_FORCE_MISSING	 ? "creates it"
		: reason == REQUEST_FORCE_SIZE	 ? "writes what fits"
		: reason == REQUEST_FORCE_FORMAT ? "writes it as it is"
						 : "writes anyway");
}

static void
put_live(FILE *out, const struct event *f)
{
	fputs(" may change during the copy: ", out);
	put_device(out, f->use->dev);
	phrase_quoted(out, " is mounted read-write on ", f->use->target);
}

static void
put_unchecked(FILE *out, const struct event *f)
{
	const bool is_claimed = f->safety->claim >= 0;

	fputs(" is in use", out);
	put_unseen(out, &f->safety->unseen);
	if (is_claimed)
		fputs(", but no other process holds it exclusively", out);
}

void
refusal_tell(const struct event *f)
{
	tell(f, "not writing to ", put_refusal);
}

void
refusal_warn(const struct event *f)
{
	if (f->kind == NOTICE_UNCHECKED)
		tell(f, "warning: cannot tell whether ", put_unchecked);
	else
		tell(f, "warning: ", put_live);
}
