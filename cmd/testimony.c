// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "testimony.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "describe.h"
#include "imprint.h"
#include "manifest.h"
#include "phrase.h"
#include "vouch.h"

static void
print_side(const char *what, const unsigned char *id)
{
	const struct imprint imprint = imprint_parse(id);
	char size[PHRASE_SIZE_MAX];

	if (imprint.kind == IMPRINT_NONE) {
		printf("%sa stream\n", what);
		return;
	}
	phrase_quoted(stdout, what, imprint.name);
	printf(" (%s of %s)\n",
	       imprint.kind == IMPRINT_FILE ? "a file" : "a disk",
	       phrase_size(size, imprint.size));
}

// When it was last written to.
static void
print_time(int fd)
{
	char text[64];
	struct stat st;
	struct tm tm;

	if (fstat(fd, &st) < 0 || localtime_r(&st.st_mtime, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm) == 0)
		return;
	printf("written: %s\n", text);
}

int
testimony_print(const struct env *env)
{
	char known[PHRASE_SIZE_MAX], len[PHRASE_SIZE_MAX];
	struct vouch vouch;
	const int r = vouch_open(&vouch, env, VOUCH_NEED);

	if (r == 0) {
		const struct manifest *m = &vouch.manifest;

		print_side("destination: ", m->header.ids.dst);
		print_side("source: ", m->header.ids.src);
		print_time(m->fd);
		printf("known: %s of %s\n",
		       phrase_exact(known, manifest_known(m)),
		       phrase_exact(len, m->len));
		printf("complete: %s\n", m->header.is_complete
						 ? "yes"
						 : "no, the run was cut off");
	}
	vouch_done(&vouch);
	return r < 0 ? r : describe_flush();
}
