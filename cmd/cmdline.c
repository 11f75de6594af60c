// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "cmdline.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "message.h"
#include "operands.h"
#include "parse.h"
#include "usage.h"

// A word is a name if it has no =, or a slash before it: ./a=b. What it means
// never depends on which files there are, so the name of an operand is none.
static bool
is_name(const struct options *options, const char *word)
{
	const size_t head = strcspn(word, "=/");

	return word[head] == '\0' || strchr(word, '=') == NULL ||
	       (word[head] == '/' && !options->request.is_dd);
}

// SRC and DST, without a name; "-" is standard input or output.
static int
parse_bare(struct options *options, const char *word)
{
	struct request *q = &options->request;
	const char **field = options->nr_names == 0 ? &q->src : &q->dst;
	const struct operand *operand = operands_find(word, strlen(word),
						      false);

	if (q->is_dd)
		return complain_unknown(options, word);
	if (operand != NULL)
		return complain_bare(operand);
	if (options->nr_names == 2)
		return complain_third(word);
	if (*field != NULL)
		return complain_twice(options->nr_names == 0 ? "source"
							     : "destination",
				      *field, word);
	options->nr_names++;
	if (strcmp(word, "-") != 0)
		*field = word;
	return 0;
}

static int
take_word(struct options *options, const char *word)
{
	const bool is_dd = options->request.is_dd;
	const size_t len = strcspn(word, "=");
	const struct operand *operand;
	struct operand_fault fault;
	struct units_number ignored;

	if (is_name(options, word))
		return parse_bare(options, word);
	operand = operands_find(word, len, is_dd);
	if (operand != NULL) {
		const int r = operand->parse(options, operand, word + len + 1,
					     &fault);

		return r < 0 ? complain_value(options, operand, &fault) : 0;
	}
	// dd takes it for a number before it looks at the name, and warns.
	if (is_dd)
		(void)parse_number(word + len + 1, &ignored);
	return complain_unknown(options, word);
}

static enum cmdline_verdict
shown(int r)
{
	return r < 0 ? CMDLINE_WRONG : CMDLINE_SHOWN;
}

static enum cmdline_verdict
show_help(const struct options *options, const char *which)
{
	if (which == NULL)
		return shown(usage_help(options));
	if (strcmp(which, "all") == 0)
		return shown(usage_help_all());
	message_error(0, "--help takes no value except all: --help=all");
	return CMDLINE_WRONG;
}

static int
next_option(int argc, char **argv, bool is_dd)
{
	static const struct option ours[] = {
		{"list-operands", no_argument, NULL, 'l'},
		{"help", optional_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{0},
	};
	static const struct option dds[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{0},
	};

	return getopt_long(argc, argv, "", is_dd ? dds : ours, NULL);
}

// Known, but not for the output.
static int
check_fullblock(const struct options *options)
{
	const struct operand_fault fault = {.kind = OPERAND_WRONG_WORD,
					    .text = "fullblock",
					    .len = 9};

	if (!(options->request.oflags & FLAG_FULLBLOCK))
		return 0;
	return complain_value(options, operands_find("oflag", 5, true),
			      &fault);
}

enum cmdline_verdict
cmdline_parse(struct options *options, int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	*options = (struct options){.level = REPORT_ALL};
	const bool is_dd = strcmp(slash ? slash + 1 : argv[0], "dd") == 0;
	options->request.is_dd = is_dd;
	switch (next_option(argc, argv, is_dd)) {
	case -1:
		break;
	case 'h':
		return show_help(options, optarg);
	case 'v':
		return shown(usage_version(options));
	case 'l':
		return shown(usage_operands());
	default:
		message_usage_hint();
		return CMDLINE_WRONG;
	}
	// Somebody who wants to know what it is: nothing would end the copy.
	if (argc == 1 && !is_dd && isatty(STDIN_FILENO) &&
	    isatty(STDOUT_FILENO)) {
		usage_brief();
		return CMDLINE_WRONG;
	}
	for (int i = optind; i < argc; i++)
		if (take_word(options, argv[i]) < 0)
			return CMDLINE_WRONG;
	return check_fullblock(options) < 0 ? CMDLINE_WRONG : CMDLINE_RUN;
}
