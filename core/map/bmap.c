// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "bmap.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_EXPAT
#include <expat.h>
#endif

#include "base.h"
#include "lazy.h"
#include "text.h"

#define SNIFF_LEN 4096 // of the comment at the top, and what follows

enum field {
	FIELD_IMAGE_SIZE,
	FIELD_BLOCK_SIZE,
	FIELD_BLOCKS,
	FIELD_MAPPED,
	FIELD_ALGORITHM,
	FIELD_CHECKSUM,
	FIELD_SHA1,
	FIELD_MAP,
	FIELD_NR,
	FIELD_RANGE = FIELD_NR,
	FIELD_OTHER,
};

static const char *const fields[FIELD_NR] = {
	[FIELD_IMAGE_SIZE] = "ImageSize",
	[FIELD_BLOCK_SIZE] = "BlockSize",
	[FIELD_BLOCKS] = "BlocksCount",
	[FIELD_MAPPED] = "MappedBlocksCount",
	[FIELD_ALGORITHM] = "ChecksumType",
	[FIELD_CHECKSUM] = "BmapFileChecksum",
	[FIELD_SHA1] = "BmapFileSHA1",
	[FIELD_MAP] = "BlockMap",
};

enum { TEXT_MAX = 2 * RANGES_VALUE_MAX + 32 }; // a digest and what is around it

bool
bmap_is_one(const char *text, size_t len)
{
	len = (size_t)min_u64(len, SNIFF_LEN);
	return (len >= 5 && memcmp(text, "<bmap", 5) == 0) ||
	       (len >= 5 && memcmp(text, "<?xml", 5) == 0 &&
		memmem(text, len, "<bmap", 5) != NULL);
}

void
bmap_done(struct bmap *m)
{
	ranges_done(&m->ranges);
}

static int
fail(struct bmap_error *e, enum bmap_fault fault, const char *word)
{
	e->fault = fault;
	(void)snprintf(e->word, sizeof(e->word), "%s", word);
	return -EINVAL;
}

// Nothing but digits. -1: it is none, or too large.
static int64_t
number_of(const char *text, size_t len)
{
	int64_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)text[i]) ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, text[i] - '0', &n))
			return -1;
	return len > 0 ? n : -1;
}

static size_t
trimmed(const char **text, size_t len)
{
	while (len > 0 && isspace((unsigned char)**text)) {
		(*text)++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)(*text)[len - 1]))
		len--;
	return len;
}

static int64_t
trimmed_number(const char *text, size_t len)
{
	len = trimmed(&text, len);
	return number_of(text, len);
}

// What the elements say, before they are compared with each other. Ranges are
// of blocks.
struct found {
	struct bmap m;
	bool has[FIELD_NR];
	uint64_t numbers[FIELD_MAPPED + 1];
	char algorithm[BMAP_WORD_MAX];
	char checksum[TEXT_MAX];
};

// NULL: ranges have no digests.
static const char *
value_name(const struct bmap *m)
{
	if (m->major > 1 || m->minor >= 4)
		return "chksum";
	return m->minor >= 2 ? "sha1" : NULL;
}

static bool
has_file_checksum(const struct bmap *m)
{
	return m->major > 1 || m->minor >= 3;
}

static enum field
checksum_field(const struct bmap *m)
{
	return m->major > 1 || m->minor >= 4 ? FIELD_CHECKSUM : FIELD_SHA1;
}

static int
check_fields(const struct found *f, struct bmap_error *e)
{
	const enum field last = f->m.major > 1 || f->m.minor >= 4
					? FIELD_ALGORITHM
					: FIELD_MAPPED;

	for (enum field i = 0; i <= last; i++)
		if (!f->has[i])
			return fail(e, BMAP_MISSING, fields[i]);
	if (!f->has[FIELD_MAP])
		return fail(e, BMAP_MISSING, fields[FIELD_MAP]);
	const enum field checksum = checksum_field(&f->m);
	if (has_file_checksum(&f->m) && !f->has[checksum])
		return fail(e, BMAP_MISSING, fields[checksum]);
	return 0;
}

