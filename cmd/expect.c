// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "expect.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hasher.h"
#include "message.h"
#include "quote.h"

#define TEXT_MAX (64 * 1024) // of a line: names have 4 KiB, escapes double it

static const char *
last_component(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

static int
parse_hex(const char *text, size_t len, unsigned char *value)
{
	if (len % 2 != 0 || len > 2 * DIGEST_MAX_SIZE)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		const int c = tolower((unsigned char)text[i]);

		if (!isxdigit(c))
			return -EINVAL;
		const unsigned nibble =
			(unsigned)(isdigit(c) ? c - '0' : c - 'a' + 10);
		value[i / 2] = (unsigned char)(value[i / 2] << 4 | nibble);
	}
	return 0;
}

static bool
find_alg(const char *name, size_t len, enum digest_alg *ret)
{
	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++) {
		const char *known = digest_name(alg);

		if (strlen(known) == len &&
		    strncasecmp(known, name, len) == 0) {
			*ret = alg;
			return true;
		}
	}
	return false;
}

// A line without a name of the algorithm has one of those of its length.
static unsigned
algs_of_length(size_t len)
{
	unsigned algs = 0;

	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++)
		if (len == 2 * digest_size(alg) && digest_is_available(alg))
			algs |= 1U << alg;
	return algs;
}

// Undo the escapes of a name in place. False: an unknown one.
static bool
unescape(char *name)
{
	char *to = name;

	for (; *name != '\0'; name++) {
		if (*name != '\\') {
			*to++ = *name;
			continue;
		}
		name++;
		if (*name == 'n')
			*to++ = '\n';
		else if (*name == 'r')
			*to++ = '\r';
		else if (*name == '\\')
			*to++ = '\\';
		else
			return false;
	}
	*to = '\0';
	return true;
}

struct line {
	unsigned algs;        // a set of 1 << enum digest_alg
	const char *hex;
	size_t hex_len;
	char *name;
};

// SHA256 (NAME) = HEX. The name ends at the last parenthesis.
static bool
split_bsd(char *text, struct line *line)
{
	char *open = strstr(text, " (");
	char *close = strrchr(text, ')');
	enum digest_alg alg;

	if (open == NULL || close == NULL || close < open + 2 ||
	    strncmp(close, ") = ", 4) != 0 ||
	    !find_alg(text, (size_t)(open - text), &alg))
		return false;
	line->algs = 1U << alg;
	line->name = open + 2;
	*close = '\0';
	line->hex = close + 4;
	line->hex_len = strlen(line->hex);
	return line->hex_len == 2 * digest_size(alg);
}

// HEX, a blank, a blank or an asterisk, NAME.
static bool
split_gnu(char *text, struct line *line)
{
	const size_t len = strspn(text, "0123456789abcdefABCDEF");

	if (len == 0 || text[len] != ' ' ||
	    (text[len + 1] != ' ' && text[len + 1] != '*'))
		return false;
	line->algs = algs_of_length(len);
	line->hex = text;
	line->hex_len = len;
	line->name = text + len + 2;
	return line->algs != 0;
}

enum match {
	MATCH_NONE,
	MATCH_LAST,           // the last component of the name
	MATCH_NAME,           // the whole name
};

struct found {
	struct request_expected expected;
	char *name;           // as the line has it
};

// Whether the line is that of name; then it is in *ret, and its name in text.
static enum match
parse_line(char *text, const char *name, struct found *ret)
{
	struct line line;

	text[strcspn(text, "\n")] = '\0';
	const size_t len = strlen(text);
	if (len > 0 && text[len - 1] == '\r')
		text[len - 1] = '\0';
	text += strspn(text, " \t");
	const bool is_escaped = *text == '\\';
	text += is_escaped;
	if (!split_bsd(text, &line) && !split_gnu(text, &line))
		return MATCH_NONE;
	if (is_escaped && !unescape(line.name))
		return MATCH_NONE;
	if (strcmp(last_component(line.name), last_component(name)) != 0)
		return MATCH_NONE;
	*ret = (struct found){{.algs = line.algs}, line.name};
	if (parse_hex(line.hex, line.hex_len, ret->expected.value) < 0)
		return MATCH_NONE;
	return strcmp(line.name, name) == 0 ? MATCH_NAME : MATCH_LAST;
}

