// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "conflict.h"

#include "base.h"
#include "nbd_side.h"
#include "options.h"

static bool
has_append(const struct options *options)
{
	return options->request.oflags & FLAG_APPEND;
}

static bool
has_bmap(const struct options *options)
{
	return options->request.bmap != NULL;
}

static bool
has_bytes(const struct options *options)
{
	return options->request.conv & CONV_BYTES;
}

static bool
has_clone(const struct options *options)
{
	return options->request.clone > REQUEST_CLONE_NEVER;
}

static bool
has_clone_always(const struct options *options)
{
	return options->request.clone == REQUEST_CLONE_ALWAYS;
}

static bool
has_command(const struct options *options)
{
	const struct request *q = &options->request;

	return q->src_server != NULL || q->dst_server != NULL;
}

static bool
has_commit(const struct options *options)
{
	return options->request.commit != REQUEST_COMMIT_NONE;
}

static bool
has_commit_rename(const struct options *options)
{
	return options->request.commit == REQUEST_COMMIT_RENAME;
}

static bool
has_decompress(const struct options *options)
{
	return options->request.decompress > REQUEST_DECOMPRESS_NO;
}

static bool
has_excl(const struct options *options)
{
	return options->request.conv & CONV_EXCL;
}

static bool
has_expect(const struct options *options)
{
	return options->expect != NULL;
}

static bool
has_hash(const struct options *options)
{
	return options->hashes != 0;
}

static bool
has_manifest(const struct options *options)
{
	return options->request.manifest != NULL;
}

static bool
has_map(const struct options *options)
{
	return options->request.map != NULL;
}

static bool
has_nbd(const struct options *options)
{
	const struct request *q = &options->request;

	return !q->is_dd &&
	       (nbd_side_is_export(q->src) || nbd_side_is_export(q->dst));
}

static bool
has_nbd_dst(const struct options *options)
{
	const struct request *q = &options->request;
	bool is_export = nbd_side_is_export(q->dst);

	for (unsigned i = 0; i < q->nr_tees; i++)
		is_export = is_export || nbd_side_is_export(q->tees[i]);
	return !q->is_dd && is_export;
}

static bool
has_nbd_src(const struct options *options)
{
	return !options->request.is_dd &&
	       nbd_side_is_export(options->request.src);
}

static bool
has_nocache(const struct options *options)
{
	const struct request *q = &options->request;

	return (q->iflags | q->oflags) & FLAG_NOCACHE;
}

static bool
has_noerror(const struct options *options)
{
	return options->request.conv & CONV_NOERROR;
}

static bool
has_notrunc(const struct options *options)
{
	return options->request.conv & CONV_NOTRUNC;
}

static bool
has_obmap(const struct options *options)
{
	return options->request.obmap != NULL;
}

static bool
has_plan(const struct options *options)
{
	return options->request.plan_only;
}

static bool
has_seek(const struct options *options)
{
	const struct request_amount *seek = &options->request.seek;

	return seek->blocks > 0 || seek->bytes > 0;
}

static bool
has_shard(const struct options *options)
{
	return options->shard != NULL;
}

static bool
has_sums(const struct options *options)
{
	return options->sums != NULL;
}

static bool
has_update(const struct options *options)
{
	return options->has_update;
}

static bool
has_sync(const struct options *options)
{
	return options->request.conv & CONV_SYNC;
}

static bool
has_tee(const struct options *options)
{
	return options->request.nr_tees > 0;
}

static bool
has_verify(const struct options *options)
{
	return options->verify == OPTIONS_VERIFY_YES;
}

static bool
has_verify_only(const struct options *options)
{
	return options->verify == OPTIONS_VERIFY_ONLY;
}

static bool
has_skip(const struct options *options)
{
	const struct request_amount *skip = &options->request.skip;

	return skip->blocks > 0 || skip->bytes > 0;
}

static bool
has_sparse(const struct options *options)
{
	return options->request.conv & CONV_SPARSE;
}

static bool
has_zeros_skip(const struct options *options)
{
	return options->request.zeros == REQUEST_ZEROS_SKIP;
}

