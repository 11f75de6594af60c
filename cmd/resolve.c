// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "built.h"
#include "conflict.h"
#include "decoder.h"
#include "digest.h"
#include "expect.h"
#include "guide.h"
#include "message.h"
#include "path.h"
#include "plan.h"
#include "shard.h"
#include "thread.h"

// A B in the number is the flag by another name.
static void
set_amount(struct request_amount *amount, const struct options_amount *given,
	   uint64_t block, unsigned *flags, unsigned flag)
{
	const struct units_number *number = &given->number;

	if (number->is_bytes)
		*flags |= flag;
	if (*flags & flag)
		*amount = (struct request_amount){number->value / block,
						  number->value % block};
	else
		*amount = (struct request_amount){number->value, 0};
}

// With what verify=only compares.
static enum request_compare
compared_with(const struct options *options)
{
	const struct request *q = &options->request;

	if (q->src != NULL || options->nr_names > 0)
		return REQUEST_COMPARE_ONLY;
	if (q->manifest != NULL)
		return REQUEST_COMPARE_MANIFEST;
	return q->bmap != NULL ? REQUEST_COMPARE_BMAP : REQUEST_COMPARE_ONLY;
}

static void
resolve_compare(struct options *options)
{
	struct request *q = &options->request;

	q->verify = options->verify == OPTIONS_VERIFY_YES;
	if (options->verify == OPTIONS_VERIFY_ONLY)
		q->compare = compared_with(options);
	else if (options->has_update)
		q->compare = REQUEST_COMPARE_UPDATE;
}

static void
resolve_sizes(struct options *options)
{
	struct request *q = &options->request;

	options->has_block_size = options->bs > 0 || q->ibs > 0 || q->obs > 0;
	// Two names are a copy of whole files: nobody counts its blocks.
	if (options->nr_names > 0 && !options->has_block_size)
		options->bs = PLAN_CACHE_SIZE;
	if (options->nr_names > 0) {
		q->iflags |= FLAG_FULLBLOCK;
		q->keeps_holes = true;
	}
	if (q->clone == REQUEST_CLONE_DEFAULT)
		q->clone = options->nr_names > 0 &&
					   q->compare == REQUEST_COMPARE_NONE &&
					   q->map == NULL
				   ? REQUEST_CLONE_AUTO
				   : REQUEST_CLONE_NEVER;
	if (options->bs > 0)
		q->ibs = q->obs = options->bs;
	if (q->ibs == 0)
		q->ibs = 512;
	if (q->obs == 0)
		q->obs = 512;
	if (q->cbs == 0)
		q->conv &= ~(unsigned)(CONV_BLOCK | CONV_UNBLOCK);
	else if (q->conv & CONV_ASCII)
		q->conv |= CONV_UNBLOCK;
	else if (q->conv & (CONV_EBCDIC | CONV_IBM))
		q->conv |= CONV_BLOCK;
}

static void
resolve_amounts(struct options *options)
{
	struct request *q = &options->request;

	set_amount(&q->skip, &options->skip, q->ibs, &q->iflags,
		   FLAG_SKIP_BYTES);
	set_amount(&q->seek, &options->seek, q->obs, &q->oflags,
		   FLAG_SEEK_BYTES);
	set_amount(&q->count, &options->count, q->ibs, &q->iflags,
		   FLAG_COUNT_BYTES);
	// In bytes as well, that number is no limit.
	if (options->count.text == NULL ||
	    options->count.number.value == REQUEST_NO_LIMIT)
		q->count = (struct request_amount){REQUEST_NO_LIMIT, 0};
}

static bool
has_two_of(unsigned set, unsigned of)
{
	return __builtin_popcount(set & of) > 1;
}

// What dd itself refuses to combine, in its words.
static const char *
dd_conflict_of(const struct request *q)
{
	const unsigned cache = FLAG_DIRECT | FLAG_NOCACHE;

	if (has_two_of(q->conv, CONV_EBCDIC_TABLES))
		return "cannot combine any two of {ascii,ebcdic,ibm}";
	if (has_two_of(q->conv, CONV_BLOCK | CONV_UNBLOCK))
		return "cannot combine block and unblock";
	if (has_two_of(q->conv, CONV_CASE))
		return "cannot combine lcase and ucase";
	if (has_two_of(q->conv, CONV_EXCL | CONV_NOCREAT))
		return "cannot combine excl and nocreat";
	if (has_two_of(q->iflags, cache) || has_two_of(q->oflags, cache))
		return "cannot combine direct and nocache";
	return NULL;
}

