// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "mapfile.h"
#include "suites.h"

static struct mapfile m;

static void
end(void)
{
	map_done(&m.map);
}

static int
parse(const char *text)
{
	unsigned line = 0;
	struct mapfile found;
	const int r = mapfile_parse(&found, text, strlen(text), &line);

	if (r == 0) {
		map_done(&m.map);
		m = found;
	}
	return r < 0 ? -(int)line : 0;
}

static void
check_span(size_t nr, uint64_t off, uint64_t len, enum map_state state)
{
	ck_assert_uint_lt(nr, m.map.nr);
	ck_assert_uint_eq(map_nth(&m.map, nr)->off, off);
	ck_assert_uint_eq(map_nth(&m.map, nr)->len, len);
	ck_assert_int_eq(map_nth(&m.map, nr)->state, state);
}

START_TEST(a_mapfile_of_ddrescue_is_read)
{
	ck_assert_int_eq(
		parse("# Mapfile. Created by GNU ddrescue version 1.27\n"
		      "# current_pos  current_status  current_pass\n"
		      "0x000F0000     -               2\n"
		      "#      pos        size  status\n"
		      "0x00000000  0x00100000  +\n"
		      "0x00100000  0x00000200  -\n"
		      "0x00100200  0x00000200  /\n"
		      "0x00100400  0x00000200  *\n"
		      "0x00100600  0x00000A00  ?\n"),
		0);
	ck_assert_uint_eq(m.status.pos, 0xf0000);
	ck_assert_int_eq(m.status.phase, '-');
	ck_assert_uint_eq(m.status.pass, 2);
	ck_assert_uint_eq(m.map.len, 0x101000);
	ck_assert_uint_eq(m.map.nr, 5);
	check_span(0, 0, 0x100000, MAP_DONE);
	check_span(1, 0x100000, 0x200, MAP_BAD);
	check_span(2, 0x100200, 0x200, MAP_NONSCRAPED);
	check_span(3, 0x100400, 0x200, MAP_NONTRIMMED);
	check_span(4, 0x100600, 0xa00, MAP_TODO);
	ck_assert(!m.ids.has_place);
	ck_assert_str_eq(m.ids.src, "");
}
END_TEST

// The text, and the length of the map that it makes.
static const struct {
	const char *text;
	uint64_t len;
} accepted[] = {
	{"", 0},
	{"# nothing\n \t\n", 0},
	{"0 ?", 0},
	{"0 ? 1\n0 512 ?", 512},
	{"0 ?1\n0 512+\n", 512},
	{"  010 + 7 and more\n\t0x0 0x1000 + # rescued\n", 4096},
	{"0 ? x\n0 010 +\n8 8 -\n", 16},
	{"0 F\n0 8 +\n", 8},
	{"0 G\n0 8 +\n", 8},
	{"0 % 1\n0 8 +\n", 8},
	{"0 ?\n0 0 ?\n", 0},
	{"0 ?\n0 0 ?\n0 8 +\n", 8},
	{"0 ?\n8 8 +\n", 16},
	{"0 ?\r\n0 8 +\r\n\r\n", 8},
	{"0 ?\n0 8 +\n8 0x7FFFFFFFFFFFFFF7 ?\n", MAPFILE_MAX},
	{"0 ?\n0 8 +\n8 0xFFFFFFFFFFFFFFFF ?\n", MAPFILE_MAX},
};

START_TEST(what_ddrescue_takes_is_taken)
{
	ck_assert_int_eq(parse(accepted[_i].text), 0);
	ck_assert_uint_eq(m.map.len, accepted[_i].len);
}
END_TEST

// The text, and the line at fault.
static const struct {
	const char *text;
	int line;
} refused[] = {
	{"x", 1},
	{"# good\n\nGIF89a", 3},
	{"0", 1},
	{"-1 ?\n", 1},
	{"0 !\n", 1},
	{"0 ? 0\n", 1},
	{"0 ? -1\n", 1},
	{"0 ?\n0 8 F\n", 2},
	{"0 ?\n0 8 %\n", 2},
	{"0 ?\n0 8\n", 2},
	{"0 ?\n0 -8 +\n", 2},
	{"0 ?\n-8 8 +\n", 2},
	{"0 ?\n8 0 +\n", 2},
	{"0 ?\n0 8 +\n9 1 +\n", 3},	    // a gap
	{"0 ?\n0 8 +\n# here\n7 1 +\n", 4}, // they overlap
	{"0 ?\n0 0 ?\n8 8 +\n", 3},
	{"0 ?#1\n0 8#+\n", 2}, // no comment: no space is before it
};

START_TEST(what_ddrescue_refuses_is_refused_with_its_line)
{
	ck_assert_int_eq(parse(refused[_i].text), -refused[_i].line);
}
END_TEST

START_TEST(neighbours_with_one_state_are_one_span)
{
	ck_assert_int_eq(parse("0 ?\n0 8 +\n8 8 +\n16 8 -\n"), 0);
	ck_assert_uint_eq(m.map.nr, 2);
	check_span(0, 0, 16, MAP_DONE);
}
END_TEST

START_TEST(nothing_is_known_before_the_first_block)
{
	ck_assert_int_eq(parse("0 ?\n512 512 +\n"), 0);
	ck_assert_uint_eq(m.map.nr, 2);
	check_span(0, 0, 512, MAP_TODO);
	check_span(1, 512, 512, MAP_DONE);
}
END_TEST

START_TEST(a_sweep_goes_on_as_the_last_pass)
{
	ck_assert_int_eq(parse("512 % 1\n"), 0);
	ck_assert_int_eq(m.status.phase, '?');
	ck_assert_uint_eq(m.status.pass, 4);
}
END_TEST

