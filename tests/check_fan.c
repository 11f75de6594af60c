// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base.h"
#include "copy.h"
#include "engine.h"
#include "fan.h"
#include "inline.h"
#include "null.h"
#include "rig.h"
#include "stats.h"
#include "suites.h"

enum { NR = 3, DEPTH = 4, JOB_LEN = 512, LEN = 23 * JOB_LEN + 9, ALIGN = 512 };
enum { BLOCK = 65536 };

#define SECOND ((uint64_t)1000000000)
#define PATIENCE (FAN_PATIENCE_NS / SECOND)

// One destination: a file, and an engine that carries out what it is told to,
// when it is told to.
struct target {
	struct engine engine;
	struct iocb *pending[DEPTH];
	unsigned nr_pending;
	struct io_event ended[DEPTH];
	unsigned nr_ended;
	bool is_lost;
	bool is_stuck; // nothing ends any more
	bool is_plain; // each request ends well, and at once
	uint64_t bad;  // no byte from here on can be written
	struct aio aio;
	struct side side;
	struct stats stats;
	struct env env;
};

static struct target targets[NR];
static struct fan_branch branches[NR];
static struct fan fan;
static struct aio aio;
static struct side src;
static struct plan plan;
static struct copy copy;
static uint64_t random_state;

static uint64_t
below(uint64_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695;
	return (random_state >> 33) % n;
}

static struct target *
target_of(struct engine *engine)
{
	return container_of(engine, struct target, engine);
}

static void
target_queue(struct engine *engine, struct iocb **iocbs, unsigned nr)
{
	struct target *t = target_of(engine);

	ck_assert_uint_le(t->nr_pending + t->nr_ended + nr, DEPTH);
	for (unsigned i = 0; i < nr; i++)
		t->pending[t->nr_pending++] = iocbs[i];
}

static int
target_take(struct engine *engine, struct io_event *events, unsigned max)
{
	struct target *t = target_of(engine);
	const unsigned nr = (unsigned)min_u64(t->nr_ended, max);
	eventfd_t count;

	if (t->is_lost)
		return -EIO;
	memcpy(events, t->ended, nr * sizeof(events[0]));
	t->nr_ended -= nr;
	memmove(t->ended, t->ended + nr, t->nr_ended * sizeof(events[0]));
	if (t->nr_ended == 0)
		(void)eventfd_read(engine->news_fd, &count);
	return (int)nr;
}

static void
target_abandon(struct engine *engine)
{
	struct target *t = target_of(engine);

	t->nr_pending = t->nr_ended = 0;
}

static void
target_free(struct engine *engine)
{
	(void)close(engine->news_fd);
}

static const struct engine_ops target_ops = {
	.queue = target_queue,
	.take = target_take,
	.abandon = target_abandon,
	.free = target_free,
};

static long
write_some(const struct target *t, struct iocb *iocb)
{
	const uint64_t pos = (uint64_t)iocb->u.c.offset;
	const size_t len = iocb->u.c.nbytes;

	if (pos + len > t->bad)
		return -EIO;
	if (t->is_plain)
		return inline_call(iocb);
	if (below(6) == 0)
		return -EINTR;
	if (below(6) == 0) // as it is found out, to be in no other order
		return -EAGAIN;
	if (below(4) == 0)
		iocb->u.c.nbytes = 1 + below(len);
	const long n = inline_call(iocb);
	iocb->u.c.nbytes = len;
	return n;
}

// Any of its requests ends.
static void
carry_out(struct target *t)
{
	if (t->is_stuck || t->nr_pending == 0)
		return;
	const unsigned nr = (unsigned)below(t->nr_pending);
	struct iocb *iocb = t->pending[nr];
	const long res = write_some(t, iocb);

	t->nr_pending--;
	memmove(t->pending + nr, t->pending + nr + 1,
		(t->nr_pending - nr) * sizeof(t->pending[0]));
	t->ended[t->nr_ended++] = (struct io_event){
		.data = iocb->data, .obj = iocb, .res = (unsigned long)res};
	ck_assert_int_eq(eventfd_write(t->engine.news_fd, 1), 0);
}

static void
open_target(unsigned i)
{
	struct target *t = &targets[i];

	*t = (struct target){
		.engine = {.ops = &target_ops,
			   .news_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)},
		.bad = UINT64_MAX,
		.env = {.hooks = &rig.hooks}};
	t->env.stats = &t->stats;
	t->side = rig_side(memfd_create("target", MFD_CLOEXEC));
	t->side.direct_fd = t->side.buffered_fd = t->side.fd;
	aio_init(&t->aio, &t->engine);
	branches[i] = (struct fan_branch){.env = &t->env,
					  .plan = &plan,
					  .aio = &t->aio,
					  .side = &t->side};
}

static void
prepare(int src_fd)
{
	src = rig_side(src_fd);
	src.buffered_fd = src.fd;
	plan = (struct plan){.way = PLAN_BULK,
			     .len = LEN,
			     .src = {PLAN_INLINE, 0, "a test"},
			     .dst = {PLAN_AIO, ALIGN, "a test"},
			     .job_size = JOB_LEN,
			     .step = ALIGN,
			     .depth = DEPTH,
			     .is_any_order = true};
	for (unsigned i = 0; i < NR; i++)
		open_target(i);
}

