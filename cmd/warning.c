// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "warning.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "disk.h"
#include "guide.h"
#include "mapkeep.h"
#include "message.h"
#include "mounts.h"
#include "quote.h"
#include "units.h"
#include "vouch.h"

static void
tell_space(const struct event *f, const char *name)
{
	char has[UNITS_TEXT_MAX], needs[UNITS_TEXT_MAX];

	units_format_iec(has, sizeof(has), f->off);
	units_format_iec(needs, sizeof(needs), f->len);
	if (strcmp(has, needs) == 0) {
		snprintf(has, sizeof(has), "%" PRIu64 " bytes", f->off);
		snprintf(needs, sizeof(needs), "%" PRIu64 " bytes", f->len);
	}
	message_error(0, "warning: the file system of %s has %s free, but the "
			 "copy needs %s", name, has, needs);
}

static void
tell_sectors(const struct event *f, const char *name)
{
	message_error(0, "warning: %s has %" PRIu64 "-byte sectors, but the "
			 "source was partitioned for %" PRIu64 "-byte sectors: "
			 "its partitions will not be found", name, f->len,
			 f->off);
}

static void
tell_backup(const struct event *f, const char *name)
{
	char disk[DISK_NAME_MAX];

	message_error(0, "warning: the backup GPT will not be at the end of "
			 "%s; after the copy run: sgdisk -e %s", name,
		      disk_name(f->use->dev, disk, sizeof(disk)));
}

static void
tell_table(const struct event *f, const char *name)
{
	const bool needs_root = f->error == EACCES || f->error == EPERM;
	char *word = quote_name_colon(f->name);

	message_error(0, "warning: cannot make the kernel read the partition "
			 "table of %s again: %s; %s run: blockdev "
			 "--rereadpt %s",
		      name, strerror(f->error),
		      needs_root ? "as root" : "when nothing uses it",
		      word ? word : "?");
	free(word);
}

// Of any file of ours.
static const char *const faults_of_ours[OURS_NR] = {
	[OURS_NO_FILE] = "not a regular file",
	[OURS_SIDE] = "it is the source or destination",
	[OURS_IN_USE] = "another run is using it",
	[OURS_NO_DEVICE] = "there is no such device, and no file is made in "
			   "/dev",
};

static void
tell_unknown(const struct event *f, const char *name)
{
	const bool is_one = f->len == 1;
	const char *const nr = is_one ? "byte" : "bytes";
	const char *const was = is_one ? "was" : "were";

	if (f->map != NULL)
		message_error(0,
			      "%" PRIu64 " %s of %s %s not checked: the "
			      "source cannot be read there any more",
			      f->len, nr, name, was);
	else
		message_error(0,
			      "%" PRIu64 " %s of %s %s no digest in the "
			      "manifest and %s not checked",
			      f->len, nr, name, is_one ? "has" : "have", was);
}

static void
tell_no_checksum(const struct event *f, const char *name)
{
	const bool is_one = f->len == 1;
	char *map = quote_name_always(f->map);

	message_error(0,
		      "%" PRIu64 " byte%s of %s %s no checksum in the block "
		      "map %s and %s not checked",
		      f->len, is_one ? "" : "s", name, is_one ? "has" : "have",
		      map ? map : "?", is_one ? "was" : "were");
	free(map);
}

static void
tell_untried(const struct event *f, const char *name)
{
	char *map = quote_name_always(f->map);

	const char *const are = f->len == 1 ? " is" : "s are";

	if (f->fault == MAPKEEP_UNSAVED)
		message_error(0,
			      "%s: %" PRIu64 " byte%s still to be copied by "
			      "what is in the map %s, which could not be saved",
			      name, f->len, are, map ? map : "?");
	else
		message_error(0,
			      "%s: %" PRIu64 " byte%s still to be copied; the "
			      "same command goes on (map %s)",
			      name, f->len, are, map ? map : "?");
	free(map);
}

// Of a map: without it the copy goes on.
static void
tell_unkept(const struct event *f)
{
	char *name = quote_name_colon(f->name);
	char *map = quote_name_colon(f->map);

	message_error(f->error,
		      "warning: map=%s: no digests are kept in %s, and "
		      "verify=yes has to read the source again",
		      map ? map : "?", name ? name : "?");
	free(map);
	free(name);
}

