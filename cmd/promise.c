// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "promise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoder.h"
#include "digest.h"
#include "expect.h"
#include "phrase.h"

static void
print_algs(unsigned set, const char *between)
{
	const char *before = "";

	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++) {
		if (!(set & 1U << alg))
			continue;
		printf("%s%s", before, digest_name(alg));
		before = between;
	}
}

static void
print_expected(const struct request *q, const struct transfer_side *src)
{
	const struct request_expected *expected = &q->expected;
	char hex[DIGEST_HEX_MAX], *subject;

	if (expected->algs == 0)
		return;
	subject = expect_subject("the source", q, src->facts, src->start);
	printf("expect: %s has ", subject ? subject : "?");
	print_algs(expected->algs, " or ");
	digest_format((enum digest_alg)__builtin_ctz(expected->algs),
		      expected->value, hex);
	printf(" %s\n", hex);
	free(subject);
}

static void
print_digests(const struct options *options)
{
	if (options->hashes == 0)
		return;
	printf("hash: ");
	print_algs(options->hashes, ", ");
	if (options->sums != NULL) {
		printf(", written to ");
		phrase_name(stdout,
			    strcmp(options->sums, "-") != 0 ? options->sums
							    : NULL,
			    "standard output");
	}
	putchar('\n');
}

static const char *
sync_of(const struct request *q, const struct facts *dst)
{
	if (q->commit != REQUEST_COMMIT_NONE)
		return "at the end (commit=)";
	if (q->verify)
		return "at the end (verify=yes)";
	if (q->manifest != NULL)
		return "at the end (manifest=)";
	if (q->map != NULL)
		return "before each save of the map (map=)";
	if (q->conv & CONV_FSYNC)
		return "at the end (conv=fsync)";
	if (facts_is_disk(dst))
		return facts_is_export(dst) ? "at the end (NBD server)"
					    : "at the end (block device)";
	if (q->conv & CONV_FDATASYNC)
		return "at the end (conv=fdatasync)";
	if (q->oflags & FLAG_SYNC)
		return "after each write (oflag=sync)";
	if (q->oflags & FLAG_DSYNC)
		return "after each write (oflag=dsync)";
	return "no (conv=fsync syncs it)";
}

static void
print_retries(uint64_t nr)
{
	printf("read errors: read around (map=)");
	if (nr > 0)
		printf(", and read %" PRIu64 " time%s more (retries=)", nr,
		       nr == 1 ? "" : "s");
	putchar('\n');
}

static void
print_map(const char *name, struct stats_rescue known)
{
	const uint64_t bad = known.failed + known.bad;
	char some[PHRASE_SIZE_MAX], all[PHRASE_SIZE_MAX];

	printf("map: what is copied is kept in ");
	phrase_name(stdout, name, "");
	if (known.before > 0)
		printf(", which has %s of %s", phrase_exact(some, known.before),
		       phrase_exact(all, known.len));
	if (bad > 0)
		printf("; %s could not be read", phrase_exact(some, bad));
	putchar('\n');
}

// A new file has the blocks of the old one, where there are any to be had.
static void
print_update(const struct request *q, const struct facts *old)
{
	const bool is_new = q->commit == REQUEST_COMMIT_RENAME && old != NULL;

	if (is_new && old->is_kernel_copy)
		printf("update: all is written (this file system cannot share "
		       "blocks)\n");
	else
		printf("update: only what differs is written%s\n",
		       is_new ? "; other blocks are shared with the old file "
				"if the file system can"
			      : "");
}

static void
print_decompress(const struct request *q, const struct facts *src)
{
	const unsigned format = src->unpacked;
	const uint64_t nr = format == DECODE_XZ ? q->threads : 1;

	if (format != DECODE_NONE)
		printf("decompress: %s, by %s with up to %" PRIu64
		       " thread%s\n",
		       decode_name(format), decoder_find_library(format), nr,
		       nr == 1 ? "" : "s");
}

static void
print_bmap(const struct request *q, const struct guide *g)
{
	const struct ranges *ranges = &g->bmap.ranges;
	const bool is_attested = request_is_attested(q);
	char some[PHRASE_SIZE_MAX], all[PHRASE_SIZE_MAX];

	if (g->path == NULL)
		return;
	printf("bmap: %s of %s are %s, as ",
	       phrase_exact(some, is_attested ? guide_checked_len(g)
					      : ranges_len(ranges)),
	       phrase_exact(all, ranges->size),
	       is_attested ? "read" : "copied");
	phrase_name(stdout, g->path, "");
	if (guide_has_digests(g) && g->bmap.nr_digests < ranges->nr)
		printf(" says; %zu of %zu ranges are checked by %s\n",
		       g->bmap.nr_digests, ranges->nr,
		       digest_name(g->bmap.alg));
	else if (guide_has_digests(g))
		printf(" says; %zu range%s checked by %s\n", ranges->nr,
		       ranges->nr == 1 ? " is" : "s are",
		       digest_name(g->bmap.alg));
	else
		printf(" says, which has no checksums\n");
}

static void
print_obmap(const struct request *q)
{
	if (q->obmap == NULL)
		return;
	printf("obmap: the block map of the copy is written to ");
	phrase_name(stdout, strcmp(q->obmap, "-") != 0 ? q->obmap : NULL,
		    "standard output");
	putchar('\n');
}

void
promise_print(const struct options *options, const struct transfer *t,
	      const struct facts *old)
{
	const struct request *q = &options->request;
	const struct transfer_side src = transfer_src(t), dst = transfer_dst(t);

	print_decompress(q, src.facts);
	print_expected(q, &src);
	print_bmap(q, &t->guide);
	print_digests(options);
	print_obmap(q);
	if (q->verify)
		printf("verify: the copy is read back and compared\n");
	if (q->commit == REQUEST_COMMIT_RENAME)
		printf("commit: written to a temporary file, which is renamed "
		       "when complete\n");
	if (q->commit == REQUEST_COMMIT_FIRST_LAST)
		printf("commit: the first block is written last\n");
	if (q->manifest != NULL && !request_is_attested(q)) {
		printf("manifest: what has its digest in ");
		phrase_name(stdout, q->manifest, "");
		printf(" is not read\n");
	}
	if (q->map != NULL)
		print_map(q->map, mapped_measure(&t->mapped));
	if (q->compare == REQUEST_COMPARE_UPDATE)
		print_update(q, old);
	if (facts_has_offsets(dst.facts) && request_writes(q))
		printf("sync: %s\n", sync_of(q, dst.facts));
	if (q->map != NULL)
		print_retries(q->retries);
	else if (q->conv & CONV_NOERROR)
		printf("read errors: skipped (conv=noerror)\n");
	if (q->rate > 0)
		printf("rate: at most %" PRIu64 " bytes per second\n", q->rate);
}
