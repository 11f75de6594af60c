// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "object.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_JANSSON
#include "base.h"
#include "compat.h"
#include "durability.h"
#include "element.h"
#include "exit_codes.h"
#include "figures.h"
#include "object_start.h"
#include "outcome.h"
#include "targets.h"

bool
object_is_available(void)
{
	return true;
}

int
object_load(void)
{
	return element_load();
}

static double
seconds_of(uint64_t ns)
{
	return (double)ns / 1e9;
}

// nr elements. NULL: no memory.
static json_t *
array_of(const struct journal *j, size_t nr,
	 json_t *(*make)(const struct journal *j, size_t i))
{
	json_t *array = element.array();

	for (size_t i = 0; array != NULL && i < nr; i++) {
		if (element.append(array, make(j, i)) == 0)
			continue;
		element.delete(array);
		return NULL;
	}
	return array;
}

static json_t *
total_of(const struct journal *j)
{
	const uint64_t total = j->stats->bytes_total;

	return element_number(total, total > 0);
}

char *
object_start(const struct journal *j)
{
	return element_line(object_start_of(j));
}

static json_t *
verified_of(const struct journal *j)
{
	return element_number(j->stats->verified, j->phase == STATS_VERIFYING);
}

static const char *const phases[] = {
	[STATS_COPYING] = "copy",
	[STATS_FLUSHING] = "flush",
	[STATS_VERIFYING] = "verify",
};

static const char *
step_of(char phase)
{
	switch (phase) {
	case '*':
		return "trim";
	case '/':
		return "scrape";
	case '-':
		return "retry";
	case '+':
		return "end";
	default:
		return "copy";
	}
}

static json_t *
rescue_of(const struct stats_rescue *r)
{
	if (r->len == 0)
		return element.null();
	return element.pack(
		"{s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:I}", "rescued",
		(json_int_t)(r->len - r->untried - r->failed - r->bad),
		"untried", (json_int_t)r->untried, "failed",
		(json_int_t)r->failed, "bad", (json_int_t)r->bad, "areas",
		(json_int_t)r->nr_areas, "step", step_of(r->phase), "pass",
		(json_int_t)r->pass, "overdue", (json_int_t)r->nr_overdue);
}

char *
object_progress(const struct journal *j, uint64_t now_ns, uint64_t rate)
{
	const struct stats *s = j->stats;

	return element_line(element.pack(
		"{s:s, s:f, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:o}",
		"type", "progress", "seconds",
		seconds_of(journal_time(j, now_ns)), "phase", phases[j->phase],
		"bytes", (json_int_t)journal_bytes(j), "moved",
		(json_int_t)stats_moved(s), "on_device",
		(json_int_t)durability_on_device(j->transfer), "durable",
		(json_int_t)journal_durable(j), "verified", verified_of(j),
		"bytes_total", total_of(j), "packed",
		element_number(s->packed, s->packed > 0), "rate",
		(json_int_t)rate, "rescue", rescue_of(&s->rescue)));
}

static json_t *
event_of(const struct journal_event *e)
{
	return element.pack(
		"{s:s, s:f, s:s, s:s?, s:s?, s:o, s:o, s:o, s:s?, s:o}", "type",
		"event", "seconds", seconds_of(e->ns), "level",
		e->is_warning ? "warning" : "error", "phase", e->phase, "check",
		e->check, "name", element_string(e->name), "offset",
		element_number(e->off, e->has_range), "length",
		element_number(e->len, e->has_range && e->len > 0), "errno",
		e->error > 0 ? strerrorname_np(e->error) : NULL, "message",
		element_string(e->text));
}

char *
object_event(const struct journal_event *event)
{
	return element_line(event_of(event));
}

static json_t *
kept_event_of(const struct journal *j, size_t i)
{
	return event_of(&j->events[i]);
}

static json_t *
sample_of(const struct journal *j, size_t i)
{
	const struct journal_sample *s = &j->samples[i];

	return element.pack("{s:f, s:s, s:I, s:I, s:I}", "seconds",
			    seconds_of(s->ns), "phase", phases[s->phase],
			    "bytes", (json_int_t)s->bytes, "moved",
			    (json_int_t)s->moved, "on_device",
			    (json_int_t)s->on_device);
}

static json_t *
bad_of(const struct journal *j, size_t i)
{
	const struct journal_bad *bad = &j->bad[i];

	return element.pack(
		"{s:s, s:o, s:I, s:I, s:o, s:o, s:s?}", "cause",
		bad->is_unread ? "read" : "verify", "destination",
		element_string(targets_name(j->transfer, bad->dst)), "offset",
		(json_int_t)bad->off, "length", (json_int_t)bad->len, "wrote",
		element_number((uint64_t)bad->wrote, bad->wrote >= 0), "found",
		element_number((uint64_t)bad->found, bad->found >= 0), "state",
		bad->state);
}

static const char *
verdict_of(const struct journal *j)
{
	if (j->signo != 0)
		return "stopped";
	switch (j->status) {
	case EXIT_CODE_OK:
		return j->stats->unread > 0 ? "incomplete" : "ok";
	case EXIT_CODE_INCOMPLETE:
		return "incomplete";
	case EXIT_CODE_VERIFY:
		return "differs";
	case EXIT_CODE_SOURCE:
		return "unexpected";
	case EXIT_CODE_REFUSED:
		return "refused";
	default:
		return "failed";
	}
}

