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
struct out {
	struct chase_read read;
	struct dying_answer answer;
	uint64_t since;
	bool is_overdue;
};

static struct {
	struct chase_setup setup;
	uint64_t clock;
	struct out outs[NR_OUT_MAX];
	unsigned nr_out;
	unsigned nr_reads;
	unsigned nr_failed;
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
is_aligned(uint64_t off, const struct map_span *span)
{
	return off % SECTOR == 0 || off == span->off ||
	       off == span->off + span->len || off == run.setup.off ||
	       off == run.setup.off + run.setup.len;
}

// It lies in one span that is not good, nothing of it is out, and it is
// aligned.
static void
check_read(const struct chase_read *read)
{
	const uint64_t to = read->off + read->len;
	const struct map_span *span = map_at(&map, read->off);

	must(read->len > 0 && read->len <= run.setup.most);
	must(read->off >= run.setup.off && to <= run.setup.off + run.setup.len);
	must(span->state != MAP_DONE && to <= span->off + span->len);
	must(is_aligned(read->off, span) && is_aligned(to, span));
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
	if (nr > run.most_out)
		run.most_out = nr;
	must(run.nr_out < NR_OUT_MAX);
	run.outs[run.nr_out++] = (struct out){
		*read, dying_read(&disk, read->off, read->len), run.clock,
		false};
	run.nr_reads++;
}

static void
tell(unsigned nr)
{
	const struct out out = run.outs[nr];

	run.outs[nr] = run.outs[--run.nr_out];
	run.nr_failed += out.answer.error != 0;
	if (run.is_traced)
		printf("# step %u: %#llx %zu: %zu %d\n", chase.step,
		       (unsigned long long)out.read.off, out.read.len,
		       out.answer.got, out.answer.error);
	chase_tell(&chase, &out.read, out.answer.got, out.answer.error,
		   run.clock - out.since);
}

static uint64_t
next_event(const struct out *out)
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
	struct out *out = &run.outs[first];
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

static uint64_t
bytes_in(enum map_state state)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < map.nr; i++) {
		const struct map_span *span = &map.spans[i];
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
	run.setup.len = chase.setup.len;
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

// Until all is copied and trimmed.
static void
run_to_sweep(void)
{
	for (;;) {
		if (step() == CHASE_END)
			return;
		const struct mapfile_status status = chase_status(&chase);
		// The sweep is told from the fourth pass by its direction.
		if (status.phase == '?' && status.pass == 4 &&
		    bytes_in(MAP_NONTRIMMED) == 0)
			return;
		if (status.phase == '/')
			return;
	}
}

START_TEST(a_dead_head_costs_few_failing_reads)
{
	begin_disk(TB);
	dying_add_head(&disk, 24, 4);
	disk.ns_bad = _i == 0 ? 0 : 3 * NS_A_SECOND;
	begin_chase();
	while (chase_status(&chase).phase != '*')
		must(step() != CHASE_END);
	const unsigned nr_copied = run.nr_failed;
	while (chase_status(&chase).phase == '*')
		must(step() != CHASE_END);
	printf("# dead head: %u failing reads after copy, %u after trim, "
	       "%u reads, %zu spans\n",
	       nr_copied, run.nr_failed, run.nr_reads, map.nr);
	ck_assert_uint_le(run.nr_failed, 350);
	// All is there that can be.
	uint64_t bad = 0;
	for (size_t i = 0; i < disk.kinds[DYING_BAD].nr; i++)
		bad += disk.kinds[DYING_BAD].ranges[i].to -
		       disk.kinds[DYING_BAD].ranges[i].from;
	if (_i == 0)
		ck_assert_uint_eq(map.totals[MAP_DONE], TB - bad);
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
	run_to_sweep();
	printf("# 200 lone bad sectors of %d: %u failing reads after trim",
	       _i == 0 ? SECTOR : 4096, run.nr_failed);
	ck_assert_uint_le(run.nr_failed, 820);
	run_to_end();
	printf(", %u in all, %u reads\n", run.nr_failed, run.nr_reads);
	check_found();
	ck_assert_uint_eq(chase_areas(&chase), 200);
}
END_TEST

START_TEST(many_bad_sectors_cost_no_time)
{
	srand(1);
	begin_disk(TB);
	add_lone_sectors(20000, SECTOR);
	begin_chase();
	run_to_end();
	printf("# 20000 lone bad sectors: %u failing reads of %u, %zu spans\n",
	       run.nr_failed, run.nr_reads, map.nr);
	check_found();
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
	tcase_add_loop_test(t, lone_bad_sectors_cost_few_failing_reads, 0, 2);
	tcase_add_test(t, many_bad_sectors_cost_no_time);
	suite_add_tcase(s, t);
	return s;
}
