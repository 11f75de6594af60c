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
figures_destinations(const struct journal *j)
{
	const unsigned nr = targets_nr(j->transfer);
	json_t *array = nr > 0 ? element.array() : element.null();

	for (unsigned i = 0; array != NULL && i < nr; i++) {
		const struct targets_one one = targets_at(j->transfer, i);

		if (element.append(array, destination_of(&one)) == 0)
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
