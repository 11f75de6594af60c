// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "digest.h"

#define TEXT_MAX (64 * 1024) // of a line: names have 4 KiB, escapes double it
#define BLANKS " \t"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define PGP_BEGIN "-----BEGIN PGP SIGNED MESSAGE-----"

struct line {
	struct request_expected expected;
	const char *name;        // NULL: it has none
};

// How well a line fits.
enum match {
	MATCH_NONE,
	MATCH_LAST,           // the last component of the name
	MATCH_NAME,           // the whole name
};

// Of a file that is signed only what the signature is about counts.
enum part {
	PART_UNSIGNED,
	PART_HEADERS,
	PART_SIGNED,
	PART_SIGNATURE,       // and what is behind it
};

struct search {
	const char *name;
	enum part part;
	unsigned nr_lines;    // without empty ones and comments
	struct request_expected bare;

	// The best so far.
	enum match match;
	struct request_expected best;
	char *best_name;      // as the first line with it has it
	unsigned nr_others;   // digests by the same algorithm
	bool has_other_names; // lines that may speak of another file
};

static bool
is_blank(const char *text)
{
	return text[strspn(text, BLANKS)] == '\0';
}

static const char *
last_component(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
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

// What a form finds in a line.
struct split {
	unsigned algs;        // 0: those of this length
	const char *hex;
	char *name;
};

// ALG (NAME) = HEX. The name ends at the last parenthesis.
static bool
split_tagged(char *text, struct split *ret)
{
	char *open = strchr(text, '('), *close = strrchr(text, ')');
	enum digest_alg alg;

	if (open == NULL || close == NULL || close < open)
		return false;
	const size_t len = (size_t)(open - text);
	const bool has_blank = len > 0 && text[len - 1] == ' ';
	const char *equals = close + 1 + strspn(close + 1, BLANKS);
	if (*equals != '=' || !digest_find(text, len - has_blank, &alg))
		return false;
	*close = '\0';
	ret->algs = 1U << alg;
	ret->hex = equals + 1 + strspn(equals + 1, BLANKS);
	ret->name = open + 1;
	const size_t hex_len = strspn(ret->hex, DIGEST_HEX);
	return hex_len == 2 * digest_size(alg) && is_blank(ret->hex + hex_len);
}

// HEX, a blank, mostly another one or an asterisk, NAME.
static bool
split_plain(char *text, struct split *ret)
{
	char *blank = text + strspn(text, DIGEST_HEX);

	if (*blank == '\0' || strchr(BLANKS, *blank) == NULL)
		return false;
	ret->hex = text;
	ret->name = blank + 1;
	if (*ret->name == ' ' || *ret->name == '*')
		ret->name++;
	return *ret->name != '\0';
}

static bool
split_bare(char *text, struct split *ret)
{
	ret->hex = text;
	ret->name = NULL;
	return is_blank(text + strspn(text, DIGEST_HEX));
}

static bool
split_line(char *text, struct split *ret)
{
	static bool (*const forms[])(char *text, struct split *ret) = {
		split_tagged, split_plain, split_bare,
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		*ret = (struct split){.algs = 0};
		if (forms[i](text, ret))
			return true;
	}
	return false;
}

// False: it is none that has a digest.
static bool
parse_line(char *text, struct line *ret)
{
	struct split split;

	text += strspn(text, BLANKS);
	const bool is_escaped = *text == '\\';
	text += is_escaped;
	if (!split_line(text, &split) ||
	    (is_escaped && split.name != NULL && !unescape(split.name)))
		return false;
	const size_t len = strspn(split.hex, DIGEST_HEX);
	*ret = (struct line){
		.expected.algs = split.algs ? split.algs
					    : digest_of_length(len),
		.name = split.name,
	};
	return ret->expected.algs != 0 &&
	       digest_parse(split.hex, len, ret->expected.value) == 0;
}

static enum match
match_of(const char *name, const char *wanted)
{
	if (strcmp(name, wanted) == 0)
		return MATCH_NAME;
	return strcmp(last_component(name), last_component(wanted)) == 0
		       ? MATCH_LAST
		       : MATCH_NONE;
}

// What this build can compute, then the longer digest, then the line that says
// its algorithm.
static unsigned
strength(const struct request_expected *expected)
{
	const enum digest_alg alg =
		(enum digest_alg)__builtin_ctz(expected->algs);
	const unsigned nr = (unsigned)__builtin_popcount(expected->algs);

	return digest_is_available(alg)
		       ? 2 * (unsigned)digest_size(alg) + (nr == 1)
		       : 0;
}

static void
forget(struct search *s)
{
	free(s->best_name);
	*s = (struct search){.name = s->name, .part = s->part};
}

static void
take_first(struct search *s, const struct line *line, enum match match)
{
	free(s->best_name);
	s->match = match;
	s->best = line->expected;
	s->best_name = strdup(line->name);
	s->nr_others = 0;
	s->has_other_names = false;
}

static void
take_named(struct search *s, const struct line *line)
{
	const struct request_expected *new = &line->expected;
	const enum match match = match_of(line->name, s->name);

	if (match > s->match) {
		take_first(s, line, match);
		return;
	}
	if (match < s->match || match == MATCH_NONE)
		return;
	const bool is_other = memcmp(new->value, s->best.value,
				     sizeof(new->value)) != 0;
	const bool is_same_alg = new->algs == s->best.algs;
	if (is_same_alg && !is_other)
		return;
	if (s->best_name == NULL || strcmp(line->name, s->best_name) != 0) {
		s->has_other_names = true;
	} else if (strength(new) > strength(&s->best)) {
		s->best = *new;
		s->nr_others = 0;
	} else if (is_same_alg) {
		s->nr_others++;
	}
}

// Whether the line counts; then without the dash that may be before it.
static bool
is_content(struct search *s, char **text)
{
	switch (s->part) {
	case PART_UNSIGNED:
		if (strncmp(*text, PGP_BEGIN, strlen(PGP_BEGIN)) != 0 ||
		    !is_blank(*text + strlen(PGP_BEGIN)))
			return true;
		s->part = PART_HEADERS;
		forget(s);
		return false;
	case PART_HEADERS:
		if (is_blank(*text))
			s->part = PART_SIGNED;
		return false;
	case PART_SIGNED:
		if (strncmp(*text, "-----", 5) == 0)
			s->part = PART_SIGNATURE;
		else if (strncmp(*text, "- ", 2) == 0)
			*text += 2;
		return s->part == PART_SIGNED;
	default:
		return false;
	}
}

static void
take_line(struct search *s, char *text)
{
	struct line line;

	text[strcspn(text, "\n")] = '\0';
	const size_t len = strlen(text);
	if (len > 0 && text[len - 1] == '\r')
		text[len - 1] = '\0';
	if (!is_content(s, &text) || is_blank(text) || *text == '#')
		return;
	s->nr_lines++;
	if (!parse_line(text, &line))
		return;
	if (line.name == NULL)
		s->bare = line.expected;
	else if (s->name != NULL)
		take_named(s, &line);
}

static int
read_lines(struct search *s, FILE *file)
{
	const size_t mark = strlen(BYTE_ORDER_MARK);
	char text[TEXT_MAX];
	bool is_first = true;

	errno = 0;
	while (fgets(text, sizeof(text), file) != NULL) {
		if (strchr(text, '\n') == NULL && !feof(file))
			return -EILSEQ;
		const bool has_mark =
			is_first && strncmp(text, BYTE_ORDER_MARK, mark) == 0;
		take_line(s, text + (has_mark ? mark : 0));
		is_first = false;
	}
	if (!ferror(file))
		return 0;
	return errno != 0 ? -errno : -EIO;
}

int
lookup_digest(FILE *file, const char *name, struct lookup *ret)
{
	struct search s = {.name = name};
	int r = read_lines(&s, file);

	free(s.best_name);
	if (r < 0)
		return r;
	if (s.nr_lines == 1 && s.bare.algs != 0)
		s.best = s.bare;
	if (s.best.algs == 0)
		return -ENOENT;
	// Two without their algorithm can be by the two of that length.
	if (s.has_other_names ||
	    s.nr_others >= (unsigned)__builtin_popcount(s.best.algs))
		return -ENOTUNIQ;
	*ret = (struct lookup){s.best, s.part != PART_UNSIGNED};
	return 0;
}
