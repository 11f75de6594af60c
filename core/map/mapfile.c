// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "mapfile.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "text.h"

#define LINE_MAX_LEN 127 // ddrescue looks at no more of a line
#define OUR_COMMENT "# aiodd-"

static const char chars[MAP_NR_STATES] = {
	[MAP_TODO] = '?',	[MAP_DONE] = '+', [MAP_HOLE] = '+',
	[MAP_SAME] = '+',	[MAP_BAD] = '-',  [MAP_NONTRIMMED] = '*',
	[MAP_NONSCRAPED] = '/',
};

// MAP_NR_STATES: it is none.
static enum map_state
state_of(char c)
{
	enum map_state state = MAP_TODO;

	while (state < MAP_NR_STATES && chars[state] != c)
		state++;
	return state;
}

// Of base 0 as in C: decimal, hexadecimal or octal. One that is too large is
// the largest. False: there is none.
static bool
take_number(const char **at, int64_t *ret)
{
	char *end;

	*ret = strtoll(*at, &end, 0);
	const bool is_any = end != *at;
	*at = end;
	return is_any;
}

// '\0': there is none.
static char
take_char(const char **at)
{
	while (isspace((unsigned char)**at))
		(*at)++;
	return **at != '\0' ? *(*at)++ : '\0';
}

// What other programs are at is begun again.
static bool
set_phase(struct mapfile_status *status, char phase)
{
	switch (phase) {
	case '%': // ddrescue 1.30 is sweeping
		status->phase = '?';
		status->pass = 4;
		return true;
	case 'F': // it fills
	case 'G': // or guesses a map
		*status = (struct mapfile_status){.phase = '?', .pass = 1};
		return true;
	default:
		status->phase = phase;
		return phase != '\0' && state_of(phase) < MAP_NR_STATES;
	}
}

static bool
parse_status(struct mapfile_status *status, const char *line)
{
	int64_t pos;

	if (!take_number(&line, &pos) || pos < 0)
		return false;
	const char phase = take_char(&line);
	char *end;
	const long pass = strtol(line, &end, 10);
	if (end != line && (pass < 1 || pass > INT_MAX))
		return false;
	status->pos = (uint64_t)pos;
	status->pass = end != line ? (unsigned)pass : 1;
	return set_phase(status, phase);
}

// 0, -EINVAL or -ENOMEM. What is before the first block is not known.
static int
parse_block(struct map *map, const char *line, bool is_first)
{
	int64_t pos, size;

	if (!take_number(&line, &pos) || !take_number(&line, &size))
		return -EINVAL;
	const enum map_state state = state_of(take_char(&line));
	if (state == MAP_NR_STATES || pos < 0 || size < 0 ||
	    (size == 0 && pos > 0))
		return -EINVAL;
	const uint64_t off = (uint64_t)pos;
	const uint64_t len = min_u64((uint64_t)size, MAPFILE_MAX - off);
	if (!is_first && map->len != off)
		return -EINVAL;
	const int r = map_extend(map, off + len);
	return r < 0 ? r : map_mark(map, off, len, state);
}

// What follows the word, without the spaces at its end. False: it is another.
static bool
take_comment(const char *line, size_t len, const char *word,
	     char ret[static MAPFILE_ID_MAX])
{
	const size_t word_len = strlen(word);

	if (len < word_len || memcmp(line, word, word_len) != 0)
		return false;
	line += word_len;
	len -= word_len;
	while (len > 0 && isspace((unsigned char)line[len - 1]))
		len--;
	len = (size_t)min_u64(len, MAPFILE_ID_MAX - 1);
	memcpy(ret, line, len);
	ret[len] = '\0';
	return true;
}

static void
parse_place(struct mapfile_ids *ids, const char *text)
{
	int64_t offset = 0;
	uint64_t size = 0;
	int end = 0;

	if (sscanf(text, "1 offset=%" SCNd64 " size=%" SCNu64 "%n", &offset,
		   &size, &end) != 2 ||
	    text[end] != '\0')
		return;
	ids->has_place = true;
	ids->offset = offset;
	ids->size = size;
}

static void
parse_comment(struct mapfile_ids *ids, const char *line, size_t len)
{
	char place[MAPFILE_ID_MAX];

	if (take_comment(line, len, OUR_COMMENT "map ", place))
		parse_place(ids, place);
	else if (!take_comment(line, len, OUR_COMMENT "source ", ids->src))
		(void)take_comment(line, len, OUR_COMMENT "destination ",
				   ids->dst);
}

