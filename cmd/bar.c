// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base.h"
#include "clock.h"
#include "units.h"

#define FRAME 4          // " [" and "] "
#define WIDTH_MIN 4
#define WIDTH_MIN_NAMED 10 // a name leaves it at least so much
#define ETA_MAX (99.0 * 3600) // seconds; beyond that it is a guess

// What the phase counts.
struct span {
	uint64_t done;
	uint64_t total; // 0: not known
};

static bool
is_complete(const struct bar *bar)
{
	return bar->is_done &&
	       bar->stats->bytes >= bar->stats->bytes_total;
}

// How much of the source is decompressed is all that is known.
static bool
is_by_input(const struct stats *s)
{
	return s->bytes_total == 0 && s->packed > 0 &&
	       s->packed_total >= s->packed;
}

// The source has holes, and how much data is between them is known.
static bool
knows_data(const struct stats *s)
{
	return s->moved_total > 0 && s->moved_total < s->bytes_total &&
	       s->bytes - s->skipped <= s->moved_total;
}

static struct span
span_of_copy(const struct bar *bar)
{
	const struct stats *s = bar->stats;
	const uint64_t data = s->bytes - s->skipped;

	if (s->rescue.len > 0) // what was there before is rescued, too
		return (struct span){s->rescue.before + s->bytes,
				     s->rescue.len};
	if (knows_data(s)) // of which there was less, maybe
		return (struct span){data, is_complete(bar)
						   ? data
						   : s->moved_total};
	if (is_by_input(s))
		return (struct span){s->packed, s->packed_total};
	if (s->bytes_total == 0)
		return (struct span){.done = s->bytes};
	return (struct span){s->bytes, max_u64(s->bytes_total, s->bytes)};
}

static struct span
span_of(const struct bar *bar)
{
	const struct stats *s = bar->stats;

	switch (bar->phase) {
	case STATS_VERIFYING:
		return (struct span){s->verified, s->rescue.len > 0
							  ? s->rescue.len
							  : s->bytes};
	case STATS_FLUSHING:
		// All was given to the device: only it knows how long.
		if (bar->on_device == 0 || bar->on_device >= s->bytes)
			return (struct span){.done = s->bytes};
		return (struct span){bar->on_device, s->bytes};
	default:
		return span_of_copy(bar);
	}
}

// Seconds until the end of the phase; 0: not known, or there is none.
static uint64_t
seconds_left(const struct bar *bar, const struct span *span)
{
	const struct stats *s = bar->stats;
	uint64_t left = span->total - min_u64(span->done, span->total);

	// What is behind it gets larger as what was before.
	if (bar->phase == STATS_COPYING && is_by_input(s))
		left = (uint64_t)((double)left * (double)s->bytes /
				  (double)s->packed);

	// There can be more data than that, but no more than what is left.
	if (bar->phase == STATS_COPYING && s->bytes_total > s->bytes)
		left = min_u64(left, s->bytes_total - s->bytes);
	if (bar->is_done || bar->is_stopping || left == 0 ||
	    bar->rate <= (double)left / ETA_MAX)
		return 0;
	return (uint64_t)((double)left / bar->rate) + 1;
}

// "0:12", "1:02:03"
static void
format_time(char *buf, size_t size, uint64_t seconds)
{
	const uint64_t hours = seconds / 3600, minutes = seconds / 60 % 60;

	if (hours > 0)
		snprintf(buf, size, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
			 hours, minutes, seconds % 60);
	else
		snprintf(buf, size, "%" PRIu64 ":%02" PRIu64, minutes,
			 seconds % 60);
}

// The texts of a line. What is not known is empty.
struct parts {
	char path[BAR_COLUMNS_MAX]; // "/dev/sdb:"
	const char *name;            // the last word of it
	const char *phase;
	char percent[8];
	char amount[UNITS_TEXT_MAX + 8];
	char holes[UNITS_TEXT_MAX + 16];
	char bad[UNITS_TEXT_MAX + 64];
	char pass[16];
	char on_disk[UNITS_TEXT_MAX + 16];
	char rate[UNITS_TEXT_MAX];
	char elapsed[UNITS_TEXT_MAX + 8];
	char eta[UNITS_TEXT_MAX + 8];
};

