// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "wording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "change.h"
#include "digest.h"
#include "event.h"
#include "message.h"
#include "quote.h"
#include "units.h"

// How a phase is worded: %s is the name, before a colon quoted only if
// needed.
static const struct {
	const char *text;
	enum { IN_SENTENCE, BEFORE_COLON, NO_NAME } name;
	bool has_offset; // tells where, when we are not dd
} words[] = {
	[FAILURE_OPEN] = {"failed to open %s", IN_SENTENCE, false},
	[FAILURE_SET_FLAGS] = {"setting flags for %s", IN_SENTENCE, false},
	[FAILURE_NO_FLUSH] = {"%s cannot be flushed, so that conv=fsync, "
			      "verify=, commit= and the like cannot be kept",
			      IN_SENTENCE, false},
	[FAILURE_NO_FUA] = {"%s cannot make each write durable (oflag=sync "
			    "or dsync)",
			    IN_SENTENCE, false},
	[FAILURE_NO_BACK] = {"%s takes whole blocks: with verify=, seek= has "
			     "to be a multiple of them",
			     IN_SENTENCE, false},
	[FAILURE_EXPORT_CHANGED] = {"%s has come back with another size or "
				    "other abilities",
				    IN_SENTENCE, false},
	[FAILURE_STAT] = {"cannot fstat %s", IN_SENTENCE, false},
	[FAILURE_SKIP] = {"%s: cannot skip", BEFORE_COLON, false},
	[FAILURE_SEEK] = {"%s: cannot seek", BEFORE_COLON, false},
	[FAILURE_DIGEST] = {"cannot compute digests", NO_NAME, false},
	[FAILURE_VERIFY] = {"cannot read back %s", IN_SENTENCE, true},
	[FAILURE_NOT_VERIFIABLE] = {"cannot read %s to compare it", IN_SENTENCE,
				    false},
	[FAILURE_CLONE] = {"cannot clone %s", IN_SENTENCE, false},
	[FAILURE_COMMIT_FILE] = {"commit=rename needs a regular file with a "
				 "name, not %s",
				 IN_SENTENCE, false},
	[FAILURE_COMMIT_DISK] = {"commit=first-last needs a block device, not "
				 "%s",
				 IN_SENTENCE, false},
	[FAILURE_COMMIT_MODE] = {"cannot preserve the permissions of %s",
				 IN_SENTENCE, false},
	[FAILURE_COMMIT_LOST] = {"cannot rename the copy to %s: the temporary "
				 "file was removed or replaced",
				 IN_SENTENCE, false},
	[FAILURE_READ] = {"error reading %s", IN_SENTENCE, true},
	[FAILURE_SRC_GONE] = {"%s does not answer any more, and was left; "
			      "the same command goes on when it is back",
			      IN_SENTENCE, false},
	[FAILURE_WRITE] = {"error writing %s", IN_SENTENCE, true},
	[FAILURE_STALLED] = {"%s has not answered for 30 seconds, and the "
			     "others go on without it",
			     IN_SENTENCE, true},
	[FAILURE_WRITE_TO] = {"writing to %s", IN_SENTENCE, true},
	[FAILURE_OFFSET_OVERFLOW] = {"offset overflow while reading file %s",
				     IN_SENTENCE, false},
	[FAILURE_FDATASYNC] = {"fdatasync failed for %s", IN_SENTENCE, false},
	[FAILURE_FSYNC] = {"fsync failed for %s", IN_SENTENCE, false},
	[FAILURE_DISCARD_CACHE] = {"failed to discard cache for: %s",
				   BEFORE_COLON, false},
	[FAILURE_CLOSE_SRC] = {"closing input file %s", IN_SENTENCE, false},
	[FAILURE_CLOSE_DST] = {"closing output file %s", IN_SENTENCE, false},
	[FAILURE_RENAME] = {"cannot rename the copy to %s", IN_SENTENCE, false},
	[FAILURE_NOT_SYNCED] = {"%s was written, but not synced", IN_SENTENCE,
				false},
	[FAILURE_NOT_VERIFIED] = {"%s was not verified", IN_SENTENCE, false},
	[FAILURE_UNDURABLE] = {"%s was replaced, but its directory was not "
			       "synced",
			       IN_SENTENCE, false},
	[FAILURE_WRITTEN] = {"%s was written anyway; do not trust it",
			     IN_SENTENCE, false},
	[FAILURE_NOT_REPLACED] = {"%s was not replaced", IN_SENTENCE, false},
	[FAILURE_REMOVED] = {"%s was not created", IN_SENTENCE, false},
	[FAILURE_NO_FIRST_BLOCK] = {"%s was written without its first block",
				    IN_SENTENCE, false},
	[FAILURE_OLD_FIRST_BLOCK] = {"%s still has its old first block",
				     IN_SENTENCE, false},
	[NOTICE_READ_SKIPPED] = {"error reading %s", IN_SENTENCE, true},
	[NOTICE_LOST] = {"warning: the connection to %s was lost; "
			 "reconnecting (reconnect=)",
			 IN_SENTENCE, false},
	[NOTICE_REGAINED] = {"warning: %s is connected again; the copy goes on",
			     IN_SENTENCE, true},
	[NOTICE_NO_HOLES] = {"warning: the server of %s does not tell where "
			     "there are holes; all of it is read",
			     IN_SENTENCE, false},
	[NOTICE_CACHE_KEPT] = {"warning: cannot drop the page cache of %s; "
			       "reads may return old data",
			       IN_SENTENCE, false},
	[NOTICE_SKIP_PAST_END] = {"%s: cannot skip to specified offset",
				  BEFORE_COLON, false},
	[NOTICE_BAD_OFFSET] = {"warning: invalid file offset after failed "
			       "read",
			       NO_NAME, false},
	[NOTICE_SRC_EMPTY] = {"warning: %s is empty; nothing was copied",
			      IN_SENTENCE, false},
	[NOTICE_SIGNED] = {"warning: the signature in %s was not checked",
			   IN_SENTENCE, false},
	[NOTICE_DIRECT_OFF] = {"failed to turn off O_DIRECT: %s", BEFORE_COLON,
			       false},
};

