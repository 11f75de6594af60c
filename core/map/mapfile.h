// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The text of a mapfile, as GNU ddrescue keeps it: what has become of each byte
// of a source that is hard to read. Comments of ours say whose map it is;
// ddrescue drops them. Memory only: the file is somebody else's.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "map.h"

#define MAPFILE_TITLE "# Mapfile. Created by aiodd " // of each of ours
#define MAPFILE_MAX ((uint64_t)INT64_MAX) // where the last byte can be

// How far a run has come. It is only for who goes on: the truth is in the map.
struct mapfile_status {
	uint64_t pos;            // in the source
	char phase;              // ? copying, * trimming, / scraping,
	                         // - retrying, + finished
	unsigned pass;           // from 1; the odd ones go forwards
};

enum { MAPFILE_ID_MAX = 106 }; // ddrescue takes lines of 127

// "" where it does not say; one line each.
struct mapfile_ids {
	char src[MAPFILE_ID_MAX];
	char dst[MAPFILE_ID_MAX];
	bool has_place;          // the two below are known
	int64_t offset;          // what to add to one of the source to have it
	                         // in the destination
	uint64_t size;           // of the source
};

struct mapfile {
	struct map map;          // offsets are those of the source; as long as
	                         // the file says, 0: nothing is known
	struct mapfile_status status;
	struct mapfile_ids ids;
};

// All that ddrescue takes, and nothing else. 0, and the map is the caller's.
// -EINVAL: *ret_line, from 1, is none of a mapfile. -ENOMEM.
int mapfile_parse(struct mapfile *ret, const char *text, size_t len,
		  unsigned *ret_line);

// The comments at the top. Each is one line; NULL: it is left out.
struct mapfile_head {
	const char *command;     // with its operands
	const char *start;       // times, "2026-11-27 04:20:00"
	const char *now;
};

// *ret is malloc'd. 0 or -ENOMEM.
int mapfile_print(char **ret, size_t *ret_len, const struct map *map,
		  const struct mapfile_status *status,
		  const struct mapfile_ids *ids,
		  const struct mapfile_head *head);
