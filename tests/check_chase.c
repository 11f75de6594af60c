// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "chase.h"
#include "dying.h"
#include "suites.h"

#define NS_A_SECOND UINT64_C(1000000000)
#define CLUSTER (64 * KIB)
#define TB UINT64_C(1000000000000)

enum { SECTOR = 512, NR_OUT_MAX = 64 };

static struct dying disk;
static struct map map;
static struct chase chase;

// A read that is out.
struct flight {
	struct chase_read read;
	struct dying_answer answer;
	uint64_t since;
	bool is_overdue;
};

static struct {
	struct chase_setup setup;
	const unsigned char *was; // of a small disk: states of bytes
	uint64_t clock;
	struct flight outs[NR_OUT_MAX];
	unsigned nr_out;
	unsigned nr_reads;
	unsigned nr_failed;
	unsigned nr_tried[2048]; // a small disk: failed alone, by sector
	unsigned most_out; // at once, the overdue ones apart
	bool is_random;	   // the order of ends, and who is overdue
	bool is_traced;
} run;

#define must(condition)                                 \
	do {                                            \
		if (!(condition))                       \
			ck_abort_msg("%s", #condition); \
	} while (0)

static void
begin(void)
{
	memset(&run, 0, sizeof(run));
	run.setup = (struct chase_setup){.map = &map,
					 .sector = SECTOR,
					 .most = 2 * MIB,
					 .nr_parallel = 16};
}

static void
end(void)
{
	chase_done(&chase);
	map_done(&map);
	dying_done(&disk);
}

static void
begin_disk(uint64_t len)
{
	disk.len = len;
	run.setup.len = len;
	ck_assert_int_eq(map_init(&map, len), 0);
}

static void
begin_chase(void)
{
	ck_assert_int_eq(chase_init(&chase, &run.setup), 0);
}

static bool
is_aligned(uint64_t off)
{
	return off % SECTOR == 0 || off == run.setup.off ||
	       off == chase_end(&chase) ||
	       (run.was != NULL && off < map.len &&
		run.was[off] != run.was[off - 1]) ||
	       off == map.len;
}

// Until all is copied and trimmed.
static bool
is_swept(void)
{
	return chase.step > 4;
}

// It lies in one span that is not good, nothing of it is out, and it is
// aligned where there was no end.
static void
check_read(const struct chase_read *read)
{
	const uint64_t to = read->off + read->len;
	const struct map_span *span = map_at(&map, read->off);

	must(read->len > 0 && read->len <= run.setup.most);
	must(read->off >= run.setup.off && to <= run.setup.off + run.setup.len);
	must(span->state != MAP_DONE && to <= span->off + span->len);
	must(is_aligned(read->off) && is_aligned(to));
	must(!is_swept() || read->len <= CLUSTER);
	for (unsigned i = 0; i < run.nr_out; i++) {
		const struct chase_read *other = &run.outs[i].read;

		must(to <= other->off || other->off + other->len <= read->off);
	}
}

static void
on_read(const struct chase_read *read)
{
	unsigned nr = 1;

	check_read(read);
	for (unsigned i = 0; i < run.nr_out; i++)
		nr += !run.outs[i].is_overdue;
	must(run.nr_out - (nr - 1) < CHASE_OVERDUE_MAX);
	if (nr > run.most_out)
		run.most_out = nr;
	must(run.nr_out < NR_OUT_MAX);
	run.outs[run.nr_out++] = (struct flight){
		*read, dying_read(&disk, read->off, read->len), run.clock,
		false};
	run.nr_reads++;
}

// Of a small disk.
static void
check_tries(uint64_t off)
{
	if (off / SECTOR < ARRAY_LEN(run.nr_tried))
		must(++run.nr_tried[off / SECTOR] <= 1 + run.setup.nr_retries);
}

static void
tell(unsigned nr)
{
	const struct flight out = run.outs[nr];

	run.outs[nr] = run.outs[--run.nr_out];
	run.nr_failed += out.answer.error != 0;
	if (out.answer.error != 0 && out.read.len == SECTOR)
		check_tries(out.read.off);
	if (run.is_traced)
		printf("# step %u: %#llx %zu: %zu %d\n", chase.step,
		       (unsigned long long)out.read.off, out.read.len,
		       out.answer.got, out.answer.error);
	chase_tell(&chase, &out.read, out.answer.got, out.answer.error,
		   run.clock - out.since);
}

static uint64_t
next_event(const struct flight *out)
{
	const uint64_t end = out->since + out->answer.ns;

	return out->is_overdue ? end : min_u64(end, out->since + NS_A_SECOND);
}

static void
wait_in_time(void)
{
	unsigned first = 0;

	for (unsigned i = 1; i < run.nr_out; i++)
		if (next_event(&run.outs[i]) < next_event(&run.outs[first]))
			first = i;
	struct flight *out = &run.outs[first];
	run.clock = max_u64(run.clock, next_event(out));
	if (run.clock >= out->since + out->answer.ns) {
		tell(first);
		return;
	}
	out->is_overdue = true;
	chase_overdue(&chase, &out->read);
}

static void
wait_for_any(void)
{
	const unsigned nr = (unsigned)rand() % run.nr_out;

	if (!run.outs[nr].is_overdue && rand() % 8 == 0) {
		run.outs[nr].is_overdue = true;
		chase_overdue(&chase, &run.outs[nr].read);
	} else {
		tell(nr);
	}
}

// One answer and what follows from it.
static enum chase_answer
step(void)
{
	struct chase_read read;
	const int answer = chase_next(&chase, &read);

	must(answer >= 0);
	if (answer == CHASE_READ) {
		on_read(&read);
	} else if (answer == CHASE_WAIT) {
		must(run.nr_out > 0);
		if (run.is_random)
			wait_for_any();
		else
			wait_in_time();
	}
	return (enum chase_answer)answer;
}

// The next read, which has to be there, is answered at once.
static struct chase_read
next_read(void)
{
	const unsigned nr = run.nr_reads;

	while (run.nr_reads == nr)
		must(step() != CHASE_END);
	const struct flight out = run.outs[run.nr_out - 1];
	run.clock = out.since + out.answer.ns;
	tell(run.nr_out - 1);
	return out.read;
}

static uint64_t
bytes_in(enum map_state state)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < map.nr; i++) {
		const struct map_span *span = map_nth(&map, i);
		const uint64_t from = max_u64(span->off, run.setup.off);
		const uint64_t to = min_u64(span->off + span->len,
					    run.setup.off + run.setup.len);

		if (span->state == state && from < to)
			bytes += to - from;
	}
	return bytes;
}

