// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A kind of side of which the program knows nothing: this file and a row. It
// has no descriptor, its bytes lie in memory, and an engine of its own carries
// its requests out.

#include "config.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base.h"
#include "conduct.h"
#include "digest.h"
#include "engine.h"
#include "extent.h"
#include "job.h"
#include "kinds.h"
#include "look.h"
#include "open.h"
#include "preview.h"
#include "rig.h"
#include "suites.h"

enum { LEN = 300 * 1024, ROOM = 2 * LEN, SECTOR = 512 };

static struct mem {
	struct engine engine;
	struct job_list ended;
	unsigned char bytes[ROOM];
	uint64_t size;
	int64_t pos;
	enum facts_kind kind;
	uint64_t hole, bad; // a page, a sector; 0: there is none
	unsigned nr_syncs, nr_sizes, nr_in_order;
	bool is_closed;
} mems[2];

static struct mem *const src = &mems[0], *const dst = &mems[1];

/* Its engine */

static long
move(struct mem *mem, int op, unsigned char *buf, size_t len, uint64_t off)
{
	const uint64_t room = mem->kind == FACTS_FILE && op == IO_CMD_PWRITE
				      ? ROOM
				      : mem->size;

	len = (size_t)min_u64(len, room - min_u64(off, room));
	if (op == IO_CMD_PREAD) {
		if (mem->bad != 0 && off < mem->bad + SECTOR &&
		    off + len > mem->bad)
			return -EIO;
		memcpy(buf, mem->bytes + off, len);
	} else {
		memcpy(mem->bytes + off, buf, len);
		mem->size = max_u64(mem->size, off + len);
	}
	return (long)len;
}

static void
mem_queue(struct engine *engine, struct iocb **iocbs, unsigned nr)
{
	struct mem *mem = container_of(engine, struct mem, engine);

	for (unsigned i = 0; i < nr; i++) {
		struct job *job = container_of(iocbs[i], struct job, iocb);

		ck_assert_int_eq(iocbs[i]->aio_fildes, -1);
		job->res = move(mem, iocbs[i]->aio_lio_opcode,
				iocbs[i]->u.c.buf, iocbs[i]->u.c.nbytes,
				(uint64_t)iocbs[i]->u.c.offset);
		job_list_put(&mem->ended, job);
	}
	(void)eventfd_write(engine->news_fd, nr);
}

static int
mem_take(struct engine *engine, struct io_event *events, unsigned max)
{
	struct mem *mem = container_of(engine, struct mem, engine);
	eventfd_t count;
	const unsigned nr = job_list_take_events(&mem->ended, events, max);

	if (mem->ended.first == NULL)
		(void)eventfd_read(engine->news_fd, &count);
	return (int)nr;
}

static void
mem_abandon(struct engine *engine)
{
	container_of(engine, struct mem, engine)->ended = (struct job_list){0};
}

static void
mem_free(struct engine *engine)
{
	close(engine->news_fd);
}

static const struct engine_ops mem_engine_ops = {
	.queue = mem_queue,
	.take = mem_take,
	.abandon = mem_abandon,
	.free = mem_free,
};

/* Its side */

static struct mem *
mem_of(const struct side *side)
{
	return side->own;
}

static void
mem_probe(struct side *side, int message_fd)
{
	const struct mem *mem = mem_of(side);

	(void)message_fd;
	side->facts = (struct facts){
		.kind = mem->kind,
		.size = mem->size,
		.ino = mem == src ? 1 : 2,
		.sector = SECTOR,
		.dio_align = SECTOR,
		.max_size = UINT64_MAX,
		.allocated = mem->size - (mem->hole != 0 ? 4096 : 0),
		.free = UINT64_MAX,
		.memory = UINT64_MAX,
		.is_remote = true,
	};
}

static int
mem_open(struct side *side, int access, enum side_way way)
{
	(void)side;
	(void)access;
	(void)way;
	return 0;
}

static int
mem_open_back(const struct side *side, struct side *ret)
{
	*ret = *side;
	return 0;
}