static bool
has_zeros_write(const struct options *options)
{
	return options->request.zeros == REQUEST_ZEROS_WRITE;
}

static const struct {
	const char *name;
	bool (*is_given)(const struct options *options);
} words[CONFLICT_NR_WORDS] = {
	[CONFLICT_APPEND] = {"oflag=append", has_append},
	[CONFLICT_BMAP] = {"bmap=", has_bmap},
	[CONFLICT_BYTES] = {"conversions of bytes", has_bytes},
	[CONFLICT_CLONE] = {"clone=", has_clone},
	[CONFLICT_CLONE_ALWAYS] = {"clone=always", has_clone_always},
	[CONFLICT_COMMAND] = {"[ a command ]", has_command},
	[CONFLICT_COMMIT] = {"commit=", has_commit},
	[CONFLICT_COMMIT_RENAME] = {"commit=rename", has_commit_rename},
	[CONFLICT_DECOMPRESS] = {"decompress=", has_decompress},
	[CONFLICT_EXCL] = {"conv=excl", has_excl},
	[CONFLICT_EXPECT] = {"expect=", has_expect},
	[CONFLICT_HASH] = {"hash=", has_hash},
	[CONFLICT_MANIFEST] = {"manifest=", has_manifest},
	[CONFLICT_MAP] = {"map=", has_map},
	[CONFLICT_NBD] = {"an NBD address", has_nbd},
	[CONFLICT_NBD_DST] = {"an NBD destination", has_nbd_dst},
	[CONFLICT_NBD_SRC] = {"an NBD source", has_nbd_src},
	[CONFLICT_NOCACHE] = {"iflag= or oflag=nocache", has_nocache},
	[CONFLICT_NOERROR] = {"conv=noerror", has_noerror},
	[CONFLICT_NOTRUNC] = {"conv=notrunc", has_notrunc},
	[CONFLICT_OBMAP] = {"obmap=", has_obmap},
	[CONFLICT_PLAN] = {"plan=yes", has_plan},
	[CONFLICT_SEEK] = {"seek=", has_seek},
	[CONFLICT_SHARD] = {"shard=", has_shard},
	[CONFLICT_SKIP] = {"skip=", has_skip},
	[CONFLICT_SUMS] = {"sums=", has_sums},
	[CONFLICT_SYNC] = {"conv=sync", has_sync},
	[CONFLICT_TEE] = {"tee=", has_tee},
	[CONFLICT_UPDATE] = {"update=", has_update},
	[CONFLICT_VERIFY] = {"verify=", has_verify},
	[CONFLICT_VERIFY_ONLY] = {"verify=only", has_verify_only},
	[CONFLICT_SPARSE] = {"conv=sparse", has_sparse},
	[CONFLICT_ZEROS_SKIP] = {"zeros=skip", has_zeros_skip},
	[CONFLICT_ZEROS_WRITE] = {"zeros=write", has_zeros_write},
};

#define BULK "an export is copied in bulk"
#define NO_DATA "cloning reads no data"
#define NOTHING "that writes nothing"
#define KEPT "bytes keep their places"
#define KNOWN "the map says what is there"
#define ALL "all that can be read is written"
#define PART "each process copies a part"
#define IMAGE "the map is of the image as it is"
#define SAME_BYTES "it maps the holes of the source"
#define IN_ORDER "what is packed is read from its start"
#define ONE_DST "that is of one destination"
#define NEW_FILE "it replaces the whole file"