// All of the destination is what they are about.
static bool
has_part_of_it(const struct options *options)
{
	const struct request *q = &options->request;

	return options->skip.text != NULL || options->seek.text != NULL ||
	       options->count.text != NULL || q->conv != 0 ||
	       options->hashes != 0 || options->expect != NULL ||
	       q->decompress > REQUEST_DECOMPRESS_NO;
}

// Without a source. NULL: it can be.
static const char *
attested_fault_of(const struct options *options)
{
	const struct request *q = &options->request;

	if (!request_is_attested(q))
		return NULL;
	if (q->manifest != NULL && q->bmap != NULL)
		return "verify=only without a source compares with manifest= "
		       "or with bmap=; leave out one of them";
	if (q->bmap != NULL && strcmp(q->bmap, GUIDE_AUTO) == 0)
		return "bmap=auto looks beside the source, and there is none; "
		       "give the name of the block map";
	if (has_part_of_it(options))
		return "verify=only without a source checks all that "
		       "manifest= or bmap= is about; leave out skip=, seek=, "
		       "count=, conv=, hash=, expect= and decompress=";
	return NULL;
}

// What is missing, or too much of it.
static const char *
fault_of(const struct options *options)
{
	const struct request *q = &options->request;

	if (q->depth > 0 && q->iosize > PLAN_RING_MAX / q->depth)
		return "depth= times iosize= must not exceed 1 GiB";
	if (options->as != NULL && *options->as == '\0')
		return "as= needs a name";
	if (options->as != NULL && options->expect == NULL &&
	    options->hashes == 0 && options->sums == NULL)
		return "as= needs expect=, hash= or sums=";
	// As gzip does; with - somebody has asked for it.
	if (options->nr_names == 1 && q->dst == NULL && !q->plan_only &&
	    isatty(STDOUT_FILENO))
		return "standard output is a terminal; name a DST, or give - "
		       "to write there anyway";
	if (!request_writes(q) && q->dst == NULL)
		return "verify=only needs a named output: DST or of=FILE";
	const char *fault = attested_fault_of(options);
	if (fault != NULL)
		return fault;
	if (q->manifest != NULL && !options_is_about_manifest(options) &&
	    q->compare == REQUEST_COMPARE_NONE)
		return "manifest= needs update=yes or verify=only; with "
		       "plan=yes alone it is described";
	if (q->threads > 0 && q->decompress <= REQUEST_DECOMPRESS_NO)
		return "threads= needs decompress=";
	if (q->retries > 0 && q->map == NULL)
		return "retries= needs map=";
	if (q->commit != REQUEST_COMMIT_NONE && q->dst == NULL)
		return "commit= needs a named output: DST or of=FILE";
	if (q->nr_tees > 0 && q->dst == NULL)
		return "tee= needs a named output as well: DST or of=FILE";
	// Others write to it, and would go on writing to the old one.
	if (q->commit == REQUEST_COMMIT_RENAME &&
	    (path_is_open(q->dst, STDOUT_FILENO) ||
	     path_is_open(q->dst, STDERR_FILENO)))
		return "cannot combine commit=rename and a file that is open "
		       "as standard output or error";
	return NULL;
}

// Each is read, or written to, as if nobody else wrote to it. 0, or -EINVAL,
// told.
static int
compare_files(const struct options *options, const char *ranges)
{
	const struct {
		const char *name, *path;
	} files[] = {{"expect=", options->expect},
		     {"map=", options->request.map},
		     {"what map= keeps beside it", ranges},
		     {"manifest=", options->request.manifest},
		     {"bmap=", options->request.bmap},
		     {"report=", options->report},
		     {"sums=", options->sums},
		     {"obmap=", options->request.obmap}};

	// Of the last three, which may be pipes, others know more.
	for (size_t i = 0; i < 5; i++)
		for (size_t j = i + 1; j < ARRAY_LEN(files); j++)
			if (files[i].path != NULL && files[j].path != NULL &&
			    path_is_same(files[i].path, files[j].path)) {
				message_error(0, "%s and %s name the same file",
					      files[i].name, files[j].name);
				return -EINVAL;
			}
	return 0;
}