START_TEST(comments_of_ours_say_whose_it_is)
{
	ck_assert_int_eq(parse("# aiodd-map 1 offset=-512 size=4096\n"
			       "# aiodd-source disk size=4096 A B  \r\n"
			       "# aiodd-destination file fs=1 ino=2\n"
			       "0 ?\n"),
			 0);
	ck_assert(m.ids.has_place);
	ck_assert_int_eq(m.ids.offset, -512);
	ck_assert_uint_eq(m.ids.size, 4096);
	ck_assert_str_eq(m.ids.src, "disk size=4096 A B");
	ck_assert_str_eq(m.ids.dst, "file fs=1 ino=2");
}
END_TEST

START_TEST(comments_of_another_format_say_nothing)
{
	ck_assert_int_eq(parse("# aiodd-map 2 offset=512 size=4096\n"), 0);
	ck_assert(!m.ids.has_place);
	ck_assert_int_eq(parse("# aiodd-map 1 offset=512 size=4096 more\n"), 0);
	ck_assert(!m.ids.has_place);
}
END_TEST

static char *
print(const struct mapfile_status *status, const struct mapfile_ids *ids)
{
	const struct mapfile_head head = {.command = "aiodd a b map=m",
					  .start = "2026-11-27 04:20:00",
					  .now = "2026-11-27 04:20:30"};
	char *text;
	size_t len;

	ck_assert_int_eq(mapfile_print(&text, &len, &m.map, status, ids, &head),
			 0);
	ck_assert_uint_eq(len, strlen(text));
	return text;
}

#define HEAD                                                        \
	"# Mapfile. Created by aiodd version " PACKAGE_VERSION "\n" \
	"# Command line: aiodd a b map=m\n"                         \
	"# Start time:   2026-11-27 04:20:00\n"                     \
	"# Current time: 2026-11-27 04:20:30\n"
#define COLUMNS "# current_pos  current_status  current_pass\n"

START_TEST(it_is_printed_as_ddrescue_does)
{
	const struct mapfile_status status = {0x123456789, '*', 1};

	ck_assert_int_eq(map_init(&m.map, 0x100000000), 0);
	ck_assert_int_eq(map_mark(&m.map, 0, 10, MAP_DONE), 0);
	ck_assert_int_eq(map_mark(&m.map, 10, 10, MAP_HOLE), 0);
	ck_assert_int_eq(map_mark(&m.map, 20, 10, MAP_SAME), 0);
	ck_assert_int_eq(map_mark(&m.map, 30, 10, MAP_BAD), 0);
	ck_assert_int_eq(map_mark(&m.map, 40, 10, MAP_NONTRIMMED), 0);
	ck_assert_int_eq(map_mark(&m.map, 50, 10, MAP_NONSCRAPED), 0);
	char *text = print(&status, &(struct mapfile_ids){.size = 0});
	ck_assert_str_eq(text,
			 HEAD "# Trimming failed blocks... (forwards)\n" COLUMNS
			      "0x123456789     *               1\n"
			      "#      pos        size  status\n"
			      "0x00000000  0x0000001E  +\n"
			      "0x0000001E  0x0000000A  -\n"
			      "0x00000028  0x0000000A  *\n"
			      "0x00000032  0x0000000A  /\n"
			      "0x0000003C  0xFFFFFFC4  ?\n");
	free(text);
}
END_TEST

START_TEST(what_is_printed_is_read_again)
{
	const struct mapfile_status status = {512, '-', 2};
	const struct mapfile_ids ids = {.src = "disk A",
					.dst = "file B",
					.has_place = true,
					.offset = -1,
					.size = 42};

	ck_assert_int_eq(map_init(&m.map, MAPFILE_MAX), 0);
	ck_assert_int_eq(map_mark(&m.map, 512, 512, MAP_BAD), 0);
	char *text = print(&status, &ids);
	ck_assert_int_eq(parse(text), 0);
	free(text);
	ck_assert_uint_eq(m.map.nr, 3);
	check_span(1, 512, 512, MAP_BAD);
	ck_assert_uint_eq(m.map.len, MAPFILE_MAX);
	ck_assert_uint_eq(m.status.pos, 512);
	ck_assert_int_eq(m.status.phase, '-');
	ck_assert_uint_eq(m.status.pass, 2);
	ck_assert_str_eq(m.ids.src, ids.src);
	ck_assert_str_eq(m.ids.dst, ids.dst);
	ck_assert_int_eq(m.ids.offset, -1);
	ck_assert_uint_eq(m.ids.size, 42);
}
END_TEST

Suite *
mapfile_suite(void)
{
	Suite *s = suite_create("mapfile");
	TCase *t = tcase_create("mapfile");

	tcase_add_checked_fixture(t, NULL, end);
	tcase_add_test(t, a_mapfile_of_ddrescue_is_read);
	tcase_add_loop_test(t, what_ddrescue_takes_is_taken, 0,
			    ARRAY_LEN(accepted));
	tcase_add_loop_test(t, what_ddrescue_refuses_is_refused_with_its_line,
			    0, ARRAY_LEN(refused));
	tcase_add_test(t, neighbours_with_one_state_are_one_span);
	tcase_add_test(t, nothing_is_known_before_the_first_block);
	tcase_add_test(t, a_sweep_goes_on_as_the_last_pass);
	tcase_add_test(t, comments_of_ours_say_whose_it_is);
	tcase_add_test(t, comments_of_another_format_say_nothing);
	tcase_add_test(t, it_is_printed_as_ddrescue_does);
	tcase_add_test(t, what_is_printed_is_read_again);
	suite_add_tcase(s, t);
	return s;
}