static ssize_t
mem_read(const struct side *side, void *buf, size_t len)
{
	struct mem *mem = mem_of(side);
	const ssize_t n = move(mem, IO_CMD_PREAD, buf, len, (uint64_t)mem->pos);

	mem->pos += n > 0 ? n : 0;
	mem->nr_in_order++;
	return n;
}

static ssize_t
mem_write(const struct side *side, const void *buf, size_t len)
{
	struct mem *mem = mem_of(side);
	unsigned char *bytes = (void *)(uintptr_t)buf;
	const ssize_t n = move(mem, IO_CMD_PWRITE, bytes, len,
			       (uint64_t)mem->pos);

	mem->pos += n;
	mem->nr_in_order++;
	return n;
}

static int64_t
mem_seek(const struct side *side, int64_t off, int whence)
{
	struct mem *mem = mem_of(side);
	const int64_t from[] = {[SEEK_SET] = 0,
				[SEEK_CUR] = mem->pos,
				[SEEK_END] = (int64_t)mem->size};

	mem->pos = from[whence] + off;
	return mem->pos;
}

static void
mem_find_data(const struct side *side, uint64_t pos, struct extent *extent)
{
	const struct mem *mem = mem_of(side);

	if (pos < mem->hole)
		*extent = (struct extent){pos, mem->hole};
	else
		*extent = (struct extent){max_u64(pos, mem->hole + 4096),
					  mem->size};
}

static ssize_t
mem_read_at(const struct side *side, enum side_way way, void *buf, size_t len,
	    uint64_t off)
{
	(void)way;
	return move(mem_of(side), IO_CMD_PREAD, buf, len, off);
}

static ssize_t
mem_write_at(const struct side *side, enum side_way way, const void *buf,
	     size_t len, uint64_t off)
{
	(void)way;
	return move(mem_of(side), IO_CMD_PWRITE,
		    (unsigned char *)(uintptr_t)buf, len, off);
}

static int
mem_cache(const struct side *side, uint64_t off, uint64_t len)
{
	(void)side;
	(void)off;
	(void)len;
	return 0;
}

static int
mem_get_size(const struct side *side, uint64_t *ret)
{
	const struct mem *mem = mem_of(side);

	*ret = mem->kind == FACTS_FILE ? mem->size : SIDE_NO_SIZE;
	return 0;
}

static int
mem_set_size(const struct side *side, uint64_t size)
{
	struct mem *mem = mem_of(side);

	if (size > mem->size)
		memset(mem->bytes + mem->size, 0, size - mem->size);
	mem->size = size;
	mem->nr_sizes++;
	return 0;
}

static int
mem_cut(struct side *side, const struct request *q, const struct hooks *h)
{
	struct mem *mem = mem_of(side);

	(void)q;
	(void)h;
	if (mem->kind == FACTS_FILE)
		mem->size = 0;
	return 0;
}

static int
mem_sync(const struct side *side, bool is_data_only, const struct hooks *h)
{
	(void)is_data_only;
	(void)h;
	mem_of(side)->nr_syncs++;
	return 0;
}

static int
mem_close(struct side *side)
{
	mem_of(side)->is_closed = true;
	return 0;
}

static const struct side_ops mem_ops = {
	.probe = mem_probe,
	.open = mem_open,
	.open_back = mem_open_back,
	.read = mem_read,
	.write = mem_write,
	.seek = mem_seek,
	.find_data = mem_find_data,
	.read_at = mem_read_at,
	.write_at = mem_write_at,
	.drop_cache = mem_cache,
	.write_out = mem_cache,
	.get_size = mem_get_size,
	.set_size = mem_set_size,
	.cut = mem_cut,
	.sync = mem_sync,
	.close = mem_close,
};

/* Its row */

static int
open_mem(struct side *side, struct mem *mem, const char *name)
{
	*side = (struct side){.ops = &mem_ops,
			      .fd = -1,
			      .direct_fd = -1,
			      .buffered_fd = -1,
			      .engine = &mem->engine,
			      .own = mem,
			      .name = name};
	return 0;
}