static void
tell_manifest(const struct event *f)
{
	static const char *const faults[] = {
		[VOUCH_FOREIGN] = "it is no manifest; name another file, or "
				  "remove it",
		[VOUCH_EMPTY] = "it has no digests",
		[VOUCH_NONE] = "there is no manifest yet",
		[VOUCH_FORMAT] = "its format is not known to this version",
		[VOUCH_DAMAGED] = "it is damaged",
		[VOUCH_OTHER] = "it is of another destination",
		[VOUCH_CHANGED] = "the destination was changed since",
		[VOUCH_DIFFERS] = "the destination is not as it says",
		[VOUCH_UNREAD] = "the destination cannot be read",
	};
	const bool is_notice = event_is_notice(f);
	const char *fault = f->fault < OURS_NR ? faults_of_ours[f->fault]
					       : faults[f->fault];
	char *name = quote_name_colon(f->name);
	char *map = f->map != NULL ? quote_name_colon(f->map) : NULL;

	// The user has named the map, not what lies beside it.
	message_error(f->error, "%s%s%s%s%s%s%s%s",
		      is_notice ? "warning: " : "",
		      f->map ? "map=" : "manifest=", map ? map : "",
		      f->map ? ": " : "", name ? name : "?",
		      is_notice ? " does not count: "
		      : fault	? ": "
				: "",
		      fault ? fault : "",
		      !is_notice ? ""
		      : f->map	 ? ", so it is begun anew"
				 : ", so the destination is read");
	free(map);
	free(name);
}

static void
tell_map(const struct event *f)
{
	static const char *const faults[] = {
		[MAPKEEP_SRC_STREAM] = "the source is neither a file nor a "
				       "block device",
		[MAPKEEP_SAME_SIDES] = "source and destination are the same",
		[MAPKEEP_DST_STREAM] = "the destination is neither a file nor "
				       "a block device",
		[MAPKEEP_PAST_SRC] = "it goes on behind the end of the source",
		[MAPKEEP_PAST_DST] = "the destination lacks what it says is "
				     "copied; to begin anew, remove the map",
		[MAPKEEP_UNSAVED] = "it cannot be saved",
		[MAPKEEP_OTHER_SRC] = "it is of another source; force=map uses "
				      "it anyway",
		[MAPKEEP_OTHER_DST] = "it is of another destination; force=map "
				      "uses it anyway",
		[MAPKEEP_OTHER_PLACE] = "it was made with another skip= or "
					"seek=; force=map uses it anyway",
	};
	const char *fault = f->fault < OURS_NR ? faults_of_ours[f->fault]
					       : faults[f->fault];
	char *name = quote_name_colon(f->name);

	if (f->fault == MAPKEEP_DAMAGED)
		message_error(0,
			      "map=%s: line %" PRIu64 " is none of a "
			      "mapfile; correct it, or name another file",
			      name ? name : "?", f->len);
	else
		message_error(f->error, "map=%s%s%s", name ? name : "?",
			      fault ? ": " : "", fault ? fault : "");
	free(name);
}

// Of what it is about: "%s" is the word.
static const char *const bmap_faults[] = {
	[BMAP_FOREIGN] = "it is not a block map",
	[BMAP_SIGNED] = "it is signed; give the map itself, as gpg --decrypt "
			"prints it",
	[BMAP_XML] = "it is not well-formed XML",
	[BMAP_DOCTYPE] = "it has a document type declaration",
	[BMAP_VERSION] = "its version %s is not known",
	[BMAP_MISSING] = "it has no %s",
	[BMAP_VALUE] = "its %s makes no sense",
	[BMAP_ALGORITHM] = "its checksums are of an unknown type, %s",
	[BMAP_LEFT_OUT] = "%s was left out of this build",
	[BMAP_UNLOADABLE] = "%s, which computes its checksums, cannot be "
			    "loaded",
	[BMAP_RANGE] = "a range is none, or is out of order",
	[BMAP_BLOCKS] = "its %s does not agree with its other numbers",
	[BMAP_DAMAGED] = "it is damaged: its own checksum is wrong",
	[GUIDE_ERROR] = NULL,
	[GUIDE_LARGE] = "it is too large to be a block map",
	[GUIDE_SIDE] = "it is the source or destination",
	[GUIDE_NO_LIBRARY] = "libexpat.so.1, which reads it, cannot be loaded",
	[GUIDE_SRC_IS_MAP] = "the source is a block map itself; give its image "
			     "as the source",
};

