// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "clear.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "rig.h"
#include "suites.h"
#include "zero.h"

enum { SCRIPT_MAX = 64 };

// A side that does what it is told to, and keeps in mind what was asked of it.
static struct script {
	int punch_error;       // from now on
	unsigned nr_true;      // so many are made before it lies
	ssize_t write_error;
	uint64_t ns;           // that it takes
	struct clear_span punched[SCRIPT_MAX], written[SCRIPT_MAX];
	unsigned nr_punched, nr_written, nr_read;
} script;

static struct side side;
static struct clear c;

static int
script_punch(const struct side *s, uint64_t off, uint64_t len)
{
	(void)s;
	rig_clock_ns += script.ns;
	if (script.punch_error == 0)
		script.punched[script.nr_punched++] =
			(struct clear_span){off, len};
	return script.punch_error;
}

static ssize_t
script_read(const struct side *s, enum side_way way, void *buf, size_t len,
	    uint64_t off)
{
	const struct clear_span *last = &script.punched[script.nr_punched - 1];

	(void)s;
	ck_assert_int_eq(way, SIDE_CLEAR);
	ck_assert(off >= last->pos && off + len <= last->pos + last->len);
	script.nr_read++;
	memset(buf, 0, len);
	// Only the last page of the piece shows it.
	if (script.nr_punched > script.nr_true &&
	    off + len == last->pos + last->len)
		((char *)buf)[len - 1] = 1;
	return (ssize_t)len;
}

static ssize_t
script_write(const struct side *s, enum side_way way, const void *buf,
	     size_t len, uint64_t off)
{
	struct clear_span *last = &script.written[script.nr_written];

	(void)s;
	ck_assert_int_eq(way, SIDE_CLEAR);
	ck_assert(zero_is_all(buf, len));
	if (script.write_error < 0)
		return script.write_error;
	if (script.nr_written > 0 && last[-1].pos + last[-1].len == off)
		last[-1].len += len;
	else
		script.written[script.nr_written++] =
			(struct clear_span){off, len};
	return (ssize_t)len;
}

static const struct side_ops script_ops = {
	.read_at = script_read,
	.write_at = script_write,
	.punch = script_punch,
};

static void
begin(void)
{
	rig_clock_ns = 1;
	script = (struct script){.nr_true = SCRIPT_MAX};
	side = (struct side){.ops = &script_ops,
			     .facts = {.kind = FACTS_BLOCK, .dio_align = 512}};
	clear_init(&c, &side, 0, UINT64_MAX, NULL);
}

static void
end(void)
{
	clear_done(&c);
	rig_clock_ns = 0;
}