static uint64_t
nr_untried(void)
{
	return bytes_in(MAP_TODO) + bytes_in(MAP_NONTRIMMED) +
	       bytes_in(MAP_NONSCRAPED);
}

static void
run_to_end(void)
{
	while (step() != CHASE_END)
		;
	must(run.nr_out == 0);
	run.setup.len = chase_end(&chase) - run.setup.off;
	must(nr_untried() == 0);
	must(chase_status(&chase).phase == '+');
}

// What is bad is `-`, and nothing else.
static void
check_found(void)
{
	const struct dying_ranges *bad = &disk.kinds[DYING_BAD];
	uint64_t bytes = 0;

	for (size_t i = 0; i < bad->nr; i++) {
		const struct map_span *span = map_at(&map, bad->ranges[i].from);

		ck_assert_int_eq(span->state, MAP_BAD);
		ck_assert_uint_ge(span->off + span->len, bad->ranges[i].to);
		bytes += bad->ranges[i].to - bad->ranges[i].from;
	}
	ck_assert_uint_eq(map.totals[MAP_BAD], bytes);
	ck_assert_uint_eq(map.totals[MAP_DONE], map.len - bytes);
}

START_TEST(a_healthy_disk_is_read_once_in_order)
{
	struct chase_read read;
	uint64_t at = 0;

	begin_disk(100 * MIB + 700);
	begin_chase();
	for (int answer; (answer = chase_next(&chase, &read)) != CHASE_END;) {
		if (answer == CHASE_WAIT) {
			wait_in_time();
			continue;
		}
		ck_assert_uint_eq(read.off, at);
		ck_assert_uint_eq(read.len, min_u64(2 * MIB, map.len - at));
		at += read.len;
		on_read(&read);
	}
	ck_assert_uint_eq(run.nr_reads, 51);
	ck_assert_uint_eq(run.most_out, 16);
	ck_assert_uint_eq(map.totals[MAP_DONE], map.len);
}
END_TEST

