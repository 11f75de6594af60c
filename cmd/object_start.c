// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "object_start.h"

#ifdef HAVE_JANSSON
#include <stdio.h>
#include <sys/utsname.h>

#include "decoder.h"
#include "describe.h"
#include "figures.h"

#define FORMAT 1 // changes when old readers would go wrong

static json_t *
command_of(const struct journal *j)
{
	json_t *array = element.array();

	for (size_t i = 0; array != NULL && j->argv[i] != NULL; i++) {
		if (element.append(array, element_string(j->argv[i])) == 0)
			continue;
		element.delete(array);
		return NULL;
	}
	return array;
}

static json_t *
side_of(const struct journal *j, const struct journal_side *side,
	const char *name)
{
	static const char *const kinds[] = {
		[FACTS_STREAM] = "stream", [FACTS_FILE] = "file",
		[FACTS_BLOCK] = "block",   [FACTS_NULL] = "null",
		[FACTS_ZERO] = "zero",	   [FACTS_NBD] = "nbd",
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
decompress_of(const struct journal *j)
{
	const unsigned format = j->src.facts.unpacked;
	const uint64_t size = j->src.facts.packed_size;

	if (format == DECODE_NONE)
		return element.null();
	return element.pack(
		"{s:s, s:s, s:I, s:o}", "format", decode_name(format),
		"library", decoder_find_library(format), "threads",
		(json_int_t)(format == DECODE_XZ ? j->request->threads : 1),
		"size", element_number(size, size > 0));
}

json_t *
object_start_of(const struct journal *j)
{
	const struct request *q = j->request;
	const uint64_t total = j->stats->bytes_total;
	static const char *const compares[] = {
		[REQUEST_COMPARE_NONE] = NULL,
		[REQUEST_COMPARE_UPDATE] = "update",
		[REQUEST_COMPARE_ONLY] = "only",
		[REQUEST_COMPARE_MANIFEST] = "manifest",
		[REQUEST_COMPARE_BMAP] = "bmap",
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
		" s:o, s:o, s:o, s:b, s:s?, s:o}",
		"type", "start", "format", FORMAT, "program", PACKAGE_NAME,
		"version", PACKAGE_VERSION, "command", command_of(j), "time",
		time, "host", element_string(host), "kernel",
		element_string(kernel), "source", side_of(j, &j->src, q->src),
		"destination", side_of(j, &j->dst, q->dst), "plan", plan_of(j),
		"decompress", decompress_of(j), "bytes_total",
		element_number(total, total > 0), "verify", q->verify,
		"compare", compares[q->compare], "bmap", figures_bmap(j));
}
#endif