// Versions before 1.4 know but one.
static int
find_alg(struct found *f, struct bmap_error *e)
{
	f->m.alg = DIGEST_SHA1;
	if (checksum_field(&f->m) == FIELD_CHECKSUM &&
	    !digest_find(f->algorithm, strlen(f->algorithm), &f->m.alg))
		return fail(e, BMAP_ALGORITHM, f->algorithm);
	if (!digest_is_available(f->m.alg) &&
	    (f->m.has_digests || has_file_checksum(&f->m)))
		return fail(e, BMAP_LEFT_OUT, digest_name(f->m.alg));
	return 0;
}

static int
check_numbers(const struct found *f, struct bmap_error *e)
{
	const uint64_t *n = f->numbers;
	const struct ranges *r = &f->m.ranges;
	uint64_t mapped = 0;

	if (n[FIELD_BLOCK_SIZE] == 0 ||
	    n[FIELD_BLOCKS] !=
		    n[FIELD_IMAGE_SIZE] / n[FIELD_BLOCK_SIZE] +
			    (n[FIELD_IMAGE_SIZE] % n[FIELD_BLOCK_SIZE] != 0))
		return fail(e, BMAP_BLOCKS, fields[FIELD_BLOCKS]);
	for (size_t i = 0; i < r->nr; i++)
		mapped += r->all[i].len;
	if (r->nr > 0 &&
	    r->all[r->nr - 1].off + r->all[r->nr - 1].len > n[FIELD_BLOCKS])
		return fail(e, BMAP_BLOCKS, fields[FIELD_MAP]);
	return mapped == n[FIELD_MAPPED]
		       ? 0
		       : fail(e, BMAP_BLOCKS, fields[FIELD_MAPPED]);
}

static int
check_values(const struct found *f, struct bmap_error *e)
{
	const struct ranges *r = &f->m.ranges;

	for (size_t i = 0; i < r->nr; i++)
		if (r->all[i].value_size > 0 &&
		    r->all[i].value_size != digest_size(f->m.alg))
			return fail(e, BMAP_VALUE, value_name(&f->m));
	return 0;
}

// Of bytes, and within the image. Nothing is too large: the numbers agree.
static void
scale(struct found *f)
{
	const uint64_t block = f->numbers[FIELD_BLOCK_SIZE];
	struct ranges *r = &f->m.ranges;

	f->m.block_size = block;
	r->size = f->numbers[FIELD_IMAGE_SIZE];
	for (size_t i = 0; i < r->nr; i++) {
		struct ranges_one *one = &r->all[i];

		one->off *= block;
		one->len = min_u64(one->len * block, r->size - one->off);
	}
}

// The digest of all but `hole` bytes at `at`, which count as so many '0'.
static int
digest_around(enum digest_alg alg, const char *text, size_t len, size_t at,
	      size_t hole, unsigned char *ret)
{
	struct digest digest;
	int r = digest_init(&digest, alg);

	if (r == 0) {
		digest_update(&digest, text, at);
		for (size_t i = 0; i < hole; i++)
			digest_update(&digest, "0", 1);
		digest_update(&digest, text + at + hole, len - at - hole);
		r = digest_finish(&digest, ret);
	}
	digest_done(&digest);
	return r;
}

static int
check_whole(const struct found *f, const char *text, size_t len,
	    struct bmap_error *e)
{
	const char *hex = f->checksum;
	const size_t hex_len = strlen(hex), size = digest_size(f->m.alg);
	unsigned char want[DIGEST_MAX_SIZE], got[DIGEST_MAX_SIZE];

	if (!has_file_checksum(&f->m))
		return 0;
	const char *at = memmem(text, len, hex, hex_len);
	if (at == NULL || hex_len != 2 * size ||
	    digest_parse(hex, hex_len, want) < 0)
		return fail(e, BMAP_VALUE, fields[checksum_field(&f->m)]);
	const int r = digest_around(f->m.alg, text, len, (size_t)(at - text),
				    hex_len, got);
	if (r < 0)
		return r;
	return memcmp(want, got, size) == 0 ? 0 : fail(e, BMAP_DAMAGED, "");
}

