// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "bmap_xml.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#ifdef HAVE_EXPAT
#include <expat.h>
#endif

#include "digest.h"
#include "lazy.h"

static const char *const names[BMAP_FIELD_NR] = {
	[BMAP_FIELD_IMAGE_SIZE] = "ImageSize",
	[BMAP_FIELD_BLOCK_SIZE] = "BlockSize",
	[BMAP_FIELD_BLOCKS] = "BlocksCount",
	[BMAP_FIELD_MAPPED] = "MappedBlocksCount",
	[BMAP_FIELD_ALGORITHM] = "ChecksumType",
	[BMAP_FIELD_CHECKSUM] = "BmapFileChecksum",
	[BMAP_FIELD_SHA1] = "BmapFileSHA1",
	[BMAP_FIELD_MAP] = "BlockMap",
};

const char *
bmap_xml_name(enum bmap_field field)
{
	return names[field];
}

enum bmap_field
bmap_xml_sum(const struct bmap_xml *x)
{
	return x->major > 1 || x->minor >= 4 ? BMAP_FIELD_CHECKSUM
					     : BMAP_FIELD_SHA1;
}

const char *
bmap_xml_attribute(const struct bmap_xml *x)
{
	if (x->major > 1 || x->minor >= 4)
		return "chksum";
	return x->minor >= 2 ? "sha1" : NULL;
}

#ifdef HAVE_EXPAT
// Of those that have no field of their own.
enum { FIELD_RANGE = BMAP_FIELD_NR, FIELD_OTHER };

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

// A newer expat has another name for the line. The older one is in all.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static LAZY_STRUCT(expat, EXPAT) expat;
LAZY_LIBRARY(expat, EXPAT, "libexpat.so.1", "bmap",
	     "reads the block maps of bmap=", "suggested")
#pragma GCC diagnostic pop

struct parser {
	struct bmap_xml *found;
	struct bmap_error *error;
	int r; // why it has ended
	XML_Parser xml;
	unsigned depth;
	unsigned field;		 // whose text comes
	struct ranges_one range; // likewise, of a Range
	char text[BMAP_TEXT_MAX];
	size_t len;
};

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
	struct bmap_xml *m = p->found;
	int length = 0;

	if (strcmp(name, "bmap") != 0)
		end(p, bmap_fault_set(p->error, BMAP_FOREIGN, ""));
	else if (version == NULL)
		end(p, bmap_fault_set(p->error, BMAP_MISSING, "version"));
	else if (sscanf(version, "%4u.%4u%n", &m->major, &m->minor, &length) <
			 2 ||
		 version[length] != '\0' || m->major < 1 || m->major > 2)
		end(p, bmap_fault_set(p->error, BMAP_VERSION, version));
}

static void
start_field(struct parser *p, const char *name)
{
	unsigned i = 0;

	while (i < BMAP_FIELD_NR && strcmp(names[i], name) != 0)
		i++;
	p->field = i < BMAP_FIELD_NR ? i : FIELD_OTHER;
	if (i < BMAP_FIELD_NR && p->found->has[i])
		end(p, bmap_fault_set(p->error, BMAP_VALUE, name));
	else if (i < BMAP_FIELD_NR)
		p->found->has[i] = true;
}

static void
start_range(struct parser *p, const char **attributes)
{
	const char *name = bmap_xml_attribute(p->found);
	const char *hex = attribute(attributes, name);
	const size_t len = hex != NULL ? strlen(hex) : 0;

	p->field = FIELD_RANGE;
	p->range = (struct ranges_one){.value_size = (unsigned)len / 2};
	if (hex == NULL)
		return;
	p->found->nr_digests++;
	if (len == 0 || len % 2 != 0 || len > 2 * RANGES_VALUE_MAX ||
	    digest_parse(hex, len, p->range.value) < 0)
		end(p, bmap_fault_set(p->error, BMAP_VALUE, name));
}

// Elements that are not known are those of a later minor version.
static void
on_start(void *ctx, const char *name, const char **attributes)
{
	struct parser *p = ctx;
	const bool is_in_map = p->field == BMAP_FIELD_MAP && p->depth == 2;

	p->depth++;
	p->len = 0;
	if (p->depth == 1)
		start_root(p, name, attributes);
	else if (p->depth == 2)
		start_field(p, name);
	else if (is_in_map && strcmp(name, "Range") == 0)
		start_range(p, attributes);
	else if (p->field != FIELD_OTHER && p->field != BMAP_FIELD_MAP)
		end(p, bmap_fault_set(p->error, BMAP_VALUE, name));
}

static void
on_text(void *ctx, const char *text, int len)
{
	struct parser *p = ctx;

	if (p->field == FIELD_OTHER || p->field == BMAP_FIELD_MAP)
		return;
	// What is before it does not count.
	if (p->len == 0)
		while (len > 0 && isspace((unsigned char)*text)) {
			text++;
			len--;
		}
	if ((size_t)len > sizeof(p->text) - p->len) {
		end(p, bmap_fault_set(p->error, BMAP_VALUE, ""));
		return;
	}
	memcpy(p->text + p->len, text, (size_t)len);
	p->len += (size_t)len;
}

// "first-last", or one number.
static bool
parse_range(struct parser *p, const char *text, size_t len)
{
	const struct ranges *r = &p->found->ranges;
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
			      ? ranges_add(&p->found->ranges, &p->range)
			      : bmap_fault_set(p->error, BMAP_RANGE, "");

	if (r < 0)
		end(p, r);
}

static void
end_field(struct parser *p)
{
	struct bmap_xml *f = p->found;
	const char *text = p->text;
	const size_t len = trimmed(&text, p->len);

	if (p->field <= BMAP_FIELD_MAPPED) {
		const int64_t n = number_of(text, len);

		if (n < 0)
			end(p, bmap_fault_set(p->error, BMAP_VALUE,
					      names[p->field]));
		f->numbers[p->field] = (uint64_t)n;
	} else if (p->field == BMAP_FIELD_ALGORITHM) {
		(void)snprintf(f->algorithm, sizeof(f->algorithm), "%.*s",
			       (int)len, text);
	} else if (p->field == bmap_xml_sum(f)) {
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
		p->field = BMAP_FIELD_MAP;
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
	end(p, bmap_fault_set(p->error, BMAP_DOCTYPE, ""));
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
		end(p, bmap_fault_set(p->error, BMAP_XML, ""));
	return p->r;
}

bool
bmap_xml_is_available(void)
{
	return true;
}

int
bmap_xml_read(struct bmap_xml *ret, const char *text, size_t len,
	      struct bmap_error *ret_error)
{
	struct parser p = {
		.found = ret, .error = ret_error, .field = FIELD_OTHER};

	*ret = (struct bmap_xml){0};
	if (load_expat() < 0)
		return -ELIBACC;
	p.xml = expat.create(NULL);
	if (p.xml == NULL)
		return -ENOMEM;
	const int r = run(&p, text, len);
	expat.free(p.xml);
	return r;
}
#else
bool
bmap_xml_is_available(void)
{
	return false;
}

// Never called then.
int
bmap_xml_read(struct bmap_xml *ret, const char *text, size_t len,
	      struct bmap_error *ret_error)
{
	(void)text;
	(void)len;
	(void)ret_error;
	*ret = (struct bmap_xml){0};
	return -ELIBACC;
}
#endif
