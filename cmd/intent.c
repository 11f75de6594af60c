// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "intent.h"

#include <stdio.h>

#include "base.h"
#include "cut.h"
#include "disk_identify.h"
#include "disk_stack.h"
#include "overlap.h"
#include "phrase.h"
#include "promise.h"

// How much is written.
struct amount {
	enum { EXACT, AT_LEAST, AT_MOST, UNKNOWN, ENDLESS } kind;
	uint64_t len;
	char text[PHRASE_SIZE_MAX];
};

struct sides {
	const struct request *q;
	struct transfer_side src;
	struct transfer_side dst;
	bool is_kept;	       // the destination, for what it has
};

struct intent {
	const struct sides *s;
	const struct facts *old;  // the destination
	struct amount amount;
	uint64_t off;             // where it begins there
	bool is_missing;          // so far
};

// force=size writes no more.
static uint64_t
what_fits(const struct sides *s, uint64_t reach)
{
	const struct facts *dst = s->dst.facts;

	if (!facts_is_device(dst) || !(s->q->force & REQUEST_FORCE_SIZE))
		return reach;
	return min_u64(reach, max_u64(dst->size, s->dst.start));
}

static struct amount
amount_of(const struct sides *s)
{
	const struct request *q = s->q;
	const struct facts *src = s->src.facts;
	const uint64_t off = s->dst.start;
	const uint64_t reach = overlap_reach(q, src, s->dst.facts);
	const uint64_t count = request_count_len(q);

	if (reach > off)
		return (struct amount){.kind = src->is_at_least ? AT_LEAST
								: EXACT,
				       .len = what_fits(s, reach) - off};
	if (count == 0 || facts_is_null(src) ||
	    (facts_has_offsets(src) && src->size <= s->src.start))
		return (struct amount){.kind = EXACT};
	if (q->conv & (CONV_BLOCK | CONV_UNBLOCK))
		return (struct amount){.kind = UNKNOWN};
	if (count != UINT64_MAX)
		return (struct amount){.kind = AT_MOST, .len = count};
	if (!facts_is_endless(src))
		return (struct amount){.kind = UNKNOWN};
	// Until the device is full.
	if (facts_is_device(s->dst.facts) && s->dst.facts->size > off)
		return (struct amount){.kind = EXACT,
				       .len = s->dst.facts->size - off};
	return (struct amount){.kind = ENDLESS};
}

static void
format_amount(struct amount *a)
{
	char size[PHRASE_SIZE_MAX];

	phrase_size(size, a->len);
	switch (a->kind) {
	case EXACT:
		snprintf(a->text, sizeof(a->text), "%s", size);
		return;
	case AT_LEAST:
		snprintf(a->text, sizeof(a->text), "at least %.32s", size);
		return;
	case AT_MOST:
		snprintf(a->text, sizeof(a->text), "up to %.32s", size);
		return;
	case UNKNOWN:
		snprintf(a->text, sizeof(a->text), "data of unknown length");
		return;
	case ENDLESS:
		snprintf(a->text, sizeof(a->text), "endless data");
	}
}

static void
print_size(uint64_t bytes)
{
	char size[PHRASE_SIZE_MAX];

	fputs(bytes > 0 ? phrase_size(size, bytes) : "empty", stdout);
}

static void
print_disk(const struct facts *facts)
{
	struct disk_stack stack;
	struct disk_identity identity;

	disk_stack_init(&stack, facts->rdev);
	disk_identify(&identity, &stack);
	phrase_disk(stdout, facts->size, &identity);
}

// "/dev/sdb (300 MiB, SanDisk Ultra)"
static void
print_dst(const struct intent *i)
{
	phrase_name(stdout, i->s->q->dst, "standard output");
	if (i->is_missing || !facts_has_offsets(i->old))
		return;
	fputs(" (", stdout);
	if (i->old->rdev != 0)
		print_disk(i->old);
	else
		print_size(i->old->size);
	fputs(")", stdout);
}

static void
print_around(const struct intent *i, const char *before, const char *after)
{
	fputs(before, stdout);
	print_dst(i);
	fputs(after, stdout);
}

static void
print_from(const struct intent *i)
{
	char off[PHRASE_SIZE_MAX];

	if (i->off > 0)
		printf(" from offset %s", phrase_exact(off, i->off));
}

static void
print_overwrite(const struct intent *i)
{
	const struct amount *a = &i->amount;
	const bool is_all = i->off == 0 && a->len >= i->old->size;
	char off[PHRASE_SIZE_MAX];

	if (a->kind != EXACT) {
		print_around(i, "overwrite ", " with ");
		fputs(a->text, stdout);
		print_from(i);
		return;
	}
	phrase_exact(off, i->off);
	if (is_all)
		printf("overwrite all of ");
	else if (i->off == 0)
		printf("overwrite the first %s of ", a->text);
	else
		printf("overwrite %s at offset %s of ", a->text, off);
	print_dst(i);
	if (!facts_is_device(i->old) && i->off + a->len > i->old->size)
		printf(" and extend it to %s",
		       phrase_size(off, i->off + a->len));
}

static bool
is_nothing(const struct intent *i)
{
	return i->amount.kind == EXACT && i->amount.len == 0;
}

// The size that a file gets before the copy, UINT64_MAX: it keeps its own. As
// in dd, a seek= of less than a block keeps nothing.
static uint64_t
cut_size(const struct intent *i)
{
	const struct request *q = i->s->q;

	// An update cuts at its end.
	const bool is_cut = cut_is_due(q) ||
			    (q->compare == REQUEST_COMPARE_UPDATE &&
			     q->dst != NULL && !(q->conv & CONV_NOTRUNC));

	if (!facts_is_file(i->old) || !is_cut || i->s->is_kept)
		return UINT64_MAX;
	return q->seek.blocks > 0 ? i->off : 0;
}