START_TEST(an_empty_domain_ends_at_once)
{
	struct chase_read read;

	begin_disk(MIB);
	run.setup.off = 1000;
	run.setup.len = 0;
	begin_chase();
	ck_assert_int_eq(chase_next(&chase, &read), CHASE_END);
	ck_assert_uint_eq(map.totals[MAP_TODO], MIB);
}
END_TEST

START_TEST(a_dead_head_costs_few_failing_reads)
{
	begin_disk(TB);
	dying_add_head(&disk, 24, 4);
	disk.ns_bad = _i == 0 ? 0 : 3 * NS_A_SECOND;
	begin_chase();
	while (chase_status(&chase).phase != '*')
		must(step() != CHASE_END);
	const unsigned nr_copied = run.nr_failed;
	while (!is_swept() && step() != CHASE_END)
		;
	printf("# dead head: %u failing reads after copy, %u after trim, "
	       "%u reads, %zu spans\n",
	       nr_copied, run.nr_failed, run.nr_reads, map.nr);
	// Those that are overdue are not waited for: more are out at once.
	ck_assert_uint_le(run.nr_failed, _i == 0 ? 350 : 360);
	ck_assert_uint_ge(run.nr_failed, 340);
	// All is there that can be, before anything is swept.
	uint64_t bad = 0;
	for (size_t i = 0; i < disk.kinds[DYING_BAD].nr; i++)
		bad += disk.kinds[DYING_BAD].ranges[i].to -
		       disk.kinds[DYING_BAD].ranges[i].from;
	ck_assert_uint_eq(map.totals[MAP_DONE], TB - bad);
	ck_assert_uint_eq(run.nr_out, 1);
	ck_assert_uint_le(run.outs[0].read.len, CLUSTER);
}
END_TEST

START_TEST(a_skip_is_a_hundredth_at_most)
{
	uint64_t last = 0;

	begin_disk(TB);
	dying_add(&disk, DYING_BAD, 0, TB / 2);
	run.setup.nr_parallel = 1;
	begin_chase();
	for (unsigned i = 0; last < TB / 2; i++) {
		const struct chase_read read = next_read();

		ck_assert_uint_le(read.off - last, TB / 100 + 4 * MIB);
		if (i == 1)
			ck_assert_uint_lt(read.off, TB / 32768 + 4 * MIB);
		last = read.off;
	}
	ck_assert_uint_lt(run.nr_failed, 70);
	ck_assert_uint_gt(run.nr_failed, 50);
}
END_TEST

// Whatever the order in which they are told.
START_TEST(many_that_fail_at_once_are_one_gap)
{
	struct chase_read read;

	begin_disk(TB);
	dying_add(&disk, DYING_BAD, 0, GIB);
	begin_chase();
	while (run.nr_out < 16)
		must(step() == CHASE_READ);
	ck_assert_int_eq(chase_next(&chase, &read), CHASE_WAIT);
	ck_assert_uint_eq(chase_status(&chase).pos, 0);
	while (run.nr_out > 0)
		tell(run.nr_out - 1);
	read = next_read();
	ck_assert_uint_gt(read.off, 32 * MIB);
	ck_assert_uint_lt(read.off, 32 * MIB + 64 * MIB);
}
END_TEST

// In order, each in a place of its own.
static void
add_lone_sectors(unsigned nr, uint32_t len)
{
	const uint64_t place = round_down(disk.len / nr, 4096);

	for (unsigned i = 0; i < nr; i++) {
		const uint64_t at = (uint64_t)rand() % (place / 4096) * 4096;

		dying_add(&disk, DYING_BAD, i * place + at,
			  i * place + at + len);
	}
}

