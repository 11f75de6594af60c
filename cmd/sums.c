// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "sums.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hasher.h"
#include "message.h"
#include "quote.h"

// What a line of bare hex of this length is taken for, by others and by us.
#define BARE (1U << DIGEST_MD5 | 1U << DIGEST_SHA1 | 1U << DIGEST_SHA224 | \
	      1U << DIGEST_SHA256 | 1U << DIGEST_SHA384 | 1U << DIGEST_SHA512)

// From the directory of the file it lies in, the copy goes by its last name.
static const char *
name_beside(const char *path, const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *path_slash = strrchr(path, '/');

	if (slash != NULL && path_slash != NULL &&
	    slash - name == path_slash - path &&
	    strncmp(name, path, (size_t)(slash - name)) == 0)
		return slash + 1;
	return name;
}

int
sums_open(struct sums *sums, const char *path, const struct request *q,
	  unsigned hashes)
{
	const char *name = q->dst != NULL ? q->dst : "-";

	*sums = (struct sums){.path = path,
			      .hashes = hashes,
			      .name = name,
			      .request = q,
			      .is_bsd = path == NULL || (hashes & ~BARE) ||
					(hashes & (hashes - 1)) != 0};
	const int r = export_open(&sums->export, "sums", path, q,
				  q->plan_only ? EXPORT_LOOK : EXPORT_WRITE);
	if (sums->export.beside.target != NULL)
		sums->name = name_beside(sums->export.path, name);
	return r;
}

static void
print_name(FILE *file, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '\n')
			fputs("\\n", file);
		else if (*name == '\r')
			fputs("\\r", file);
		else if (*name == '\\')
			fputs("\\\\", file);
		else
			fputc(*name, file);
	}
}

// is_shown: the name is for a terminal, else as coreutils write it.
static void
print_line(const struct sums *sums, FILE *file, const char *name, bool is_shown,
	   const char *hex, enum digest_alg alg)
{
	if (!is_shown && strpbrk(name, "\n\r\\") != NULL)
		fputc('\\', file);
	if (sums->is_bsd)
		fprintf(file, "%s (", digest_bsd_name(alg));
	else
		fprintf(file, "%s  ", hex);
	if (is_shown)
		fputs(name, file);
	else
		print_name(file, name);
	if (sums->is_bsd)
		fprintf(file, ") = %s", hex);
	fputc('\n', file);
}

static bool
is_terminal(const struct sums *sums)
{
	return sums->path != NULL ? export_is_terminal(&sums->export)
				  : isatty(STDERR_FILENO) == 1;
}

// A file is for all destinations, by their names.
static void
print_lines(const struct sums *sums, FILE *file, const char *shown,
	    enum digest_alg alg, const unsigned char *value)
{
	const struct request *q = sums->request;
	const bool has_others = sums->export.beside.target != NULL &&
				!sums->is_as;
	char hex[DIGEST_HEX_MAX];

	digest_format(alg, value, hex);
	print_line(sums, file, shown != NULL ? shown : sums->name,
		   shown != NULL, hex, alg);
	for (unsigned i = 0; has_others && i < q->nr_tees; i++)
		print_line(sums, file, name_beside(sums->path, q->tees[i]),
			   false, hex, alg);
}

// All lines, malloc'd; NULL: no memory.
static char *
format_lines(const struct sums *sums, const struct hasher *hasher)
{
	// Others chose the name, and a terminal obeys what is in it.
	const bool is_odd = is_terminal(sums) &&
			    !quote_is_printable(sums->name);
	char *shown = is_odd ? quote_name_always(sums->name) : NULL;
	char *text = NULL;
	size_t size;
	FILE *file = is_odd && shown == NULL ? NULL
					     : open_memstream(&text, &size);

	if (file == NULL) {
		free(shown);
		return NULL;
	}
	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++)
		if (sums->hashes & 1U << alg)
			print_lines(sums, file, shown, alg,
				    hasher_result(hasher, alg));
	free(shown);
	if (fclose(file) == 0)
		return text;
	free(text);
	return NULL;
}

int
sums_write(struct sums *sums, const struct hasher *hasher)
{
	char *text = sums->hashes != 0 ? format_lines(sums, hasher) : NULL;
	int r = 0;

	if (sums->hashes != 0 && text == NULL) {
		message_error(ENOMEM, "hash=");
		return -ENOMEM;
	}
	if (sums->path != NULL)
		r = export_write(&sums->export, text);
	else if (text != NULL)
		message_text(text);
	free(text);
	return r;
}

void
sums_done(struct sums *sums)
{
	export_close(&sums->export);
}
