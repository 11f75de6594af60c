// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "rescue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "fake_aio.h"
#include "fd.h"
#include "mapkeep.h"
#include "rig.h"
#include "suites.h"

#define JOB (128 * KIB)
#define LEN (16 * JOB)

enum { PARALLEL = 4, NR_SEEDS = 30 };

static struct fake_copy c;
static struct mapkeep keep;
static struct rescue r;
static unsigned char *src, *dst; // LEN bytes each, and of dst what it was
static ino_t seen;		 // of the saved map
static bool is_lost;

#define must(condition)                                 \
	do {                                            \
		if (!(condition))                       \
			ck_abort_msg("%s", #condition); \
	} while (0)

static const char *
make_file(const char *name)
{
	const int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
	return name;
}

static void
open_sides(void)
{
	fake_copy_open(&c, LEN);
	c.src.ops->probe(&c.src, -1);
	ck_assert_int_eq(ftruncate(c.dst.fd, LEN), 0);
	c.dst.ops->probe(&c.dst, -1);
	c.plan.job_size = JOB;
	c.plan.depth = PLAN_MAPPED_SPARE + PARALLEL;
	c.request = rig_request(512);
	c.request.map = "m";
	// By name: the standard input of a test may be anything.
	c.request.src = make_file("src");
	c.request.dst = make_file("dst");
	c.env.hooks = &rig.hooks;
}

static void
begin(void)
{
	rig_open();
	rig_enter_dir();
	rig_clock_ns = SECOND_NS;
	seen = 0;
	is_lost = false;
	src = malloc(LEN);
	dst = malloc(LEN);
	open_sides();
}

static void
start(void)
{
	fake_aio_use(&c.fake);
	c.fake.nr_completed = 0;
	c.fake.aio = &c.aio;
	ck_assert_int_eq(mapkeep_open(&keep, &c.env), 0);
	ck_assert_int_eq(mapkeep_check(&keep, &c.src, &c.dst, 0, 0), 0);
	c.stats.bytes_total = keep.mapfile.map.totals[MAP_TODO];
	ck_assert_int_eq(kaio_new(&c.kaio, &fake_aio_kernel, c.plan.depth,
				  &c.aio.counters),
			 0);
	aio_init(&c.aio, &c.kaio->engine);
	const struct rescue_parts parts = {.env = &c.env,
					   .plan = &c.plan,
					   .aio = &c.aio,
					   .src = &c.src,
					   .dst = &c.dst,
					   .keep = &keep,
					   .map = &keep.mapfile.map,
					   .status = &keep.mapfile.status,
					   .sector = FAKE_ALIGN};
	ck_assert_int_eq(rescue_init(&r, &parts), 0);
}

// What it has said of the run is looked at before.
static void
stop(void)
{
	rescue_done(&r);
	aio_done(&c.aio);
	ck_assert_uint_eq(c.fake.nr_pending, 0);
	if (!is_lost)
		ck_assert_uint_eq(c.aio.counters.reaped, c.fake.nr_completed);
	mapkeep_done(&keep);
}

static void
end(void)
{
	rig_clock_ns = 0;
	(void)close(c.src.fd);
	(void)close(c.src.direct_fd);
	(void)close(c.dst.fd);
	(void)close(c.dst.direct_fd);
	free(src);
	free(dst);
	rig_leave_dir();
	rig_close();
}

// The saved map. False: there is none.
static bool
read_saved(struct mapfile *ret)
{
	static char text[64 * 1024];
	unsigned line;
	const int fd = open("m", O_RDONLY | O_CLOEXEC);

	*ret = (struct mapfile){.status.pos = 0};
	if (fd < 0)
		return false;
	const ssize_t n = fd_read_at(fd, text, sizeof(text), 0);
	close(fd);
	if (n == 0)
		return false;
	ck_assert_int_eq(mapfile_parse(ret, text, (size_t)n, &line), 0);
	return true;
}

static void
check_spans(const struct map *map)
{
	must(pread(c.src.fd, src, LEN, 0) == LEN);
	must(pread(c.dst.fd, dst, LEN, 0) == LEN);
	for (size_t i = 0; i < map->nr; i++) {
		const struct map_span *span = map_nth(map, i);

		must(span->state != MAP_DONE ||
		     memcmp(src + span->off, dst + span->off, span->len) == 0);
	}
}

// Whatever is saved is true now.
static void
check_saved(void)
{
	struct mapfile file;
	struct stat st;

	if (stat("m", &st) < 0 || st.st_ino == seen || !read_saved(&file))
		return;
	seen = st.st_ino;
	check_spans(&file.map);
	map_done(&file.map);
}

static uint64_t
saved(enum map_state state)
{
	struct mapfile file;

	must(read_saved(&file));
	const uint64_t n = file.map.totals[state];
	map_done(&file.map);
	return n;
}

// A thread has its own time; nothing else is waited for.
static void
wait_news(void)
{
	struct pollfd news[] = {
		{.fd = aio_news_fd(&c.aio, AIO_ASYNC), .events = POLLIN},
		{.fd = aio_news_fd(&c.aio, AIO_HELPER), .events = POLLIN},
	};

	must(poll(news, 2, r.checkpoint.is_out ? -1 : 0) >= 1);
}

// Until the checkpoint that is out has ended. The kernel completes nothing.
static enum rescue_verdict
step_to_saved(void)
{
	enum rescue_verdict verdict = rescue_step(&r);

	while (r.checkpoint.is_out) {
		wait_news();
		verdict = rescue_step(&r);
	}
	check_saved();
	return verdict;
}

// The kernel completes, one by chance if there is a seed. False: it has none.
static bool
complete(void)
{
	if (c.fake.nr_pending == 0)
		return false;
	if (c.fake.random != 0)
		fake_aio_complete_any(&c.fake);
	else
		fake_aio_complete_all(&c.fake);
	return true;
}

static enum rescue_verdict
finish(void)
{
	for (unsigned n = 0; n < 100000; n++) {
		const enum rescue_verdict verdict = rescue_step(&r);

		check_saved();
		if (verdict >= RESCUE_DONE)
			return verdict;
		if (!complete() && verdict == RESCUE_WAIT)
			wait_news();
	}
	ck_abort_msg("it does not end");
}

static void
run(void)
{
	start();
	ck_assert_int_eq(finish(), RESCUE_DONE);
}

static void
fail_reads(unsigned nr, uint64_t from, uint64_t to, int error)
{
	c.fake.faults[nr] = (struct fake_fault){c.src.direct_fd, from, to,
						error};
}

static void
check_all_saved(uint64_t done, uint64_t bad)
{
	ck_assert_uint_eq(saved(MAP_DONE), done);
	ck_assert_uint_eq(saved(MAP_BAD), bad);
	ck_assert_uint_eq(saved(MAP_TODO), LEN - done - bad);
}

START_TEST(all_of_it_is_copied_in_any_order)
{
	c.fake.random = (uint64_t)_i;
	c.fake.is_trouble = _i > 0;
	run();
	stop();
	check_all_saved(LEN, 0);
}
END_TEST

START_TEST(what_cannot_be_read_is_bad_and_all_else_is_there)
{
	const uint64_t at = 3 * JOB + (uint64_t)_i * 1536;

	c.fake.random = (uint64_t)_i;
	c.fake.nr_short = (unsigned)_i;
	c.fake.short_len = 1024;
	fail_reads(0, at, at + 512, EIO);
	fail_reads(1, 9 * JOB - 1024, 9 * JOB + 1024, EIO);
	fail_reads(2, LEN - 512, LEN, EIO);
	run();
	stop();
	check_all_saved(LEN - 3072, 3072);
}
END_TEST

START_TEST(nothing_is_read_before_a_map_is_saved)
{
	start();
	rescue_step(&r);
	ck_assert_uint_eq(c.fake.nr_log, 0);
	ck_assert(r.checkpoint.is_out);
	step_to_saved();
	ck_assert_uint_eq(saved(MAP_TODO), LEN);
	ck_assert_uint_eq(c.fake.nr_log, PARALLEL);
	finish();
	stop();
}
END_TEST

// Somebody else's file, which is not replaced.
static void
put_foreign_map(void)
{
	const int fd = open("n", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(rename("n", "m"), 0);
}

static void
check_failed(enum event_kind kind)
{
	ck_assert_int_eq(r.failure.kind, kind);
	stop();
}

START_TEST(a_first_map_that_cannot_be_saved_ends_it_before_a_read)
{
	start();
	put_foreign_map();
	ck_assert_int_eq(step_to_saved(), RESCUE_DONE);
	ck_assert_uint_eq(c.fake.nr_log, 0);
	check_failed(FAILURE_MAP);
}
END_TEST

// All jobs are read, and no write is through.
static void
start_writes(void)
{
	start();
	step_to_saved();
	fake_aio_complete_all(&c.fake);
	rescue_step(&r);
	ck_assert_uint_eq(c.fake.nr_pending, 2 * PARALLEL);
	ck_assert_int_eq(c.fake.pending[0].op, IO_CMD_PWRITE);
}

START_TEST(what_is_read_and_not_written_is_to_be_done)
{
	start_writes();
	rig_clock_ns += 31 * SECOND_NS;
	step_to_saved();
	ck_assert_uint_eq(saved(MAP_TODO), LEN);
	// Then one is.
	fake_aio_complete(&c.fake, 0);
	rescue_step(&r);
	rig_clock_ns += 31 * SECOND_NS;
	step_to_saved();
	ck_assert_uint_eq(saved(MAP_DONE), JOB);
	ck_assert_int_eq(finish(), RESCUE_DONE);
	stop();
	check_all_saved(LEN, 0);
}
END_TEST

// fdatasync of it is refused.
static void
break_sync(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_ge(dup3(fds[0], r.checkpoint.fd, O_CLOEXEC), 0);
	close(fds[0]);
	close(fds[1]);
}

START_TEST(a_sync_that_fails_ends_it_with_the_old_map)
{
	start_writes();
	break_sync();
	fake_aio_complete(&c.fake, 0);
	rescue_step(&r);
	rig_clock_ns += 31 * SECOND_NS;
	ck_assert_int_eq(finish(), RESCUE_DONE);
	ck_assert_uint_eq(saved(MAP_TODO), LEN);
	check_failed(FAILURE_FDATASYNC);
}
END_TEST

START_TEST(a_map_that_cannot_be_saved_later_ends_it)
{
	start_writes();
	put_foreign_map();
	rig_clock_ns += 31 * SECOND_NS;
	seen = 0;
	rescue_step(&r);
	while (rescue_step(&r) < RESCUE_DONE)
		if (!complete() && r.checkpoint.is_out)
			wait_news();
	ck_assert_int_eq(r.failure.error, EEXIST);
	check_failed(FAILURE_MAP);
}
END_TEST

START_TEST(a_write_that_fails_ends_it_and_the_map_is_true)
{
	c.fake.faults[0] = (struct fake_fault){c.dst.direct_fd, 2 * JOB + 512,
					       2 * JOB + 1024, ENOSPC};
	run();
	ck_assert_uint_eq(r.failure.off, 2 * JOB + 512);
	check_failed(FAILURE_WRITE);
	ck_assert_uint_eq(saved(MAP_DONE) % JOB, 512);
	ck_assert_uint_eq(saved(MAP_BAD), 0);
}
END_TEST

START_TEST(a_signal_lets_what_is_out_end_and_saves)
{
	start_writes();
	r.is_stopped = true;
	ck_assert_int_eq(finish(), RESCUE_DONE);
	stop();
	check_all_saved(2 * PARALLEL * JOB, 0);
	// The next run does the rest.
	run();
	stop();
	check_all_saved(LEN, 0);
	ck_assert_uint_eq(c.stats.bytes_total, LEN - 2 * PARALLEL * JOB);
}
END_TEST

// Up to where only one read is out, and overdue.
static void
step_to_overdue(void)
{
	start();
	step_to_saved();
	const uint64_t at = c.fake.pending[0].pos;
	while (c.fake.nr_pending > 1 || r.reads.nr_overdue == 0) {
		if (c.fake.nr_pending > 1)
			fake_aio_complete_last(&c.fake);
		else
			rig_clock_ns += 2 * SECOND_NS;
		rescue_step(&r);
	}
	ck_assert_uint_eq(c.fake.pending[0].pos, at);
}

START_TEST(a_read_that_is_late_is_not_waited_for)
{
	step_to_overdue();
	// All else is saved while it is out, when a signal wants it.
	r.is_stopped = true;
	step_to_saved();
	check_all_saved(LEN - JOB, 0);
	// What comes late counts.
	ck_assert_int_eq(finish(), RESCUE_DONE);
	stop();
	check_all_saved(LEN, 0);
}
END_TEST

START_TEST(all_else_is_saved_when_only_late_reads_are_out)
{
	step_to_overdue();
	const uint64_t before = rig_clock_ns;
	while (saved(MAP_DONE) < LEN - JOB &&
	       rig_clock_ns < before + 5 * SECOND_NS) {
		rig_clock_ns += SECOND_NS;
		step_to_saved();
	}
	check_all_saved(LEN - JOB, 0);
	ck_assert_int_eq(finish(), RESCUE_DONE);
	stop();
	check_all_saved(LEN, 0);
}
END_TEST

// The kernel gives nothing out any more; with a checkpoint under way, or not.
START_TEST(lost_completions_leave_what_is_known_to_be_written)
{
	start_writes();
	fake_aio_complete(&c.fake, 0);
	rescue_step(&r);
	if (_i == 1) {
		rig_clock_ns += 31 * SECOND_NS;
		rescue_step(&r);
		ck_assert(r.checkpoint.is_out);
	}
	fake_aio_complete_all(&c.fake);
	c.fake.getevents_error = -EIO;
	ck_assert_int_eq(finish(), RESCUE_LOST);
	is_lost = true;
	rescue_done(&r);
	check_spans(&keep.mapfile.map);
	ck_assert_uint_eq(keep.mapfile.map.totals[MAP_DONE], JOB);
	aio_done(&c.aio);
	mapkeep_done(&keep);
}
END_TEST

// From now on no read succeeds.
static void
lose_source(int error)
{
	start();
	step_to_saved();
	for (unsigned i = 0; i < 2; i++) {
		complete();
		rescue_step(&r);
	}
	fail_reads(0, 0, LEN, error);
	ck_assert_int_eq(finish(), RESCUE_DONE);
	ck_assert(r.reads.is_gone);
	ck_assert_int_eq(r.reads.gone_error, error);
	stop();
	ck_assert_uint_gt(saved(MAP_DONE), 0);
	ck_assert_uint_eq(saved(MAP_DONE) + saved(MAP_TODO), LEN);
	// It comes back.
	fail_reads(0, 0, 0, 0);
	run();
	stop();
	check_all_saved(LEN, 0);
}

START_TEST(a_source_that_says_it_is_gone_leaves_no_marks)
{
	static const int errors[] = {ENODEV, ENXIO, ENOMEDIUM};

	lose_source(errors[_i]);
}
END_TEST

START_TEST(a_source_that_no_longer_gives_what_it_gave_is_gone)
{
	lose_source(EIO);
}
END_TEST

START_TEST(a_large_bad_area_is_not_a_source_that_is_gone)
{
	fail_reads(0, 2 * JOB, 12 * JOB, EIO);
	run();
	ck_assert(!r.reads.is_gone);
	stop();
	check_all_saved(6 * JOB, 10 * JOB);
}
END_TEST

START_TEST(retries_read_what_is_bad_again)
{
	fail_reads(0, 5 * JOB, 5 * JOB + 2048, EIO);
	run();
	stop();
	check_all_saved(LEN - 2048, 2048);
	fail_reads(0, 5 * JOB, 5 * JOB + 512, EIO);
	c.request.retries = 1;
	run();
	stop();
	check_all_saved(LEN - 512, 512);
	fail_reads(0, 0, 0, 0);
	run();
	stop();
	check_all_saved(LEN, 0);
	// And what is there is not read.
	const unsigned nr = c.fake.nr_log;
	run();
	stop();
	ck_assert_uint_eq(c.fake.nr_log, nr);
}
END_TEST

START_TEST(a_source_that_has_become_shorter_leaves_the_rest_to_be_done)
{
	ck_assert_int_eq(ftruncate(c.src.fd, LEN), 0);
	start();
	ck_assert_int_eq(ftruncate(c.src.fd, 5 * JOB + 100), 0);
	while (rescue_step(&r) < RESCUE_DONE)
		if (!complete() && r.checkpoint.is_out)
			wait_news();
	ck_assert(r.reads.is_ended);
	stop();
	check_all_saved(5 * JOB + 100, 0);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, all_of_it_is_copied_in_any_order, 0, NR_SEEDS);
	tcase_add_loop_test(tc,
			    what_cannot_be_read_is_bad_and_all_else_is_there, 0,
			    NR_SEEDS);
	tcase_add_test(tc, nothing_is_read_before_a_map_is_saved);
	tcase_add_test(tc,
		       a_first_map_that_cannot_be_saved_ends_it_before_a_read);
	tcase_add_test(tc, what_is_read_and_not_written_is_to_be_done);
	tcase_add_test(tc, a_sync_that_fails_ends_it_with_the_old_map);
	tcase_add_test(tc, a_map_that_cannot_be_saved_later_ends_it);
	tcase_add_test(tc, a_write_that_fails_ends_it_and_the_map_is_true);
	tcase_add_test(tc, a_signal_lets_what_is_out_end_and_saves);
	tcase_add_test(tc, a_read_that_is_late_is_not_waited_for);
	tcase_add_test(tc, all_else_is_saved_when_only_late_reads_are_out);
	tcase_add_loop_test(
		tc, lost_completions_leave_what_is_known_to_be_written, 0, 2);
	tcase_add_loop_test(tc, a_source_that_says_it_is_gone_leaves_no_marks,
			    0, 3);
	tcase_add_test(tc, a_source_that_no_longer_gives_what_it_gave_is_gone);
	tcase_add_test(tc, a_large_bad_area_is_not_a_source_that_is_gone);
	tcase_add_test(tc, retries_read_what_is_bad_again);
	tcase_add_test(
		tc,
		a_source_that_has_become_shorter_leaves_the_rest_to_be_done);
}

Suite *
rescue_suite(void)
{
	Suite *suite = suite_create("rescue");
	TCase *tc = tcase_create("rescue");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 60);
	add_tests(tc);
	suite_add_tcase(suite, tc);
	return suite;
}
