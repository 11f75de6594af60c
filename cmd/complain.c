// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "complain.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correct.h"
#include "message.h"
#include "nearest.h"
#include "operands.h"
#include "options.h"
#include "parse.h"
#include "quote.h"

#define LIST_MAX 256

// Above that, a bound is none that a message would name.
#define BOUND_MAX (INT64_MAX - 1)

static int
complain_dd_number(const struct operand_fault *fault)
{
	char *quoted = quote_name_always(fault->text);

	message_error(fault->error == EOVERFLOW ? EOVERFLOW : 0,
		      "invalid number: %s", quoted ? quoted : "?");
	free(quoted);
	return -EINVAL;
}

static int
complain_dd_word(const struct operand *operand,
		 const struct operand_fault *fault)
{
	char *quoted = quote_symbol(fault->text, fault->len);

	message_error(0, "invalid %s: %s", operand->what,
		      quoted ? quoted : "?");
	message_usage_hint();
	free(quoted);
	return -EINVAL;
}

// "no suffix 'm'", or what else keeps text from being a number. Malloc'd.
static char *
reason_of(const char *text)
{
	const char *p = text + strspn(text, "0123456789"), *end = p;
	char *quoted, *reason = NULL;

	if (p > text && (*p == '.' || *p == ',') &&
	    isdigit((unsigned char)p[1]))
		return strdup("not a whole number");
	if (p > text && isblank((unsigned char)*p))
		return strdup("a number has no blanks");
	while (isalpha((unsigned char)*end))
		end++;
	if (strcasecmp(end, "/s") == 0)
		end += 2;
	if (p == text || end == p || *end != '\0' || strchr(p, 'x') != NULL)
		return strdup("not a number");
	quoted = quote_name_always(p);
	if (quoted == NULL || asprintf(&reason, "no suffix %s", quoted) < 0)
		reason = NULL;
	free(quoted);
	return reason;
}

// "; 4M is 4 MiB", or the range. Malloc'd.
static char *
remedy_of(const struct operand *operand, const char *text)
{
	const struct correct_bounds bounds = {
		.min = operand->min,
		.max = operand->max,
		.is_blocks = operand->parse == parse_amount,
	};
	char *remedy = NULL, *right = correct_number(text, &bounds);
	int length = 0;

	if (right != NULL)
		length = asprintf(&remedy, "; %s", right);
	else if (operand->max < BOUND_MAX)
		length = asprintf(&remedy, "; it must be from %" PRIu64
				  " to %" PRIu64, operand->min, operand->max);
	free(right);
	return length > 0 ? remedy : NULL;
}

static int
complain_number(const struct operand *operand,
		const struct operand_fault *fault)
{
	char *quoted = quote_name_colon(fault->text);
	char *reason = NULL, *remedy = NULL;

	if (fault->error == EINVAL) {
		reason = reason_of(fault->text);
		remedy = remedy_of(operand, fault->text);
	} else if (fault->error == EOVERFLOW && operand->max >= BOUND_MAX) {
		reason = strdup("the number is too large");
	} else if (asprintf(&reason, "must be at %s %" PRIu64,
			    fault->error == EOVERFLOW ? "most" : "least",
			    fault->error == EOVERFLOW ? operand->max
						      : operand->min) < 0) {
		reason = NULL;
	}
	message_error(0, "%s=%s: %s%s", operand->name, quoted ? quoted : "?",
		      reason ? reason : "not a number", remedy ? remedy : "");
	free(remedy);
	free(reason);
	free(quoted);
	return -EINVAL;
}

// "a, b or c": the i-th of nr joins the list.
static void
join(char *list, const char *word, unsigned i, unsigned nr, const char *last)
{
	const size_t len = strlen(list);

	snprintf(list + len, LIST_MAX - len, "%s%s",
		 i == 0 ? "" : i + 1 == nr ? last : ", ", word);
}

static bool
has_word(const struct operand *operand, const char *text, size_t len)
{
	const char *word;

	for (unsigned i = 0; (word = parse_word(operand, i)) != NULL; i++)
		if (strlen(word) == len && strncmp(word, text, len) == 0)
			return true;
	return false;
}

// Of dd's words, those for one operand are often given to another: "iflag= and
// oflag=" take it.
static bool
list_takers(char *list, const struct operand *wrong,
	    const struct operand_fault *fault)
{
	const struct operand *operand, *takers[4];
	unsigned nr = 0;

	for (size_t i = 0; (operand = operands_at(i)) != NULL && nr < 4; i++)
		if (operand != wrong && operand->what != NULL &&
		    has_word(operand, fault->text, fault->len))
			takers[nr++] = operand;
	*list = '\0';
	for (unsigned i = 0; wrong->what != NULL && i < nr; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%s=", takers[i]->name);
		join(list, name, i, nr, " and ");
	}
	return *list != '\0';
}

