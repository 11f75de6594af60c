// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "object.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#ifdef HAVE_JANSSON
#include "base.h"
#include "describe.h"
#include "digest.h"
#include "durability.h"
#include "element.h"
#include "exit_codes.h"
#include "hasher.h"
#include "message.h"
#include "outcome.h"

#define FORMAT 1 // changes when old readers would go wrong

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
word_of(const struct journal *j, size_t i)
{
	return element_string(j->argv[i]);
}

static json_t *
command_of(const struct journal *j)
{
	size_t nr = 0;

	while (j->argv[nr] != NULL)
		nr++;
	return array_of(j, nr, word_of);
}

static json_t *
side_of(const struct journal *j, const struct journal_side *side,
	const char *name)
{
	static const char *const kinds[] = {
		[FACTS_STREAM] = "stream", [FACTS_FILE] = "file",
		[FACTS_BLOCK] = "block",   [FACTS_NULL] = "null",
		[FACTS_ZERO] = "zero",
	};
	const enum facts_kind kind = side->facts.kind;
	const struct disk_identity *disk = &side->disk;
	const bool has_size = facts_has_offsets(&side->facts);

	return element.pack(
		"{s:o, s:s?, s:o, s:o, s:o, s:o}", "name", element_string(name),
		"kind", j->is_probed ? kinds[kind] : NULL, "size",
		element_number(side->facts.size, has_size), "offset",
		element_number(side->off,
			       j->is_probed && side->off != UINT64_MAX),
		"model", element_string(*disk->model ? disk->model : NULL),
		"serial", element_string(*disk->serial ? disk->serial : NULL));
}

static json_t *
plan_of(const struct journal *j)
{
	static const char *const holes[] = {
		[PLAN_HOLES_READ] = "read",
		[PLAN_HOLES_ZERO] = "zeros",
		[PLAN_HOLES_KEEP] = "kept",
		[PLAN_HOLES_MAKE] = "made",
	};
	static const char *const zeros[] = {
		[PLAN_ZEROS_WRITE] = "written",
		[PLAN_ZEROS_SKIP] = "skipped",
		[PLAN_ZEROS_PUNCH] = "punched",
		[PLAN_ZEROS_OFFLOAD] = "offloaded",
	};
	const struct plan *plan = &j->plan;

	if (!j->is_planned)
		return element.null();
	json_t *rate = element_number(plan->rate, plan->rate > 0);
	if (plan->way != PLAN_BULK)
		return element.pack("{s:s, s:s, s:o}", "way",
				    describe_way(plan->way), "way_reason",
				    plan->way_reason, "rate", rate);
	return element.pack(
		"{s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:s,"
		" s:I, s:s, s:I, s:s, s:o, s:s, s:s, s:s, s:s, s:s?, s:o, s:o}",
		"way", "bulk", "way_reason", plan->way_reason, "clone",
		plan->is_clone, "clone_reason", plan->clone_reason,
		"source_method", describe_method(plan->src.method),
		"source_reason", plan->src.reason, "destination_method",
		describe_method(plan->dst.method), "destination_reason",
		plan->dst.reason, "job_size", (json_int_t)plan->job_size,
		"job_reason", plan->job_reason, "depth",
		(json_int_t)plan->depth, "depth_reason", plan->depth_reason,
		"final_size",
		element_number(plan->final_size, plan->final_size > 0),
		"size_reason", plan->size_reason, "holes", holes[plan->holes],
		"holes_reason", plan->holes_reason, "zeros", zeros[plan->zeros],
		"zeros_reason", plan->zeros_reason, "sparse_unit",
		element_number(plan->sparse_unit, plan->sparse_unit > 0),
		"rate", rate);
}

static json_t *
total_of(const struct journal *j)
{
	const uint64_t total = j->stats->bytes_total;

	return element_number(total, total > 0);
}

