// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "conflict.h"

#include "base.h"
#include "options.h"

static bool
has_append(const struct options *options)
{
	return options->request.oflags & FLAG_APPEND;
}

static bool
has_clone_always(const struct options *options)
{
	return options->request.clone == REQUEST_CLONE_ALWAYS;
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
has_notrunc(const struct options *options)
{
	return options->request.conv & CONV_NOTRUNC;
}

static bool
has_seek(const struct options *options)
{
	const struct request_amount *seek = &options->request.seek;

	return seek->blocks > 0 || seek->bytes > 0;
}

static bool
has_sums(const struct options *options)
{
	return options->sums != NULL;
}

static bool
has_verify(const struct options *options)
{
	return options->request.verify;
}

static const struct {
	const char *name;
	bool (*is_given)(const struct options *options);
} words[CONFLICT_NR_WORDS] = {
	[CONFLICT_APPEND] = {"oflag=append", has_append},
	[CONFLICT_CLONE_ALWAYS] = {"clone=always", has_clone_always},
	[CONFLICT_COMMIT] = {"commit=", has_commit},
	[CONFLICT_COMMIT_RENAME] = {"commit=rename", has_commit_rename},
	[CONFLICT_EXPECT] = {"expect=", has_expect},
	[CONFLICT_HASH] = {"hash=", has_hash},
	[CONFLICT_NOTRUNC] = {"conv=notrunc", has_notrunc},
	[CONFLICT_SEEK] = {"seek=", has_seek},
	[CONFLICT_SUMS] = {"sums=", has_sums},
	[CONFLICT_VERIFY] = {"verify=", has_verify},
};

#define NO_DATA "cloning reads no data"
#define NEW_FILE "it replaces the whole file"

static const struct conflict conflicts[] = {
	{CONFLICT_CLONE_ALWAYS, CONFLICT_HASH, NO_DATA},
	{CONFLICT_CLONE_ALWAYS, CONFLICT_SUMS, NO_DATA},
	{CONFLICT_CLONE_ALWAYS, CONFLICT_EXPECT, NO_DATA},
	{CONFLICT_CLONE_ALWAYS, CONFLICT_VERIFY, NO_DATA},
	{CONFLICT_VERIFY, CONFLICT_APPEND, "others may append, too"},
	{CONFLICT_COMMIT, CONFLICT_APPEND, "what is there already stays"},
	{CONFLICT_COMMIT_RENAME, CONFLICT_NOTRUNC, NEW_FILE},
	{CONFLICT_COMMIT_RENAME, CONFLICT_SEEK, NEW_FILE},
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
