// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#ifdef HAVE_JANSSON
#include "element.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "lazy.h"
#include "message.h"

#define SONAME "libjansson.so.4"
#define REPLACEMENT "\xef\xbf\xbd" // U+FFFD

struct element_library element;
LAZY_LIBRARY(element, ELEMENT, SONAME, "json", "status=json and report=",
	     "recommended")

int
element_load(void)
{
	const int r = load_element();

	if (r < 0)
		message_error(0,
			      "status=json and report= need %s, which "
			      "cannot be loaded",
			      SONAME);
	return r;
}

// The bytes of the character that text begins with, 0 if it begins with none.
static size_t
character_len(const char *text)
{
	const unsigned char c = (unsigned char)*text;
	const size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (strnlen(text, len) < len ||
	    strncmp(text, REPLACEMENT, strlen(REPLACEMENT)) == 0)
		return 0;
	json_t *character = element.string(text, len);
	if (character == NULL)
		return 0;
	element.delete(character);
	return len;
}

static json_t *
escaped(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	char *out = malloc((strlen(REPLACEMENT) + 2) * strlen(text) + 1);
	char *end = out;

	if (out == NULL)
		return NULL;
	while (*text != '\0') {
		const size_t len = character_len(text);

		if (len > 0) {
			end = mempcpy(end, text, len);
			text += len;
			continue;
		}
		const unsigned char byte = (unsigned char)*text++;
		end = stpcpy(end, REPLACEMENT);
		*end++ = digits[byte >> 4];
		*end++ = digits[byte & 15];
	}
	json_t *string = element.string(out, (size_t)(end - out));
	free(out);
	return string;
}

json_t *
element_string(const char *text)
{
	if (text == NULL)
		return element.null();
	json_t *string = strstr(text, REPLACEMENT) == NULL
				 ? element.string(text, strlen(text))
				 : NULL;
	return string != NULL ? string : escaped(text);
}

json_t *
element_number(uint64_t n, bool is_known)
{
	return is_known ? element.integer((json_int_t)n) : element.null();
}

char *
element_text(json_t *object, size_t flags)
{
	if (object == NULL)
		return NULL;
	// Nanoseconds within a second, milliseconds within a week; and nothing
	// in a name that a terminal would obey.
	char *text = element.dumps(object, flags | JSON_ENSURE_ASCII |
						   JSON_REAL_PRECISION(9));

	element.delete(object); // nobody else has it
	return text;
}

char *
element_line(json_t *object)
{
	char *text = element_text(object, JSON_COMPACT);
	const size_t len = text != NULL ? strlen(text) : 0;
	char *line = text != NULL ? realloc(text, len + 2) : NULL;

	if (line == NULL) {
		free(text);
		return NULL;
	}
	memcpy(line + len, "\n", 2);
	return line;
}
#endif