// Whether two lines may speak of two files. Of one name they may well have
// digests by several algorithms.
static bool
is_other(const struct found *a, const struct found *b)
{
	const struct request_expected *x = &a->expected, *y = &b->expected;

	if (x->algs == y->algs)
		return memcmp(x->value, y->value, sizeof(x->value)) != 0;
	return a->name == NULL || strcmp(a->name, b->name) != 0;
}

// The first line with the whole name, else the only one with its last
// component. -ENOENT: there is none; -EINVAL: several, or this is no file of
// checksums; another -errno: it cannot be read.
static int
search_file(FILE *file, const char *name, struct request_expected *ret)
{
	struct found found, first = {.name = NULL};
	enum match match = MATCH_NONE;
	bool is_ambiguous = false;
	char text[TEXT_MAX];

	errno = 0;
	while (fgets(text, sizeof(text), file) != NULL) {
		if (strchr(text, '\n') == NULL && !feof(file)) {
			is_ambiguous = true;
			break;
		}
		const enum match this = parse_line(text, name, &found);

		if (this == MATCH_NONE)
			continue;
		match = this;
		if (first.name == NULL || match == MATCH_NAME) {
			free(first.name);
			first = found;
			first.name = strdup(found.name);
		}
		if (match == MATCH_NAME)
			break;
		is_ambiguous |= is_other(&first, &found);
	}
	free(first.name);
	*ret = first.expected;
	if (ferror(file))
		return errno != 0 ? -errno : -EIO;
	if (is_ambiguous && match != MATCH_NAME)
		return -EINVAL;
	return match != MATCH_NONE ? 0 : -ENOENT;
}

static int
parse_file(const char *path, const char *name, struct request_expected *ret)
{
	FILE *file = fopen(path, "re");
	const int r = file != NULL ? search_file(file, name, ret) : -errno;
	char *quoted_path = quote_name_colon(path);
	char *quoted_name = quote_name_always(name);
	const char *p = quoted_path != NULL ? quoted_path : "?";
	const char *n = quoted_name != NULL ? quoted_name : "?";

	if (file != NULL && r == -ENOENT)
		message_error(0, "expect=%s: no digest of %s in it", p, n);
	else if (r == -EINVAL)
		message_error(0, "expect=%s: not one digest of %s in it", p, n);
	else if (r < 0)
		message_error(-r, "expect=%s", p);
	free(quoted_name);
	free(quoted_path);
	if (file != NULL)
		(void)fclose(file); // only read
	return r;
}

// alg: it is not the len digits of this one; NULL: there is no name.
static void
tell_wrong(const char *text, const char *alg, size_t len)
{
	char *quoted = quote_name_colon(text);
	const char *name = quoted != NULL ? quoted : "?";

	if (alg != NULL)
		message_error(0, "expect=%s: not the %zu hex digits of %s",
			      name, len, alg);
	else
		message_error(0, "expect=%s: standard input has no name to "
			      "look for", name);
	free(quoted);
}

int
expect_parse(const char *text, const char *name, struct request_expected *ret)
{
	const char *colon = strchr(text, ':');
	enum digest_alg alg;
	int r = -EINVAL;

	memset(ret, 0, sizeof(*ret));
	if (colon != NULL && find_alg(text, (size_t)(colon - text), &alg)) {
		const size_t len = 2 * digest_size(alg);

		ret->algs = 1U << alg;
		if (len == strlen(colon + 1))
			r = parse_hex(colon + 1, len, ret->value);
		if (r < 0)
			tell_wrong(text, digest_name(alg), len);
	} else if (name == NULL) {
		tell_wrong(text, NULL, 0);
	} else {
		r = parse_file(text, name, ret);
	}
	if (r < 0)
		ret->algs = 0;
	return r;
}

void
expect_tell(const struct request_expected *expected,
	    const struct hasher *hasher, const char *name)
{
	const enum digest_alg alg =
		hasher_find(hasher, expected->algs, expected->value);
	char is[DIGEST_HEX_MAX], wanted[DIGEST_HEX_MAX];
	char *quoted = quote_name_always(name);

	digest_format(alg, hasher_result(hasher, alg), is);
	digest_format(alg, expected->value, wanted);
	message_error(0, "%s is not what was expected: its %s is %s, not %s",
		      quoted ? quoted : "?", digest_name(alg), is, wanted);
	free(quoted);
}