static int
mem_open_src(struct side *side, const struct request *q, const struct hooks *h)
{
	(void)h;
	return open_mem(side, src, q->src);
}

static int
mem_open_dst(struct side *side, const struct request *q, const struct hooks *h)
{
	(void)h;
	return open_mem(side, dst, q->dst);
}

static int
mem_foresee(struct side *side, const char *name, unsigned flags,
	    const struct hooks *h)
{
	(void)name;
	(void)flags;
	(void)h;
	mem_probe(side, -1);
	return 0;
}

// The linker takes it before that of the program.
const struct side_kind *
kinds_find(const char *name, bool is_dd)
{
	static const struct side_kind kinds[] = {
		{NULL, mem_open_src, mem_open_dst, mem_open_src, mem_open_dst,
		 mem_foresee},
		{NULL, open_src, open_dst, look_src, look_dst, look_foresee},
	};

	return &kinds[is_dd || name == NULL || strncmp(name, "mem:", 4) != 0];
}

/* All of the program */

static struct request q;
static struct stats stats;
static struct transfer transfer;
static int file_fd;

static void
begin(void)
{
	rig_open();
	file_fd = rig_pattern_file(LEN);
	for (unsigned i = 0; i < ARRAY_LEN(mems); i++) {
		memset(&mems[i], 0, sizeof(mems[i]));
		mems[i].engine.ops = &mem_engine_ops;
		mems[i].engine.news_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		mems[i].kind = FACTS_BLOCK;
		mems[i].size = LEN;
	}
	ck_assert_int_eq(pread(file_fd, src->bytes, LEN, 0), LEN);
	q = rig_request(512);
	q.io = REQUEST_IO_AIO;
	q.iosize = 16 * KIB;
	q.depth = 4;
	q.src = "mem:src";
	q.dst = "mem:dst";
	stats = (struct stats){0};
}

static void
end(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(mems); i++)
		engine_free(&mems[i].engine);
	close(file_fd);
	rig_close();
}

static void
check_run(enum transfer_verdict wanted, uint64_t len)
{
	transfer_init(&transfer, &q, &rig.hooks, &stats);
	ck_assert_int_eq(conduct_run(&transfer), wanted);
	transfer_done(&transfer);
	ck_assert_uint_eq(stats.bytes, len);
}

static void
check_same(void)
{
	check_run(TRANSFER_OK, LEN);
	ck_assert_uint_eq(dst->size, LEN);
	ck_assert_mem_eq(dst->bytes, src->bytes, LEN);
	ck_assert_uint_gt(dst->engine.queued, LEN / (16 * KIB));
	ck_assert(dst->is_closed);
}

START_TEST(its_bytes_go_through_its_engines)
{
	check_same();
	ck_assert_uint_gt(src->engine.queued, LEN / (16 * KIB));
	ck_assert(src->is_closed);
	ck_assert_uint_eq(src->nr_in_order, 1); // finds the end
	ck_assert_uint_eq(dst->nr_in_order, 0);
}
END_TEST

START_TEST(one_side_may_be_a_file)
{
	q.src = rig_path(file_fd);
	check_same();
	ck_assert_uint_eq(src->engine.queued, 0);
}
END_TEST

START_TEST(the_other_side_may_be_a_file)
{
	const int fd = rig_file("", 0);

	q.dst = rig_path(fd);
	check_run(TRANSFER_OK, LEN);
	rig_check_file(fd, src->bytes, LEN);
	ck_assert_uint_gt(src->engine.queued, 0);
	close(fd);
}
END_TEST

START_TEST(a_size_that_can_be_set_is_set)
{
	src->kind = dst->kind = FACTS_FILE;
	dst->size = ROOM;
	check_same();
	ck_assert_uint_eq(dst->nr_sizes, 1);
}
END_TEST

START_TEST(its_holes_are_kept)
{
	src->kind = dst->kind = FACTS_FILE;
	src->hole = 64 * KIB;
	memset(src->bytes + src->hole, 0, 4096);
	q.keeps_holes = true;
	check_same();
	ck_assert_uint_eq(stats.skipped, 4096);
}
END_TEST

