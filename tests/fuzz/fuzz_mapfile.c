// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Mapfiles: lines that they may have, and any bytes. What is read has
// its spans in order; printed and read again it is the same.

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "fuzz.h"
#include "mapfile.h"

static const char *const words[] = {
	"0 ? 1\n",
	"0x00000000     +               2\n",
	"512 - 3\n",
	"7 % 1\n",
	"0 8 +\n",
	"8 8 -\n",
	"0x10 0x10 *\n",
	"32 040 /\n",
	"0 0x7FFFFFFFFFFFFFFF ?\n",
	"64 0x7FFFFFFFFFFFFFBF ?\n",
	"0 0 ?\n",
	"64 64 + # so it is\n",
	"# aiodd-map 1 offset=-512 size=4096\n",
	"# aiodd-source disk size=4096 A\n",
	"# aiodd-destination file\n",
	"# any\r\n",
	"\n",
	" \t",
	"#",
	"0x",
	"-",
	"+",
	"9223372036854775807 ",
	"99999999999999999999 ",
	"1 ",
	"\f",
};

enum { BLOCK = ARRAY_LEN(words), STEP = 3, TEXT_MAX = 48, NR_STATUS = 4 };

// A status line, then blocks side by side, and now and then something else.
void
fuzz_shape(uint8_t *data, size_t size)
{
	if (size > 0)
		data[0] %= NR_STATUS;
	for (size_t i = 1; i + STEP <= size; i += STEP)
		data[i] = data[i] < 255 ? (uint8_t)BLOCK
					: data[i + 1] % ARRAY_LEN(words);
}

// The block that begins at *at; how: its size and its state.
static char *
spell_block(char *text, uint64_t *at, const uint8_t *how)
{
	const uint64_t size = ((uint64_t)how[0] << how[1] % 16) + 1;
	const char state = "?*/-+"[how[1] / 16 % 5];

	if (how[0] % 2 != 0)
		text += sprintf(text, "%" PRIu64 " %" PRIu64 " %c\n", *at, size,
				state);
	else
		text += sprintf(text, "0x%" PRIX64 "\t0x%" PRIX64 "%c\n", *at,
				size, state);
	*at += size;
	return text;
}

// A byte that is no word stands for itself.
static size_t
spell(char *text, const uint8_t *data, size_t size)
{
	char *end = text;
	uint64_t at = 0;

	for (size_t i = 0; i < size; i++) {
		if (data[i] == BLOCK && i + STEP <= size) {
			end = spell_block(end, &at, data + i + 1);
			i += STEP - 1;
		} else if (data[i] < ARRAY_LEN(words)) {
			end = stpcpy(end, words[data[i]]);
		} else {
			*end++ = (char)data[i];
		}
	}
	return (size_t)(end - text);
}

static void
must(int is_true)
{
	if (!is_true)
		abort();
}

static void
check_map(const struct map *map)
{
	uint64_t end = 0;

	for (size_t i = 0; i < map->nr; i++) {
		const struct map_span *span = &map->spans[i];

		must(span->off == end && span->len > 0);
		must(i == 0 || span->state != span[-1].state);
		end += span->len;
	}
	must(end == map->len && map->len <= MAPFILE_MAX);
}

static void
check_same(const struct mapfile *a, const struct mapfile *b)
{
	must(a->map.nr == b->map.nr);
	for (size_t i = 0; i < a->map.nr; i++)
		must(a->map.spans[i].len == b->map.spans[i].len &&
		     a->map.spans[i].state == b->map.spans[i].state);
	must(a->status.pos == b->status.pos &&
	     a->status.phase == b->status.phase &&
	     a->status.pass == b->status.pass);
	must(a->ids.has_place == b->ids.has_place &&
	     a->ids.offset == b->ids.offset && a->ids.size == b->ids.size);
	must(strcmp(a->ids.src, b->ids.src) == 0 &&
	     strcmp(a->ids.dst, b->ids.dst) == 0);
}

static void
check_print(const struct mapfile *m)
{
	const struct mapfile_head head = {.command = "aiodd", .now = "now"};
	struct mapfile again;
	unsigned line;
	char *text;
	size_t len;

	must(mapfile_print(&text, &len, &m->map, &m->status, &m->ids, &head) ==
	     0);
	must(mapfile_parse(&again, text, len, &line) == 0);
	check_same(m, &again);
	free(text);
	map_done(&again.map);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size * TEXT_MAX + 1);
	struct mapfile m;
	unsigned line = 0;

	must(text != NULL);
	const size_t len = spell(text, data, size);
	const int r = mapfile_parse(&m, text, len, &line);
	free(text);
	if (r < 0) {
		must(line > 0);
		return 0;
	}
	check_map(&m.map);
	check_print(&m);
	map_done(&m.map);
	return 0;
}