// Digests need libcrypto, and what is opened libnbd.
static const char *
reason_of(const struct event *f, char *buf, size_t size)
{
	if (f->error != ELIBACC)
		return strerror(f->error);
	if (f->kind != FAILURE_DIGEST)
		return "libnbd.so.0 cannot be loaded";
	snprintf(buf, size, "%s cannot be loaded", digest_soname());
	return buf;
}

static void
tell_words(const struct event *f)
{
	const char *text = words[f->kind].text;
	char *name = NULL, *line = NULL;
	char reason[64];
	int length = -1;

	if (words[f->kind].name == IN_SENTENCE)
		name = quote_name_always(f->name);
	else if (words[f->kind].name == BEFORE_COLON)
		name = quote_name_colon(f->name);
	const char *slot = strstr(text, "%s");
	const int head = slot ? (int)(slot - text) : (int)strlen(text);
	if (name != NULL || slot == NULL)
		length = asprintf(
			&line, "%.*s%s%s%s%s", head, text, name ? name : "",
			slot ? slot + 2 : "", f->error ? ": " : "",
			f->error ? reason_of(f, reason, sizeof(reason)) : "");
	if (length < 0)
		message_error(f->error, "out of memory");
	else if (words[f->kind].has_offset && !message_is_dd())
		message_error(0, "%s (offset %" PRIu64 ")", line, f->off);
	else
		message_error(0, "%s", line);
	free(line);
	free(name);
}

static void
tell_memory(const char *which, uint64_t len)
{
	char size[UNITS_TEXT_MAX];

	units_format_iec(size, sizeof(size), len);
	message_error(0,
		      "memory exhausted by %s buffer of size %" PRIu64
		      " bytes (%s)",
		      which, len, size);
}

static void
tell_differs(const struct event *f)
{
	const bool is_one = f->len == 1;
	char bytes[80] = "", where[64] = "";
	char *name = quote_name_always(f->name);

	if (f->wrote == EVENT_NO_BYTE || f->found == EVENT_NO_BYTE)
		snprintf(bytes, sizeof(bytes), " (the %s ends there)",
			 f->wrote != EVENT_NO_BYTE  ? "destination"
			 : f->kind == FAILURE_OTHER ? "source"
			 : f->map != NULL	    ? "image"
						    : "manifest");
	else if (f->wrote >= 0)
		snprintf(bytes, sizeof(bytes),
			 f->kind == FAILURE_OTHER
				 ? " (first differing byte: source 0x%02x, "
				   "destination 0x%02x)"
				 : " (first differing byte: wrote 0x%02x, "
				   "found 0x%02x)",
			 (unsigned)f->wrote, (unsigned)f->found);
	if (f->kind == FAILURE_OTHER && f->src_off != f->off)
		snprintf(where, sizeof(where), ", %" PRIu64 " of the source,",
			 f->src_off);
	message_error(
		0, "%s: %" PRIu64 " byte%s at offset %" PRIu64 "%s differ%s%s",
		name ? name : "?", f->len, is_one ? "" : "s", f->off, where,
		is_one ? "s" : "", bytes);
	free(name);
}

static void
tell_more(const struct event *f)
{
	char *name = quote_name_always(f->name);

	message_error(0, "%s: %" PRIu64 " more range%s differ%s",
		      name ? name : "?", f->len, f->len == 1 ? "" : "s",
		      f->len == 1 ? "s" : "");
	free(name);
}

static void
tell_not_same(const struct event *f)
{
	char size[UNITS_TEXT_MAX], *name = quote_name_always(f->name);
	char *map = f->map != NULL ? quote_name_always(f->map) : NULL;

	units_format_iec(size, sizeof(size), f->len);
	message_error(0, "%s does NOT match %s%s: %" PRIu64 " range%s, %s",
		      name ? name : "?",
		      f->kind == FAILURE_NOT_SOURCE ? "the source"
		      : f->map != NULL		    ? "the block map "
						    : "what was written",
		      map ? map : "", f->off, f->off == 1 ? "" : "s", size);
	free(map);
	free(name);
}