// All of it. 0 or -errno.
static int64_t
clear_all(uint64_t pos, uint64_t len)
{
	while (len > 0 || c.is_owing) {
		const int64_t n = clear_some(&c, pos, len);

		if (n < 0)
			return n;
		ck_assert_uint_le(n, len);
		pos += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static void
check_next(uint64_t pos, uint64_t len, enum clear_way way, uint64_t want)
{
	uint64_t got;

	ck_assert_int_eq(clear_next(&c, pos, len, &got), way);
	ck_assert_uint_eq(got, want);
}

START_TEST(only_whole_pages_are_made)
{
	check_next(0, MIB, CLEAR_MAKE, MIB);
	check_next(512, MIB, CLEAR_WRITE, 4096 - 512);
	check_next(4096, MIB - 3584, CLEAR_MAKE, MIB - 4096);
	check_next(MIB, 512, CLEAR_WRITE, 512);
}
END_TEST

START_TEST(what_is_short_is_written)
{
	check_next(0, CLEAR_MIN, CLEAR_MAKE, CLEAR_MIN);
	check_next(0, CLEAR_MIN - 1, CLEAR_WRITE, CLEAR_MIN - 1);
	check_next(1, CLEAR_MIN, CLEAR_WRITE, CLEAR_MIN);
}
END_TEST

START_TEST(what_is_held_back_is_written)
{
	c.from = 5000;
	check_next(0, MIB, CLEAR_WRITE, 8192);
	check_next(8192, MIB, CLEAR_MAKE, MIB);
}
END_TEST

START_TEST(nothing_is_behind_the_end_of_a_file)
{
	c.to = MIB + 5;
	check_next(0, 2 * MIB, CLEAR_MAKE, MIB + 4096);
	check_next(MIB, 2 * MIB, CLEAR_WRITE, 5);
	check_next(MIB + 5, 2 * MIB, CLEAR_SKIP, 2 * MIB);
}
END_TEST

START_TEST(pieces_double_while_they_are_fast)
{
	script.ns = 99 * 1000 * 1000;
	ck_assert_int_eq(clear_all(0, 7 * CLEAR_PIECE), 0);
	ck_assert_uint_eq(script.nr_punched, 3);
	ck_assert_uint_eq(script.nr_read, 9);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(script.punched[i].len, CLEAR_PIECE << i);
	ck_assert_uint_eq(script.nr_written, 0);
	ck_assert_uint_eq(c.nr_cleared, 7 * CLEAR_PIECE);
}
END_TEST

START_TEST(pieces_stay_where_they_are_slow)
{
	script.ns = 100 * 1000 * 1000;
	ck_assert_int_eq(clear_all(0, 3 * CLEAR_PIECE), 0);
	ck_assert_uint_eq(script.nr_punched, 3);
	ck_assert_ptr_null(c.refused);
}
END_TEST

START_TEST(less_than_100_MB_a_second_is_given_up)
{
	// A piece of 16 MiB in 0.2 s: 84 MB/s.
	script.ns = 200 * 1000 * 1000;
	ck_assert_int_eq(clear_all(0, CLEAR_SLOW_LEN), 0);
	ck_assert_str_eq(c.refused, "zeros were made at less than 100 MB/s");
	// What was made stays.
	ck_assert_uint_eq(script.nr_punched, 54);
	ck_assert_uint_eq(script.nr_written, 1);
	ck_assert_uint_eq(script.written[0].pos, 54 * CLEAR_PIECE);
	ck_assert_uint_eq(c.nr_cleared + c.nr_written, CLEAR_SLOW_LEN);
}
END_TEST

START_TEST(what_is_refused_is_written)
{
	script.punch_error = -EOPNOTSUPP;
	ck_assert_int_eq(clear_all(4096, 3 * MIB), 0);
	ck_assert_uint_eq(script.nr_punched, 0);
	ck_assert_uint_eq(script.nr_written, 1);
	ck_assert_uint_eq(script.written[0].pos, 4096);
	ck_assert_uint_eq(script.written[0].len, 3 * MIB);
	ck_assert_uint_eq(c.nr_written, 3 * MIB);
	check_next(0, MIB, CLEAR_WRITE, MIB);
}
END_TEST

START_TEST(an_interrupted_call_is_made_again)
{
	script.punch_error = -EINTR;
	ck_assert_int_eq(clear_some(&c, 0, MIB), 0);
	script.punch_error = 0;
	ck_assert_int_eq(clear_some(&c, 0, MIB), MIB);
	ck_assert_uint_eq(c.nr_made, 1);
}
END_TEST

// Of all that was made, by whatever it is known now that it is none.
START_TEST(after_a_lie_all_is_written)
{
	script.nr_true = 2;
	ck_assert_int_eq(clear_all(0, CLEAR_PIECE), 0);
	ck_assert_int_eq(clear_all(64 * MIB, MIB), 0);
	ck_assert_int_eq(clear_all(128 * MIB, 2 * MIB), 0);
	ck_assert_str_eq(c.refused, "what the device made were no zeros");
	ck_assert_uint_eq(script.nr_written, 3);
	ck_assert_uint_eq(script.written[0].pos, 64 * MIB);
	ck_assert_uint_eq(script.written[0].len, MIB);
	ck_assert_uint_eq(script.written[1].pos, 0);
	ck_assert_uint_eq(script.written[1].len, CLEAR_PIECE);
	ck_assert_uint_eq(script.written[2].pos, 128 * MIB);
	ck_assert_uint_eq(script.written[2].len, 2 * MIB);
	ck_assert_uint_eq(c.nr_cleared, 0);
	ck_assert_uint_eq(c.nr_written, CLEAR_PIECE + 3 * MIB);
	ck_assert(!c.is_owing);
}
END_TEST

START_TEST(what_cannot_be_written_is_an_error)
{
	script.nr_true = 1;
	ck_assert_int_eq(clear_all(MIB, MIB), 0);
	script.write_error = -EIO;
	ck_assert_int_eq(clear_all(4 * MIB, MIB), -EIO);
	ck_assert_uint_eq(c.error_pos, MIB);
	ck_assert(!c.is_owing);
	ck_assert_int_eq(clear_all(4 * MIB, MIB), -EIO);
	ck_assert_uint_eq(c.error_pos, 4 * MIB);
}
END_TEST

START_TEST(a_file_is_believed)
{
	side.facts.kind = FACTS_FILE;
	ck_assert_int_eq(clear_all(0, 2 * CLEAR_PIECE), 0);
	ck_assert_uint_eq(script.nr_read, 0);
	ck_assert_uint_eq(c.nr_made, 0);
}
END_TEST

Suite *
clear_suite(void)
{
	Suite *s = suite_create("clear");
	TCase *t = tcase_create("clear");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, only_whole_pages_are_made);
	tcase_add_test(t, what_is_short_is_written);
	tcase_add_test(t, what_is_held_back_is_written);
	tcase_add_test(t, nothing_is_behind_the_end_of_a_file);
	tcase_add_test(t, pieces_double_while_they_are_fast);
	tcase_add_test(t, pieces_stay_where_they_are_slow);
	tcase_add_test(t, less_than_100_MB_a_second_is_given_up);
	tcase_add_test(t, what_is_refused_is_written);
	tcase_add_test(t, an_interrupted_call_is_made_again);
	tcase_add_test(t, after_a_lie_all_is_written);
	tcase_add_test(t, what_cannot_be_written_is_an_error);
	tcase_add_test(t, a_file_is_believed);
	suite_add_tcase(s, t);
	return s;
}
