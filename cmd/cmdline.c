// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "cmdline.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "message.h"
#include "operands.h"
#include "parse.h"
#include "quote.h"
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

// The word that ends the command of a server, or NULL: this begins none.
static const char *
closing(const char *word)
{
	if (strcmp(word, "[") == 0)
		return "]";
	return strcmp(word, "[[") == 0 ? "]]" : NULL;
}

// What stands for it in messages. Malloc'd, or NULL.
static char *
name_server(const char *open, char **command, const char *close)
{
	char *quoted = quote_command(command), *name;

	if (quoted == NULL ||
	    asprintf(&name, "%s %s %s", open, quoted, close) < 0)
		name = NULL;
	free(quoted);
	return name;
}

// In the list of options, with room for nr words and NULL. NULL: no memory.
static struct options_server *
add_server(struct options *options, size_t nr)
{
	struct options_server *server = calloc(
		1, sizeof(*server) + (nr + 1) * sizeof(char *));

	if (server != NULL) {
		server->next = options->servers;
		options->servers = server;
	}
	return server;
}

// The command of a server, which takes the place of a name: words[0] is [ or
// [[. How many of nr words it is, or -errno, told.
static int
take_server(struct options *options, char **words, int nr)
{
	struct request *q = &options->request;
	const char *close = closing(words[0]);
	int end = 1;

	while (end < nr && strcmp(words[end], close) != 0)
		end++;
	if (end == nr || end == 1)
		return complain_bracket(words[0], close);
	const size_t nr_args = (size_t)end - 1;
	struct options_server *server = add_server(options, nr_args);
	if (server != NULL) {
		memcpy(server->command, words + 1, nr_args * sizeof(char *));
		server->name = name_server(words[0], server->command, close);
	}
	if (server == NULL || server->name == NULL) {
		message_error(ENOMEM, "%s", words[0]);
		return -ENOMEM;
	}
	const int r = parse_bare(options, server->name);
	if (r < 0)
		return r;
	*(options->nr_names == 1 ? &q->src_server
				 : &q->dst_server) = server->command;
	return end + 1;
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

static int
take_words(struct options *options, char **words, int nr)
{
	for (int i = 0, n; i < nr; i += n) {
		n = 1;
		if (!options->request.is_dd && closing(words[i]) != NULL)
			n = take_server(options, words + i, nr - i);
		else if (take_word(options, words[i]) < 0)
			return -EINVAL;
		if (n < 0)
			return n;
	}
	return 0;
}

// The options of a server are not ours: none is looked for behind a bracket.
static int
nr_own_words(int argc, char **argv, bool is_dd)
{
	int nr = 1;

	while (nr < argc && (is_dd || closing(argv[nr]) == NULL))
		nr++;
	return nr;
}

enum cmdline_verdict
cmdline_parse(struct options *options, int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	*options = (struct options){.level = REPORT_ALL,
				    .request.reconnect = OPTIONS_RECONNECT_S};
	const bool is_dd = strcmp(slash ? slash + 1 : argv[0], "dd") == 0;
	options->request.is_dd = is_dd;
	switch (next_option(nr_own_words(argc, argv, is_dd), argv, is_dd)) {
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
	if (take_words(options, argv + optind, argc - optind) < 0)
		return CMDLINE_WRONG;
	return check_fullblock(options) < 0 ? CMDLINE_WRONG : CMDLINE_RUN;
}

void
cmdline_free(struct options *options)
{
	while (options->servers != NULL) {
		struct options_server *server = options->servers;

		options->servers = server->next;
		free(server->name);
		free(server);
	}
}