// Without the comment, which begins the line or follows a space.
static size_t
bare_len(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i] == '#' &&
		    (i == 0 || isspace((unsigned char)line[i - 1])))
			return i;
	return len;
}

// False: nothing is on it but a comment.
static bool
take_line(const char *line, size_t len, char ret[static LINE_MAX_LEN + 1])
{
	len = bare_len(line, len);
	while (len > 0 && isspace((unsigned char)*line)) {
		line++;
		len--;
	}
	const size_t kept = (size_t)min_u64(len, LINE_MAX_LEN);
	memcpy(ret, line, kept);
	ret[kept] = '\0';
	return len > 0;
}

struct parser {
	struct mapfile m;
	unsigned nr_lines; // that say something
};

static int
parse_line(struct parser *p, const char *text, size_t len)
{
	char line[LINE_MAX_LEN + 1];

	parse_comment(&p->m.ids, text, len);
	if (!take_line(text, len, line))
		return 0;
	p->nr_lines++;
	if (p->nr_lines > 1)
		return parse_block(&p->m.map, line, p->nr_lines == 2);
	return parse_status(&p->m.status, line) ? 0 : -EINVAL;
}

int
mapfile_parse(struct mapfile *ret, const char *text, size_t len,
	      unsigned *ret_line)
{
	struct parser p = {.m.status = {.phase = '?', .pass = 1}};
	const char *end = text + len;
	unsigned nr = 0;

	int r = map_init(&p.m.map, 0);
	while (r == 0 && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline != NULL ? newline : end;

		nr++;
		r = parse_line(&p, text, (size_t)(stop - text));
		text = newline != NULL ? newline + 1 : end;
	}
	if (r == 0) {
		*ret = p.m;
		return 0;
	}
	map_done(&p.m.map);
	if (r == -EINVAL)
		*ret_line = nr;
	return r;
}

static void
put_comment(struct text *t, const char *before, const char *what)
{
	if (what != NULL && *what != '\0')
		text_put(t, "# %s%s\n", before, what);
}

static void
put_head(struct text *t, const struct mapfile_head *head)
{
	text_put(t, MAPFILE_TITLE "version " PACKAGE_VERSION "\n");
	put_comment(t, "Command line: ", head->command);
	put_comment(t, "Start time:   ", head->start);
	put_comment(t, "Current time: ", head->now);
}

static void
put_ids(struct text *t, const struct mapfile_ids *ids)
{
	if (ids->has_place)
		text_put(t,
			 OUR_COMMENT "map 1 offset=%" PRId64 " size=%" PRIu64
				     "\n",
			 ids->offset, ids->size);
	put_comment(t, "aiodd-source ", ids->src);
	put_comment(t, "aiodd-destination ", ids->dst);
}

static void
put_status(struct text *t, const struct mapfile_status *status)
{
	const char *way = status->pass % 2 != 0 ? "forwards" : "backwards";

	switch (status->phase) {
	case '+':
		text_put(t, "# Finished\n");
		break;
	case '*':
		text_put(t, "# Trimming failed blocks... (%s)\n", way);
		break;
	case '/':
		text_put(t, "# Scraping failed blocks... (%s)\n", way);
		break;
	case '-':
		text_put(t, "# Retrying bad sectors... Retry %u (%s)\n",
			 status->pass, way);
		break;
	default:
		text_put(t, "# Copying non-tried blocks... Pass %u (%s)\n",
			 status->pass, way);
	}
	text_put(t,
		 "# current_pos  current_status  current_pass\n"
		 "0x%08" PRIX64 "     %c               %u\n"
		 "#      pos        size  status\n",
		 status->pos, status->phase, status->pass);
}

// States that are one there are one block.
static void
put_blocks(struct text *t, const struct map *map)
{
	for (size_t i = 0; i < map->nr;) {
		const struct map_span *span = map_nth(map, i);
		const char c = chars[span->state];
		const uint64_t off = span->off;
		uint64_t len = 0;

		for (; i < map->nr && chars[map_nth(map, i)->state] == c; i++)
			len += map_nth(map, i)->len;
		text_put(t, "0x%08" PRIX64 "  0x%08" PRIX64 "  %c\n", off, len,
			 c);
	}
}

int
mapfile_print(char **ret, size_t *ret_len, const struct map *map,
	      const struct mapfile_status *status,
	      const struct mapfile_ids *ids, const struct mapfile_head *head)
{
	struct text t = {.buf = NULL};

	put_head(&t, head);
	put_ids(&t, ids);
	put_status(&t, status);
	put_blocks(&t, map);
	return text_take(&t, ret, ret_len);
}
