// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "phrase.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "disk_identify.h"
#include "quote.h"
#include "units.h"

#define EXACT_MAX 10000 // what still reads well

static bool
has_exact(char *buf, uint64_t bytes)
{
	static const char *const units[] = {"B",   "KiB", "MiB", "GiB",
					    "TiB", "PiB", "EiB"};
	size_t i = 0;

	for (; bytes >= 1024 && bytes % 1024 == 0; i++)
		bytes /= 1024;
	snprintf(buf, PHRASE_SIZE_MAX, "%" PRIu64 " %s", bytes, units[i]);
	return bytes < EXACT_MAX;
}

char *
phrase_size(char buf[PHRASE_SIZE_MAX], uint64_t bytes)
{
	return has_exact(buf, bytes)
		       ? buf
		       : units_format_iec(buf, PHRASE_SIZE_MAX, bytes);
}

char *
phrase_exact(char buf[PHRASE_SIZE_MAX], uint64_t bytes)
{
	if (!has_exact(buf, bytes))
		snprintf(buf, PHRASE_SIZE_MAX, "%" PRIu64 " bytes", bytes);
	return buf;
}

void
phrase_quoted(FILE *out, const char *before, const char *text)
{
	char *quoted = quote_name_always(text);

	fprintf(out, "%s%s", before, quoted ? quoted : "?");
	free(quoted);
}

// What a maker wrote is plain words, mostly; what a terminal would obey is not
// shown to it.
static void
put_words(FILE *out, const char *before, const char *text)
{
	if (quote_is_printable(text))
		fprintf(out, "%s%s", before, text);
	else
		phrase_quoted(out, before, text);
}

static void
put_model(FILE *out, const struct disk_identity *disk)
{
	const char *slash = strrchr(disk->model, '/');

	if (disk->is_loop)
		put_words(out, ", backed by ", slash ? slash + 1 : disk->model);
	else
		put_words(out, ", ", disk->model);
}

void
phrase_name(FILE *out, const char *path, const char *standard)
{
	char *name = path != NULL ? quote_name_colon(path) : NULL;

	fputs(name ? name : path ? "?" : standard, out);
	free(name);
}

void
phrase_disk(FILE *out, uint64_t size, const struct disk_identity *disk)
{
	char text[PHRASE_SIZE_MAX];

	fputs(phrase_size(text, size), out);
	if (disk->model[0] != '\0')
		put_model(out, disk);
	if (disk->serial[0] != '\0')
		put_words(out, ", serial ", disk->serial);
	for (size_t i = 0; i < disk->nr_contents; i++) {
		const struct disk_content *content = &disk->contents[i];

		fprintf(out, "%s%s", i == 0 ? ", holds " : " + ",
			content->type);
		if (content->label[0] != '\0')
			phrase_quoted(out, " ", content->label);
	}
	if (disk->is_unread)
		fputs(", contents unknown (libblkid.so.1 cannot be loaded)",
		      out);
}