// Nor are two destinations one.
static int
check_tees(const struct request *q)
{
	for (unsigned i = 0; i < q->nr_tees; i++)
		for (unsigned j = 0; j <= i; j++) {
			const char *other = j == 0 ? q->dst : q->tees[j - 1];

			if (strcmp(q->tees[i], other) != 0 &&
			    !path_is_same(q->tees[i], other))
				continue;
			message_error(0, "%s and tee= name the same file",
				      j == 0 ? "of=" : "tee=");
			return -EINVAL;
		}
	return 0;
}

static int
check_files(const struct options *options)
{
	const char *map = options->request.map;
	char *ranges = NULL;

	if (map != NULL && asprintf(&ranges, "%s.ranges", map) < 0) {
		message_error(0, "memory exhausted");
		return -ENOMEM;
	}
	const int r = compare_files(options, ranges);
	free(ranges);
	return r;
}

// 0, or -EINVAL, told.
static int
check_conflicts(const struct options *options)
{
	const char *dd = dd_conflict_of(&options->request);
	const struct conflict *c = dd == NULL ? conflict_find(options) : NULL;
	const char *fault = dd == NULL && c == NULL ? fault_of(options) : dd;

	if (c != NULL)
		message_error(0, "cannot combine %s and %s: %s",
			      conflict_name(c->one), conflict_name(c->other),
			      c->why);
	if (fault != NULL)
		message_error(0, "%s", fault);
	return c != NULL || fault != NULL ? -EINVAL : 0;
}

// Of what is decompressed: the name of the source without its suffix. NULL: it
// has none. Malloc'd.
static char *
inner_name(const struct request *q)
{
	if (q->src == NULL || q->decompress <= REQUEST_DECOMPRESS_NO)
		return NULL;
	for (enum decode_format i = DECODE_NONE + 1; i < DECODE_NR; i++) {
		const size_t len = strlen(q->src);
		const size_t suffix = strlen(decode_suffix(i));

		if (len > suffix &&
		    strcmp(q->src + len - suffix, decode_suffix(i)) == 0)
			return strndup(q->src, len - suffix);
	}
	return NULL;
}

// What is read before the copy, and would be gone after it. 0, or -EINVAL,
// told.
static int
check_expect(const struct request *q, const char *path)
{
	for (unsigned i = 0; request_writes(q) && i <= q->nr_tees; i++) {
		const char *dst = i == 0 ? q->dst : q->tees[i - 1];

		if (dst == NULL || !path_is_same(path, dst))
			continue;
		message_error(0, "expect= and %s name the same file",
			      i == 0 ? "of=" : "tee=");
		return -EINVAL;
	}
	return 0;
}

// sums= without hash= is what most people mean by a checksum.
static int
resolve_digests(struct options *options)
{
	struct request *q = &options->request;

	if (options->sums != NULL && options->hashes == 0)
		options->hashes = 1 << DIGEST_SHA256;
	q->digests = options->hashes;
	if (options->expect != NULL) {
		const char *name = options->as ? options->as : q->src;
		char *inner = options->as == NULL ? inner_name(q) : NULL;
		struct lookup lookup;
		int r = expect_parse(options->expect, name, inner, &lookup);

		free(inner);
		if (r == 0)
			r = check_expect(q, options->expect);
		if (r < 0)
			return -EINVAL;
		q->expected = lookup.expected;
		q->digests |= q->expected.algs;
		options->is_expect_signed = lookup.is_signed;
	}
	return 0;
}

static int
check_build(const struct options *options)
{
	const char *what = built_without(options);

	if (what == NULL)
		return 0;
	message_error(0, "%s was left out of this build", what);
	return -ENOTSUP;
}

int
resolve_options(struct options *options)
{
	struct request *q = &options->request;
	const unsigned asked = q->conv;

	resolve_compare(options);
	resolve_sizes(options);
	resolve_amounts(options);
	q->is_single_buffer = options->bs > 0 && !(asked & CONV_BYTES);
	int r = check_conflicts(options);
	if (r == 0)
		r = check_tees(q);
	if (r == 0)
		r = check_files(options);
	if (q->decompress > REQUEST_DECOMPRESS_NO && q->threads == 0)
		q->threads = thread_nr_cpus();
	if (q->map != NULL)
		q->conv |= CONV_NOERROR;
	if (r == 0)
		r = resolve_digests(options);
	if (r == 0)
		r = check_build(options);
	// Last: a server may have to be asked.
	return r < 0 ? r : shard_resolve(options);
}
