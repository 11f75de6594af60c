// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "quote.h"

#include <langinfo.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

// The longest a byte becomes: '$'\ooo'', a quoted part ended, an escape, and
// a quoted part begun.
#define BYTE_TEXT_MAX 9
#define OUTER_MAX 8

struct text {
	char *start;
	char *end;
};

// One character of the input as the locale sees it.
struct letter {
	size_t len;
	bool is_printable;
};

static char *
text_init(struct text *t, size_t input_len)
{
	t->start = t->end = NULL;
	if (input_len <= (SIZE_MAX - OUTER_MAX) / BYTE_TEXT_MAX)
		t->start = malloc(BYTE_TEXT_MAX * input_len + OUTER_MAX);
	t->end = t->start;
	return t->start;
}

static void
put_bytes(struct text *t, const char *bytes, size_t len)
{
	t->end = mempcpy(t->end, bytes, len);
}

static void
put(struct text *t, const char *s)
{
	put_bytes(t, s, strlen(s));
}

static char *
text_done(struct text *t, const char *last)
{
	put(t, last);
	*t->end = '\0';
	return t->start;
}

// A byte that begins no character counts as an unprintable one.
static struct letter
letter_at(const char *p, size_t left)
{
	mbstate_t state = {0};
	wchar_t wide;
	size_t len = mbrtowc(&wide, p, left, &state);

	if (len == 0 || len > left)
		return (struct letter){1, false};
	return (struct letter){len, iswprint((wint_t)wide) != 0};
}

static bool
is_one_of(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static void
put_octal(struct text *t, unsigned char byte)
{
	char escape[4] = {'\\', (char)('0' + (byte >> 6)),
			  (char)('0' + (byte >> 3) % 8),
			  (char)('0' + byte % 8)};

	put_bytes(t, escape, sizeof(escape));
}

static void
put_escaped(struct text *t, const char *p, size_t len)
{
	static const char odd[] = "\a\b\f\n\r\t\v";
	static const char names[] = "abfnrtv";

	if (is_one_of(odd, *p)) {
		char escape[2] = {'\\', names[strchr(odd, *p) - odd]};

		put_bytes(t, escape, sizeof(escape));
		return;
	}
	for (size_t i = 0; i < len; i++)
		put_octal(t, (unsigned char)p[i]);
}

// Is this character harmless outside of quotes?
static bool
is_plain(const char *name, const char *p, struct letter l)
{
	if (!l.is_printable || is_one_of(" !\"$&'()*;<=>?[\\^`|:", *p))
		return false;
	if (is_one_of("{}", *p))
		return name[1] != '\0';
	return p != name || !is_one_of("#~", *p);
}

// Does it mean itself both in C's and in a shell's double quotes? Stricter
// than a shell needs, but it is what GNU's tools print.
static bool
is_double_quotable(const char *name, const char *p, struct letter l)
{
	if (!l.is_printable || is_one_of("!\"$&()*;<=>?[\\^`{|}", *p))
		return false;
	return p == name || !is_one_of("#~", *p);
}

static bool
has_only(const char *name,
	 bool (*is_good)(const char *, const char *, struct letter))
{
	const char *end = name + strlen(name);
	struct letter l;

	for (const char *p = name; p < end; p += l.len) {
		l = letter_at(p, (size_t)(end - p));
		if (!is_good(name, p, l))
			return false;
	}
	return true;
}

static bool
is_shown(const char *name, const char *p, struct letter l)
{
	(void)name; // as has_only calls it
	(void)p;
	return l.is_printable;
}

bool
quote_is_printable(const char *name)
{
	return has_only(name, is_shown);
}

static char *
quote_double(const char *name)
{
	struct text t;

	if (!text_init(&t, strlen(name)))
		return NULL;
	put(&t, "\"");
	put(&t, name);
	return text_done(&t, "\"");
}

// Single quotes, left for a $'' around escapes and for each single quote.
static void
put_shell_quoted(struct text *t, const char *name)
{
	const char *end = name + strlen(name);
	bool is_in_escape = false;
	struct letter l;

	for (const char *p = name; p < end; p += l.len) {
		l = letter_at(p, (size_t)(end - p));
		if (!l.is_printable) {
			put(t, is_in_escape ? "" : "'$'");
			put_escaped(t, p, l.len);
		} else if (*p == '\'') {
			put(t, "'\\''");
		} else {
			put(t, is_in_escape ? "''" : "");
			put_bytes(t, p, l.len);
		}
		is_in_escape = !l.is_printable;
	}
}

char *
quote_name_always(const char *name)
{
	struct text t;

	if (strchr(name, '\'') && has_only(name, is_double_quotable))
		return quote_double(name);
	if (!text_init(&t, strlen(name)))
		return NULL;
	put(&t, "'");
	put_shell_quoted(&t, name);
	return text_done(&t, "'");
}

char *
quote_name_colon(const char *name)
{
	if (*name != '\0' && has_only(name, is_plain))
		return strdup(name);
	return quote_name_always(name);
}

// Behind its first character a word of a command may have these.
static bool
is_word(const char *name, const char *p, struct letter l)
{
	return is_plain(name, p, l) || (p > name && is_one_of("=:", *p));
}

static char *
quote_word(const char *word)
{
	return *word != '\0' && has_only(word, is_word)
		       ? strdup(word)
		       : quote_name_always(word);
}

char *
quote_command(char *const *argv)
{
	char *line = quote_word(*argv);

	while (line != NULL && *++argv != NULL) {
		char *word = quote_word(*argv), *longer = NULL;

		if (word == NULL || asprintf(&longer, "%s %s", line, word) < 0)
			longer = NULL;
		free(word);
		free(line);
		line = longer;
	}
	return line;
}

char *
quote_symbol(const char *text, size_t len)
{
	bool is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	const char *right = is_utf8 ? "\xe2\x80\x99" : "'";
	const char *end = text + len;
	struct letter l;
	struct text t;

	if (!text_init(&t, len))
		return NULL;
	put(&t, is_utf8 ? "\xe2\x80\x98" : "'");
	for (const char *p = text; p < end; p += l.len) {
		l = letter_at(p, (size_t)(end - p));
		if (!l.is_printable) {
			put_escaped(&t, p, l.len);
			continue;
		}
		if (*p == '\\' ||
		    (l.len == strlen(right) && memcmp(p, right, l.len) == 0))
			put(&t, "\\");
		put_bytes(&t, p, l.len);
	}
	return text_done(&t, right);
}
