// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "targets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "durability.h"
#include "legs.h"
#include "message.h"
#include "options.h"
#include "outcome.h"
#include "quote.h"
#include "units.h"

static const char *
word_of(const struct leg *leg)
{
	if (leg->is_stalled)
		return "stalled";
	switch (leg->verdict) {
	case TRANSFER_OK:
		return "ok";
	case TRANSFER_DIFFERS:
		return "differs";
	case TRANSFER_UNEXPECTED:
		return "unexpected";
	case TRANSFER_STOPPED:
		return "stopped";
	default:
		return "failed";
	}
}

unsigned
targets_nr(const struct transfer *t)
{
	return t->legs != NULL ? t->legs->nr : 0;
}

const char *
targets_name(const struct transfer *t, unsigned nr)
{
	return t->legs != NULL ? t->legs->all[nr].asked.dst : NULL;
}

struct targets_one
targets_at(const struct transfer *t, unsigned nr)
{
	static const char *const kinds[] = {
		[FACTS_STREAM] = "stream", [FACTS_FILE] = "file",
		[FACTS_BLOCK] = "block",   [FACTS_NULL] = "null",
		[FACTS_ZERO] = "zero",	   [FACTS_NBD] = "nbd",
	};
	const struct leg *leg = &t->legs->all[nr];
	const struct transfer view = legs_view(t, nr);
	const bool is_good = t->legs->is_begun && leg->verdict == TRANSFER_OK;
	// The name stands for what was there before.
	const bool is_there = is_good ||
			      leg->asked.commit != REQUEST_COMMIT_RENAME;

	const uint64_t written = durability_stats(&view).bytes;

	return (struct targets_one){
		.name = leg->asked.dst,
		.kind = leg->is_open ? kinds[leg->out->side.facts.kind] : NULL,
		.verdict = t->legs->is_begun ? word_of(leg)
			   : leg->is_cut     ? "failed"
					     : "untouched",
		.written = written,
		.bytes = is_there ? written : 0,
		.durable = durability_durable(&view),
		.is_verified = is_good && leg->asked.verify,
		.is_safe_to_remove = is_good &&
				     durability_is_safe_to_remove(&view),
		.nr_differing = leg->stats.nr_differing,
		.differing = leg->stats.differing,
	};
}

// "'/dev/sdb': 1048576 bytes, verified, safe to remove"
static void
print_line(const struct transfer *t, unsigned nr)
{
	const struct leg *leg = &t->legs->all[nr];
	const struct targets_one one = targets_at(t, nr);
	const struct transfer view = legs_view(t, nr);
	const bool is_good = t->legs->is_begun && leg->verdict == TRANSFER_OK;
	const uint64_t old = is_good ? outcome_untouched(&view) : 0;
	char *name = quote_name_always(one.name), *text = NULL;
	char size[UNITS_TEXT_MAX];
	char rest[sizeof("; the last  still hold old data") + UNITS_TEXT_MAX];

	units_format_iec(size, sizeof(size), old);
	snprintf(rest, sizeof(rest), "; the last %s still hold old data", size);
	if (name != NULL &&
	    asprintf(&text, "%s: %" PRIu64 " byte%s, %s%s%s%s", name, one.bytes,
		     one.bytes == 1 ? "" : "s",
		     is_good				? "complete"
		     : leg->is_stalled			? "GIVEN UP"
		     : leg->verdict == TRANSFER_DIFFERS ? "DIFFERS"
		     : leg->verdict == TRANSFER_UNEXPECTED
			     ? "NOT the expected source"
		     : leg->verdict == TRANSFER_STOPPED ? "STOPPED"
							: "FAILED",
		     one.is_verified ? ", verified" : "",
		     one.is_safe_to_remove ? ", safe to remove" : "",
		     old > 0 ? rest : "") > 0)
		message_line(text);
	free(text);
	free(name);
}

void
targets_conclude(const struct options *options, const struct transfer *t)
{
	for (unsigned i = 0; i < t->legs->nr && t->legs->is_begun; i++) {
		const struct transfer view = legs_view(t, i);

		outcome_tell(&view, t->legs->all[i].verdict);
	}
	for (unsigned i = 0; i < t->legs->nr && options->level == REPORT_ALL;
	     i++)
		if (t->legs->is_begun || t->legs->all[i].is_cut)
			print_line(t, i);
}