static void
list_words(char *list, const struct operand *operand)
{
	unsigned nr = 0;

	while (parse_word(operand, nr) != NULL)
		nr++;
	*list = '\0';
	for (unsigned i = 0; i < nr; i++)
		join(list, parse_word(operand, i), i, nr, " or ");
}

// A digest with a similar name is another digest, and no is close to on: these
// are listed.
static const char *
nearest_word(const struct operand *operand, const struct operand_fault *fault)
{
	struct nearest near;
	const char *word;

	nearest_init(&near, fault->text, fault->len);
	if (operand->parse == parse_hashes || operand->parse == parse_yes)
		return NULL;
	for (unsigned i = 0; (word = parse_word(operand, i)) != NULL; i++)
		nearest_offer(&near, word);
	return near.best;
}

static int
complain_word(const struct operand *operand, const struct operand_fault *fault)
{
	char *word = strndup(fault->text, fault->len);
	char *quoted = word != NULL ? quote_name_always(word) : NULL;
	const char *name = quoted != NULL ? quoted : "?";
	const char *near = nearest_word(operand, fault);
	char list[LIST_MAX];

	if (list_takers(list, operand, fault)) {
		message_error(0, "%s= does not take %s; %s %s", operand->name,
			      name, list, strchr(list, ' ') ? "do" : "does");
	} else if (near != NULL) {
		message_error(0, "%s= does not take %s; did you mean '%s'?",
			      operand->name, name, near);
	} else {
		list_words(list, operand);
		message_error(0, "%s= takes %s, not %s", operand->name, list,
			      name);
	}
	free(quoted);
	free(word);
	return -EINVAL;
}

int
complain_bracket(const char *open, const char *close)
{
	message_error(0,
		      "%s starts the command of an NBD server, which ends "
		      "with %s; a file of this name is ./%s",
		      open, close, open);
	return -EINVAL;
}

int
complain_twice(const char *side, const char *one, const char *other)
{
	char *a = quote_name_always(one), *b = quote_name_always(other);

	message_error(0, "the %s is given twice: %s and %s", side, a ? a : "?",
		      b ? b : "?");
	free(a);
	free(b);
	return -EINVAL;
}

int
complain_value(const struct options *options, const struct operand *operand,
	       const struct operand_fault *fault)
{
	const bool is_dd = options->request.is_dd;

	switch (fault->kind) {
	case OPERAND_WRONG_NUMBER:
		return is_dd ? complain_dd_number(fault)
			     : complain_number(operand, fault);
	case OPERAND_WRONG_WORD:
		return is_dd ? complain_dd_word(operand, fault)
			     : complain_word(operand, fault);
	case OPERAND_TOO_MANY:
		message_error(0, "%s= can be given %u times at most",
			      operand->name, REQUEST_TEES_MAX);
		return -EINVAL;
	case OPERAND_TWICE:
		break;
	}
	return complain_twice(strcmp(operand->name, "if") == 0 ? "source"
							       : "destination",
			      fault->before, fault->text);
}

// "did you mean 'hash=sha256'?", or how to name such a file. Malloc'd.
static char *
meant_by(const char *word)
{
	const char *value = strchr(word, '=');
	const struct operand *operand;
	struct nearest near;
	char *text = NULL, *path = NULL, *quoted;
	int length;

	nearest_init(&near, word, (size_t)(value - word));
	for (size_t i = 0; (operand = operands_at(i)) != NULL; i++)
		nearest_offer(&near, operand->name);
	length = near.best != NULL ? asprintf(&path, "%s%s", near.best, value)
				   : asprintf(&path, "./%s", word);
	quoted = length > 0 ? quote_name_always(path) : NULL;
	if (quoted != NULL)
		length = asprintf(&text,
				  near.best != NULL
					  ? "did you mean %s?"
					  : "for a file of that name, write %s",
				  quoted);
	free(quoted);
	free(path);
	return length > 0 ? text : NULL;
}

int
complain_unknown(const struct options *options, const char *word)
{
	char *quoted = quote_name_always(word), *meant = NULL;

	if (options->request.is_dd) {
		message_error(0, "unrecognized operand %s",
			      quoted ? quoted : "?");
	} else {
		meant = meant_by(word);
		message_error(0, "unknown operand %s%s%s",
			      quoted ? quoted : "?", meant ? "; " : "",
			      meant ? meant : "");
	}
	message_usage_hint();
	free(meant);
	free(quoted);
	return -EINVAL;
}

int
complain_bare(const struct operand *operand)
{
	message_error(0,
		      "%s needs a value: %s=%s; for a file of that name, write "
		      "./%s", operand->name, operand->name, operand->value,
		      operand->name);
	return -EINVAL;
}

int
complain_third(const char *word)
{
	char *quoted = quote_name_always(word);

	message_error(0, "extra operand %s: SRC and DST are already given",
		      quoted ? quoted : "?");
	message_usage_hint();
	free(quoted);
	return -EINVAL;
}
