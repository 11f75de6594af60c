// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "usage.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "built.h"
#include "describe.h"
#include "digest.h"
#include "message.h"
#include "operands.h"
#include "options.h"
#include "parse.h"

static const char numbers[] =
	"N and BYTES may have a suffix: c=1, w=2, b=512, kB=1000, K=1024, "
	"MB, M, and\n"
	"so on for G T P E Z Y R Q; KiB=K. Factors are joined by x. With a "
	"B, as in\n"
	"\"100KiB\", N counts bytes, not blocks.\n";

static const char about[] =
	"Copy SRC to DST: files, disks or pipes, - for standard input or "
	"output.\n";

static void
show_operand(const struct operand *operand)
{
	char word[32];

	snprintf(word, sizeof(word), "%s=%s", operand->name, operand->value);
	printf("  %-14s %s\n", word, operand->help);
}

static void
show_symbols(const char *title, const char *name, size_t most)
{
	const struct operand *operand = operands_find(name, strlen(name),
						      false);
	const struct operand_symbol *s = operand->symbols;

	printf("\n%s:\n", title);
	for (size_t i = 0; i < most && s[i].name != NULL; i++)
		printf("  %-12s %s\n", s[i].name, s[i].help);
}

static void
show_digests(void)
{
	printf("\nALGS:\n ");
	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++)
		printf(" %s", digest_name(alg));
	printf("\n  (xxh128 is fast, and detects accidental changes only)\n");
}

static void
show_synopsis(FILE *to)
{
	fprintf(to,
		"Usage: %1$s [OPERAND]... SRC DST\n"
		"  or:  %1$s [OPERAND]... if=SRC of=DST\n", message_name());
}

static int
help_dd(void)
{
	const struct operand *operand;

	printf("Usage: %1$s [OPERAND]...\n"
	       "  or:  %1$s OPTION\n"
	       "Copy a file, converting and counting as the operands say.\n\n",
	       message_name());
	for (size_t i = 0; (operand = operands_at(i)) != NULL; i++)
		if (operand->is_dd)
			show_operand(operand);
	printf("\n%s", numbers);
	show_symbols("CONVS", "conv", SIZE_MAX);
	show_symbols("FLAGS", "iflag", SIZE_MAX);
	show_symbols("LEVEL", "status", OPERAND_STATUS_LAST_OF_DD + 1);
	printf("\nSIGUSR1 makes a running copy print its statistics.\n\n"
	       "  --help     print this and exit\n"
	       "  --version  print the version and exit\n");
	return describe_flush();
}

int
usage_help(const struct options *options)
{
	const struct operand *operand;

	if (options->request.is_dd)
		return help_dd();
	show_synopsis(stdout);
	printf("%s\n", about);
	for (size_t i = 0; (operand = operands_at(i)) != NULL; i++)
		if (operand->is_common)
			show_operand(operand);
	printf("\nWrite a USB stick, save a disk, restore it from a "
	       "compressed image:\n"
	       "  aiodd debian.iso /dev/sdX verify=yes status=bar\n"
	       "  aiodd /dev/sdX disk.img conv=sparse commit=rename\n"
	       "  aiodd disk.img.zst /dev/sdX decompress=auto\n\n"
	       "'aiodd --help=all' lists every operand; 'man aiodd' explains "
	       "them.\n");
	return describe_flush();
}

int
usage_help_all(void)
{
	static const char *const titles[OPERAND_NR_GROUPS] = {
		[OPERAND_DATA] = "What to copy",
		[OPERAND_BLOCKS] = "Block sizes and conversion",
		[OPERAND_CHECKS] = "Checking the data",
		[OPERAND_SAFETY] = "Safety of the destination",
		[OPERAND_SPEED] = "Speed",
		[OPERAND_OUTPUT] = "Progress and reports",
	};
	const struct operand *operand;

	show_synopsis(stdout);
	printf("  or:  %s OPTION\n%s", message_name(), about);
	for (unsigned group = 0; group < OPERAND_NR_GROUPS; group++) {
		printf("\n%s:\n", titles[group]);
		for (size_t i = 0; (operand = operands_at(i)) != NULL; i++)
			if (operand->group == group)
				show_operand(operand);
	}
	printf("\n%s", numbers);
	show_symbols("CONVS", "conv", SIZE_MAX);
	show_symbols("FLAGS", "iflag", SIZE_MAX);
	show_symbols("LEVEL", "status", SIZE_MAX);
	show_symbols("HOW", "io", SIZE_MAX);
	show_symbols("WHEN", "clone", SIZE_MAX);
	show_symbols("CHECKS", "force", SIZE_MAX);
	show_symbols("MANNER", "commit", SIZE_MAX);
	show_digests();
	printf("\nSIGUSR1 makes a running copy print its statistics.\n\n"
	       "  --help      print the most common operands, and exit\n"
	       "  --help=all  print this, and exit\n"
	       "  --version   print the version, and exit\n");
	return describe_flush();
}

int
usage_version(const struct options *options)
{
	printf("%s%s\n", options->request.is_dd ? "dd (aiodd) " : "aiodd ",
	       PACKAGE_VERSION);
	printf("Copyright (C) 2026 the aiodd authors\n"
	       "License GPLv3+: GNU GPL version 3 or later.\n"
	       "This is free software; there is no warranty.\n");
	return describe_flush();
}

// Whether this build has what NAME=WORD asks for.
static bool
is_built(const struct operand *operand, const char *word)
{
	struct options options = {.request.reconnect = OPTIONS_RECONNECT_S};
	struct operand_fault fault;

	return operand->parse(&options, operand, word, &fault) < 0 ||
	       built_without(&options) == NULL;
}

// "(iflag)" at the end of a flag's help: it is not for the other side.
static bool
is_for_another(const struct operand *operand, const char *help)
{
	return strstr(help, "flag)") != NULL &&
	       strstr(help, operand->name) == NULL;
}

static void
list_name(const struct operand *operand)
{
	printf("%s=\t%s\t%s\n", operand->name, operand->value, operand->help);
}

// Of the words of an operand those that can be used, and it before the first.
static void
list_words(const struct operand *operand)
{
	const char *word;
	bool is_listed = false;

	for (unsigned i = 0; (word = parse_word(operand, i)) != NULL; i++) {
		const char *help = operand->symbols != NULL
					   ? operand->symbols[i].help
					   : NULL;

		if (!is_built(operand, word) ||
		    (help != NULL && is_for_another(operand, help)))
			continue;
		if (!is_listed)
			list_name(operand);
		is_listed = true;
		printf("%s=%s\t\t%s\n", operand->name, word,
		       help != NULL ? help : "");
	}
}

int
usage_operands(void)
{
	const struct operand *operand;

	for (size_t i = 0; (operand = operands_at(i)) != NULL; i++)
		if (parse_word(operand, 0) != NULL)
			list_words(operand);
		else if (is_built(operand, "1"))
			list_name(operand);
	return describe_flush();
}

void
usage_brief(void)
{
	show_synopsis(stderr);
	message_usage_hint();
}