// Which they are, the map says.
static void
tell_unreadable(const struct event *f)
{
	char *name = quote_name_always(f->name);
	char *map = quote_name_always(f->map);

	message_error(0,
		      "%s: %" PRIu64 " byte%s in %" PRIu64
		      " area%s could not be read%s (map %s)",
		      name ? name : "?", f->len, f->len == 1 ? "" : "s", f->off,
		      f->off == 1 ? "" : "s",
		      f->wrote < 0 ? "" : "; zeros replace them in the copy",
		      map ? map : "?");
	free(name);
	free(map);
}

static void
tell_incomplete(const struct event *f)
{
	if (f->map != NULL) {
		tell_unreadable(f);
		return;
	}
	const char *instead = f->wrote < 0	? "they are missing from"
			      : f->wrote == ' ' ? "spaces replace them in"
						: "zeros replace them in";
	char *name = quote_name_always(f->name);

	message_error(0,
		      "%s%" PRIu64 " byte%s in %" PRIu64
		      " area%s of %s could not be read; %s the copy",
		      event_is_notice(f) ? "warning: " : "", f->len,
		      f->len == 1 ? "" : "s", f->off, f->off == 1 ? "" : "s",
		      name ? name : "?", instead);
	free(name);
}

static void
tell_changed(const struct event *f)
{
	static const struct {
		enum change_of of;
		const char *text;
	} parts[] = {
		{CHANGE_SIZE, ", size"},
		{CHANGE_MTIME, ", mtime"},
		{CHANGE_CTIME, ", ctime"},
	};
	char list[32] = "", *end = list, *name = quote_name_always(f->name);

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (f->changed & parts[i].of)
			end = stpcpy(end, parts[i].text);
	message_error(0, "%s%s changed during the copy: %s",
		      event_is_notice(f) ? "warning: " : "", name ? name : "?",
		      list + 2);
	free(name);
}

static void
tell_pieces(const struct event *f)
{
	char *name = quote_name_always(f->name);

	message_error(f->error,
		      "warning: %s: %" PRIu64 " bytes at offset %" PRIu64
		      " had to be written in smaller pieces",
		      name ? name : f->name, f->len, f->off);
	free(name);
}

// Of one of several destinations.
static void
tell_teed(const struct event *f)
{
	char *name = quote_name_always(f->name);
	char *other = f->kind == FAILURE_TWICE ? quote_name_always(f->word)
					       : NULL;

	if (f->kind == FAILURE_NOT_TEED)
		message_error(0, "cannot copy to %s with tee=: %s",
			      name ? name : "?", f->word);
	else
		message_error(0,
			      "%s and %s are the same destination, or one "
			      "holds the other; leave one out",
			      name ? name : "?", other ? other : "?");
	free(other);
	free(name);
}

// Of the destination alone.
static void
tell_dst(const struct event *f)
{
	char *name = quote_name_always(f->name);

	if (f->kind == FAILURE_TRUNCATE)
		message_error(f->error,
			      "failed to truncate to %" PRIu64
			      " bytes in output file %s",
			      f->off, name ? name : "?");
	else
		message_error(0, "%s is write-protected", name ? name : "?");
	free(name);
}

void
wording_tell(const struct event *f)
{
	switch (f->kind) {
	case FAILURE_SEEK_TOO_LARGE:
		message_error(0,
			      "offset too large: cannot truncate to a length "
			      "of seek=%" PRIu64 " (%" PRIu64 "-byte) blocks",
			      f->off, f->len);
		return;
	case FAILURE_TRUNCATE:
	case FAILURE_WRITE_PROTECTED:
		tell_dst(f);
		return;
	case FAILURE_NOT_TEED:
	case FAILURE_TWICE:
		tell_teed(f);
		return;
	case FAILURE_SRC_MEMORY:
		tell_memory("input", f->len);
		return;
	case FAILURE_DST_MEMORY:
		tell_memory("output", f->len);
		return;
	case FAILURE_DIFFERS:
	case FAILURE_OTHER:
		tell_differs(f);
		return;
	case FAILURE_MORE_DIFFER:
		tell_more(f);
		return;
	case FAILURE_NOT_SAME:
	case FAILURE_NOT_SOURCE:
		tell_not_same(f);
		return;
	case FAILURE_INCOMPLETE:
	case NOTICE_INCOMPLETE:
		tell_incomplete(f);
		return;
	case NOTICE_WRITE_PIECES:
		tell_pieces(f);
		return;
	case FAILURE_SRC_CHANGED:
	case NOTICE_SRC_CHANGED:
		tell_changed(f);
		return;
	case NOTICE_PARTIAL_READ:
		message_error(0,
			      "warning: partial read (%" PRIu64
			      " byte%s); suggest iflag=fullblock",
			      f->len, f->len == 1 ? "" : "s");
		return;
	default:
		tell_words(f);
	}
}