START_TEST(it_is_read_and_written_in_order)
{
	q.conv = CONV_SWAB;
	q.is_single_buffer = false;
	q.skip.blocks = q.seek.blocks = 2;
	check_run(TRANSFER_OK, LEN - 1024);
	for (size_t i = 1024; i < LEN; i++)
		ck_assert_uint_eq(dst->bytes[i], src->bytes[i ^ 1]);
	ck_assert_uint_eq(dst->nr_in_order, LEN / 512 - 2);
	ck_assert_uint_eq(dst->engine.queued, 0);
}
END_TEST

START_TEST(zeros_that_it_does_not_make_are_written)
{
	q.conv = CONV_SWAB | CONV_SPARSE;
	q.is_single_buffer = false;
	memset(src->bytes + 4096, 0, LEN - 8192);
	memset(dst->bytes, 'x', LEN);
	check_run(TRANSFER_OK, LEN);
	for (size_t i = 0; i < LEN; i++)
		ck_assert_uint_eq(dst->bytes[i], src->bytes[i ^ 1]);
	ck_assert_uint_ge(stats.zeros.made_up, LEN - 8192);
	ck_assert_uint_eq(dst->engine.queued, 0);
}
END_TEST

START_TEST(it_is_synced)
{
	q.conv = _i == 0 ? CONV_FSYNC : CONV_FDATASYNC;
	check_same();
	ck_assert_uint_eq(dst->nr_syncs, 1);
	ck_assert_uint_eq(src->nr_syncs, 0);
}
END_TEST

START_TEST(it_is_read_back)
{
	q.verify = true;
	check_same();
	ck_assert_uint_eq(stats.verified, LEN);
	ck_assert_uint_eq(dst->nr_syncs, 1);
}
END_TEST

// The engine is back behind it, and has read nothing of it.
START_TEST(its_bad_sectors_are_gone_round)
{
	src->bad = 96 * KIB + 1024;
	q.conv = CONV_NOERROR;
	q.ibs = q.obs = 4096;
	memset(dst->bytes, 'x', LEN);
	check_run(TRANSFER_INCOMPLETE, LEN);
	ck_assert_uint_eq(stats.unread, SECTOR);
	ck_assert_int_eq(rig_told(NOTICE_READ_SKIPPED)->error, EIO);
	memset(src->bytes + src->bad, 0, SECTOR);
	ck_assert_mem_eq(dst->bytes, src->bytes, LEN);
	ck_assert_uint_lt(dst->nr_in_order, 8);
}
END_TEST

START_TEST(a_preview_moves_nothing)
{
	struct facts old;

	q.plan_only = true;
	transfer_init(&transfer, &q, &rig.hooks, &stats);
	ck_assert_int_eq(preview_run(&transfer, &old), TRANSFER_OK);
	ck_assert_int_eq(transfer.bulk.plan.way, PLAN_BULK);
	ck_assert_uint_eq(transfer.bulk.plan.len, LEN);
	ck_assert_uint_eq(src->engine.queued + dst->engine.queued, 0);
}
END_TEST

Suite *
kinds_suite(void)
{
	Suite *s = suite_create("kinds");
	TCase *t = tcase_create("kinds");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, its_bytes_go_through_its_engines);
	tcase_add_test(t, one_side_may_be_a_file);
	tcase_add_test(t, the_other_side_may_be_a_file);
	if (rig_has_aio())
		tcase_add_test(t, a_size_that_can_be_set_is_set);
	tcase_add_test(t, its_holes_are_kept);
	tcase_add_test(t, it_is_read_and_written_in_order);
	tcase_add_test(t, zeros_that_it_does_not_make_are_written);
	tcase_add_loop_test(t, it_is_synced, 0, 2);
	if (digest_is_available(DIGEST_XXH128))
		tcase_add_test(t, it_is_read_back);
	tcase_add_test(t, its_bad_sectors_are_gone_round);
	tcase_add_test(t, a_preview_moves_nothing);
	suite_add_tcase(s, t);
	return s;
}
