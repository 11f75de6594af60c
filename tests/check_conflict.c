// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "conflict.h"

#include "options.h"
#include "suites.h"

static struct options options;

static void
begin(void)
{
	options = (struct options){.request.src = "a"};
}

static void
give(enum conflict_word word)
{
	struct request *q = &options.request;

	switch (word) {
	case CONFLICT_APPEND:
		q->oflags |= FLAG_APPEND;
		break;
	case CONFLICT_BMAP:
		q->bmap = "m";
		break;
	case CONFLICT_BYTES:
		q->conv |= CONV_SWAB;
		break;
	case CONFLICT_CLONE:
		if (q->clone == REQUEST_CLONE_DEFAULT)
			q->clone = REQUEST_CLONE_AUTO;
		break;
	case CONFLICT_CLONE_ALWAYS:
		q->clone = REQUEST_CLONE_ALWAYS;
		break;
	case CONFLICT_COMMAND:
		q->src_server = (char *[]){NULL};
		break;
	case CONFLICT_COMMIT:
		if (q->commit == REQUEST_COMMIT_NONE)
			q->commit = REQUEST_COMMIT_FIRST_LAST;
		break;
	case CONFLICT_COMMIT_RENAME:
		q->commit = REQUEST_COMMIT_RENAME;
		break;
	case CONFLICT_DECOMPRESS:
		q->decompress = REQUEST_DECOMPRESS_AUTO;
		break;
	case CONFLICT_EXCL:
		q->conv |= CONV_EXCL;
		break;
	case CONFLICT_EXPECT:
		options.expect = "md5:0";
		break;
	case CONFLICT_HASH:
		options.hashes = 1;
		break;
	case CONFLICT_NOERROR:
		q->conv |= CONV_NOERROR;
		break;
	case CONFLICT_MANIFEST:
		q->manifest = "m";
		break;
	case CONFLICT_SHARD:
		options.shard = "1/2";
		break;
	case CONFLICT_MAP:
		q->map = "m";
		break;
	case CONFLICT_NBD:
		q->src = "nbd://a";
		break;
	case CONFLICT_NBD_SRC:
		q->src = "nbd://a";
		break;
	case CONFLICT_NBD_DST:
		q->dst = "nbds://b";
		break;
	case CONFLICT_NOCACHE:
		q->iflags |= FLAG_NOCACHE;
		break;
	case CONFLICT_NOTRUNC:
		q->conv |= CONV_NOTRUNC;
		break;
	case CONFLICT_PLAN:
		q->plan_only = true;
		break;
	case CONFLICT_OBMAP:
		q->obmap = "m";
		break;
	case CONFLICT_SEEK:
		q->seek.bytes = 1;
		break;
	case CONFLICT_SKIP:
		q->skip.blocks = 1;
		break;
	case CONFLICT_SYNC:
		q->conv |= CONV_SYNC;
		break;
	case CONFLICT_SUMS:
		options.sums = "-";
		break;
	case CONFLICT_TEE:
		q->tees[q->nr_tees++] = "b";
		break;
	case CONFLICT_UPDATE:
		options.has_update = true;
		break;
	case CONFLICT_VERIFY:
		options.verify = OPTIONS_VERIFY_YES;
		break;
	case CONFLICT_VERIFY_ONLY:
		options.verify = OPTIONS_VERIFY_ONLY;
		break;
	case CONFLICT_SPARSE:
		q->conv |= CONV_SPARSE;
		break;
	case CONFLICT_ZEROS_SKIP:
		q->zeros = REQUEST_ZEROS_SKIP;
		break;
	case CONFLICT_ZEROS_WRITE:
		q->zeros = REQUEST_ZEROS_WRITE;
		break;
	case CONFLICT_NR_WORDS:
		break;
	}
}

START_TEST(nothing_excludes_nothing)
{
	for (int word = 0; word < CONFLICT_NR_WORDS; word++)
		ck_assert(!conflict_is_given(word, &options));
	ck_assert_ptr_null(conflict_find(&options));
}
END_TEST

START_TEST(one_alone_excludes_nothing)
{
	give(_i);
	ck_assert(conflict_is_given(_i, &options));
	ck_assert_ptr_null(conflict_find(&options));
}
END_TEST

START_TEST(each_row_is_found)
{
	const struct conflict *row = conflict_at((size_t)_i);

	if (row == NULL)
		return;
	give(row->one);
	give(row->other);
	ck_assert_ptr_eq(conflict_find(&options), row);
}
END_TEST

Suite *
conflict_suite(void)
{
	Suite *s = suite_create("conflict");
	TCase *t = tcase_create("conflict");

	tcase_add_checked_fixture(t, begin, NULL);
	tcase_add_test(t, nothing_excludes_nothing);
	tcase_add_loop_test(t, one_alone_excludes_nothing, 0,
			    CONFLICT_NR_WORDS);
	tcase_add_loop_test(t, each_row_is_found, 0, 128);
	suite_add_tcase(s, t);
	return s;
}