START_TEST(lone_bad_sectors_cost_few_failing_reads)
{
	srand(1);
	begin_disk(TB);
	add_lone_sectors(200, _i == 0 ? SECTOR : 4096);
	begin_chase();
	while (!is_swept() && step() != CHASE_END)
		;
	printf("# 200 lone bad sectors of %d: %u failing reads after trim",
	       _i == 0 ? SECTOR : 4096, run.nr_failed);
	ck_assert_uint_le(run.nr_failed, 820);
	run_to_end();
	printf(", %u in all, %u reads\n", run.nr_failed, run.nr_reads);
	check_found();
	ck_assert_uint_eq(chase_areas(&chase), 200);
}
END_TEST

static void
check_next(uint64_t off, uint64_t len)
{
	const struct chase_read read = next_read();

	ck_assert_uint_eq(read.off, off);
	ck_assert_uint_eq(read.len, len);
}

START_TEST(a_bad_sector_is_encircled)
{
	const uint64_t bad = 4 * MIB + 5 * CLUSTER + 3 * SECTOR;

	begin_disk(8 * MIB);
	dying_add(&disk, DYING_BAD, bad, bad + SECTOR);
	run.setup.nr_parallel = 1;
	begin_chase();
	for (int i = 0; i < 3; i++)
		check_next((uint64_t)i * 2 * MIB, 2 * MIB);
	// Skipped are 64 KiB and what is left of it: the next read is aligned.
	check_next(6 * MIB + CLUSTER, 2 * MIB - CLUSTER);
	check_next(6 * MIB, CLUSTER);
	for (unsigned i = 31; i >= 5; i--)
		check_next(4 * MIB + i * CLUSTER, CLUSTER);
	ck_assert_uint_eq(map.totals[MAP_NONTRIMMED], CLUSTER);
	for (unsigned i = 0; i < 5; i++)
		check_next(4 * MIB + i * CLUSTER, CLUSTER);
	ck_assert_int_eq(chase_status(&chase).phase, '?');
	for (unsigned i = 0; i < 4; i++)
		check_next(bad - 3 * SECTOR + (uint64_t)i * SECTOR, SECTOR);
	ck_assert_int_eq(chase_status(&chase).phase, '*');
	for (unsigned i = 127; i > 3; i--)
		check_next(bad - 3 * SECTOR + (uint64_t)i * SECTOR, SECTOR);
	run_to_end();
	check_found();
	ck_assert_uint_eq(run.nr_failed, 3);
}
END_TEST

START_TEST(a_short_read_says_where_it_failed)
{
	begin_disk(8 * MIB);
	// Part of a sector is none.
	dying_add(&disk, DYING_BAD, 3 * MIB + 100, 3 * MIB + SECTOR);
	disk.is_short = true;
	run.setup.nr_parallel = 1;
	begin_chase();
	check_next(0, 2 * MIB);
	check_next(2 * MIB, 2 * MIB);
	ck_assert_uint_eq(map.totals[MAP_DONE], 3 * MIB);
	run_to_end();
	ck_assert_uint_eq(map.totals[MAP_BAD], SECTOR);
}
END_TEST

START_TEST(bad_sectors_are_tried_again_there_and_back)
{
	uint64_t last = 0;

	begin_disk(4 * MIB);
	for (uint64_t i = 1; i <= 10; i++)
		dying_add(&disk, DYING_BAD, i * CLUSTER, i * CLUSTER + SECTOR);
	run.setup.nr_retries = 3;
	begin_chase();
	while (chase_status(&chase).phase != '-')
		must(step() != CHASE_END);
	tell(0);
	ck_assert_uint_eq(chase_areas(&chase), 10);
	for (unsigned i = 2; i <= 20; i++) {
		const struct chase_read read = next_read();
		const struct mapfile_status status = chase_status(&chase);

		ck_assert_uint_eq(read.len, SECTOR);
		ck_assert_uint_eq(status.pass, i <= 10 ? 1 : 2);
		if (i != 2 && i != 11)
			ck_assert((read.off > last) == (i <= 10));
		last = read.off;
	}
	// What reads well at last is good.
	disk.kinds[DYING_BAD].nr = 0;
	run_to_end();
	ck_assert_uint_eq(map.totals[MAP_DONE], map.len);
	ck_assert_uint_eq(chase_areas(&chase), 0);
}
END_TEST