static void
start(void)
{
	static struct stats stats;
	static const struct env env = {.stats = &stats};
	const struct copy_parts parts = {.env = &env,
					 .plan = &plan,
					 .aio = &aio,
					 .src = &src,
					 .dst = &null_side,
					 .fan = &fan};

	aio_init(&aio, NULL);
	ck_assert_int_eq(fan_init(&fan, branches, NR), 0);
	ck_assert_int_eq(copy_init(&copy, &parts), 0);
}

static void
open_copy(void)
{
	unsigned char bytes[LEN];

	for (size_t i = 0; i < LEN; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251);
	prepare(rig_file(bytes, LEN));
	start();
}

// What an engine has still stays to the end of the process.
static void
keep_stalled(void)
{
	static struct fan_branch kept[8] __attribute__((used));
	static size_t nr;

	for (unsigned i = 0; i < NR; i++) {
		if (!branches[i].is_stalled)
			continue;
		ck_assert_uint_lt(nr, ARRAY_LEN(kept));
		kept[nr++] = branches[i];
	}
}

static void
close_copy(void)
{
	keep_stalled();
	copy_done(&copy);
	fan_done(&fan);
	aio_done(&aio);
	for (unsigned i = 0; i < NR; i++) {
		if (targets[i].is_stuck)
			aio_abandon(&targets[i].aio);
		aio_done(&targets[i].aio);
		close(targets[i].side.fd);
	}
	close(src.fd);
}

static enum copy_verdict
run(unsigned steps)
{
	enum copy_verdict verdict;

	do {
		verdict = copy_step(&copy);
		for (unsigned i = 0; i < NR; i++)
			carry_out(&targets[i]);
	} while (verdict < COPY_DONE && --steps > 0);
	return verdict;
}

// It has the first n bytes of the source.
static void
check_target(unsigned nr, uint64_t n)
{
	unsigned char want[LEN], found[LEN];

	ck_assert_uint_eq(ring_prefix(&branches[nr].ring), n);
	ck_assert_int_eq(pread(src.fd, want, LEN, 0), LEN);
	ck_assert_int_ge(pread(targets[nr].side.fd, found, LEN, 0), (int)n);
	ck_assert_mem_eq(found, want, n);
}

START_TEST(each_gets_all_bytes_in_its_own_order)
{
	random_state = (uint64_t)_i + 1;
	open_copy();
	ck_assert_int_eq(run(10000), COPY_DONE);
	ck_assert_uint_eq(ring_prefix(&copy.ring), LEN);
	for (unsigned i = 0; i < NR; i++)
		check_target(i, LEN);
	close_copy();
}
END_TEST

START_TEST(one_that_fails_does_not_stop_the_others)
{
	random_state = (uint64_t)_i + 1;
	open_copy();
	targets[1].bad = (uint64_t)(10 + _i % 3) * JOB_LEN;
	ck_assert_int_eq(run(10000), COPY_DONE);
	ck_assert_uint_eq(ring_prefix(&copy.ring), LEN);
	check_target(0, LEN);
	check_target(1, targets[1].bad);
	check_target(2, LEN);
	ck_assert_uint_eq(rig_told(FAILURE_WRITE)->off, targets[1].bad);
	ck_assert_ptr_eq(rig_told(FAILURE_WRITE)->name, targets[1].side.name);
	close_copy();
}
END_TEST

START_TEST(without_any_the_copy_ends)
{
	open_copy();
	for (unsigned i = 0; i < NR; i++)
		targets[i].bad = (uint64_t)(1 + i) * JOB_LEN;
	ck_assert_int_eq(run(10000), COPY_DONE);
	ck_assert(fan_is_out(&fan));
	ck_assert_uint_lt(copy.ring.next, LEN);
	for (unsigned i = 0; i < NR; i++)
		check_target(i, targets[i].bad);
	ck_assert_uint_eq(rig_count_told(FAILURE_WRITE), NR);
	close_copy();
}
END_TEST

START_TEST(one_whose_completions_are_lost_is_out)
{
	open_copy();
	run(5);
	targets[0].is_lost = true;
	ck_assert_int_eq(run(10000), COPY_DONE);
	ck_assert_int_eq(branches[0].failure.error, EIO);
	check_target(1, LEN);
	check_target(2, LEN);
	close_copy();
}
END_TEST

// Once a second, for so long.
static void
look_for(uint64_t seconds)
{
	for (uint64_t i = 0; i < seconds; i++)
		fan_look(&fan, fan.looked_ns + SECOND);
}

// All wait for this one.
static void
get_stuck(unsigned nr)
{
	run(4);
	targets[nr].is_stuck = true;
	ck_assert_int_lt(run(1000), COPY_DONE);
	ck_assert_uint_gt(targets[nr].nr_pending, 0);
	look_for(1);
}