// That of the statistics.
static json_t *
rate_of(const struct journal *j)
{
	const struct stats *s = j->stats;
	const uint64_t ns = stats_copy_ns(s, s->start_ns + j->end_ns);

	return element_number(ns > 0 ? (uint64_t)((double)s->bytes * 1e9 /
						  (double)ns)
				     : 0,
			      ns > 0);
}

static json_t *
conclusion_of(const struct journal *j, size_t i)
{
	return element_string(j->conclusions[i]);
}

static json_t *
untouched_of(const struct journal *j)
{
	const uint64_t len = outcome_untouched(j->transfer);

	return element_number(len, j->status == EXIT_CODE_OK && len > 0);
}

static json_t *
end_of(const struct journal *j)
{
	const struct stats s = durability_stats(j->transfer);

	return element.pack(
		"{s:s, s:f, s:o, s:o, s:s, s:o, s:s?, s:I, s:I, s:I, s:I, s:I,"
		" s:I, s:I, s:b, s:o,"
		" s:o, s:o, s:o, s:o, s:o, s:I, s:{s:I, s:I}, s:{s:I, s:I},"
		" s:o, s:o, s:o, s:o}",
		"type", "end", "seconds", seconds_of(j->end_ns), "rate",
		rate_of(j), "status",
		element_number((uint64_t)j->status, j->signo == 0), "verdict",
		verdict_of(j), "conclusion",
		array_of(j, j->nr_conclusions, conclusion_of), "signal",
		j->signo != 0 ? sigabbrev_np(j->signo) : NULL, "bytes",
		(json_int_t)s.bytes, "written", (json_int_t)stats_written(&s),
		"same", (json_int_t)s.same, "unchecked",
		(json_int_t)s.unchecked, "known", (json_int_t)s.known,
		"on_device", (json_int_t)durability_on_device(j->transfer),
		"durable", (json_int_t)journal_durable(j), "safe_to_remove",
		j->status == EXIT_CODE_OK &&
			durability_is_safe_to_remove(j->transfer),
		"untouched", untouched_of(j), "verified", verified_of(j),
		"records", figures_records(&s), "digests", figures_digests(j),
		"expected", figures_expected(j), "bad",
		array_of(j, j->nr_bad, bad_of), "bad_omitted",
		(json_int_t)j->nr_bad_lost, "unread", "areas",
		(json_int_t)s.nr_unread, "bytes", (json_int_t)s.unread,
		"differing", "ranges", (json_int_t)s.nr_differing, "bytes",
		(json_int_t)s.differing, "zeros", figures_zeros(&s.zeros),
		"engine", figures_engine(transfer_counters(j->transfer)),
		"rescue", rescue_of(&s.rescue), "destinations",
		figures_destinations(j, FIGURES_NO_MAPS));
}

char *
object_end(const struct journal *j)
{
	return element_line(end_of(j));
}

static json_t *
phase_of(const struct journal *j, enum stats_phase phase)
{
	uint64_t ns;

	return journal_phase_ns(j, phase, &ns) ? element.real(seconds_of(ns))
					       : element.null();
}

// What only the report has.
static json_t *
rest_of(const struct journal *j)
{
	return element.pack(
		"{s:s, s:{s:o, s:o, s:o}, s:o, s:I, s:o, s:o, s:o}", "type",
		"report", "phases", "copy", phase_of(j, STATS_COPYING), "flush",
		phase_of(j, STATS_FLUSHING), "verify",
		phase_of(j, STATS_VERIFYING), "events",
		array_of(j, j->nr_events, kept_event_of), "events_omitted",
		(json_int_t)j->nr_events_lost, "samples",
		array_of(j, j->nr_samples, sample_of), "map",
		figures_map(j, 0, journal_reached(j)), "destinations",
		figures_destinations(j, FIGURES_MAPS));
}

// All that other has. False: no memory.
static bool
take_over(json_t *object, json_t *other)
{
	const bool is_done = other != NULL &&
			     element.update(object, other) == 0;

	if (other != NULL)
		element.delete(other); // its members live on in object
	return is_done;
}

char *
object_report(const struct journal *j, enum object_layout layout)
{
	json_t *report = object_start_of(j);

	if (report == NULL)
		return NULL;
	if (!take_over(report, end_of(j)) || !take_over(report, rest_of(j))) {
		element.delete(report);
		return NULL;
	}
	return element_text(report, layout == OBJECT_COMPACT ? JSON_COMPACT
							     : JSON_INDENT(2));
}

#else

bool
object_is_available(void)
{
	return false;
}

// Never called then.
int
object_load(void)
{
	return -ENOENT;
}

char *
object_start(const struct journal *j)
{
	(void)j;
	return NULL;
}

char *
object_progress(const struct journal *j, uint64_t now_ns, uint64_t rate)
{
	(void)j;
	(void)now_ns;
	(void)rate;
	return NULL;
}

char *
object_event(const struct journal_event *event)
{
	(void)event;
	return NULL;
}

char *
object_end(const struct journal *j)
{
	(void)j;
	return NULL;
}

char *
object_report(const struct journal *j, enum object_layout layout)
{
	(void)j;
	(void)layout;
	return NULL;
}
#endif