START_TEST(a_source_that_ends_makes_the_domain_shorter)
{
	begin_disk(10 * MIB);
	disk.len = 5 * MIB + 100;
	begin_chase();
	run_to_end();
	ck_assert_uint_eq(chase_end(&chase), disk.len);
	ck_assert_uint_eq(map.totals[MAP_DONE], disk.len);
	ck_assert_uint_eq(run.nr_failed, 0);
}
END_TEST

START_TEST(one_that_is_late_ends_nothing)
{
	begin_disk(GIB);
	dying_add(&disk, DYING_LATE, 100 * MIB, 101 * MIB);
	begin_chase();
	for (unsigned i = 0; i < GIB / (2 * MIB); i++)
		while (run.nr_reads == i)
			must(step() != CHASE_END);
	ck_assert_uint_eq(run.most_out, 16);
	ck_assert_uint_lt(run.clock, 60 * NS_A_SECOND);
	run_to_end();
	ck_assert_uint_eq(run.nr_reads, GIB / (2 * MIB));
	ck_assert_uint_eq(map.totals[MAP_DONE], GIB);
}
END_TEST

// The rest is there before the first of them has ended.
START_TEST(what_hangs_is_left_alone)
{
	begin_disk(TB);
	dying_add(&disk, DYING_BAD, 0, SECTOR);
	dying_add(&disk, DYING_HANG, TB / 2, TB / 2 + GIB);
	begin_chase();
	while (run.clock < 120 * NS_A_SECOND)
		must(step() != CHASE_END);
	unsigned nr_overdue = 0;
	while (nr_overdue < CHASE_OVERDUE_MAX) {
		must(step() != CHASE_END);
		nr_overdue = 0;
		for (unsigned i = 0; i < run.nr_out; i++)
			nr_overdue += run.outs[i].is_overdue;
	}
	ck_assert_uint_le(run.nr_out, CHASE_OVERDUE_MAX);
	ck_assert_uint_le(run.nr_failed, 20);
}
END_TEST

// Bytes that were read, of those that are not slow.
START_TEST(what_is_slow_waits_until_the_rest_is_there)
{
	const uint64_t slow = 100 * GIB, slow_len = 3 * GIB;
	uint64_t nr_slow = 0;

	begin_disk(TB);
	dying_add(&disk, DYING_BAD, 0, SECTOR);
	dying_add(&disk, DYING_SLOW, slow, slow + slow_len);
	begin_chase();
	while (chase_status(&chase).pass < 3) {
		const struct chase_read read = next_read();

		nr_slow += read.off >= slow && read.off < slow + slow_len;
	}
	ck_assert_uint_lt(nr_slow, 30);
	ck_assert_uint_ge(map.totals[MAP_DONE], TB - slow_len - 2 * MIB);
	run_to_end();
	check_found();
}
END_TEST

static uint64_t
bytes_done(uint64_t from, uint64_t to)
{
	uint64_t bytes = 0;

	while (from < to) {
		const struct map_span *span = map_at(&map, from);
		const uint64_t end = min_u64(to, span->off + span->len);

		bytes += span->state == MAP_DONE ? end - from : 0;
		from = end;
	}
	return bytes;
}

static void
run_to_pass(char phase, unsigned pass)
{
	for (;;) {
		const struct mapfile_status status = chase_status(&chase);

		if (status.phase == phase && status.pass == pass)
			return;
		must(step() != CHASE_END);
	}
}

// It is met from behind: what lies before it is good, or bad.
START_TEST(what_is_slow_is_skipped_backwards_too)
{
	const uint64_t bad = 100 * GIB, good = 104 * GIB;
	const uint64_t slow = _i == 0 ? 106 * GIB : good, end = slow + GIB;

	begin_disk(TB);
	dying_add(&disk, DYING_BAD, bad, good);
	dying_add(&disk, DYING_SLOW, slow, end);
	begin_chase();
	run_to_pass('?', 3);
	ck_assert_uint_lt(bytes_done(slow, end), 100 * MIB);
	if (_i == 0)
		ck_assert_uint_ge(bytes_done(good, slow), GIB);
	run_to_pass('*', 1);
	ck_assert_uint_ge(bytes_done(good, end), end - good - CLUSTER);
}
END_TEST

