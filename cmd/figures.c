// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "figures.h"

#ifdef HAVE_JANSSON
#include "digest.h"
#include "exit_codes.h"
#include "hasher.h"
#include "targets.h"
#include "transfer.h"

static json_t *
hex_of(enum digest_alg alg, const unsigned char *value)
{
	char hex[DIGEST_HEX_MAX];

	digest_format(alg, value, hex);
	return element_string(hex);
}

json_t *
figures_digests(const struct journal *j)
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

json_t *
figures_expected(const struct journal *j)
{
	const struct request_expected *expected = &j->request->expected;
	const struct hasher *hasher = transfer_hasher(j->transfer);

	if (expected->algs == 0)
		return element.null();
	const enum digest_alg alg =
		hasher != NULL
			? hasher_find(hasher, expected->algs, expected->value)
			: (enum digest_alg)__builtin_ctz(expected->algs);
	return element.pack("{s:s, s:o}", "algorithm", digest_name(alg),
			    "digest", hex_of(alg, expected->value));
}

json_t *
figures_bmap(const struct journal *j)
{
	const struct guide *g = &j->transfer->guide;
	const struct ranges *ranges = &g->bmap.ranges;

	if (g->path == NULL)
		return element.null();
	return element.pack(
		"{s:o, s:I, s:I, s:I, s:I, s:s?}", "name",
		element_string(g->path),
		"size", (json_int_t)ranges->size, "mapped",
		(json_int_t)ranges_len(ranges), "ranges",
		(json_int_t)ranges->nr, "checked",
		(json_int_t)g->bmap.nr_digests, "algorithm",
		guide_has_digests(g) ? digest_name(g->bmap.alg) : NULL);
}

json_t *
figures_records(const struct stats *s)
{
	return element.pack("{s:I, s:I, s:I, s:I, s:I}", "in_full",
			    (json_int_t)s->in_full, "in_partial",
			    (json_int_t)s->in_partial, "out_full",
			    (json_int_t)s->out_full, "out_partial",
			    (json_int_t)s->out_partial, "truncated",
			    (json_int_t)s->truncated);
}

static json_t *
cell_of(struct cells_area area)
{
	return element.pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I}", "done", (json_int_t)area.done,
		"same", (json_int_t)area.same, "hole", (json_int_t)area.hole,
		"bad", (json_int_t)area.bad, "untried",
		(json_int_t)area.untried, "failed", (json_int_t)area.failed);
}

json_t *
figures_map(const struct journal *j, unsigned nr, uint64_t reached)
{
	const struct cells *cells = &j->maps[nr];
	const uint64_t total = journal_total(j);
	const size_t nr_cells = cells_nr(cells, total);

	if (!j->is_probed || j->dst.off == UINT64_MAX)
		return element.null();
	json_t *array = element.array();
	for (size_t i = 0; array != NULL && i < nr_cells; i++) {
		json_t *cell = cell_of(cells_area(cells, i, reached));

		if (element.append(array, cell) == 0)
			continue;
		element.delete(array);
		return NULL;
	}
	return element.pack("{s:I, s:I, s:I, s:o}", "offset",
			    (json_int_t)j->dst.off, "length", (json_int_t)total,
			    "cell_length", (json_int_t)cells->len, "cells",
			    array);
}

static json_t *
destination_of(const struct targets_one *one)
{
	return element.pack(
		"{s:o, s:s?, s:s, s:I, s:I, s:b, s:b, s:{s:I, s:I}}", "name",
		element_string(one->name), "kind", one->kind, "verdict",
		one->verdict, "bytes", (json_int_t)one->bytes, "durable",
		(json_int_t)one->durable, "verified", one->is_verified,
		"safe_to_remove", one->is_safe_to_remove, "differing", "ranges",
		(json_int_t)one->nr_differing, "bytes",
		(json_int_t)one->differing);
}

json_t *
figures_destinations(const struct journal *j, enum figures_maps maps)
{
	const unsigned nr = targets_nr(j->transfer);
	json_t *array = nr > 0 ? element.array() : element.null();

	for (unsigned i = 0; array != NULL && i < nr; i++) {
		const struct targets_one one = targets_at(j->transfer, i);
		json_t *object = destination_of(&one);

		if (element.append(array, object) == 0 &&
		    (maps == FIGURES_NO_MAPS ||
		     element.set(object, "map",
				 figures_map(j, 1 + i, one.written)) == 0))
			continue;
		element.delete(array);
		return NULL;
	}
	return array;
}

json_t *
figures_zeros(const struct stats_zeros *z)
{
	return element.pack("{s:I, s:I, s:I, s:I}", "offloaded",
			    (json_int_t)z->offloaded, "punched",
			    (json_int_t)z->punched, "written",
			    (json_int_t)(z->written + z->made_up), "skipped",
			    (json_int_t)z->skipped);
}

json_t *
figures_engine(const struct aio_counters *c)
{
	return element.pack(
		"{s:I, s:I, s:I, s:I, s:I, s:f}", "submitted",
		(json_int_t)c->submitted, "announced", (json_int_t)c->announced,
		"reaped", (json_int_t)c->reaped, "inline",
		(json_int_t)c->inlined, "stalls", (json_int_t)c->stalls,
		"longest_stall", (double)c->longest_ns / 1e9);
}
#endif
