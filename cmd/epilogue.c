// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "epilogue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "durability.h"
#include "expect.h"
#include "message.h"
#include "options.h"
#include "outcome.h"
#include "quote.h"
#include "stats.h"
#include "transfer.h"
#include "units.h"

static void
print_bytes(uint64_t nr, const char *one, const char *many)
{
	char *text = NULL;

	if (asprintf(&text, "%" PRIu64 " %s", nr, nr == 1 ? one : many) > 0)
		message_line(text);
	free(text);
}

// What update=yes has touched.
static void
print_update(const struct options *options, const struct transfer *t,
	     const struct stats *s)
{
	const uint64_t written = stats_written(s);

	if (options->request.compare != REQUEST_COMPARE_UPDATE ||
	    options->level != REPORT_ALL)
		return;
	if (!transfer_plan(t)->is_compared) {
		print_bytes(written,
			    "byte was written; there was nothing to compare "
			    "it with",
			    "bytes were written; there was nothing to compare "
			    "them with");
		return;
	}
	if (s->unchecked > 0)
		print_bytes(s->unchecked,
			    "byte could not be compared and was written",
			    "bytes could not be compared and were written");
	print_bytes(written - min_u64(written, s->unchecked),
		    "byte was different and was written",
		    "bytes were different and were written");
}

// What the manifest has spared.
static void
print_known(const struct options *options, const struct stats *s)
{
	const uint64_t known = s->known;
	char *text = NULL;

	if (options->request.manifest == NULL ||
	    request_is_attested(&options->request) ||
	    options->level != REPORT_ALL)
		return;
	if (asprintf(&text, "%" PRIu64 " byte%s known from the manifest", known,
		     known == 1 ? " was" : "s were") > 0)
		message_line(text);
	free(text);
}

void
epilogue_counts(const struct options *options, const struct transfer *t,
		const struct stats *s)
{
	print_update(options, t, s);
	print_known(options, s);
}

static void
print_of(const char *of, const char *words)
{
	char *name = quote_name_always(of), *text = NULL;

	if (name != NULL && asprintf(&text, "%s %s", name, words) > 0)
		message_line(text);
	free(text);
	free(name);
}

static void
print_expected(const struct request *q, const struct transfer *t)
{
	const struct transfer_side src = transfer_src(t);
	const struct expect_found found = {
		.name = src.name,
		.hasher = transfer_hasher(t),
		.packed_hasher = transfer_packed_hasher(t)};
	char *text;

	if (q->expected.algs == 0)
		return;
	text = expect_word(&found, q, src.facts, src.start);
	if (text != NULL)
		message_line(text);
	free(text);
}

// All of it, or the copy would have ended.
static void
print_guided(const struct transfer *t)
{
	const struct guide *g = &t->guide;
	char *name, *map, *text = NULL;

	if (!guide_has_digests(g) || request_is_attested(t->env.asked))
		return;
	name = quote_name_always(transfer_src(t).name);
	map = quote_name_always(g->path);
	if (name != NULL && map != NULL &&
	    asprintf(&text,
		     g->bmap.nr_digests < g->bmap.ranges.nr
			     ? "%s was checked in part: some ranges of the "
			       "block map %s have no checksum (%s)"
			     : "%s matches the block map %s (%s)",
		     name, map, digest_name(g->bmap.alg)) > 0)
		message_line(text);
	free(text);
	free(map);
	free(name);
}

// What is between the ranges nobody has looked at.
static void
print_surveyed(const struct transfer *t)
{
	const struct bmap *bmap = &t->guide.bmap;
	char *name = quote_name_always(transfer_dst(t).name);
	char *map = quote_name_always(t->guide.path), *text = NULL;

	if (name != NULL && map != NULL &&
	    asprintf(&text,
		     "%s matches the block map %s: %" PRIu64 " of %" PRIu64
		     " bytes were checked (%s)",
		     name, map, t->env.stats->bytes, bmap->ranges.size,
		     digest_name(bmap->alg)) > 0)
		message_line(text);
	free(text);
	free(map);
	free(name);
}

// Whoever thinks that the disk is now as the source is.
static void
print_untouched(const struct transfer *t)
{
	const uint64_t len = outcome_untouched(t);
	char size[UNITS_TEXT_MAX], *name, *text = NULL;

	if (len == 0)
		return;
	units_format_iec(size, sizeof(size), len);
	name = quote_name_always(transfer_dst(t).name);
	if (name != NULL &&
	    asprintf(&text, "the last %s of %s still hold old data", size,
		     name) > 0)
		message_line(text);
	free(text);
	free(name);
}

void
epilogue_good(const struct options *options, const struct transfer *t,
	      const struct stats *s)
{
	const char *dst = transfer_dst(t).name;

	if (options->level != REPORT_ALL || options->request.plan_only)
		return;
	print_expected(&options->request, t);
	print_guided(t);
	if (t->legs != NULL)
		return; // each has a line of its own
	print_untouched(t);
	if (options->request.verify)
		print_of(dst, "is verified");
	if (options->request.compare == REQUEST_COMPARE_BMAP)
		print_surveyed(t);
	else if (request_is_attested(&options->request))
		print_of(dst, "matches the manifest");
	else if (!request_writes(&options->request))
		print_of(dst, s->known > 0 ? "matches the source, according to "
					     "the manifest"
					   : "matches the source");
	if (!options->request.is_dd && durability_is_safe_to_remove(t))
		print_of(dst, "is safe to remove");
}

// What was hashed, or is to be compared, is only known of this part.
void
epilogue_interrupted(const struct options *options, const struct transfer *t)
{
	const struct request *q = &options->request;
	struct outcome_rest rest;
	char count[sizeof(" count=B") + UNITS_TEXT_MAX] = "", *text = NULL;

	if (options->level != REPORT_ALL ||
	    !outcome_can_go_on(t, &rest))
		return;
	if (rest.count != UINT64_MAX)
		(void)snprintf(count, sizeof(count), " count=%" PRIu64 "B",
			       rest.count);
	if (asprintf(&text,
		     "to go on: skip=%" PRIu64 "B seek=%" PRIu64
		     "B%s conv=notrunc%s",
		     rest.skip, rest.seek, count,
		     request_is_hashed(q) || q->expected.algs != 0
			     ? " (hash=, expect= and verify= are then of the "
			       "rest only)"
			     : "") > 0)
		message_line(text);
	free(text);
}
