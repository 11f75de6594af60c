// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "aio.h"
#include "base.h"
#include "change.h"
#include "hasher.h"
#include "rig.h"
#include "suites.h"
#include "preview.h"
#include "conduct.h"

static struct request q;
static struct stats stats;
static struct transfer transfer;
static struct facts as_it_is; // of a preview
static int src_fd;
static int dst_fd;

// Between two files, in bulk, from 256 KiB + 7 bytes.
static void
begin(void)
{
	rig_open();
	src_fd = rig_pattern_file(256 * KIB + 7);
	dst_fd = rig_file("", 0);
	q = rig_request(512);
	q.src = rig_path(src_fd);
	q.dst = rig_path(dst_fd);
	stats = (struct stats){0};
}

static void
end(void)
{
	close(src_fd);
	close(dst_fd);
	rig_close();
}

static enum transfer_verdict
run(void)
{
	transfer_init(&transfer, &q, &rig.hooks, &stats);
	return conduct_run(&transfer);
}

static void
check_whole(void)
{
	ck_assert_int_eq(run(), TRANSFER_OK);
	rig_check_same(dst_fd, src_fd);
	ck_assert_uint_eq(stats.bytes, 256 * KIB + 7);
	ck_assert_uint_eq(stats.in_full, 512);
	ck_assert_uint_eq(stats.in_partial, 1);
	ck_assert_uint_eq(stats.out_full, 512);
	ck_assert_uint_eq(stats.out_partial, 1);
	const struct aio_counters *counters = &transfer.bulk.counters;
	ck_assert_uint_eq(counters->submitted, counters->announced);
	ck_assert_uint_eq(counters->announced, counters->reaped);
	ck_assert_uint_eq(rig.nr_told, 3);
	ck_assert_int_eq(rig.told[0].kind, NOTICE_PROBED);
	ck_assert_int_eq(rig.told[1].kind, NOTICE_PLANNED);
	ck_assert_int_eq(rig.told[2].kind, NOTICE_SYNCING);
}

static bool
never_stop(void *ctx)
{
	(void)ctx;
	return false;
}

static const enum request_io ios[] = {
	REQUEST_IO_AUTO,
	REQUEST_IO_INLINE,
	REQUEST_IO_AIO,
};

START_TEST(a_file_is_copied_in_every_way)
{
	q.io = ios[_i];
	q.iosize = 16 * KIB;
	q.depth = 3;
	check_whole();
}
END_TEST

START_TEST(a_longer_file_is_cut)
{
	ck_assert_int_eq(ftruncate(dst_fd, MIB), 0);
	check_whole();
}
END_TEST

START_TEST(syncs_that_are_asked_for_are_made)
{
	q.conv = _i % 2 == 0 ? CONV_FSYNC : CONV_FDATASYNC;
	q.is_dd = _i >= 2;
	check_whole();
}
END_TEST

START_TEST(a_sync_that_fails_is_told)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	q.src = rig_path(src_fd);
	q.dst = rig_path(fds[1]);
	q.count.blocks = 2;
	q.conv = CONV_FSYNC;
	ck_assert_int_eq(run(), TRANSFER_FAILED);
	ck_assert_int_eq(rig_told(FAILURE_FSYNC)->error, EINVAL);
	ck_assert(!transfer.out.is_synced);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

// A download that failed.
START_TEST(an_empty_source_that_is_verified_is_told)
{
	q.verify = _i > 0;
	ck_assert_int_eq(ftruncate(src_fd, 0), 0);
	ck_assert_int_eq(run(), TRANSFER_OK);
	ck_assert_uint_eq(rig_count_told(NOTICE_SRC_EMPTY), (unsigned)_i);
	transfer_done(&transfer);
}
END_TEST

START_TEST(what_is_relied_on_is_synced)
{
	q.conv = 0;
	ck_assert_uint_eq(request_syncs(&q, false), 0);
	ck_assert_uint_eq(request_syncs(&q, true), CONV_FSYNC);
	q.is_dd = true;
	ck_assert_uint_eq(request_syncs(&q, true), 0);
	q.is_dd = false;
	q.verify = true;
	ck_assert_uint_eq(request_syncs(&q, false), CONV_FSYNC);
	q.verify = false;
	q.commit = REQUEST_COMMIT_RENAME;
	ck_assert_uint_eq(request_syncs(&q, false), CONV_FSYNC);
}
END_TEST