static const struct conflict conflicts[] = {
	{CONFLICT_CLONE_ALWAYS, CONFLICT_HASH, NO_DATA},
	{CONFLICT_CLONE_ALWAYS, CONFLICT_SUMS, NO_DATA},
	{CONFLICT_CLONE_ALWAYS, CONFLICT_EXPECT, NO_DATA},
	{CONFLICT_CLONE_ALWAYS, CONFLICT_VERIFY, NO_DATA},
	{CONFLICT_VERIFY, CONFLICT_APPEND, "others may append, too"},
	{CONFLICT_VERIFY_ONLY, CONFLICT_UPDATE, NOTHING},
	{CONFLICT_VERIFY_ONLY, CONFLICT_COMMIT, NOTHING},
	{CONFLICT_VERIFY_ONLY, CONFLICT_CLONE, NOTHING},
	{CONFLICT_VERIFY_ONLY, CONFLICT_SUMS, NOTHING},
	{CONFLICT_VERIFY_ONLY, CONFLICT_APPEND, NOTHING},
	{CONFLICT_VERIFY_ONLY, CONFLICT_EXCL, NOTHING},
	{CONFLICT_VERIFY_ONLY, CONFLICT_NOERROR,
	 "what cannot be read cannot be compared"},
	{CONFLICT_UPDATE, CONFLICT_APPEND, "what is there already stays"},
	{CONFLICT_UPDATE, CONFLICT_CLONE_ALWAYS, "cloning compares no data"},
	{CONFLICT_COMMIT, CONFLICT_APPEND, "what is there already stays"},
	{CONFLICT_COMMIT_RENAME, CONFLICT_NOTRUNC, NEW_FILE},
	{CONFLICT_COMMIT, CONFLICT_MANIFEST, "the copy is not in its place"},
	{CONFLICT_COMMIT_RENAME, CONFLICT_SEEK, NEW_FILE},
	{CONFLICT_ZEROS_WRITE, CONFLICT_SPARSE, "that leaves them out"},
	{CONFLICT_ZEROS_WRITE, CONFLICT_CLONE_ALWAYS, "holes are shared, too"},
	{CONFLICT_ZEROS_SKIP, CONFLICT_UPDATE, "all is compared"},
	{CONFLICT_ZEROS_SKIP, CONFLICT_VERIFY_ONLY, "all is compared"},
	{CONFLICT_ZEROS_SKIP, CONFLICT_APPEND, "nothing is there yet"},
	{CONFLICT_SHARD, CONFLICT_HASH, PART},
	{CONFLICT_SHARD, CONFLICT_SUMS, PART},
	{CONFLICT_SHARD, CONFLICT_EXPECT, PART},
	{CONFLICT_SHARD, CONFLICT_COMMIT, PART},
	{CONFLICT_SHARD, CONFLICT_CLONE_ALWAYS, PART},
	{CONFLICT_SHARD, CONFLICT_EXCL, "all of them write to one file"},
	{CONFLICT_SHARD, CONFLICT_APPEND, KEPT},
	{CONFLICT_SHARD, CONFLICT_BYTES, KEPT},
	{CONFLICT_SHARD, CONFLICT_NOTRUNC, "the size is set"},
	{CONFLICT_DECOMPRESS, CONFLICT_BYTES, "they read records"},
	{CONFLICT_DECOMPRESS, CONFLICT_NOERROR,
	 "behind a part that is missing nothing can be decompressed"},
	{CONFLICT_DECOMPRESS, CONFLICT_CLONE_ALWAYS,
	 "packed blocks are shared"},
	{CONFLICT_DECOMPRESS, CONFLICT_NOCACHE, "that counts other bytes"},
	{CONFLICT_MAP, CONFLICT_DECOMPRESS, IN_ORDER},
	{CONFLICT_SHARD, CONFLICT_DECOMPRESS, IN_ORDER},
	{CONFLICT_MAP, CONFLICT_BYTES, KEPT},
	{CONFLICT_MAP, CONFLICT_APPEND, KEPT},
	{CONFLICT_MAP, CONFLICT_NOCACHE, "nothing is read in order"},
	{CONFLICT_MAP, CONFLICT_COMMIT, "a later run goes on with the copy"},
	{CONFLICT_MAP, CONFLICT_CLONE_ALWAYS, NO_DATA},
	{CONFLICT_MAP, CONFLICT_UPDATE, KNOWN},
	{CONFLICT_MAP, CONFLICT_VERIFY_ONLY, NOTHING},
	{CONFLICT_MAP, CONFLICT_SPARSE, ALL},
	{CONFLICT_MAP, CONFLICT_ZEROS_SKIP, ALL},
	{CONFLICT_MAP, CONFLICT_MANIFEST, KNOWN},
	{CONFLICT_NBD_DST, CONFLICT_COMMIT_RENAME, "an export keeps its name"},
	{CONFLICT_NBD_DST, CONFLICT_APPEND, "its size is fixed"},
	{CONFLICT_NBD_DST, CONFLICT_EXCL, "an export exists already"},
	{CONFLICT_NBD_SRC, CONFLICT_DECOMPRESS,
	 "have the server unpack it (nbdkit --filter=xz or gzip)"},
	{CONFLICT_NBD, CONFLICT_CLONE_ALWAYS, "only files share blocks"},
	{CONFLICT_NBD, CONFLICT_BYTES, BULK},
	{CONFLICT_NBD, CONFLICT_SYNC, BULK},
	{CONFLICT_NBD, CONFLICT_NOERROR, "use map= instead"},
	{CONFLICT_COMMAND, CONFLICT_PLAN, "it would have to be started"},
	{CONFLICT_BMAP, CONFLICT_BYTES, IMAGE},
	{CONFLICT_BMAP, CONFLICT_SYNC, IMAGE},
	{CONFLICT_BMAP, CONFLICT_SKIP, IMAGE},
	{CONFLICT_BMAP, CONFLICT_APPEND, KEPT},
	{CONFLICT_BMAP, CONFLICT_NOERROR,
	 "what cannot be read is not what the map says"},
	{CONFLICT_BMAP, CONFLICT_CLONE_ALWAYS, NO_DATA},
	{CONFLICT_BMAP, CONFLICT_MAP,
	 "what is left of the one is not what is in the other"},
	{CONFLICT_BMAP, CONFLICT_SHARD, PART},
	{CONFLICT_OBMAP, CONFLICT_SHARD, PART},
	{CONFLICT_OBMAP, CONFLICT_BYTES, SAME_BYTES},
	{CONFLICT_OBMAP, CONFLICT_SEEK, "it is of an image from its start on"},
	{CONFLICT_OBMAP, CONFLICT_SYNC, SAME_BYTES},
	{CONFLICT_OBMAP, CONFLICT_CLONE_ALWAYS, NO_DATA},
	{CONFLICT_OBMAP, CONFLICT_VERIFY_ONLY, NOTHING},
	{CONFLICT_OBMAP, CONFLICT_MAP, "nothing is read in order"},
	{CONFLICT_TEE, CONFLICT_MAP, ONE_DST},
	{CONFLICT_TEE, CONFLICT_UPDATE, ONE_DST},
	{CONFLICT_TEE, CONFLICT_VERIFY_ONLY, ONE_DST},
	{CONFLICT_TEE, CONFLICT_MANIFEST, ONE_DST},
	{CONFLICT_TEE, CONFLICT_BMAP, "all of the source is copied"},
	{CONFLICT_TEE, CONFLICT_CLONE_ALWAYS, NO_DATA},
	{CONFLICT_TEE, CONFLICT_APPEND, KEPT},
	{CONFLICT_TEE, CONFLICT_BYTES, KEPT},
	{CONFLICT_TEE, CONFLICT_SYNC, KEPT},
	{CONFLICT_TEE, CONFLICT_NOERROR,
	 "rescue it to one destination first, with map="},
	{CONFLICT_TEE, CONFLICT_NOCACHE, "it goes to all of them in bulk"},
};

const char *
conflict_name(enum conflict_word word)
{
	return words[word].name;
}

bool
conflict_is_given(enum conflict_word word, const struct options *options)
{
	return words[word].is_given(options);
}

const struct conflict *
conflict_at(size_t i)
{
	return i < ARRAY_LEN(conflicts) ? &conflicts[i] : NULL;
}

const struct conflict *
conflict_find(const struct options *options)
{
	const struct conflict *c;

	for (size_t i = 0; (c = conflict_at(i)) != NULL; i++)
		if (conflict_is_given(c->one, options) &&
		    conflict_is_given(c->other, options))
			return c;
	return NULL;
}