// The word is that of a stranger.
static void
tell_bmap(const struct event *f)
{
	const char *fault = bmap_faults[f->fault];
	char *name = quote_name_colon(f->name);
	char *word = quote_name_always(f->word);
	const char *at = fault != NULL ? strstr(fault, "%s") : NULL;
	char line[sizeof("line : ") + 20] = "";

	if (f->len > 0)
		snprintf(line, sizeof(line), "line %" PRIu64 ": ", f->len);
	if (at != NULL)
		message_error(0, "bmap=%s: %s%.*s%s%s", name ? name : "?", line,
			      (int)(at - fault), fault, word ? word : "?",
			      at + 2);
	else
		message_error(f->error, "bmap=%s%s%s%s", name ? name : "?",
			      fault ? ": " : "", line, fault ? fault : "");
	free(word);
	free(name);
}

static void
tell_bmap_size(const struct event *f, const char *name)
{
	char *map = quote_name_always(f->map);
	char has[32], hint[80] = "";

	if (f->len >= EVENT_FEWER)
		snprintf(has, sizeof(has), "%s bytes",
			 f->len == EVENT_MORE ? "more" : "fewer");
	else
		snprintf(has, sizeof(has), "%" PRIu64 " byte%s", f->len,
			 f->len == 1 ? "" : "s");
	if (f->fault != DECODE_NONE && f->fault < DECODE_NR)
		snprintf(hint, sizeof(hint),
			 "; the source is compressed (%s): "
			 "decompress=auto "
			 "decompresses it",
			 decode_name(f->fault));
	message_error(0,
		      "%s has %s, but %s is the block map of an image of "
		      "%" PRIu64 " bytes%s",
		      name, has, map ? map : "?", f->off, hint);
	free(map);
}

static void
tell_bmap_range(const struct event *f, const char *name)
{
	char *map = quote_name_always(f->map);

	message_error(0,
		      "%s: %" PRIu64 " bytes at %" PRIu64 " do not have the %s "
		      "that the block map %s says",
		      name, f->len, f->off,
		      digest_name((enum digest_alg)f->fault), map ? map : "?");
	free(map);
}

static void
tell_no_bmap(const struct event *f, const char *name)
{
	(void)f;
	message_error(0,
		      "warning: no block map was found for %s: all of it is "
		      "copied",
		      name);
}

static void
tell_full_bmap(const struct event *f, const char *name)
{
	char *map = quote_name_always(f->map);

	message_error(0,
		      "warning: %s has no holes: the block map %s will list "
		      "all of it",
		      name, map ? map : "?");
	free(map);
}

bool
warning_tell(const struct event *f)
{
	void (*tell)(const struct event *f, const char *name);

	switch (f->kind) {
	case FAILURE_MANIFEST:
	case NOTICE_MANIFEST:
		if (event_is_notice(f) && f->fault == OURS_ERROR)
			tell_unkept(f);
		else
			tell_manifest(f);
		return true;
	case FAILURE_MAP:
		tell_map(f);
		return true;
	case FAILURE_BMAP:
		tell_bmap(f);
		return true;
	case FAILURE_BMAP_SIZE:
		tell = tell_bmap_size;
		break;
	case FAILURE_BMAP_RANGE:
		tell = tell_bmap_range;
		break;
	case NOTICE_FULL_BMAP:
		tell = tell_full_bmap;
		break;
	case NOTICE_NO_BMAP:
		tell = tell_no_bmap;
		break;
	case FAILURE_UNKNOWN:
		tell = tell_unknown;
		break;
	case FAILURE_NO_CHECKSUM:
		tell = tell_no_checksum;
		break;
	case FAILURE_UNTRIED:
		tell = tell_untried;
		break;
	case NOTICE_SPACE:
		tell = tell_space;
		break;
	case NOTICE_SECTORS:
		tell = tell_sectors;
		break;
	case NOTICE_BACKUP:
		tell = tell_backup;
		break;
	case NOTICE_TABLE_KEPT:
		tell = tell_table;
		break;
	default:
		return false;
	}
	char *name = quote_name_always(f->name);
	tell(f, name ? name : "?");
	free(name);
	return true;
}