// Each read is overdue.
START_TEST(what_is_very_slow_is_read_before_the_sweep)
{
	const uint64_t bad = 100 * GIB, good = 104 * GIB, end = 106 * GIB;

	begin_disk(TB);
	disk.slower = 100;
	dying_add(&disk, DYING_BAD, bad, good);
	dying_add(&disk, DYING_SLOW, good, good + GIB);
	begin_chase();
	while (!is_swept() && step() != CHASE_END)
		;
	ck_assert_uint_eq(bytes_done(good, end), end - good);
	ck_assert_uint_le(run.nr_failed, 60);
}
END_TEST

START_TEST(a_map_with_errors_is_read_one_at_a_time)
{
	begin_disk(100 * MIB);
	ck_assert_int_eq(map_mark(&map, MIB, SECTOR, MAP_BAD), 0);
	begin_chase();
	run_to_end();
	ck_assert_uint_eq(run.most_out, 1);
	ck_assert_uint_eq(map.totals[MAP_BAD], SECTOR);
}
END_TEST

static void
forget_outs(void)
{
	chase_done(&chase);
	run.nr_out = 0;
}

// Interrupted again and again, it costs few failing reads more.
START_TEST(the_next_run_goes_on_in_its_pass)
{
	bool is_over = false;
	unsigned most = 20000;

	begin_disk(TB);
	dying_add_head(&disk, 24, 4);
	while (!is_over) {
		begin_chase();
		for (unsigned i = 0; i < most && !is_over; i++) {
			must(step() != CHASE_END);
			is_over = is_swept();
		}
		run.setup.status = chase_status(&chase);
		most = run.setup.status.pass == 1 ? 20000 : 500;
		forget_outs();
	}
	printf("# dead head, interrupted: %u failing reads after trim\n",
	       run.nr_failed);
	ck_assert_uint_le(run.nr_failed, 400);
}
END_TEST

START_TEST(many_bad_sectors_cost_no_time)
{
	const unsigned nr = getenv("AIODD_LONG") != NULL ? 20000 : 2000;

	srand(1);
	begin_disk(TB);
	add_lone_sectors(nr, SECTOR);
	begin_chase();
	run_to_end();
	printf("# %u lone bad sectors: %u failing reads of %u, %zu spans\n",
	       nr, run.nr_failed, run.nr_reads, map.nr);
	check_found();
}
END_TEST

enum { SMALL_MAX = MIB };

static uint64_t
below(uint64_t n)
{
	return n > 0 ? (uint64_t)rand() % n : 0;
}

static void
make_disk(uint64_t len)
{
	uint64_t at = 0;

	disk.len = rand() % 8 > 0 ? len : below(len);
	disk.is_short = rand() % 4 == 0;
	disk.gone_after = rand() % 16 > 0 ? 0 : 1 + (unsigned)rand() % 100;
	for (int i = rand() % 12; i > 0; i--) {
		const uint64_t most = rand() % 3 > 0 ? SECTOR : 2 * CLUSTER;
		const uint64_t from = at + below(4 * CLUSTER);

		at = from + SECTOR + below(most);
		dying_add(&disk, (enum dying_kind)(rand() % DYING_NR_KINDS),
			  round_down(from, SECTOR), round_up(at, SECTOR));
		at = round_up(at, SECTOR);
	}
}

static void
make_map(uint64_t len)
{
	static const enum map_state states[] = {
		MAP_TODO, MAP_DONE, MAP_NONTRIMMED, MAP_NONSCRAPED, MAP_BAD};
	const uint64_t unit = rand() % 2 > 0 ? SECTOR : 1;

	for (int i = rand() % 12; i > 0; i--) {
		const uint64_t from = round_down(below(len), unit);
		const uint64_t part = round_down(below(len - from), unit);

		must(map_mark(&map, from, part,
			      states[rand() % (int)ARRAY_LEN(states)]) == 0);
	}
	run.setup.off = rand() % 2 > 0 ? 0 : below(len);
	run.setup.len = len - run.setup.off;
	if (rand() % 2 > 0)
		run.setup.len = below(run.setup.len);
}