START_TEST(records_go_on_where_the_stretch_ends)
{
	// Nothing is known to be behind the end of the file, nor how much.
	q.io = ios[_i];
	q.count.blocks = 10000;
	check_whole();
}
END_TEST

START_TEST(count_ends_the_copy)
{
	q.io = ios[_i];
	q.count = (struct request_amount){300, 5};
	ck_assert_int_eq(run(), TRANSFER_OK);
	ck_assert_uint_eq(stats.bytes, 300 * 512 + 5);
	ck_assert_int_eq(rig_size(dst_fd), 300 * 512 + 5);
	ck_assert_uint_eq(stats.in_full, 300);
	ck_assert_uint_eq(stats.in_partial, 1);
}
END_TEST

START_TEST(skip_and_seek_move_both_sides)
{
	unsigned char want[512], got[512];

	q.io = ios[_i];
	q.skip.blocks = 8;
	q.seek.blocks = 16;
	ck_assert_int_eq(run(), TRANSFER_OK);
	ck_assert_uint_eq(stats.bytes, 256 * KIB + 7 - 8 * 512);
	ck_assert_int_eq(rig_size(dst_fd), 256 * KIB + 7 + 8 * 512);
	for (off_t i = 0; i < 504; i++) {
		ck_assert_int_eq(pread(src_fd, want, 512, (i + 8) * 512), 512);
		ck_assert_int_eq(pread(dst_fd, got, 512, (i + 16) * 512), 512);
		ck_assert_mem_eq(got, want, 512);
	}
}
END_TEST

static uint64_t hole_start, hole_bytes;

// One hole, whatever the pieces it is told in.
static void
on_span(void *ctx, unsigned dst, enum hooks_span what, uint64_t off,
	uint64_t len)
{
	(void)ctx;
	ck_assert_uint_eq(dst, 0);
	ck_assert_int_eq(what, HOOKS_HOLE);
	if (hole_bytes == 0)
		hole_start = off;
	ck_assert_uint_eq(off, hole_start + hole_bytes);
	hole_bytes += len;
}

static void
check_hole(uint64_t start, uint64_t skipped)
{
	hole_bytes = 0;
	rig.hooks.span = on_span;
	q.seek = (struct request_amount){16 * 512 / q.obs, 0};
	ck_assert_int_eq(ftruncate(src_fd, MIB), 0);
	ck_assert_int_eq(run(), TRANSFER_OK);
	ck_assert_uint_eq(stats.bytes, MIB);
	ck_assert_uint_eq(hole_start, 16 * 512 + start);
	ck_assert_uint_eq(hole_bytes, MIB - start);
	ck_assert_uint_eq(stats.skipped, skipped);
}

START_TEST(holes_that_are_kept_are_told)
{
	q.io = ios[_i];
	q.keeps_holes = true;
	check_hole(256 * KIB + 4096, MIB - 256 * KIB - 4096);
	ck_assert_uint_ge(stats.moved_total, 256 * KIB + 7);
	ck_assert_uint_lt(stats.moved_total, MIB);
}
END_TEST

START_TEST(holes_that_are_made_are_told)
{
	q.io = ios[_i];
	q.conv = CONV_SPARSE;
	q.ibs = q.obs = 8192;
	check_hole(256 * KIB + 8192, MIB - 256 * KIB - 8192);
}
END_TEST

START_TEST(holes_between_records_are_told)
{
	q.conv = CONV_SPARSE;
	q.oflags = FLAG_NOCACHE;
	check_hole(256 * KIB + 512, 0); // it has read them
	ck_assert_int_eq(transfer.bulk.plan.way, PLAN_RECORD);
}
END_TEST