// What contradicts itself is damaged, too: that is said first.
static int
finish(struct found *f, const char *text, size_t len, struct bmap_error *e)
{
	e->line = 0;
	int r = check_fields(f, e);
	if (r == 0)
		r = find_alg(f, e);
	if (r == 0)
		r = check_whole(f, text, len, e);
	if (r == 0)
		r = check_numbers(f, e);
	if (r == 0)
		r = check_values(f, e);
	if (r == 0)
		scale(f);
	return r;
}

#ifdef HAVE_EXPAT
#define EXPAT(X)                                      \
	X(create, XML_ParserCreate)                   \
	X(free, XML_ParserFree)                       \
	X(set_data, XML_SetUserData)                  \
	X(on_element, XML_SetElementHandler)          \
	X(on_text, XML_SetCharacterDataHandler)       \
	X(on_doctype, XML_SetStartDoctypeDeclHandler) \
	X(parse, XML_Parse)                           \
	X(stop, XML_StopParser)                       \
	X(line, XML_GetCurrentLineNumber)

static LAZY_STRUCT(expat, EXPAT) expat;
LAZY_LIBRARY(expat, EXPAT, "libexpat.so.1", "bmap",
	     "reads the block maps of bmap=", "suggested")

struct parser {
	struct found found;
	struct bmap_error *error;
	int r; // why it has ended
	XML_Parser xml;
	unsigned depth;
	enum field field;	 // whose text comes
	struct ranges_one range; // likewise, of a Range
	char text[TEXT_MAX];
	size_t len;
};

bool
bmap_is_available(void)
{
	return true;
}

static void
end(struct parser *p, int r)
{
	p->r = r;
	p->error->line = (unsigned)expat.line(p->xml);
	(void)expat.stop(p->xml, XML_FALSE); // it is running
}

static const char *
attribute(const char **attributes, const char *name)
{
	for (; name != NULL && *attributes != NULL; attributes += 2)
		if (strcmp(attributes[0], name) == 0)
			return attributes[1];
	return NULL;
}

static void
start_root(struct parser *p, const char *name, const char **attributes)
{
	const char *version = attribute(attributes, "version");
	struct bmap *m = &p->found.m;
	int length = 0;

	if (strcmp(name, "bmap") != 0)
		end(p, fail(p->error, BMAP_FOREIGN, ""));
	else if (version == NULL)
		end(p, fail(p->error, BMAP_MISSING, "version"));
	else if (sscanf(version, "%4u.%4u%n", &m->major, &m->minor, &length) <
			 2 ||
		 version[length] != '\0' || m->major < 1 || m->major > 2)
		end(p, fail(p->error, BMAP_VERSION, version));
}

static void
start_field(struct parser *p, const char *name)
{
	enum field i = 0;

	while (i < FIELD_NR && strcmp(fields[i], name) != 0)
		i++;
	p->field = i < FIELD_NR ? i : FIELD_OTHER;
	if (i < FIELD_NR && p->found.has[i])
		end(p, fail(p->error, BMAP_VALUE, name));
	else if (i < FIELD_NR)
		p->found.has[i] = true;
}

static void
start_range(struct parser *p, const char **attributes)
{
	const char *name = value_name(&p->found.m);
	const char *hex = attribute(attributes, name);
	const size_t len = hex != NULL ? strlen(hex) : 0;

	p->field = FIELD_RANGE;
	p->range = (struct ranges_one){.value_size = (unsigned)len / 2};
	if (hex == NULL)
		return;
	p->found.m.has_digests = true;
	if (len == 0 || len % 2 != 0 || len > 2 * RANGES_VALUE_MAX ||
	    digest_parse(hex, len, p->range.value) < 0)
		end(p, fail(p->error, BMAP_VALUE, name));
}

// Elements that are not known are those of a later minor version.
static void
on_start(void *ctx, const char *name, const char **attributes)
{
	struct parser *p = ctx;
	const bool is_in_map = p->field == FIELD_MAP && p->depth == 2;

	p->depth++;
	p->len = 0;
	if (p->depth == 1)
		start_root(p, name, attributes);
	else if (p->depth == 2)
		start_field(p, name);
	else if (is_in_map && strcmp(name, "Range") == 0)
		start_range(p, attributes);
	else if (p->field != FIELD_OTHER && p->field != FIELD_MAP)
		end(p, fail(p->error, BMAP_VALUE, name));
}