static void
make_setup(void)
{
	run.is_random = rand() % 4 > 0;
	run.setup.most = rand() % 2 > 0 ? 2 * MIB : 2 * CLUSTER;
	run.setup.nr_parallel = rand() % 2 > 0 ? 16 : 1;
	run.setup.nr_retries = (unsigned)rand() % 3;
	run.setup.status = (struct mapfile_status){
		below(2 * MIB), "?*/-+"[rand() % 5], (unsigned)rand() % 6};
}

static void
states_of_bytes(unsigned char ret[static SMALL_MAX])
{
	for (size_t i = 0; i < map.nr; i++)
		memset(ret + map_nth(&map, i)->off,
		       (int)map_nth(&map, i)->state, map_nth(&map, i)->len);
}

static bool
is_bad(uint64_t off)
{
	return dying_first(&disk, DYING_BAD, off, off + 1) == off ||
	       dying_first(&disk, DYING_HANG, off, off + 1) == off;
}

// A byte is left alone, or good, or bad, as the disk is; but a disk that goes
// away may be bad anywhere.
static void
check_byte(uint64_t off, enum map_state was, enum map_state is)
{
	if (off < run.setup.off || off >= chase_end(&chase))
		must(is == was);
	else if (was == MAP_DONE)
		must(is == MAP_DONE);
	else if (is_bad(off))
		must(is == MAP_BAD);
	else if (was != MAP_BAD || run.setup.nr_retries > 0)
		must(is == MAP_DONE || disk.gone_after > 0);
}

static void
check_areas(const unsigned char *is)
{
	const uint64_t end = chase_end(&chase);
	size_t nr = 0;

	for (uint64_t off = run.setup.off; off < end; off++)
		nr += is[off] == MAP_BAD &&
		      (off == run.setup.off || is[off - 1] != MAP_BAD);
	must(chase_areas(&chase) == nr);
}

START_TEST(any_disk_any_map_any_order)
{
	static unsigned char was[SMALL_MAX], is[SMALL_MAX];

	srand((unsigned)_i + 1);
	const uint64_t len = 1 + below(SMALL_MAX - 1);
	begin_disk(len);
	make_disk(len);
	make_map(len);
	make_setup();
	states_of_bytes(was);
	run.was = was;
	begin_chase();
	run_to_end();
	states_of_bytes(is);
	check_areas(is);
	for (uint64_t off = 0; off < len; off++)
		if (off < disk.len)
			check_byte(off, was[off], is[off]);
}
END_TEST

Suite *
chase_suite(void)
{
	Suite *s = suite_create("chase");
	TCase *t = tcase_create("chase");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_healthy_disk_is_read_once_in_order);
	tcase_add_test(t, an_empty_domain_ends_at_once);
	tcase_add_loop_test(t, a_dead_head_costs_few_failing_reads, 0, 2);
	tcase_add_test(t, a_skip_is_a_hundredth_at_most);
	tcase_add_test(t, many_that_fail_at_once_are_one_gap);
	tcase_add_loop_test(t, lone_bad_sectors_cost_few_failing_reads, 0, 2);
	tcase_add_test(t, a_bad_sector_is_encircled);
	tcase_add_test(t, a_short_read_says_where_it_failed);
	tcase_add_test(t, bad_sectors_are_tried_again_there_and_back);
	tcase_add_test(t, a_source_that_ends_makes_the_domain_shorter);
	tcase_add_test(t, one_that_is_late_ends_nothing);
	tcase_add_test(t, what_hangs_is_left_alone);
	tcase_add_test(t, what_is_slow_waits_until_the_rest_is_there);
	tcase_add_loop_test(t, what_is_slow_is_skipped_backwards_too, 0, 2);
	tcase_add_test(t, what_is_very_slow_is_read_before_the_sweep);
	tcase_add_test(t, a_map_with_errors_is_read_one_at_a_time);
	tcase_add_test(t, the_next_run_goes_on_in_its_pass);
	suite_add_tcase(s, t);

	t = tcase_create("many");
	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, many_bad_sectors_cost_no_time);
	suite_add_tcase(s, t);

	t = tcase_create("any");
	tcase_add_checked_fixture(t, begin, end);
	tcase_add_loop_test(t, any_disk_any_map_any_order, 0, 500);
	suite_add_tcase(s, t);
	return s;
}
