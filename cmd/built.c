// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "built.h"

#include <stddef.h>

#include "bmap.h"
#include "decoder.h"
#include "digest.h"
#include "nbd_side.h"
#include "object.h"
#include "options.h"

static const char *
without_digests(const struct options *options)
{
	const struct request *q = &options->request;
	const unsigned asked = options->hashes | q->digests;
	unsigned here = 0;

	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++)
		here |= digest_is_available(alg) ? 1U << alg : 0;
	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++)
		if (asked & ~here & 1U << alg)
			return digest_name(alg);
	if (options->sums != NULL && here == 0)
		return "sums=";
	if (options->expect != NULL && here == 0)
		return "expect=";
	if (q->obmap != NULL && !(here & 1U << BMAP_ALG))
		return "obmap=";
	if (q->manifest != NULL && !(here & 1U << DIGEST_XXH128))
		return "manifest=";
	if (options->verify == OPTIONS_VERIFY_YES &&
	    !(here & 1U << DIGEST_XXH128))
		return "verify=";
	return NULL;
}

// A format that is to be found out is answered when it is known.
static const char *
without_decoder(const struct request *q)
{
	static const char *const names[DECODE_NR] = {
		[DECODE_GZ] = "decompress=gz",
		[DECODE_XZ] = "decompress=xz",
		[DECODE_ZST] = "decompress=zst",
		[DECODE_BZ2] = "decompress=bz2",
		[DECODE_LZ4] = "decompress=lz4",
	};
	const unsigned format = request_decompress_as(q);

	return q->decompress > REQUEST_DECOMPRESS_NO && format != DECODE_NONE &&
			       decoder_find_library(format) == NULL
		       ? names[format]
		       : NULL;
}

static const char *
without_nbd(const struct options *options)
{
	const struct request *q = &options->request;

	if (q->is_dd || nbd_side_is_available())
		return NULL;
	if (nbd_side_is_export(q->src) || nbd_side_is_export(q->dst))
		return "NBD";
	for (unsigned i = 0; i < q->nr_tees; i++)
		if (nbd_side_is_export(q->tees[i]))
			return "NBD";
	if (q->connections > 0)
		return "connections=";
	return q->reconnect != OPTIONS_RECONNECT_S ? "reconnect=" : NULL;
}

const char *
built_without(const struct options *options)
{
	const struct request *q = &options->request;
	const char *decoder = without_decoder(q);
	const char *nbd = without_nbd(options);

	if (decoder != NULL)
		return decoder;
	if (options->is_json && !object_is_available())
		return "status=json";
	if (options->report != NULL && !object_is_available())
		return "report=";
	if (q->bmap != NULL && !bmap_is_available())
		return "bmap=";
	if (nbd != NULL)
		return nbd;
	return without_digests(options);
}
