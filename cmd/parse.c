// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "message.h"
#include "operand.h"
#include "options.h"
#include "quote.h"

static void *
field_of(struct options *options, const struct operand *operand)
{
	return (char *)options + operand->field;
}

int
parse_number(const char *text, struct units_number *ret)
{
	const int r = units_parse(text, ret);

	if (r == 0 && ret->has_zero_factor) {
		char *is = quote_symbol("0x", 2), *use = quote_symbol("00x", 3);

		message_error(0,
			      "warning: %s is a zero multiplier; use %s if "
			      "that is intended", is ? is : "0x",
			      use ? use : "00x");
		free(is);
		free(use);
	}
	return r;
}

static int
wrong_number(struct operand_fault *fault, const char *text, int error)
{
	*fault = (struct operand_fault){.kind = OPERAND_WRONG_NUMBER,
					.text = text,
					.len = strlen(text),
					.error = error};
	return -EINVAL;
}

static int
wrong_word(struct operand_fault *fault, const char *text, size_t len)
{
	*fault = (struct operand_fault){.kind = OPERAND_WRONG_WORD,
					.text = text,
					.len = len};
	return -EINVAL;
}

// A number within the bounds of its operand.
static int
parse_bounded(const struct operand *operand, const char *text,
	      struct units_number *ret, struct operand_fault *fault)
{
	const int r = parse_number(text, ret);

	if (r < 0)
		return wrong_number(fault, text, -r);
	if (ret->value > operand->max)
		return wrong_number(fault, text, EOVERFLOW);
	if (ret->value < operand->min)
		return wrong_number(fault, text, 0);
	return 0;
}

PARSE(size)
{
	struct units_number number;
	uint64_t *field = field_of(options, operand);

	if (parse_bounded(operand, text, &number, fault) < 0)
		return -EINVAL;
	*field = number.value;
	return 0;
}

PARSE(amount)
{
	struct options_amount *field = field_of(options, operand);

	if (parse_bounded(operand, text, &field->number, fault) < 0)
		return -EINVAL;
	field->name = operand->name;
	field->text = text;
	return 0;
}

PARSE(name)
{
	const char **field = field_of(options, operand);

	(void)fault; // any text is a name
	*field = text;
	return 0;
}

// Of two that are given so, the last one counts, as in dd; a bare name is
// beside it by mistake.
PARSE(side)
{
	const bool is_src = operand->field == offsetof(struct options,
						       request.src);
	const char **field = field_of(options, operand);

	if (options->nr_names > (is_src ? 0 : 1)) {
		*fault = (struct operand_fault){
			.kind = OPERAND_TWICE,
			.text = text,
			.before = *field != NULL ? *field : "-"};
		return -EINVAL;
	}
	*field = text;
	return 0;
}

PARSE(tee)
{
	struct request *q = &options->request;

	(void)operand;
	if (q->nr_tees == REQUEST_TEES_MAX) {
		*fault = (struct operand_fault){.kind = OPERAND_TOO_MANY};
		return -EINVAL;
	}
	q->tees[q->nr_tees++] = text;
	return 0;
}

// The next word of a comma-separated list, and where the one after it
// begins; NULL: it was the last.
static const struct operand_symbol *
take_symbol(const struct operand_symbol *symbols, const char **text,
	    size_t *ret_len)
{
	const size_t len = strcspn(*text, ",");
	const char *word = *text;

	*ret_len = len;
	*text = word[len] == ',' ? word + len + 1 : NULL;
	for (; symbols->name != NULL; symbols++)
		if (strlen(symbols->name) == len &&
		    strncmp(symbols->name, word, len) == 0)
			return symbols;
	return NULL;
}

PARSE(symbols)
{
	unsigned *field = field_of(options, operand);

	while (text != NULL) {
		size_t len;
		const char *word = text;
		const struct operand_symbol *symbol =
			take_symbol(operand->symbols, &text, &len);

		if (symbol == NULL)
			return wrong_word(fault, word, len);
		*field |= symbol->value;
	}
	return 0;
}

PARSE(hashes)
{
	unsigned *field = field_of(options, operand);

	while (text != NULL) {
		const size_t len = strcspn(text, ",");
		enum digest_alg alg;

		if (!digest_find(text, len, &alg))
			return wrong_word(fault, text, len);
		*field |= 1U << alg;
		text = text[len] == ',' ? text + len + 1 : NULL;
	}
	return 0;
}

static void
set_status(struct options *options, unsigned status)
{
	if (status == OPERAND_STATUS_ENGINE) {
		options->is_engine_shown = true;
		return;
	}
	options->is_json = status == OPERAND_STATUS_JSON;
	options->level = status == OPERAND_STATUS_NONE || options->is_json
				 ? REPORT_NONE
			 : status == OPERAND_STATUS_NOXFER ? REPORT_NOXFER
							   : REPORT_ALL;
	options->progress =
		status == OPERAND_STATUS_PROGRESS ? OPTIONS_PROGRESS
		: status == OPERAND_STATUS_BAR	  ? OPTIONS_BAR
						  : OPTIONS_NO_PROGRESS;
}

// The last one wins, within a list too.
PARSE(status)
{
	while (text != NULL) {
		size_t len;
		const char *word = text;
		const struct operand_symbol *symbol =
			take_symbol(operand->symbols, &text, &len);

		if (symbol == NULL ||
		    (options->request.is_dd &&
		     symbol->value > OPERAND_STATUS_LAST_OF_DD))
			return wrong_word(fault, word, len);
		set_status(options, symbol->value);
	}
	return 0;
}

static int
parse_one(const struct operand *operand, const char *text, unsigned *ret,
	  struct operand_fault *fault)
{
	size_t len;
	const char *rest = text;
	const struct operand_symbol *symbol = take_symbol(operand->symbols,
							  &rest, &len);

	if (symbol == NULL || rest != NULL)
		return wrong_word(fault, text, strlen(text));
	*ret = symbol->value;
	return 0;
}

PARSE(symbol)
{
	return parse_one(operand, text, field_of(options, operand), fault);
}

PARSE(yes)
{
	unsigned value = 0;
	bool *field = field_of(options, operand);
	const int r = parse_one(operand, text, &value, fault);

	if (r == 0)
		*field = value != 0;
	return r;
}

const char *
parse_word(const struct operand *operand, unsigned i)
{
	if (operand->parse == parse_hashes)
		return i < DIGEST_NR ? digest_name((enum digest_alg)i) : NULL;
	return operand->symbols != NULL ? operand->symbols[i].name : NULL;
}