static json_t *
start_of(const struct journal *j)
{
	const struct request *q = j->request;
	static const char *const compares[] = {
		[REQUEST_COMPARE_NONE] = NULL,
		[REQUEST_COMPARE_UPDATE] = "update",
		[REQUEST_COMPARE_ONLY] = "only",
		[REQUEST_COMPARE_MANIFEST] = "manifest",
	};
	char time[32] = "", host[sizeof(((struct utsname *)0)->nodename)] = "";
	char kernel[256] = "";
	struct utsname system;
	struct tm tm;

	if (gmtime_r(&j->time, &tm) != NULL)
		strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (uname(&system) == 0) {
		snprintf(host, sizeof(host), "%s", system.nodename);
		snprintf(kernel, sizeof(kernel), "%s %s %s", system.sysname,
			 system.release, system.machine);
	}
	return element.pack(
		"{s:s, s:i, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o,"
		" s:o, s:o, s:b, s:s?}",
		"type", "start", "format", FORMAT, "program", PACKAGE_NAME,
		"version", PACKAGE_VERSION, "command", command_of(j), "time",
		time, "host", element_string(host), "kernel",
		element_string(kernel), "source", side_of(j, &j->src, q->src),
		"destination", side_of(j, &j->dst, q->dst), "plan", plan_of(j),
		"bytes_total", total_of(j), "verify", q->verify, "compare",
		compares[q->compare]);
}