// Its requests are out to the end, and find in their buffers what they had.
START_TEST(one_that_never_ends_is_left_with_its_buffers)
{
	struct target *stuck = &targets[2];
	unsigned char want[LEN];

	open_copy();
	get_stuck(2);
	look_for(PATIENCE - 1);
	ck_assert_int_lt(run(1000), COPY_DONE);
	look_for(1);
	ck_assert_int_eq(run(10000), COPY_DONE);
	ck_assert_uint_eq(rig_told(FAILURE_STALLED)->off,
			  ring_prefix(&branches[2].ring));
	check_target(0, LEN);
	check_target(1, LEN);
	ck_assert_int_eq(pread(src.fd, want, LEN, 0), LEN);
	for (unsigned i = 0; i < stuck->nr_pending; i++)
		ck_assert_mem_eq(stuck->pending[i]->u.c.buf,
				 want + stuck->pending[i]->u.c.offset,
				 stuck->pending[i]->u.c.nbytes);
	close_copy();
}
END_TEST

// We were stopped, not the one that is waited for.
START_TEST(a_time_without_a_look_gives_nobody_up)
{
	open_copy();
	get_stuck(1);
	fan_look(&fan, fan.looked_ns + 40 * SECOND);
	fan_look(&fan, fan.looked_ns + 40 * SECOND);
	ck_assert(!branches[1].is_left);
	look_for(PATIENCE);
	ck_assert(branches[1].is_left);
	ck_assert_int_eq(run(10000), COPY_DONE);
	check_target(0, LEN);
	check_target(2, LEN);
	close_copy();
}
END_TEST

START_TEST(what_has_ended_is_reaped_before_one_is_left)
{
	open_copy();
	get_stuck(1);
	look_for(PATIENCE - 1);
	targets[1].is_stuck = false;
	carry_out(&targets[1]);
	look_for(2);
	ck_assert(!branches[1].is_left);
	ck_assert_int_eq(run(10000), COPY_DONE);
	for (unsigned i = 0; i < NR; i++)
		check_target(i, LEN);
	close_copy();
}
END_TEST

START_TEST(the_last_one_is_waited_for)
{
	open_copy();
	targets[0].bad = targets[1].bad = 0;
	targets[2].is_stuck = true;
	ck_assert_int_lt(run(1000), COPY_DONE);
	look_for(10 * PATIENCE);
	targets[2].is_stuck = false;
	ck_assert_int_eq(run(10000), COPY_DONE);
	check_target(2, LEN);
	close_copy();
}
END_TEST

// Its bytes, and behind them what the target had.
static void
check_disk(unsigned nr, uint64_t len)
{
	static unsigned char want[2 * BLOCK];

	memset(want, 'a' + (int)nr, sizeof(want));
	ck_assert_int_eq(pread(src.fd, want, len, 0), (ssize_t)len);
	ck_assert_uint_eq(ring_prefix(&branches[nr].ring), len);
	rig_check_file(targets[nr].side.fd, want, sizeof(want));
}

// Each fills the last block of its disk up with what is there, and no other's.
START_TEST(blocks_larger_than_a_page_are_filled_up_by_each)
{
	const uint64_t rest[] = {1, 4096, BLOCK - 4096, BLOCK - 1};
	static unsigned char old[2 * BLOCK];
	const uint64_t len = rest[_i];

	prepare(rig_pattern_file(len));
	plan.len = len;
	plan.dst.align = BLOCK;
	plan.job_size = plan.step = BLOCK;
	for (unsigned i = 0; i < NR; i++) {
		struct side *side = &targets[i].side;

		// Nothing is written before all have patched.
		side->facts.kind = FACTS_NBD;
		side->engine = &targets[i].engine;
		targets[i].is_plain = true;
		aio_init(&targets[i].aio, NULL);
		memset(old, 'a' + (int)i, sizeof(old));
		ck_assert_int_eq(pwrite(side->fd, old, sizeof(old), 0),
				 sizeof(old));
	}
	start();
	ck_assert_int_eq(run(10000), COPY_DONE);
	for (unsigned i = 0; i < NR; i++)
		check_disk(i, len);
	close_copy();
	for (unsigned i = 0; i < NR; i++)
		target_free(&targets[i].engine);
}
END_TEST

Suite *
fan_suite(void)
{
	Suite *suite = suite_create("fan");
	TCase *tcase = tcase_create("fan");

	tcase_add_checked_fixture(tcase, rig_open, rig_close);
	tcase_add_loop_test(tcase, each_gets_all_bytes_in_its_own_order, 0,
			    100);
	tcase_add_loop_test(tcase, one_that_fails_does_not_stop_the_others, 0,
			    100);
	tcase_add_test(tcase, without_any_the_copy_ends);
	tcase_add_test(tcase, one_whose_completions_are_lost_is_out);
	tcase_add_test(tcase, one_that_never_ends_is_left_with_its_buffers);
	tcase_add_test(tcase, a_time_without_a_look_gives_nobody_up);
	tcase_add_test(tcase, what_has_ended_is_reaped_before_one_is_left);
	tcase_add_test(tcase, the_last_one_is_waited_for);
	tcase_add_loop_test(
		tcase, blocks_larger_than_a_page_are_filled_up_by_each, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite;
}