static void
print_create(const struct intent *i)
{
	const uint64_t cut = cut_size(i);
	char size[PHRASE_SIZE_MAX];

	print_around(i, "create ", " (");
	if (!is_nothing(i)) {
		fputs(i->amount.text, stdout);
		print_from(i);
	} else if (cut > 0 && cut != UINT64_MAX) {
		printf("%s, all of it a hole", phrase_size(size, cut));
	} else {
		fputs("empty", stdout);
	}
	fputs(")", stdout);
}

static void
print_replace(const struct intent *i)
{
	const uint64_t kept = cut_size(i);
	char size[PHRASE_SIZE_MAX];

	if (kept > 0)
		printf("replace all after the first %s of ",
		       phrase_exact(size, kept));
	else
		printf("replace the contents of ");
	print_dst(i);
	printf(" with %s", i->amount.text);
	if (kept == 0)
		print_from(i);
}

static void
print_extend(const struct intent *i)
{
	char size[PHRASE_SIZE_MAX];

	print_around(i, "extend ", " to ");
	fputs(phrase_size(size, i->off), stdout);
}

static void
print_deed(const struct intent *i)
{
	const struct request *q = i->s->q;
	const bool is_file = q->dst != NULL && facts_is_file(i->old);

	if (request_is_attested(q)) {
		print_around(i, "compare ",
			     q->bmap != NULL ? " with the block map "
					     : " with its digests in ");
		phrase_name(stdout, q->bmap ? q->bmap : q->manifest, "");
	} else if (!request_writes(q)) {
		print_around(i, "compare ", " with ");
		fputs(i->amount.text, stdout);
		print_from(i);
	} else if (i->s->is_kept) {
		print_around(i, "go on with the copy to ", "");
	} else if (is_file && i->is_missing) {
		print_create(i);
	} else if (is_file && q->commit == REQUEST_COMMIT_RENAME) {
		print_around(i, "replace ", " with a new file of ");
		fputs(i->amount.text, stdout);
	} else if (cut_size(i) <= i->old->size) {
		print_replace(i);
	} else if (is_nothing(i) && cut_size(i) != UINT64_MAX) {
		print_extend(i);
	} else if (is_nothing(i)) {
		print_around(i, "write nothing to ", "");
	} else if (i->old->is_append) {
		printf("append %s", i->amount.text);
		print_around(i, " to ", "");
	} else if (is_file || facts_is_device(i->old)) {
		print_overwrite(i);
	} else {
		printf("write %s to ", i->amount.text);
		phrase_name(stdout, q->dst, "standard output");
	}
}

// Which part of the source, if not all.
static void
print_part(const struct sides *s)
{
	const struct facts *src = s->src.facts;
	const uint64_t from = s->src.start, size = src->size;
	const uint64_t left = size > from ? size - from : 0;
	const uint64_t len = min_u64(left, request_count_len(s->q));
	char text[PHRASE_SIZE_MAX], off[PHRASE_SIZE_MAX];

	if (len == size)
		return;
	phrase_size(text, len);
	if (from == 0)
		printf(", the first %s", text);
	else
		printf(", %s from offset %s", text, phrase_exact(off, from));
}

static void
print_src(const struct sides *s)
{
	const struct facts *src = s->src.facts;
	char size[PHRASE_SIZE_MAX];

	printf("source: ");
	phrase_name(stdout, s->q->src, "standard input");
	switch (src->kind) {
	case FACTS_ZERO:
		printf(" (zeros)");
		break;
	case FACTS_NULL:
		printf(" (empty)");
		break;
	case FACTS_STREAM:
		printf(" (%s", src->unpacked != 0 ? decode_name(src->unpacked)
			       : src->is_pipe	  ? "a pipe"
						  : "a stream");
		if (src->packed_size > 0)
			printf(", %s", phrase_size(size, src->packed_size));
		putchar(')');
		break;
	default:
		printf(" (");
		if (src->rdev != 0)
			print_disk(src);
		else
			print_size(src->size);
		printf(")");
		print_part(s);
		putchar('\n');
		return;
	}
	if (request_has_count(s->q))
		printf(", up to %s",
		       phrase_size(size, request_count_len(s->q)));
	putchar('\n');
}

static struct sides
sides_of(const struct options *options, const struct transfer *t)
{
	return (struct sides){.q = &options->request,
			      .src = transfer_src(t),
			      .dst = transfer_dst(t),
			      .is_kept = t->out.is_kept};
}

static struct intent
intent_of(const struct sides *sides, const struct facts *old)
{
	struct intent i = {.s = sides,
			   .old = old,
			   .amount = amount_of(sides),
			   .off = sides->dst.start,
			   .is_missing = facts_is_file(old) && old->ino == 0};

	format_amount(&i.amount);
	return i;
}

static void
print_would(struct intent *i, enum transfer_verdict verdict)
{
	printf("would %s", verdict == TRANSFER_REFUSED ? "refuse to " : "");
	print_deed(i);
	putchar('\n');
}

void
intent_print_deed(const struct options *options, const struct transfer *t,
		  const struct facts *old, enum transfer_verdict verdict)
{
	const struct sides sides = sides_of(options, t);
	struct intent i = intent_of(&sides, old);

	print_would(&i, verdict);
}

void
intent_print(const struct options *options, const struct transfer *t,
	     const struct facts *old, enum transfer_verdict verdict)
{
	const struct sides sides = sides_of(options, t);
	struct intent i = intent_of(&sides, old);

	print_would(&i, verdict);
	if (!request_is_attested(sides.q))
		print_src(&sides);
	promise_print(options, t, i.is_missing ? NULL : old);
}