// What a line has beside its percentage; the first to go stands first.
enum {
	HAS_PATH = 1 << 0,
	HAS_NAME = 1 << 1,
	HAS_ON_DISK = 1 << 2,
	HAS_BAR = 1 << 3,
	HAS_ELAPSED = 1 << 4,
	HAS_HOLES = 1 << 5,
	HAS_RATE = 1 << 6,
	HAS_ETA = 1 << 7,
	HAS_BAD = 1 << 8,
	HAS_AMOUNT = 1 << 9,
	HAS_PHASE = 1 << 10,
	HAS_ALL = (1 << 11) - 1,
};

static void
format_name(struct parts *parts, const char *name)
{
	const char *slash;

	parts->name = parts->path;
	// A longer one does not fit in any case.
	if (name == NULL || strlen(name) + 2 > sizeof(parts->path))
		return;
	snprintf(parts->path, sizeof(parts->path), "%s:", name);
	slash = strrchr(parts->path, '/');
	if (slash != NULL && slash[1] != ':')
		parts->name = slash + 1;
}

// Data and holes apart, or how much of the copy has reached the device.
static void
format_amount(struct parts *parts, const struct bar *bar,
	      struct span span)
{
	const struct stats *s = bar->stats;
	const bool is_copy = bar->phase == STATS_COPYING;
	const bool is_apart = is_copy && (knows_data(s) ||
					  (s->skipped > 0 &&
					   s->skipped < s->bytes));
	char text[UNITS_TEXT_MAX];

	if (is_apart && !knows_data(s))
		span = (struct span){.done = s->bytes - s->skipped};
	if (is_copy && is_by_input(s)) {
		units_format_part(text, sizeof(text), span.done, span.total);
		snprintf(parts->holes, sizeof(parts->holes), ", %s packed",
			 text);
		span = (struct span){.done = s->bytes};
	}
	if (span.total > 0)
		units_format_part(text, sizeof(text), span.done, span.total);
	else
		units_format_iec(text, sizeof(text), span.done);
	snprintf(parts->amount, sizeof(parts->amount), "%s%s", text,
		 is_apart ? " data" : "");
	if (is_apart && s->skipped > 0)
		snprintf(parts->holes, sizeof(parts->holes), ", %s holes",
			 units_format_iec(text, sizeof(text), s->skipped));
	if (is_copy && !is_apart && bar->on_device > 0 &&
	    bar->on_device < s->bytes)
		snprintf(parts->on_disk, sizeof(parts->on_disk),
			 " (%s on disk)",
			 units_format_iec(text, sizeof(text),
					  bar->on_device));
}

// What a rescue is at, and what it could not read so far.
static void
format_rescue(struct parts *parts, const struct stats_rescue *rescue)
{
	const uint64_t bad = rescue->failed + rescue->bad;
	const uint64_t nr = rescue->nr_areas;
	char text[UNITS_TEXT_MAX], late[24] = "";

	switch (rescue->phase) {
	case '*':
		parts->phase = "trimming";
		break;
	case '/':
		parts->phase = "scraping";
		break;
	case '-':
		parts->phase = "retrying";
		break;
	default:
		if (rescue->pass > 1)
			snprintf(parts->pass, sizeof(parts->pass), "pass %u",
				 rescue->pass);
		parts->phase = parts->pass;
	}
	if (rescue->nr_overdue > 0)
		snprintf(late, sizeof(late), ", %u overdue",
			 rescue->nr_overdue);
	if (bad > 0)
		snprintf(parts->bad, sizeof(parts->bad),
			 ", %s bad in %" PRIu64 " area%s%s",
			 units_format_iec(text, sizeof(text), bad), nr,
			 nr == 1 ? "" : "s", late);
	else
		snprintf(parts->bad, sizeof(parts->bad), "%s", late);
}