static void
on_text(void *ctx, const char *text, int len)
{
	struct parser *p = ctx;

	if (p->field == FIELD_OTHER || p->field == FIELD_MAP)
		return;
	// What is before it does not count.
	if (p->len == 0)
		while (len > 0 && isspace((unsigned char)*text)) {
			text++;
			len--;
		}
	if ((size_t)len > sizeof(p->text) - p->len) {
		end(p, fail(p->error, BMAP_VALUE, ""));
		return;
	}
	memcpy(p->text + p->len, text, (size_t)len);
	p->len += (size_t)len;
}

// "first-last", or one number.
static bool
parse_range(struct parser *p, const char *text, size_t len)
{
	const struct ranges *r = &p->found.m.ranges;
	const struct ranges_one *before = r->nr > 0 ? &r->all[r->nr - 1] : NULL;
	const char *dash = memchr(text, '-', len);
	const size_t head = dash != NULL ? (size_t)(dash - text) : len;
	const int64_t first = trimmed_number(text, head);
	const int64_t last = dash != NULL
				     ? trimmed_number(dash + 1, len - head - 1)
				     : first;

	if (first < 0 || last < first ||
	    (before != NULL && before->off + before->len > (uint64_t)first))
		return false;
	p->range.off = (uint64_t)first;
	p->range.len = (uint64_t)(last - first) + 1;
	return true;
}

static void
end_range(struct parser *p)
{
	const int r = parse_range(p, p->text, p->len)
			      ? ranges_add(&p->found.m.ranges, &p->range)
			      : fail(p->error, BMAP_RANGE, "");

	if (r < 0)
		end(p, r);
}

static void
end_field(struct parser *p)
{
	struct found *f = &p->found;
	const char *text = p->text;
	const size_t len = trimmed(&text, p->len);

	if (p->field <= FIELD_MAPPED) {
		const int64_t n = number_of(text, len);

		if (n < 0)
			end(p, fail(p->error, BMAP_VALUE, fields[p->field]));
		f->numbers[p->field] = (uint64_t)n;
	} else if (p->field == FIELD_ALGORITHM) {
		(void)snprintf(f->algorithm, sizeof(f->algorithm), "%.*s",
			       (int)len, text);
	} else if (p->field == checksum_field(&f->m)) {
		(void)snprintf(f->checksum, sizeof(f->checksum), "%.*s",
			       (int)len, text);
	}
}

static void
on_end(void *ctx, const char *name)
{
	struct parser *p = ctx;

	(void)name;
	if (p->r < 0) // of an empty element, which is the last one
		return;
	if (p->depth == 3 && p->field == FIELD_RANGE) {
		end_range(p);
		p->field = FIELD_MAP;
	} else if (p->depth == 2) {
		end_field(p);
		p->field = FIELD_OTHER;
	}
	p->depth--;
}

// Entities can only be declared there.
static void
on_doctype(void *ctx, const char *name, const char *sysid, const char *pubid,
	   int has_internal_subset)
{
	struct parser *p = ctx;

	(void)name;
	(void)sysid;
	(void)pubid;
	(void)has_internal_subset;
	end(p, fail(p->error, BMAP_DOCTYPE, ""));
}

static int
run(struct parser *p, const char *text, size_t len)
{
	expat.set_data(p->xml, p);
	expat.on_element(p->xml, on_start, on_end);
	expat.on_text(p->xml, on_text);
	expat.on_doctype(p->xml, on_doctype);
	if (expat.parse(p->xml, text, (int)len, XML_TRUE) != XML_STATUS_OK &&
	    p->r == 0)
		end(p, fail(p->error, BMAP_XML, ""));
	return p->r;
}

int
bmap_parse(struct bmap *ret, const char *text, size_t len,
	   struct bmap_error *ret_error)
{
	static const char pgp[] = "-----BEGIN PGP SIGNED MESSAGE-----";
	struct parser p = {.error = ret_error, .field = FIELD_OTHER};