START_TEST(a_file_that_may_not_grow_keeps_what_fits)
{
	struct rlimit old, low;
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction before;

	q.io = ios[_i];
	sigaction(SIGXFSZ, &ignore, &before);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = (struct rlimit){200 * KIB + 3, old.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
	const enum transfer_verdict verdict = run();
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	sigaction(SIGXFSZ, &before, NULL);
	ck_assert_int_eq(verdict, TRANSFER_FAILED);
	ck_assert_int_eq(rig_told(FAILURE_WRITE)->error, EFBIG);
	ck_assert_uint_eq(stats.bytes, 200 * KIB + 3);
	ck_assert_int_eq(rig_size(dst_fd), 200 * KIB + 3);
	// As dd, which has read the record.
	ck_assert_uint_eq(stats.in_full, 401);
	ck_assert_uint_eq(stats.in_partial, 0);
	ck_assert_uint_eq(stats.out_full, 400);
	ck_assert_uint_eq(stats.out_partial, 1);
}
END_TEST

static void
cut_source(void *ctx, const struct event *event)
{
	const off_t *size = ctx;

	if (event->kind == NOTICE_PLANNED)
		ck_assert_int_eq(ftruncate(src_fd, *size), 0);
}

static const off_t cut_sizes[] = {0, 1000, 16 * KIB, 100 * KIB + 7};

START_TEST(a_source_that_is_cut_meanwhile_ends_there)
{
	off_t size = cut_sizes[_i / 3];

	rig.hooks.ctx = &size;
	rig.hooks.notice = cut_source;
	rig.hooks.must_stop = never_stop;
	q.io = ios[_i % 3];
	q.iosize = 16 * KIB;
	q.depth = 3;
	ck_assert_int_eq(run(), TRANSFER_OK);
	ck_assert_uint_eq(stats.bytes, (uint64_t)size);
	rig_check_same(dst_fd, src_fd);
}
END_TEST

START_TEST(a_file_copied_to_itself_stays)
{
	q.dst = q.src;
	q.conv = CONV_NOTRUNC;
	ck_assert_int_eq(run(), TRANSFER_OK);
	ck_assert_int_eq(transfer.bulk.plan.way, PLAN_RECORD);
	ck_assert_uint_eq(stats.bytes, 256 * KIB + 7);
}
END_TEST

// When the destination has been cut, and nothing is copied yet.
static void
grow_source(void *ctx, const struct event *f)
{
	if (f->kind == NOTICE_PROBED)
		ck_assert_int_eq(ftruncate(src_fd, MIB), 0);
	else
		((struct rig *)ctx)->told[rig.nr_told++] = *f;
}

START_TEST(a_source_is_watched_from_the_first_look_at_it)
{
	rig.hooks.notice = grow_source;
	ck_assert_int_eq(run(), TRANSFER_OK);
	ck_assert(rig_told(NOTICE_SRC_CHANGED)->changed & CHANGE_SIZE);
}
END_TEST

START_TEST(what_cannot_be_opened_is_not_counted)
{
	q.src = "/aiodd no such file";
	ck_assert_int_eq(run(), TRANSFER_UNCOUNTED);
	ck_assert_int_eq(rig_told(FAILURE_OPEN)->error, ENOENT);
	ck_assert_uint_eq(stats.start_ns, 0);
}
END_TEST

START_TEST(a_stop_before_the_open_stops)
{
	rig.must_stop = true;
	ck_assert_int_eq(run(), TRANSFER_STOPPED);
	ck_assert_uint_eq(rig.nr_told, 0);
}
END_TEST

static bool
stop_at_second_look(void *ctx)
{
	unsigned *nr_looks = ctx;

	// Two of them open the files.
	return ++*nr_looks > 3;
}

static void
ignore_notice(void *ctx, const struct event *f)
{
	(void)ctx;
	(void)f;
}

START_TEST(a_stop_leaves_exactly_what_is_counted)
{
	unsigned nr_looks = 0;

	rig.hooks.ctx = &nr_looks;
	rig.hooks.must_stop = stop_at_second_look;
	rig.hooks.notice = ignore_notice;
	q.io = ios[1 + _i];
	q.iosize = 4 * KIB;
	q.depth = 2;
	ck_assert_int_eq(run(), TRANSFER_STOPPED);
	ck_assert_uint_lt(stats.bytes, 256 * KIB);
	ck_assert_int_eq(rig_size(dst_fd), (off_t)stats.bytes);
}
END_TEST

static unsigned
count_descriptors(void)
{
	unsigned nr = 0;
	DIR *dir = opendir("/proc/self/fd");

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		nr++;
	closedir(dir);
	return nr;
}

// An eventfd for each of the two threads, and a description of the destination.
START_TEST(what_a_stopped_copy_has_taken_is_given_back)
{
	unsigned nr_looks = 0;

	rig.hooks.ctx = &nr_looks;
	rig.hooks.must_stop = stop_at_second_look;
	rig.hooks.notice = ignore_notice;
	q.conv = CONV_FSYNC;
	q.digests = 1U << HASH_RANGES;
	ck_assert_int_eq(ftruncate(src_fd, 64 * MIB), 0);
	ck_assert_int_eq(run(), TRANSFER_STOPPED);
	ck_assert_ptr_nonnull(transfer.env.hasher);
	ck_assert_ptr_nonnull(transfer.out.writeback);
	const unsigned nr = count_descriptors();
	transfer_done(&transfer);
	ck_assert_uint_eq(count_descriptors(), nr - 3);
}
END_TEST

START_TEST(a_preview_touches_nothing)
{
	ck_assert_int_eq(ftruncate(dst_fd, 100), 0);
	q.src = rig_path(src_fd);
	transfer_init(&transfer, &q, &rig.hooks, &stats);
	ck_assert_int_eq(preview_run(&transfer, &as_it_is), TRANSFER_OK);
	ck_assert_int_eq(transfer.bulk.plan.way, PLAN_BULK);
	ck_assert_uint_eq(transfer.bulk.plan.len, 256 * KIB + 7);
	ck_assert_uint_eq(transfer.out.side.facts.size, 0); // it will be cut
	ck_assert_uint_eq(as_it_is.size, 100);
	ck_assert_int_eq(rig_size(dst_fd), 100);
	ck_assert_int_eq(lseek(src_fd, 0, SEEK_CUR), 0);
	q.seek.blocks = 3;
	transfer_init(&transfer, &q, &rig.hooks, &stats);
	ck_assert_int_eq(preview_run(&transfer, &as_it_is), TRANSFER_OK);
	ck_assert_uint_eq(transfer.out.start, 3 * 512);
	q.src = "/aiodd no such/file";
	transfer_init(&transfer, &q, &rig.hooks, &stats);
	ck_assert_int_eq(preview_run(&transfer, &as_it_is), TRANSFER_UNCOUNTED);
}
END_TEST

// The kernel's own, but reads of these bytes of the source fail.
static uint64_t bad_from, bad_to;
static unsigned nr_setups;

static int
counting_setup(int nr, io_context_t *ctx)
{
	nr_setups++;
	return aio_kernel_linux.setup(nr, ctx);
}

static int
bad_getevents(io_context_t ctx, long min_nr, long nr, struct io_event *events,
	      struct timespec *timeout)
{
	const int got = aio_kernel_linux.getevents(ctx, min_nr, nr, events,
						   timeout);

	for (int i = 0; i < got; i++) {
		const struct iocb *iocb = events[i].obj;
		const uint64_t from = (uint64_t)iocb->u.c.offset;

		if (iocb->aio_lio_opcode == IO_CMD_PREAD && from < bad_to &&
		    from + iocb->u.c.nbytes > bad_from)
			events[i].res = (unsigned long)-EIO;
	}
	return got;
}

static void
run_on_bad(void)
{
	struct aio_kernel bad = aio_kernel_linux;

	bad.setup = counting_setup;
	bad.getevents = bad_getevents;
	nr_setups = 0;
	q.io = REQUEST_IO_AIO;
	q.iosize = 16 * KIB;
	q.depth = 4;
	transfer_init(&transfer, &q, &rig.hooks, &stats);
	transfer.env.kernel = &bad;
	ck_assert_int_eq(conduct_run(&transfer), TRANSFER_OK);
	rig_check_same(dst_fd, src_fd);
	ck_assert_uint_eq(stats.bytes, MIB);
}

// Of the source's own sectors none is bad, so that all of it arrives.
static const struct {
	uint64_t ibs, obs;
} records[] = {{512, 512}, {1000, 1000}, {64 * KIB, 64 * KIB},
	       {512, 4 * KIB}, {4 * KIB, 1000}, {2000, 500}};

START_TEST(behind_a_bad_place_the_ring_goes_on)
{
	close(src_fd);
	src_fd = rig_pattern_file(MIB);
	q.src = rig_path(src_fd);
	q.ibs = records[_i].ibs;
	q.obs = records[_i].obs;
	q.is_single_buffer = q.ibs == q.obs;
	q.conv = CONV_NOERROR;
	bad_from = 96 * KIB;
	bad_to = bad_from + 512;
	run_on_bad();
	ck_assert_uint_eq(nr_setups, 2);
	ck_assert_uint_eq(stats.in_full, MIB / q.ibs);
	ck_assert_uint_eq(stats.in_partial, MIB % q.ibs != 0);
	ck_assert_uint_eq(stats.out_full, MIB / q.obs);
	ck_assert_uint_eq(stats.out_partial, MIB % q.obs != 0);
}
END_TEST

START_TEST(a_hole_behind_a_bad_place_is_told_once)
{
	enum { HOLE = 64 * 1024 };

	close(src_fd);
	src_fd = rig_pattern_file(MIB);
	// The first stretch has passed it when it meets the bad place.
	ck_assert_int_eq(fallocate(src_fd,
				   FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   112 * KIB, HOLE),
			 0);
	q.src = rig_path(src_fd);
	q.ibs = q.obs = 4096;
	q.is_single_buffer = true;
	q.conv = CONV_NOERROR;
	q.keeps_holes = true;
	hole_bytes = 0;
	rig.hooks.span = on_span;
	bad_from = 96 * KIB;
	bad_to = bad_from + 512;
	run_on_bad();
	ck_assert_uint_eq(nr_setups, 2);
	ck_assert_uint_eq(hole_bytes, HOLE);
	ck_assert_uint_eq(stats.skipped, HOLE);
}
END_TEST

START_TEST(where_many_places_are_bad_records_take_ever_more)
{
	close(src_fd);
	src_fd = rig_pattern_file(MIB);
	q.src = rig_path(src_fd);
	q.conv = CONV_NOERROR;
	bad_from = 512; // the probe of kernel AIO reads a byte at 0
	bad_to = MIB;
	run_on_bad();
	// At 0, 4, 72, 204 and 464 KiB.
	ck_assert_uint_eq(nr_setups, 5);
	ck_assert_uint_eq(stats.in_full, MIB / 512);
}
END_TEST

static int
no_setup(int nr, io_context_t *ctx)
{
	(void)nr;
	(void)ctx;
	return -ENOSYS;
}

static void
keep_total(void *ctx, const struct event *event)
{
	uint64_t *total = ctx;

	if (event->kind == NOTICE_PLANNED)
		*total = stats.bytes_total;
}

// Where they are whole records.
START_TEST(count_says_how_much_comes_from_a_pipe)
{
	uint64_t total = 1;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], "abc", 3), 3);
	close(fds[1]);
	ck_assert_int_eq(dup2(fds[0], 0), 0);
	close(fds[0]);
	rig.hooks.ctx = &total;
	rig.hooks.notice = keep_total;
	rig.hooks.must_stop = never_stop;
	q.src = NULL;
	q.iflags = FLAG_FULLBLOCK;
	if (_i > 0)
		q.count.blocks = 9;
	ck_assert_int_eq(run(), TRANSFER_OK);
	ck_assert_uint_eq(stats.bytes, 3);
	ck_assert_uint_eq(total, (_i > 0 ? 9 * 512 : 0));
}
END_TEST