char *
object_start(const struct journal *j)
{
	return element_line(start_of(j));
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

char *
object_progress(const struct journal *j, uint64_t now_ns, uint64_t rate)
{
	const struct stats *s = j->stats;

	return element_line(element.pack(
		"{s:s, s:f, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:I}", "type",
		"progress", "seconds", seconds_of(journal_time(j, now_ns)),
		"phase", phases[j->phase], "bytes",
		(json_int_t)journal_bytes(j), "moved",
		(json_int_t)stats_moved(s), "on_device",
		(json_int_t)durability_on_device(j->transfer), "durable",
		(json_int_t)journal_durable(j), "verified", verified_of(j),
		"bytes_total", total_of(j), "rate", (json_int_t)rate));
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
cell_of(const struct journal *j, size_t i)
{
	const struct journal_area area = journal_area(j, i);

	return element.pack("{s:I, s:I, s:I, s:I}", "done",
			    (json_int_t)area.done, "same",
			    (json_int_t)area.same, "hole",
			    (json_int_t)area.hole, "bad", (json_int_t)area.bad);
}

static json_t *
map_of(const struct journal *j)
{
	if (!j->is_probed || j->dst.off == UINT64_MAX)
		return element.null();
	return element.pack("{s:I, s:I, s:I, s:o}", "offset",
			    (json_int_t)j->dst.off, "length",
			    (json_int_t)journal_total(j), "cell_length",
			    (json_int_t)j->cell_len, "cells",
			    array_of(j, journal_nr_areas(j), cell_of));
}

static json_t *
bad_of(const struct journal *j, size_t i)
{
	const struct journal_bad *bad = &j->bad[i];

	return element.pack(
		"{s:s, s:I, s:I, s:o, s:o}", "cause",
		bad->is_unread ? "read" : "verify", "offset",
		(json_int_t)bad->off, "length", (json_int_t)bad->len, "wrote",
		element_number((uint64_t)bad->wrote, bad->wrote >= 0), "found",
		element_number((uint64_t)bad->found, bad->found >= 0));
}

static json_t *
hex_of(enum digest_alg alg, const unsigned char *value)
{
	char hex[DIGEST_HEX_MAX];

	digest_format(alg, value, hex);
	return element_string(hex);
}

// Those of a copy of which nothing is missing.
static json_t *
digests_of(const struct journal *j)
{
	json_t *object = element.object();
	const struct hasher *hasher = transfer_hasher(j->transfer);

	if (hasher == NULL || j->status == EXIT_CODE_FAILURE ||
	    j->status == EXIT_CODE_REFUSED)
		return object;
	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++)
		if (object != NULL && (j->request->digests & 1U << alg) &&
		    element.set(object, digest_name(alg),
				hex_of(alg, hasher_result(hasher, alg))) < 0)
			return NULL;
	return object;
}

static json_t *
expected_of(const struct journal *j)
{
	const struct request_expected *expected = &j->request->expected;
	const struct hasher *hasher = transfer_hasher(j->transfer);

	if (expected->algs == 0)
		return element.null();
	const enum digest_alg alg =
		hasher != NULL ? hasher_find(hasher, expected->algs,
					     expected->value)
			       : (enum digest_alg)__builtin_ctz(expected->algs);
	return element.pack("{s:s, s:o}", "algorithm", digest_name(alg),
			    "digest", hex_of(alg, expected->value));
}

static json_t *
records_of(const struct stats *s)
{
	return element.pack("{s:I, s:I, s:I, s:I, s:I}", "in_full",
			    (json_int_t)s->in_full, "in_partial",
			    (json_int_t)s->in_partial, "out_full",
			    (json_int_t)s->out_full, "out_partial",
			    (json_int_t)s->out_partial, "truncated",
			    (json_int_t)s->truncated);
}

static json_t *
zeros_of(const struct stats_zeros *z)
{
	return element.pack("{s:I, s:I, s:I, s:I}", "offloaded",
			    (json_int_t)z->offloaded, "punched",
			    (json_int_t)z->punched, "written",
			    (json_int_t)(z->written + z->made_up), "skipped",
			    (json_int_t)z->skipped);
}

static json_t *
engine_of(const struct aio_counters *c)
{
	return element.pack(
		"{s:I, s:I, s:I, s:I, s:I, s:f}", "submitted",
		(json_int_t)c->submitted, "announced", (json_int_t)c->announced,
		"reaped", (json_int_t)c->reaped, "inline",
		(json_int_t)c->inlined, "stalls", (json_int_t)c->stalls,
		"longest_stall", seconds_of(c->longest_ns));
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
		" s:o, s:o}",
		"type", "end", "seconds", seconds_of(j->end_ns), "rate",
		rate_of(j), "status",
		element_number((uint64_t)j->status, j->signo == 0), "verdict",
		verdict_of(j), "conclusion",
		array_of(j, j->nr_conclusions, conclusion_of), "signal",
		j->signo != 0 ? sigabbrev_np(j->signo) : NULL, "bytes",
		(json_int_t)s.bytes, "written", (json_int_t)stats_written(&s),
		"same", (json_int_t)s.same, "unchecked",
		(json_int_t)s.unchecked, "known", (json_int_t)s.known,
		"on_device",
		(json_int_t)durability_on_device(j->transfer), "durable",
		(json_int_t)journal_durable(j), "safe_to_remove",
		j->status == EXIT_CODE_OK &&
			durability_is_safe_to_remove(j->transfer),
		"untouched", untouched_of(j), "verified", verified_of(j),
		"records", records_of(&s), "digests", digests_of(j), "expected",
		expected_of(j), "bad", array_of(j, j->nr_bad, bad_of),
		"bad_omitted", (json_int_t)j->nr_bad_lost, "unread", "areas",
		(json_int_t)s.nr_unread, "bytes", (json_int_t)s.unread,
		"differing", "ranges", (json_int_t)s.nr_differing, "bytes",
		(json_int_t)s.differing, "zeros", zeros_of(&s.zeros), "engine",
		engine_of(transfer_counters(j->transfer)));
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
		"{s:s, s:{s:o, s:o, s:o}, s:o, s:I, s:o, s:o}", "type",
		"report", "phases", "copy", phase_of(j, STATS_COPYING), "flush",
		phase_of(j, STATS_FLUSHING), "verify",
		phase_of(j, STATS_VERIFYING), "events",
		array_of(j, j->nr_events, kept_event_of), "events_omitted",
		(json_int_t)j->nr_events_lost, "samples",
		array_of(j, j->nr_samples, sample_of), "map", map_of(j));
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
	json_t *report = start_of(j);

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