	*ret_error = (struct bmap_error){0};
	if (len >= sizeof(pgp) - 1 && memcmp(text, pgp, sizeof(pgp) - 1) == 0)
		return fail(ret_error, BMAP_SIGNED, "");
	if (!bmap_is_one(text, len))
		return fail(ret_error, BMAP_FOREIGN, "");
	if (len > INT32_MAX)
		return -EFBIG;
	if (load_expat() < 0)
		return -ELIBACC;
	p.xml = expat.create(NULL);
	if (p.xml == NULL)
		return -ENOMEM;
	int r = run(&p, text, len);
	expat.free(p.xml);
	if (r == 0)
		r = finish(&p.found, text, len, ret_error);
	if (r == 0)
		*ret = p.found.m;
	else
		bmap_done(&p.found.m);
	return r;
}
#else
bool
bmap_is_available(void)
{
	return false;
}

// Never called then.
int
bmap_parse(struct bmap *ret, const char *text, size_t len,
	   struct bmap_error *ret_error)
{
	(void)ret;
	(void)text;
	(void)len;
	(void)ret_error;
	return -ELIBACC;
}
#endif

static void
put_range(struct text *t, const struct ranges_one *one)
{
	const uint64_t first = one->off / BMAP_BLOCK;
	const uint64_t last = (one->off + one->len - 1) / BMAP_BLOCK;
	char hex[DIGEST_HEX_MAX];

	digest_format(BMAP_ALG, one->value, hex);
	text_put(t, "        <Range chksum=\"%s\"> %" PRIu64, hex, first);
	if (last > first)
		text_put(t, "-%" PRIu64, last);
	text_put(t, " </Range>\n");
}

static uint64_t
blocks_of(uint64_t len)
{
	return len / BMAP_BLOCK + (len % BMAP_BLOCK != 0);
}

static void
put_head(struct text *t, const struct ranges *r)
{
	uint64_t mapped = 0;

	for (size_t i = 0; i < r->nr; i++)
		mapped += blocks_of(r->all[i].len);
	text_put(t,
		 "<?xml version=\"1.0\" ?>\n"
		 "<!-- Block map of an image, created by aiodd version %s.\n"
		 "     Only the blocks of its ranges hold data. -->\n\n"
		 "<bmap version=\"2.0\">\n",
		 PACKAGE_VERSION);
	text_put(t,
		 "    <ImageSize> %" PRIu64 " </ImageSize>\n"
		 "    <BlockSize> %u </BlockSize>\n"
		 "    <BlocksCount> %" PRIu64 " </BlocksCount>\n"
		 "    <MappedBlocksCount> %" PRIu64 " </MappedBlocksCount>\n"
		 "    <ChecksumType> %s </ChecksumType>\n",
		 r->size, BMAP_BLOCK, blocks_of(r->size), mapped,
		 digest_name(BMAP_ALG));
}

int
bmap_print(char **ret, size_t *ret_len, const struct ranges *r)
{
	const unsigned char nothing[DIGEST_MAX_SIZE] = {0};
	unsigned char value[DIGEST_MAX_SIZE];
	char hex[DIGEST_HEX_MAX];
	struct text t = {0};

	put_head(&t, r);
	digest_format(BMAP_ALG, nothing, hex);
	text_put(&t, "    <BmapFileChecksum> ");
	const size_t at = t.len;
	text_put(&t, "%s </BmapFileChecksum>\n    <BlockMap>\n", hex);
	for (size_t i = 0; i < r->nr; i++)
		put_range(&t, &r->all[i]);
	text_put(&t, "    </BlockMap>\n</bmap>\n");
	int got = text_take(&t, ret, ret_len);
	if (got < 0)
		return got;
	got = digest_around(BMAP_ALG, *ret, *ret_len, at, strlen(hex), value);
	if (got < 0) {
		free(*ret);
		return got;
	}
	digest_format(BMAP_ALG, value, hex);
	memcpy(*ret + at, hex, strlen(hex));
	return 0;
}