START_TEST(a_preview_does_not_count_on_an_AIO_that_is_not_there)
{
	struct aio_kernel none = aio_kernel_linux;

	none.setup = no_setup;
	q.io = REQUEST_IO_AIO;
	transfer_init(&transfer, &q, &rig.hooks, &stats);
	ck_assert_int_eq(preview_run(&transfer, &as_it_is), TRANSFER_OK);
	ck_assert(plan_uses_aio(&transfer.bulk.plan));
	transfer_init(&transfer, &q, &rig.hooks, &stats);
	transfer.env.kernel = &none;
	ck_assert_int_eq(preview_run(&transfer, &as_it_is), TRANSFER_OK);
	ck_assert(!plan_uses_aio(&transfer.bulk.plan));
}
END_TEST

START_TEST(descriptors_that_were_given_end_behind_the_copy)
{
	q.src = q.dst = NULL;
	q.io = ios[_i];
	ck_assert_int_eq(dup2(src_fd, 0), 0);
	ck_assert_int_eq(dup2(dst_fd, 1), 1);
	ck_assert_int_eq(lseek(src_fd, 512, SEEK_SET), 512);
	ck_assert_int_eq(lseek(dst_fd, 4096, SEEK_SET), 4096);
	q.count.blocks = 400;
	ck_assert_int_eq(run(), TRANSFER_OK);
	ck_assert_int_eq(lseek(src_fd, 0, SEEK_CUR), 512 + 400 * 512);
	ck_assert_int_eq(lseek(dst_fd, 0, SEEK_CUR), 4096 + 400 * 512);
	ck_assert_int_eq(rig_size(dst_fd), 4096 + 400 * 512);
}
END_TEST