static void
format_parts(struct parts *parts, const struct bar *bar,
	     uint64_t now, const struct span *span)
{
	static const char *const phases[] = {
		[STATS_COPYING] = "",
		[STATS_FLUSHING] = "flushing",
		[STATS_VERIFYING] = "verifying",
	};
	// Shared blocks have none, nor a sync of which nothing is known.
	const bool has_rate = bar->rate > 0 ||
			      (!bar->is_done &&
			       (bar->phase != STATS_FLUSHING ||
				span->total > 0));
	const uint64_t left = seconds_left(bar, span);
	char text[UNITS_TEXT_MAX - 2];

	*parts = (struct parts){.phase = phases[bar->phase]};
	format_name(parts, bar->name);
	if (span->total > 0)
		snprintf(parts->percent, sizeof(parts->percent), "%3u%%",
			 (unsigned)((double)span->done * 100 /
				    (double)span->total));
	format_amount(parts, bar, *span);
	if (bar->phase == STATS_COPYING && bar->stats->rescue.len > 0)
		format_rescue(parts, &bar->stats->rescue);
	if (bar->is_stopping && !bar->is_done)
		parts->phase = "stopping";
	if (has_rate)
		snprintf(parts->rate, sizeof(parts->rate), "%s/s",
			 units_format_iec(text, sizeof(text),
					  (uint64_t)bar->rate));
	format_time(text, sizeof(text),
		    (now - bar->stats->start_ns) / SECOND_NS);
	snprintf(parts->elapsed, sizeof(parts->elapsed), "%s elapsed", text);
	format_time(text, sizeof(text), left);
	if (left > 0)
		snprintf(parts->eta, sizeof(parts->eta), "ETA %s", text);
}

static void
append(char *line, const char *between, const char *text)
{
	const size_t length = strlen(line);

	if (*text != '\0')
		snprintf(line + length, BAR_TEXT_MAX - length, "%s%s",
			 length > 0 ? between : "", text);
}

static void
format_head(char *line, const struct parts *parts, unsigned has)
{
	*line = '\0';
	if (has & HAS_NAME)
		append(line, "", has & HAS_PATH ? parts->path : parts->name);
	if (has & HAS_PHASE)
		append(line, " ", parts->phase);
	append(line, " ", parts->percent);
}

static void
format_tail(char *line, const struct parts *parts, unsigned has)
{
	*line = '\0';
	if (has & HAS_AMOUNT || *parts->percent == '\0')
		append(line, "", parts->amount);
	if (has & HAS_HOLES)
		append(line, "", parts->holes);
	if (has & HAS_ON_DISK)
		append(line, "", parts->on_disk);
	if (has & HAS_BAD)
		append(line, "", parts->bad);
	if (has & HAS_RATE)
		append(line, "  ", parts->rate);
	if (has & HAS_ELAPSED)
		append(line, "  ", parts->elapsed);
	if (has & HAS_ETA)
		append(line, "  ", parts->eta);
}

// Columns of the terminal.
static int
width_of(const char *text)
{
	wchar_t wide[BAR_TEXT_MAX];
	const size_t length = mbstowcs(wide, text, BAR_TEXT_MAX);
	const int width = length < BAR_TEXT_MAX ? wcswidth(wide, length)
						  : -1;

	return width >= 0 ? width : (int)strlen(text);
}

static void
append_bar(char *line, int width, const struct span *span)
{
	char bar[BAR_COLUMNS_MAX + 1];
	const int full = (int)((double)width * (double)span->done /
			       (double)span->total);

	for (int i = 0; i < width; i++)
		bar[i] = i < full ? '=' : i == full ? '>' : ' ';
	bar[width] = '\0';
	append(line, " [", bar);
	append(line, "", "] ");
}

// False: it needs more columns.
static bool
format_line(char *line, const struct parts *parts, unsigned has, int columns,
	    const struct span *span)
{
	const bool has_bar = has & HAS_BAR && span->total > 0;
	char tail[BAR_TEXT_MAX];

	format_head(line, parts, has);
	format_tail(tail, parts, has);
	const int room = columns - width_of(line) - width_of(tail);
	const bool is_named = has & HAS_NAME && *parts->name != '\0';
	const int width = room - FRAME;
	if (has_bar && width >= (is_named ? WIDTH_MIN_NAMED : WIDTH_MIN)) {
		append_bar(line, width, span);
		append(line, "", tail);
		return true;
	}
	append(line, *parts->percent != '\0' ? "  " : " ", tail);
	return !has_bar && width_of(line) <= columns;
}

int
bar_format(const struct bar *bar, uint64_t now_ns, int columns,
	   char line[BAR_TEXT_MAX])
{
	const struct span span = span_of(bar);
	struct parts parts;
	unsigned has = HAS_ALL;

	format_parts(&parts, bar, now_ns, &span);
	while (!format_line(line, &parts, has, columns, &span) && has != 0)
		has &= has - 1; // the first of those that are left
	const int width = width_of(line);
	if (width <= columns)
		return width;
	*line = '\0';
	return 0;
}