static void
add_aio_tests(TCase *t)
{
	tcase_add_test(t, a_preview_does_not_count_on_an_AIO_that_is_not_there);
	tcase_add_loop_test(t, behind_a_bad_place_the_ring_goes_on, 0,
			    ARRAY_LEN(records));
	tcase_add_test(t, a_hole_behind_a_bad_place_is_told_once);
	tcase_add_test(t, where_many_places_are_bad_records_take_ever_more);
}

Suite *
transfer_suite(void)
{
	const int nr = ARRAY_LEN(ios);
	Suite *s = suite_create("transfer");
	TCase *t = tcase_create("transfer");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_loop_test(t, a_file_is_copied_in_every_way, 0, nr);
	tcase_add_test(t, a_longer_file_is_cut);
	tcase_add_loop_test(t, syncs_that_are_asked_for_are_made, 0, 4);
	tcase_add_test(t, a_sync_that_fails_is_told);
	tcase_add_loop_test(t, an_empty_source_that_is_verified_is_told, 0, 2);
	tcase_add_test(t, what_is_relied_on_is_synced);
	tcase_add_loop_test(t, records_go_on_where_the_stretch_ends, 0, nr);
	tcase_add_loop_test(t, count_ends_the_copy, 0, nr);
	tcase_add_loop_test(t, skip_and_seek_move_both_sides, 0, nr);
	tcase_add_loop_test(t, holes_that_are_kept_are_told, 0, nr);
	tcase_add_loop_test(t, holes_that_are_made_are_told, 0, nr);
	tcase_add_test(t, holes_between_records_are_told);
	tcase_add_loop_test(t, a_file_that_may_not_grow_keeps_what_fits, 0, nr);
	tcase_add_loop_test(t, a_source_that_is_cut_meanwhile_ends_there, 0,
			    nr * ARRAY_LEN(cut_sizes));
	tcase_add_test(t, a_file_copied_to_itself_stays);
	tcase_add_test(t, a_source_is_watched_from_the_first_look_at_it);
	tcase_add_test(t, what_cannot_be_opened_is_not_counted);
	tcase_add_test(t, a_stop_before_the_open_stops);
	tcase_add_loop_test(t, a_stop_leaves_exactly_what_is_counted, 0, 2);
	tcase_add_test(t, what_a_stopped_copy_has_taken_is_given_back);
	tcase_add_test(t, a_preview_touches_nothing);
	tcase_add_loop_test(t, count_says_how_much_comes_from_a_pipe, 0, 2);
	if (rig_has_aio())
		add_aio_tests(t);
	tcase_add_loop_test(t, descriptors_that_were_given_end_behind_the_copy,
			    0, nr);
	suite_add_tcase(s, t);
	return s;
}
