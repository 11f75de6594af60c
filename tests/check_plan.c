// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "join.h"
#include "plan.h"
#include "planner.h"
#include "suites.h"

static struct request q;
static struct facts src;
static struct facts dst;
static struct plan_refused refused;
static struct rest rest;
static struct plan plan;

// 1 GiB, cold, from one disk to a new file on another.
static void
begin(void)
{
	q = (struct request){.ibs = 512,
			     .obs = 512,
			     .count.blocks = REQUEST_NO_LIMIT,
			     .is_single_buffer = true,
			     .is_dd = true};
	src = (struct facts){.kind = FACTS_FILE,
			     .size = GIB,
			     .allocated = GIB,
			     .dev = 1,
			     .ino = 1,
			     .sector = 512,
			     .dio_align = 512,
			     .max_size = UINT64_MAX,
			     .memory = 8 * GIB};
	dst = src;
	dst.size = dst.allocated = 0;
	dst.dev = 2;
	refused = (struct plan_refused){.aio_error = 0};
	rest = (struct rest){.done = 0};
}

static void
make(void)
{
	planner_make(&plan, &q, &rest, &src, &dst, &refused);
}

static void
check_record(const char *reason)
{
	make();
	ck_assert_str_eq(plan.way_reason, reason);
	ck_assert_int_eq(plan.way, PLAN_RECORD);
}

static void
check_splice(bool wanted)
{
	make();
	ck_assert_int_eq(plan.way, wanted ? PLAN_SPLICE : PLAN_RECORD);
}

static void
check_bulk(uint64_t len)
{
	make();
	ck_assert_str_eq(plan.way_reason, "both sides are seekable");
	ck_assert_int_eq(plan.way, PLAN_BULK);
	ck_assert_uint_eq(plan.len, len);
}

static void
check_side(const struct plan_side *side, enum plan_method method,
	   const char *reason)
{
	make();
	ck_assert_int_eq(plan.way, PLAN_BULK);
	ck_assert_str_eq(side->reason, reason);
	ck_assert_int_eq(side->method, method);
	ck_assert_uint_eq(side->align, plan_is_direct(side) ? 512 : 0);
}

static void
check_src(enum plan_method method, const char *reason)
{
	check_side(&plan.src, method, reason);
}

static void
check_dst(enum plan_method method, const char *reason)
{
	check_side(&plan.dst, method, reason);
}

/* Bulk or record */

START_TEST(files_on_both_sides_are_copied_in_bulk)
{
	check_bulk(GIB);
	ck_assert_uint_eq(plan.src_off, 0);
	ck_assert_uint_eq(plan.dst_off, 0);
	ck_assert_uint_eq(plan.count_len, UINT64_MAX);
	ck_assert_uint_eq(plan.unit, 512);
}
END_TEST

static const unsigned byte_convs[] = {
	CONV_ASCII,   CONV_EBCDIC, CONV_IBM,   CONV_BLOCK,
	CONV_UNBLOCK, CONV_LCASE,  CONV_UCASE, CONV_SWAB,
};

START_TEST(messages_among_the_bytes_go_by_records)
{
	dst.has_messages = true;
	check_record("messages are written to the destination, too");
}
END_TEST

// Beyond them no page is whole.
START_TEST(the_last_offsets_are_for_records)
{
	static const uint64_t offs[] = {
		INT64_MAX, INT64_MAX - 1, INT64_MAX - 4094, INT64_MAX - 4095,
		INT64_MAX - GIB,
	};

	src.kind = _i < 5 ? FACTS_FILE : FACTS_ZERO;
	q.obs = 1;
	q.seek.blocks = offs[_i % 5];
	check_record("less than 128 KiB, or of unknown length");
}
END_TEST

START_TEST(conversions_of_bytes_go_by_records)
{
	q.conv = byte_convs[_i];
	check_record("conv= converts each record");
}
END_TEST

static const unsigned other_convs[] = {
	CONV_NOTRUNC, CONV_NOCREAT, CONV_EXCL, CONV_FDATASYNC,
	CONV_FSYNC,   CONV_SPARSE,  CONV_SYNC,
};

START_TEST(other_conversions_do_not)
{
	q.conv = other_convs[_i];
	check_bulk(GIB);
}
END_TEST

START_TEST(noerror_goes_by_records_as_dd_only)
{
	q.conv = CONV_NOERROR;
	q.is_dd = true;
	check_record("conv=noerror must read exactly as dd does");
	q.is_dd = false;
	check_bulk(GIB);
}
END_TEST

// What is written of a record when a read fails cannot stay, and may not be
// readable again.
START_TEST(noerror_with_digests_of_whole_records_goes_by_records)
{
	q.conv = CONV_NOERROR;
	q.is_dd = false;
	q.digests = 1;
	check_bulk(GIB);
	if (_i == 0)
		q.conv |= CONV_SPARSE;
	else
		q.oflags = FLAG_DIRECT;
	check_record("conv=noerror may replace data that is hashed");
}
END_TEST

START_TEST(what_is_left_is_planned_as_the_whole_was)
{
	q.skip.blocks = 8;
	q.seek.blocks = 16;
	q.count = (struct request_amount){(GIB - 4096) / 512, 5};
	rest.done = GIB - MIB;
	make();
	ck_assert_int_eq(plan.way, PLAN_BULK);
	ck_assert_uint_eq(plan.src_off, GIB - MIB + 4096);
	ck_assert_uint_eq(plan.dst_off, GIB - MIB + 8192);
	ck_assert_uint_eq(plan.len, MIB - 4096);
	ck_assert_uint_eq(plan.count_len, MIB - 4096 + 5);
	// As a whole it would be too small for kernel AIO.
	ck_assert_int_eq(plan.src.method, PLAN_AIO);
}
END_TEST

START_TEST(jobs_are_whole_sectors_of_both_sides)
{
	q.io = REQUEST_IO_AIO;
	q.iosize = 4096;
	src.dio_align = 16384;
	planner_make(&plan, &q, &rest, &src, &dst, &refused);
	ck_assert_uint_eq(plan.job_size % 16384, 0);
}
END_TEST

START_TEST(conv_sync_leaves_the_short_record_to_be_padded)
{
	q.conv = CONV_SYNC;
	src.size = src.allocated = GIB + 7;
	check_bulk(GIB);
}
END_TEST

START_TEST(nocache_goes_by_records)
{
	if (_i == 0)
		q.iflags = FLAG_NOCACHE;
	else
		q.oflags = FLAG_NOCACHE;
	check_record("nocache drops the cache record by record");
}
END_TEST

START_TEST(a_source_without_offsets_goes_by_records)
{
	src.kind = _i == 0 ? FACTS_STREAM : FACTS_NULL;
	check_record("the source is not seekable");
}
END_TEST

// A pipe into a disk.
static void
begin_stream(void)
{
	src = (struct facts){.kind = FACTS_STREAM,
			     .sector = 512,
			     .max_size = UINT64_MAX,
			     .is_pipe = true,
			     .is_flow = true};
	dst.kind = FACTS_BLOCK;
	dst.size = GIB;
	q.ibs = q.obs = MIB;
	q.is_dd = false;
	q.iflags = FLAG_FULLBLOCK;
}

static void
check_fed(uint64_t len)
{
	make();
	ck_assert_str_eq(plan.way_reason, "a stream is read ahead");
	ck_assert_int_eq(plan.way, PLAN_BULK);
	ck_assert_int_eq(plan.src.method, PLAN_FEED);
	ck_assert_uint_eq(plan.final_size, 0);
	ck_assert_uint_eq(plan.len, len);
}

// A record that is cut off by the end of the disk is for who does records.
START_TEST(a_stream_is_read_ahead_into_a_disk)
{
	begin_stream();
	check_fed(GIB);
	ck_assert_int_eq(plan.dst.method, PLAN_AIO);
	ck_assert(plan.is_any_order);
	ck_assert_uint_eq(plan.depth, PLAN_DEPTH);
	q.seek.blocks = 1;
	dst.size += 512;
	check_fed(GIB - MIB);
	q.skip.blocks = 7;
	q.count.blocks = 100;
	q.count.bytes = 77;
	check_fed(100 * MIB + 77);
	ck_assert_uint_eq(plan.src_off, 7 * MIB);
	rest.done = 99 * MIB;
	check_fed(MIB + 77);
}
END_TEST

START_TEST(without_kernel_aio_a_stream_is_read_ahead_all_the_same)
{
	begin_stream();
	if (_i == 0)
		refused.aio_error = -EAGAIN;
	else
		q.count.blocks = 10;
	check_fed(_i == 0 ? GIB : 10 * MIB);
	ck_assert_int_eq(plan.dst.method, PLAN_CALL);
	ck_assert_uint_gt(plan.depth, 1);
}
END_TEST

START_TEST(a_stream_is_read_ahead_into_an_export)
{
	begin_stream();
	dst.kind = FACTS_NBD;
	check_fed(GIB);
	ck_assert_int_eq(plan.dst.method, PLAN_NBD);
	ck_assert_uint_eq(plan.depth, PLAN_DEPTH);
}
END_TEST

// Each read of it is full.
START_TEST(what_is_unpacked_needs_no_fullblock)
{
	begin_stream();
	q.iflags = 0;
	src.unpacked = 1;
	src.size = 2 * GIB;
	check_fed(GIB);
}
END_TEST

// What it will be is not known.
START_TEST(a_stream_into_a_file_sets_no_size)
{
	const uint64_t no_end = round_down(INT64_MAX, PLAN_ALIGN) / 2;

	begin_stream();
	dst.kind = FACTS_FILE;
	dst.size = 0;
	if (_i == 0)
		q.oflags = FLAG_DIRECT;
	else
		q.io = REQUEST_IO_AIO;
	check_fed(round_down(no_end, MIB));
	ck_assert(plan.is_in_order);
	dst.max_size = 3 * MIB + 5;
	check_fed(3 * MIB);
	q.count.blocks = 2;
	check_fed(2 * MIB);
}
END_TEST

static void
ask_for_order(int i)
{
	switch (i) {
	case 0:
		q.is_dd = true;
		break;
	case 1:
		q.iflags = 0; // what one read gives is a record
		break;
	case 2:
		q.conv = CONV_SYNC;
		break;
	case 3:
		q.conv = CONV_NOERROR;
		break;
	case 4:
		q.io = REQUEST_IO_INLINE;
		break;
	case 5:
		dst.kind = FACTS_FILE; // through the page cache
		break;
	case 6:
		src.is_flow = false; // a tape
		break;
	case 7:
		src.is_direct = true; // packets
		break;
	case 8:
		refused.src.offsets = true;
		break;
	case 9:
		refused.dst.direct = true;
		break;
	case 10:
		dst.dio_align = 0;
		break;
	default:
		dst.dio_align = 4096;
		q.seek.bytes = 512;
	}
}

START_TEST(a_stream_that_dd_reads_in_its_order_goes_by_records)
{
	begin_stream();
	ask_for_order(_i);
	check_record("the source is not seekable");
}
END_TEST

START_TEST(a_destination_without_offsets_goes_by_records)
{
	dst.kind = _i == 0 ? FACTS_STREAM : FACTS_ZERO;
	check_record("the destination is not seekable");
}
END_TEST

START_TEST(a_file_goes_into_a_pipe_as_it_is)
{
	dst = (struct facts){.kind = FACTS_STREAM, .is_pipe = true};
	q.is_dd = false;
	check_splice(true);
	q.count = (struct request_amount){3, 0};
	check_splice(true);
	src.kind = FACTS_BLOCK;
	check_splice(true);
	dst.is_pipe = false; // a socket
	check_splice(false);
}
END_TEST

static void
ask_for_the_bytes(int i)
{
	switch (i) {
	case 0:
		q.is_dd = true;
		break;
	case 1:
		q.digests = 1;
		break;
	case 2:
		q.rate = 1000;
		break;
	case 3:
		q.conv = CONV_SWAB;
		break;
	case 4:
		q.obs = 2 * q.ibs;
		break;
	case 5:
		q.iflags = FLAG_DIRECT;
		break;
	case 6:
		q.io = REQUEST_IO_INLINE;
		break;
	default:
		src = (struct facts){.kind = FACTS_STREAM, .is_pipe = true};
	}
}

START_TEST(a_file_whose_bytes_are_wanted_goes_by_records)
{
	dst = (struct facts){.kind = FACTS_STREAM, .is_pipe = true};
	q.is_dd = false;
	ask_for_the_bytes(_i);
	check_splice(false);
}
END_TEST

START_TEST(appending_goes_by_records)
{
	dst.is_append = true;
	check_record("the destination is opened for appending");
}
END_TEST

START_TEST(a_copy_within_one_file_goes_by_records)
{
	dst.dev = src.dev;
	check_record("source and destination are the same file or device");
	dst.ino = 2;
	check_bulk(GIB);
}
END_TEST

START_TEST(a_file_is_the_same_storage_as_an_overlay_of_it)
{
	dst = src;
	dst.dev = src.dev + 1;
	dst.is_overlay = true;
	check_record("source and destination are the same file or device");
}
END_TEST

START_TEST(a_disk_is_the_same_storage_as_itself)
{
	src.kind = dst.kind = FACTS_BLOCK;
	src.ino = dst.ino = 0;
	dst.dev = src.dev;
	dst.size = 2 * GIB;
	check_record("source and destination are the same file or device");
}
END_TEST

START_TEST(a_loop_device_is_the_same_storage_as_its_file)
{
	dst.kind = FACTS_BLOCK;
	dst.dev = src.dev;
	dst.size = 2 * GIB;
	check_record("source and destination are the same file or device");
}
END_TEST

START_TEST(dd_makes_its_misaligned_direct_requests_itself)
{
	q.ibs = q.obs = 1000;
	if (_i == 0)
		q.iflags = FLAG_DIRECT;
	else
		q.oflags = FLAG_DIRECT;
	check_record("O_DIRECT with records that are not whole sectors");
	q.is_dd = false;
	check_bulk(GIB);
}
END_TEST

START_TEST(dd_writes_the_short_record_of_a_direct_copy_itself)
{
	src.size = src.allocated = GIB + 7;
	q.oflags = FLAG_DIRECT;
	check_bulk(GIB);
	q.is_dd = false;
	check_bulk(GIB + 7);
}
END_TEST

START_TEST(little_goes_by_records)
{
	src.size = src.allocated = 128 * KIB - 1;
	check_record("less than 128 KiB, or of unknown length");
	src.size = src.allocated = 128 * KIB;
	check_bulk(128 * KIB);
}
END_TEST

START_TEST(a_clone_may_be_small)
{
	src.size = src.allocated = 1;
	dst.dev = src.dev;
	dst.ino = 2;
	q.clone = REQUEST_CLONE_AUTO;
	check_bulk(1);
	src.size = src.allocated = 0;
	check_record("less than 128 KiB, or of unknown length");
}
END_TEST

START_TEST(zeros_without_end_go_by_records)
{
	src.kind = FACTS_ZERO;
	src.size = 0;
	check_record("less than 128 KiB, or of unknown length");
	q.count.blocks = 1000;
	check_bulk(512000);
}
END_TEST

START_TEST(a_file_that_may_not_grow_so_large_goes_by_records)
{
	dst.max_size = GIB - 1;
	check_record("the file would exceed the size limit");
	dst.max_size = GIB;
	check_bulk(GIB);
}
END_TEST

START_TEST(record_sizes_need_a_boundary_in_common)
{
	q.obs = 64 * MIB + 1;
	check_record("ibs= and obs= have no common multiple within 64 MiB");
	q.ibs = 7 * 512;
	q.obs = 512;
	check_bulk(GIB);
	ck_assert_uint_eq(plan.unit, 7 * 512);
	q.ibs = 6;
	q.obs = 4;
	check_bulk(GIB);
	ck_assert_uint_eq(plan.unit, 12);
	q.ibs = q.obs = 128 * MIB;
	check_bulk(GIB);
}
END_TEST

START_TEST(conv_sparse_with_large_records_goes_by_records)
{
	q.conv = CONV_SPARSE;
	q.ibs = q.obs = 4 * MIB;
	check_bulk(GIB);
	ck_assert_uint_eq(plan.sparse_unit, 4 * MIB);
	q.ibs = q.obs = 4 * MIB + 512;
	check_record("conv=sparse with large records");
}
END_TEST

/* The stretch */

START_TEST(skip_seek_and_count_place_the_stretch)
{
	q.ibs = 512;
	q.obs = 1024;
	q.skip = (struct request_amount){10, 3};
	q.seek = (struct request_amount){20, 4};
	q.count = (struct request_amount){1000, 5};
	check_bulk(512005);
	ck_assert_uint_eq(plan.src_off, 5123);
	ck_assert_uint_eq(plan.dst_off, 20484);
	ck_assert_uint_eq(plan.count_len, 512005);
}
END_TEST

START_TEST(an_inherited_offset_is_where_the_copy_begins)
{
	src.pos = 100;
	dst.pos = 200;
	q.skip.blocks = q.seek.blocks = 1;
	check_bulk(GIB - 612);
	ck_assert_uint_eq(plan.src_off, 612);
	ck_assert_uint_eq(plan.dst_off, 712);
}
END_TEST

START_TEST(the_smaller_of_source_count_and_disk_is_copied)
{
	q.count.blocks = MIB / 512;
	check_bulk(MIB);
	q.count.blocks = 4 * GIB / 512;
	check_bulk(GIB);
	dst.kind = FACTS_BLOCK;
	dst.size = 512 * MIB;
	check_bulk(512 * MIB);
	dst.pos = 511 * MIB;
	check_bulk(MIB);
	dst.pos = 513 * MIB;
	check_record("less than 128 KiB, or of unknown length");
}
END_TEST

START_TEST(a_skip_past_the_end_leaves_nothing_to_copy)
{
	q.skip.blocks = GIB / 512 + 1;
	check_record("less than 128 KiB, or of unknown length");
}
END_TEST

static const struct request_amount too_far[] = {
	{INT64_MAX, 0},
	{INT64_MAX / 512 + 1, 0},
	{INT64_MAX / 512, 512},
};

START_TEST(offsets_that_are_none_are_refused_by_records)
{
	q.skip = too_far[_i];
	check_record("less than 128 KiB, or of unknown length");
	begin();
	q.seek = too_far[_i];
	check_record("less than 128 KiB, or of unknown length");
}
END_TEST

START_TEST(a_stretch_to_the_last_offset_is_none)
{
	q.seek.blocks = INT64_MAX / 512 - 100;
	check_record("less than 128 KiB, or of unknown length");
}
END_TEST

/* The source */

START_TEST(a_source_of_zeros_is_not_read)
{
	src.kind = FACTS_ZERO;
	q.count.blocks = GIB / 512;
	check_src(PLAN_NOTHING, "zeros need not be read");
}
END_TEST

START_TEST(inline_that_is_asked_for_is_given)
{
	q.io = REQUEST_IO_INLINE;
	check_src(PLAN_INLINE, "io=inline");
	check_dst(PLAN_INLINE, "io=inline");
}
END_TEST

START_TEST(a_kernel_that_refuses_aio_is_not_asked_again)
{
	q.io = REQUEST_IO_AIO;
	refused.aio_error = -EPERM;
	check_src(PLAN_INLINE, "kernel AIO is not available");
	check_dst(PLAN_INLINE, "kernel AIO is not available");
}
END_TEST

START_TEST(a_side_that_refuses_o_direct_is_not_asked_again)
{
	q.io = REQUEST_IO_AIO;
	refused.src.direct = true;
	check_src(PLAN_INLINE, "this file system does not support O_DIRECT");
	check_dst(PLAN_AIO, "io=aio");
	refused = (struct plan_refused){.dst.direct = true};
	check_src(PLAN_AIO, "io=aio");
	check_dst(PLAN_INLINE, "this file system does not support O_DIRECT");
	ck_assert_uint_eq(plan.final_size, 0);
}
END_TEST

// Whatever it is: also what takes no call.
START_TEST(a_side_that_refuses_offsets_goes_by_records)
{
	src.kind = _i == 0 ? FACTS_FILE : FACTS_ZERO;
	dst.kind = _i == 0 ? FACTS_BLOCK : FACTS_NULL;
	q.count.blocks = 1000;
	refused.src.offsets = true;
	check_record("the source is not seekable");
	refused = (struct plan_refused){.dst.offsets = true};
	check_record("the destination is not seekable");
}
END_TEST

START_TEST(without_direct_io_all_is_inline)
{
	q.io = REQUEST_IO_AIO;
	src.dio_align = dst.dio_align = 0;
	check_src(PLAN_INLINE, "this file system does not support O_DIRECT");
	check_dst(PLAN_INLINE, "this file system does not support O_DIRECT");
}
END_TEST

START_TEST(a_misaligned_offset_is_inline)
{
	q.io = REQUEST_IO_AIO;
	src.pos = dst.pos = 513;
	check_src(PLAN_INLINE, "the offset is not aligned for O_DIRECT");
	check_dst(PLAN_INLINE, "the offset is not aligned for O_DIRECT");
}
END_TEST

START_TEST(aio_that_is_asked_for_is_given)
{
	q.io = REQUEST_IO_AIO;
	src.size = src.allocated = src.cached = MIB;
	check_src(PLAN_AIO, "io=aio");
	check_dst(PLAN_AIO, "io=aio");
}
END_TEST

START_TEST(a_direct_source_goes_through_aio)
{
	q.iflags = FLAG_DIRECT;
	src.size = src.allocated = src.cached = MIB;
	check_src(PLAN_AIO, "iflag=direct");
}
END_TEST

START_TEST(a_small_source_is_inline)
{
	src.size = src.allocated = 32 * MIB - 1;
	check_src(PLAN_INLINE, "less than 32 MiB");
	src.size = src.allocated = 32 * MIB;
	check_src(PLAN_AIO, "little of it is in the page cache");
}
END_TEST

START_TEST(holes_do_not_make_a_source_large)
{
	src.allocated = 32 * MIB - 1;
	check_src(PLAN_INLINE, "less than 32 MiB");
}
END_TEST

START_TEST(a_small_remote_source_is_worth_waiting_for)
{
	src.is_remote = true;
	src.size = src.allocated = MIB;
	check_src(PLAN_AIO, "little of it is in the page cache");
}
END_TEST

START_TEST(a_cached_source_is_read_from_the_cache)
{
	src.cached = GIB / 2;
	check_src(PLAN_INLINE, "most of it is in the page cache");
	src.cached = GIB / 2 - 1;
	check_src(PLAN_AIO, "little of it is in the page cache");
}
END_TEST

/* The destination */

START_TEST(a_null_destination_is_not_written)
{
	dst.kind = FACTS_NULL;
	check_dst(PLAN_NOTHING, "/dev/null discards everything");
}
END_TEST

START_TEST(checksums_make_direct_writes_slow)
{
	q.io = REQUEST_IO_AIO;
	dst.is_checksummed = true;
	check_dst(PLAN_INLINE,
		  "btrfs buffers direct writes");
}
END_TEST

START_TEST(holes_of_part_of_a_block_are_not_for_direct_writes)
{
	q.io = REQUEST_IO_AIO;
	q.conv = CONV_SPARSE;
	q.ibs = q.obs = 1000;
	check_dst(PLAN_INLINE, "obs= is too small for O_DIRECT");
	q.ibs = q.obs = 1024;
	check_dst(PLAN_AIO, "io=aio");
}
END_TEST

START_TEST(a_direct_destination_goes_through_aio)
{
	q.oflags = FLAG_DIRECT;
	src.size = src.allocated = MIB;
	check_dst(PLAN_AIO, "oflag=direct");
}
END_TEST

START_TEST(a_small_destination_is_inline)
{
	q.conv = CONV_FSYNC;
	src.size = src.allocated = 32 * MIB - 1;
	check_dst(PLAN_INLINE, "less than 32 MiB");
}
END_TEST

START_TEST(a_disk_is_written_through_aio)
{
	dst.kind = FACTS_BLOCK;
	dst.size = GIB;
	check_dst(PLAN_AIO, "block device");
}
END_TEST

// The page cache would take what the disk refuses, and not say where.
START_TEST(a_small_copy_goes_onto_a_disk_around_the_page_cache)
{
	q.is_dd = false;
	dst.kind = FACTS_BLOCK;
	dst.size = GIB;
	src.size = src.allocated = 32 * MIB - 1;
	check_dst(PLAN_CALL, "less than 32 MiB");
	src.is_remote = true; // read by kernel AIO, so it is there
	check_dst(PLAN_AIO, "less than 32 MiB");
	src.is_remote = false;
	q.is_dd = true;
	check_dst(PLAN_INLINE, "less than 32 MiB");
	q.conv = CONV_FSYNC;
	check_dst(PLAN_CALL, "less than 32 MiB");
}
END_TEST

START_TEST(what_is_to_go_direct_does_so_without_aio)
{
	refused.aio_error = -EPERM;
	q.oflags = FLAG_DIRECT;
	q.ibs = q.obs = 4096;
	check_dst(PLAN_CALL, "kernel AIO is not available");
	check_src(PLAN_INLINE, "kernel AIO is not available");
	q.iflags = FLAG_DIRECT;
	check_src(PLAN_CALL, "kernel AIO is not available");
}
END_TEST

// Two requests that meet within a page are in the way of each other.
START_TEST(jobs_meet_between_pages_of_the_destination)
{
	q.seek.blocks = 1;
	make();
	ck_assert_int_eq(plan.dst.method, PLAN_INLINE);
	ck_assert_uint_eq(plan.skew, 0);
	q.conv = CONV_FSYNC;
	make();
	ck_assert_int_eq(plan.dst.method, PLAN_AIO);
	ck_assert_uint_eq(plan.skew, 512);
	src.dio_align = 4096; // which is read by whole blocks of its own
	make();
	ck_assert_uint_eq(plan.skew, 0);
	src.dio_align = 512;
	q.conv |= CONV_SPARSE;
	make();
	ck_assert_uint_eq(plan.skew, 0);
}
END_TEST

START_TEST(a_remote_destination_is_written_through_aio)
{
	dst.is_remote = true;
	src.size = src.allocated = MIB;
	check_dst(PLAN_AIO, "buffered writes wait for a server");
}
END_TEST

static const struct {
	unsigned conv;
	unsigned oflags;
} durables[] = {
	{CONV_FSYNC, 0},
	{CONV_FDATASYNC, 0},
	{0, FLAG_SYNC},
	{0, FLAG_DSYNC},
};

START_TEST(a_large_copy_stays_out_of_the_page_cache)
{
	src.size = src.allocated = src.cached = 2 * GIB;
	check_dst(PLAN_INLINE, "it fits in the page cache, not synced");
	src.size = src.allocated = src.cached = 2 * GIB + 1;
	check_dst(PLAN_AIO, "more than a quarter of the memory");
	check_src(PLAN_INLINE, "most of it is in the page cache");
}
END_TEST

START_TEST(kept_holes_are_no_load)
{
	src.size = 64 * GIB;
	src.allocated = 64 * MIB;
	q.keeps_holes = true;
	check_dst(PLAN_INLINE, "it fits in the page cache, not synced");
	q.conv = CONV_FSYNC;
	check_dst(PLAN_AIO, "the copy is synced");
	src.allocated = 16 * MIB;
	check_dst(PLAN_INLINE, "less than 32 MiB");
	q.keeps_holes = false; // zeros are written
	check_dst(PLAN_AIO, "the copy is synced");
}
END_TEST

START_TEST(what_is_to_be_durable_is_written_through_aio)
{
	q.conv = durables[_i].conv;
	q.oflags = durables[_i].oflags;
	check_dst(PLAN_AIO, "the copy is synced");
}
END_TEST

START_TEST(what_nobody_waits_for_goes_to_the_page_cache)
{
	check_dst(PLAN_INLINE, "it fits in the page cache, not synced");
}
END_TEST

/* Jobs */

START_TEST(jobs_are_of_one_huge_page)
{
	make();
	ck_assert_uint_eq(plan.job_size, 2 * MIB);
	ck_assert_str_eq(plan.job_reason, "suits direct I/O");
}
END_TEST

static const struct {
	uint64_t iosize;
	uint64_t job_size;
} iosizes[] = {
	{1, 4096},	{4096, 4096},	    {4097, 8192},
	{65536, 65536}, {3 * MIB, 3 * MIB}, {MIB + 1, MIB + 4096},
};

START_TEST(an_iosize_becomes_whole_pages)
{
	q.iosize = iosizes[_i].iosize;
	make();
	ck_assert_uint_eq(plan.job_size, iosizes[_i].job_size);
	ck_assert_str_eq(plan.job_reason, "iosize=");
}
END_TEST

START_TEST(jobs_of_a_sparse_copy_are_whole_records)
{
	q.conv = CONV_SPARSE;
	q.ibs = q.obs = 3 * 4096;
	make();
	ck_assert_uint_eq(plan.step, 3 * 4096);
	ck_assert_uint_eq(plan.job_size % (3 * 4096), 0);
	ck_assert_uint_ge(plan.job_size, MIB);
}
END_TEST

START_TEST(jobs_for_the_page_cache_are_smaller)
{
	q.io = REQUEST_IO_INLINE;
	make();
	ck_assert_uint_eq(plan.job_size, 256 * KIB);
	ck_assert_str_eq(plan.job_reason, "suits the page cache");
}
END_TEST

START_TEST(many_jobs_hide_a_latency)
{
	make();
	ck_assert_uint_eq(plan.depth, 16);
	ck_assert_str_eq(plan.depth_reason, "keeps the device busy");
}
END_TEST

START_TEST(inline_takes_one_job)
{
	q.io = REQUEST_IO_INLINE;
	make();
	ck_assert_uint_eq(plan.depth, 1);
	ck_assert_str_eq(plan.depth_reason, "no overlap without kernel AIO");
}
END_TEST

START_TEST(inline_takes_more_jobs_where_digests_work_meanwhile)
{
	q.io = REQUEST_IO_INLINE;
	q.digests = 1;
	make();
	ck_assert_uint_eq(plan.depth, PLAN_DIGEST_DEPTH);
	ck_assert_str_eq(plan.depth_reason, "hashing overlaps the copy");
}
END_TEST

static const struct {
	uint64_t rate;
	uint64_t iosize;
	uint64_t job_size;
	unsigned depth;
} rates[] = {
	{100 * GIB, 0, 2 * MIB, 16},
	{40 * MIB, 0, 2 * MIB, 4},
	{20 * MIB, 0, MIB, 4},
	{10 * MIB, 0, 512 * KIB, 4},
	{10 * MIB, 64 * KIB, 64 * KIB, 16},
	{10 * MIB, 4 * MIB, 512 * KIB, 4},
	{3000000, 0, 37 * 4096, 3},
	{1000, 0, 4096, 2},
	{1, 0, 4096, 2},
};

START_TEST(a_rate_makes_requests_small_and_few)
{
	q.rate = rates[_i].rate;
	q.iosize = rates[_i].iosize;
	make();
	ck_assert_int_eq(plan.src.method, PLAN_AIO);
	ck_assert_uint_eq(plan.rate, rates[_i].rate);
	ck_assert_uint_eq(plan.job_size, rates[_i].job_size);
	ck_assert_uint_eq(plan.depth, rates[_i].depth);
}
END_TEST

START_TEST(a_depth_that_is_asked_for_is_given)
{
	q.depth = 3;
	make();
	ck_assert_uint_eq(plan.depth, 3);
	ck_assert_str_eq(plan.depth_reason, "depth=");
}
END_TEST

START_TEST(there_are_no_more_jobs_than_work)
{
	q.io = REQUEST_IO_AIO;
	q.depth = 8;
	src.size = src.allocated = 10 * MIB;
	make();
	ck_assert_uint_eq(plan.depth, 5);
	ck_assert_str_eq(plan.depth_reason, "enough for the whole copy");
	src.size = src.allocated = 10 * MIB + 1;
	make();
	ck_assert_uint_eq(plan.depth, 6);
}
END_TEST

START_TEST(large_jobs_are_fewer)
{
	src.size = src.allocated = 100 * GIB;
	q.iosize = 300 * MIB;
	make();
	ck_assert_uint_eq(plan.depth, 3);
	ck_assert_str_eq(plan.depth_reason, "buffers are limited to 1 GiB");
	q.iosize = 2 * GIB;
	make();
	ck_assert_uint_eq(plan.depth, 1);
}
END_TEST

/* The size that is set first */

static void
check_size(uint64_t size, const char *reason)
{
	make();
	ck_assert_uint_eq(plan.final_size, size);
	ck_assert_str_eq(plan.size_reason, reason);
}

START_TEST(what_others_may_be_writing_grows_by_writes_only)
{
	q.conv = CONV_FSYNC | CONV_NOTRUNC;
	check_size(0, "conv=notrunc sets no size");
	ck_assert_int_eq(plan.dst.method, PLAN_AIO);
	ck_assert(plan.is_in_order);
	dst.size = GIB;
	check_size(0, "the file is already large enough");
	ck_assert(!plan.is_in_order);
}
END_TEST

START_TEST(what_is_read_may_be_written_but_not_as_dd)
{
	q.conv = CONV_FSYNC;
	make();
	ck_assert(!plan.is_any_order);
	q.is_dd = false;
	make();
	ck_assert(plan.is_any_order);
}
END_TEST

// One behind the other.
START_TEST(a_file_that_grows_by_writes_is_written_in_order)
{
	q.is_dd = false;
	q.conv = CONV_FSYNC | CONV_NOTRUNC;
	make();
	ck_assert(!plan.is_any_order);
	q.io = REQUEST_IO_INLINE;
	make();
	ck_assert(!plan.is_any_order);
}
END_TEST

START_TEST(a_new_file_gets_its_size_first)
{
	q.conv = CONV_FSYNC;
	dst.pos = 512;
	check_size(GIB + 512, "writes that extend a file are slow");
}
END_TEST

START_TEST(a_long_file_keeps_its_size)
{
	q.conv = CONV_FSYNC;
	dst.size = GIB;
	check_size(0, "the file is already large enough");
	dst.size = GIB - 1;
	check_size(GIB, "writes that extend a file are slow");
}
END_TEST

START_TEST(a_file_that_is_written_in_order_grows)
{
	check_size(0, "the file grows as it is written");
}
END_TEST

START_TEST(a_disk_has_its_size)
{
	dst.kind = FACTS_BLOCK;
	dst.size = 2 * GIB;
	check_size(0, "only a regular file has a size to set");
}
END_TEST

/* Holes */

static void
check_holes(enum plan_holes holes, const char *reason)
{
	make();
	ck_assert_str_eq(plan.holes_reason, reason);
	ck_assert_int_eq(plan.holes, holes);
}

// Of the last plan.
static void
check_zeros(enum plan_zeros zeros, const char *reason)
{
	ck_assert_int_eq(plan.zeros, zeros);
	ck_assert_pstr_eq(plan.zeros_reason, reason);
}

START_TEST(a_source_without_holes_is_read)
{
	check_holes(PLAN_HOLES_READ, "the source has none");
}
END_TEST

START_TEST(holes_of_the_source_are_not_read)
{
	src.allocated = GIB - 4096;
	check_holes(PLAN_HOLES_ZERO, "holes need not be read");
	dst.kind = FACTS_NULL;
	check_holes(PLAN_HOLES_KEEP, "/dev/null discards everything");
}
END_TEST

START_TEST(holes_are_kept_where_asked_for)
{
	src.allocated = 0;
	q.conv = CONV_SPARSE;
	check_holes(PLAN_HOLES_KEEP, "conv=sparse");
	q.conv = 0;
	q.keeps_holes = true;
	check_holes(PLAN_HOLES_KEEP, "SRC DST keeps holes");
}
END_TEST

START_TEST(a_hole_over_old_bytes_is_written)
{
	q.is_dd = false;
	src.allocated = 0;
	q.keeps_holes = true;
	dst.size = 1;
	refused.zeros = "a test";
	check_holes(PLAN_HOLES_ZERO, "holes need not be read");
	dst.size = GIB;
	dst.kind = FACTS_BLOCK;
	check_holes(PLAN_HOLES_ZERO, "holes need not be read");
	check_zeros(PLAN_ZEROS_WRITE, "a test");
	refused.zeros = NULL;
	q.zeros = REQUEST_ZEROS_WRITE;
	check_holes(PLAN_HOLES_ZERO, "holes need not be read");
	check_zeros(PLAN_ZEROS_WRITE, "zeros=write");
}
END_TEST

START_TEST(a_hole_over_old_bytes_of_a_file_is_punched)
{
	q.is_dd = false;
	src.allocated = 0;
	q.keeps_holes = true;
	dst.size = 1;
	check_holes(PLAN_HOLES_MAKE, "SRC DST keeps holes");
	check_zeros(PLAN_ZEROS_PUNCH, "old data is there");
	q.keeps_holes = false;
	check_holes(PLAN_HOLES_ZERO, "holes need not be read");
	q.conv = CONV_SPARSE;
	check_holes(PLAN_HOLES_MAKE, "conv=sparse");
	dst.size = 0;
	check_holes(PLAN_HOLES_KEEP, "conv=sparse");
	check_zeros(PLAN_ZEROS_SKIP, NULL);
}
END_TEST

START_TEST(a_device_makes_zeros)
{
	q.is_dd = false;
	dst.size = GIB;
	dst.kind = FACTS_BLOCK;
	src.allocated = 0;
	check_holes(PLAN_HOLES_MAKE, "the device makes zeros");
	check_zeros(PLAN_ZEROS_OFFLOAD, "written if the device refuses");
	// Also those that are found, however small the records are.
	q.conv = CONV_SPARSE;
	dst.dio_align = 4096;
	check_holes(PLAN_HOLES_MAKE, "conv=sparse");
	ck_assert_int_eq(plan.dst.method, PLAN_AIO);
	src.kind = FACTS_ZERO;
	src.size = 0;
	q.conv = 0;
	q.count.blocks = GIB / q.ibs;
	check_holes(PLAN_HOLES_MAKE, "the device makes zeros");
}
END_TEST

// It hears of each write before; of what a device makes by itself it would not.
START_TEST(beside_a_manifest_no_zeros_are_made)
{
	static const struct {
		enum facts_kind kind;
		uint64_t size;
	} dsts[] = {{FACTS_BLOCK, GIB}, {FACTS_FILE, GIB}, {FACTS_FILE, 0}};

	q.is_dd = false;
	q.compare = REQUEST_COMPARE_UPDATE;
	q.manifest = "m";
	q.count.blocks = GIB / q.ibs;
	q.conv = _i % 2 == 0 ? CONV_SPARSE : 0;
	q.keeps_holes = true;
	src.kind = _i / 2 % 2 == 0 ? FACTS_FILE : FACTS_ZERO;
	src.allocated = 0;
	dst.kind = dsts[_i / 4].kind;
	dst.size = dsts[_i / 4].size;
	refused.compare = dst.size == 0; // nothing is there
	check_bulk(GIB);
	ck_assert(!plan_clears(&plan));
	ck_assert(plan.holes <= PLAN_HOLES_ZERO || dst.size == 0);
	// What is left out is whole ranges, too.
	ck_assert_uint_eq(plan.step % PLAN_CACHE_SIZE, 0);
}
END_TEST

START_TEST(zeros_are_left_out_where_that_is_asked_for)
{
	q.is_dd = false;
	src.allocated = 0;
	q.zeros = REQUEST_ZEROS_SKIP;
	check_holes(PLAN_HOLES_KEEP, "zeros=skip");
	dst.size = GIB;
	dst.kind = FACTS_BLOCK;
	check_holes(PLAN_HOLES_KEEP, "zeros=skip");
	check_zeros(PLAN_ZEROS_SKIP, "zeros=skip");
}
END_TEST

START_TEST(as_dd_zeros_are_left_out_over_old_bytes)
{
	dst.size = GIB;
	dst.kind = FACTS_BLOCK;
	src.allocated = 0;
	q.is_dd = true;
	check_holes(PLAN_HOLES_ZERO, "holes need not be read");
	q.conv = CONV_SPARSE;
	check_holes(PLAN_HOLES_KEEP, "conv=sparse");
	check_zeros(PLAN_ZEROS_SKIP, NULL);
}
END_TEST

/* In the kernel */

// Both sides in the page cache of one file system that copies by itself.
static void
begin_kernel(void)
{
	begin();
	src.cached = GIB;
	src.is_kernel_copy = true;
	dst.dev = src.dev;
	dst.ino = 2;
}

static void
check_kernel(bool is_kernel)
{
	make();
	ck_assert_int_eq(plan.way, PLAN_BULK);
	ck_assert_int_eq(plan.src.method == PLAN_KERNEL, is_kernel);
	ck_assert_int_eq(plan.dst.method == PLAN_KERNEL, is_kernel);
	ck_assert(!is_kernel || !plan_uses_aio(&plan));
}

START_TEST(the_kernel_copies_from_page_cache_to_page_cache)
{
	check_kernel(true);
	ck_assert_str_eq(plan.job_reason, "not used");
	ck_assert_str_eq(plan.depth_reason, "not used");
	ck_assert_uint_eq(plan.final_size, 0);
	ck_assert(!plan.is_any_order);
}
END_TEST

START_TEST(the_kernel_copies_nothing_else)
{
	src.cached = 0;
	check_kernel(false);
	begin_kernel();
	q.conv = CONV_FSYNC;
	check_kernel(false);
	begin_kernel();
	q.conv = CONV_SPARSE;
	check_kernel(false);
	begin_kernel();
	q.io = REQUEST_IO_INLINE;
	check_kernel(false);
	begin_kernel();
	q.digests = 1;
	check_kernel(false);
	begin_kernel();
	dst.dev = 3;
	check_kernel(false);
	begin_kernel();
	src.is_kernel_copy = false;
	check_kernel(false);
	begin_kernel();
	refused.kernel_copy = true;
	check_kernel(false);
	begin_kernel();
	dst.is_direct = true;
	check_kernel(false);
	begin_kernel();
	dst.kind = FACTS_NULL;
	check_kernel(false);
}
END_TEST

START_TEST(holes_are_no_work_for_the_kernel)
{
	src.allocated = src.cached = GIB / 2;
	check_kernel(false);
}
END_TEST

/* Clones */

static void
check_clone(bool is_clone, const char *reason)
{
	make();
	ck_assert_str_eq(plan.clone_reason, reason);
	ck_assert_int_eq(plan.is_clone, is_clone);
}

START_TEST(nothing_is_cloned_unasked)
{
	dst.dev = src.dev;
	dst.ino = 2;
	check_clone(false, "not asked for");
	q.clone = REQUEST_CLONE_NEVER;
	check_clone(false, "not asked for");
}
END_TEST

START_TEST(files_of_one_file_system_are_cloned)
{
	q.clone = REQUEST_CLONE_AUTO;
	check_clone(false, "the files are on different file systems");
	dst.dev = src.dev;
	dst.ino = 2;
	check_clone(true, "both files are on the same file system");
	q.conv = CONV_SPARSE;
	check_clone(false, "conv=sparse looks for holes in the data");
	q.conv = 0;
	q.digests = 1;
	check_clone(false, "hashing needs the data");
	q.digests = 0;
	dst.kind = FACTS_BLOCK;
	dst.size = GIB;
	check_clone(false, "only regular files can be cloned");
}
END_TEST

static TCase *
way_tcase(void)
{
	TCase *t = tcase_create("way");

	tcase_add_checked_fixture(t, begin, NULL);
	tcase_add_test(t, files_on_both_sides_are_copied_in_bulk);
	tcase_add_loop_test(t, conversions_of_bytes_go_by_records, 0,
			    ARRAY_LEN(byte_convs));
	tcase_add_test(t, messages_among_the_bytes_go_by_records);
	tcase_add_loop_test(t, the_last_offsets_are_for_records, 0, 10);
	tcase_add_loop_test(t, other_conversions_do_not, 0,
			    ARRAY_LEN(other_convs));
	tcase_add_test(t, noerror_goes_by_records_as_dd_only);
	tcase_add_loop_test(
		t, noerror_with_digests_of_whole_records_goes_by_records, 0, 2);
	tcase_add_test(t, what_is_left_is_planned_as_the_whole_was);
	tcase_add_test(t, jobs_are_whole_sectors_of_both_sides);
	tcase_add_test(t, conv_sync_leaves_the_short_record_to_be_padded);
	tcase_add_loop_test(t, nocache_goes_by_records, 0, 2);
	tcase_add_loop_test(t, a_source_without_offsets_goes_by_records, 0, 2);
	tcase_add_test(t, a_stream_is_read_ahead_into_a_disk);
	tcase_add_loop_test(
		t, without_kernel_aio_a_stream_is_read_ahead_all_the_same, 0,
		2);
	tcase_add_test(t, a_stream_is_read_ahead_into_an_export);
	tcase_add_test(t, what_is_unpacked_needs_no_fullblock);
	tcase_add_loop_test(t, a_stream_into_a_file_sets_no_size, 0, 2);
	tcase_add_loop_test(
		t, a_stream_that_dd_reads_in_its_order_goes_by_records, 0, 12);
	tcase_add_loop_test(t, a_destination_without_offsets_goes_by_records, 0,
			    2);
	tcase_add_test(t, a_file_goes_into_a_pipe_as_it_is);
	tcase_add_loop_test(t, a_file_whose_bytes_are_wanted_goes_by_records, 0,
			    8);
	tcase_add_test(t, appending_goes_by_records);
	tcase_add_test(t, a_copy_within_one_file_goes_by_records);
	tcase_add_test(t, a_file_is_the_same_storage_as_an_overlay_of_it);
	tcase_add_test(t, a_disk_is_the_same_storage_as_itself);
	tcase_add_test(t, a_loop_device_is_the_same_storage_as_its_file);
	tcase_add_loop_test(t, dd_makes_its_misaligned_direct_requests_itself,
			    0, 2);
	tcase_add_test(t, dd_writes_the_short_record_of_a_direct_copy_itself);
	tcase_add_test(t, little_goes_by_records);
	tcase_add_test(t, a_clone_may_be_small);
	tcase_add_test(t, zeros_without_end_go_by_records);
	tcase_add_test(t, a_file_that_may_not_grow_so_large_goes_by_records);
	tcase_add_test(t, record_sizes_need_a_boundary_in_common);
	tcase_add_test(t, conv_sparse_with_large_records_goes_by_records);
	return t;
}

static TCase *
stretch_tcase(void)
{
	TCase *t = tcase_create("stretch");

	tcase_add_checked_fixture(t, begin, NULL);
	tcase_add_test(t, skip_seek_and_count_place_the_stretch);
	tcase_add_test(t, an_inherited_offset_is_where_the_copy_begins);
	tcase_add_test(t, the_smaller_of_source_count_and_disk_is_copied);
	tcase_add_test(t, a_skip_past_the_end_leaves_nothing_to_copy);
	tcase_add_loop_test(t, offsets_that_are_none_are_refused_by_records, 0,
			    ARRAY_LEN(too_far));
	tcase_add_test(t, a_stretch_to_the_last_offset_is_none);
	return t;
}

static TCase *
sides_tcase(void)
{
	TCase *t = tcase_create("sides");

	tcase_add_checked_fixture(t, begin, NULL);
	tcase_add_test(t, a_source_of_zeros_is_not_read);
	tcase_add_test(t, inline_that_is_asked_for_is_given);
	tcase_add_test(t, a_kernel_that_refuses_aio_is_not_asked_again);
	tcase_add_test(t, a_side_that_refuses_o_direct_is_not_asked_again);
	tcase_add_loop_test(t, a_side_that_refuses_offsets_goes_by_records, 0,
			    2);
	tcase_add_test(t, without_direct_io_all_is_inline);
	tcase_add_test(t, a_misaligned_offset_is_inline);
	tcase_add_test(t, aio_that_is_asked_for_is_given);
	tcase_add_test(t, a_direct_source_goes_through_aio);
	tcase_add_test(t, a_small_source_is_inline);
	tcase_add_test(t, holes_do_not_make_a_source_large);
	tcase_add_test(t, a_small_remote_source_is_worth_waiting_for);
	tcase_add_test(t, a_cached_source_is_read_from_the_cache);
	tcase_add_test(t, a_null_destination_is_not_written);
	tcase_add_test(t, checksums_make_direct_writes_slow);
	tcase_add_test(t, holes_of_part_of_a_block_are_not_for_direct_writes);
	tcase_add_test(t, a_direct_destination_goes_through_aio);
	tcase_add_test(t, a_small_destination_is_inline);
	tcase_add_test(t, a_disk_is_written_through_aio);
	tcase_add_test(t, a_remote_destination_is_written_through_aio);
	tcase_add_test(t, a_small_copy_goes_onto_a_disk_around_the_page_cache);
	tcase_add_test(t, what_is_to_go_direct_does_so_without_aio);
	tcase_add_test(t, jobs_meet_between_pages_of_the_destination);
	tcase_add_test(t, a_large_copy_stays_out_of_the_page_cache);
	tcase_add_test(t, kept_holes_are_no_load);
	tcase_add_loop_test(t, what_is_to_be_durable_is_written_through_aio, 0,
			    ARRAY_LEN(durables));
	tcase_add_test(t, what_nobody_waits_for_goes_to_the_page_cache);
	return t;
}

static TCase *
jobs_tcase(void)
{
	TCase *t = tcase_create("jobs");

	tcase_add_checked_fixture(t, begin, NULL);
	tcase_add_test(t, jobs_are_of_one_huge_page);
	tcase_add_test(t, jobs_for_the_page_cache_are_smaller);
	tcase_add_loop_test(t, an_iosize_becomes_whole_pages, 0,
			    ARRAY_LEN(iosizes));
	tcase_add_test(t, jobs_of_a_sparse_copy_are_whole_records);
	tcase_add_test(t, many_jobs_hide_a_latency);
	tcase_add_test(t, inline_takes_one_job);
	tcase_add_test(t,
		       inline_takes_more_jobs_where_digests_work_meanwhile);
	tcase_add_loop_test(t, a_rate_makes_requests_small_and_few, 0,
			    ARRAY_LEN(rates));
	tcase_add_test(t, a_depth_that_is_asked_for_is_given);
	tcase_add_test(t, there_are_no_more_jobs_than_work);
	tcase_add_test(t, large_jobs_are_fewer);
	return t;
}

/* The memory */

static const struct {
	uint64_t iosize;
	uint64_t depth;
	uint64_t rate;
	uint64_t memory;
	size_t job_size;      // wanted
	unsigned nr_jobs;
} fits[] = {
	{0, 0, 0, UINT64_MAX, 2 * MIB, 16},
	{0, 0, 0, 128 * MIB, 2 * MIB, 16},
	{0, 0, 0, 127 * MIB, 2 * MIB, 15},
	{0, 0, 0, 32 * MIB, 2 * MIB, 4},
	{0, 0, 0, 24 * MIB, 3 * MIB / 2, 4},
	{0, 0, 0, 8 * MIB, 512 * KIB, 4},
	{0, 0, 0, 0, 512 * KIB, 4},
	{64 * KIB, 1024, 0, 24 * MIB, 64 * KIB, 96},
	{64 * MIB, 1, 0, 24 * MIB, 6 * MIB, 1},
	{64 * MIB, 2, 0, 24 * MIB, 3 * MIB, 2},
	{0, 0, MIB, 8 * MIB, 52 * KIB, 3},
};

START_TEST(the_ring_takes_a_quarter_of_the_memory)
{
	q.io = REQUEST_IO_AIO;
	q.iosize = fits[_i].iosize;
	q.depth = fits[_i].depth;
	q.rate = fits[_i].rate;
	make();
	const struct plan before = plan;
	plan_fit(&plan, fits[_i].memory);
	ck_assert_uint_eq(plan.depth, fits[_i].nr_jobs);
	ck_assert_uint_eq(plan.job_size, fits[_i].job_size);
	ck_assert_uint_eq(plan.job_size % plan.step, 0);
	if (plan.depth == before.depth)
		ck_assert_str_eq(plan.depth_reason, before.depth_reason);
	else
		ck_assert_str_eq(plan.depth_reason,
				 "a quarter of the available memory");
	if (plan.job_size == before.job_size)
		ck_assert_str_eq(plan.job_reason, before.job_reason);
	else
		ck_assert_str_eq(plan.job_reason, "memory is limited");
}
END_TEST

START_TEST(jobs_that_are_fitted_stay_whole_records)
{
	q.io = REQUEST_IO_AIO;
	q.conv = CONV_SPARSE;
	q.ibs = q.obs = 3 * MIB;
	make();
	plan_fit(&plan, 4 * MIB);
	ck_assert_uint_eq(plan.job_size, 3 * MIB);
	ck_assert_uint_eq(plan.depth, 1);
}
END_TEST

START_TEST(only_a_large_ring_is_fitted)
{
	q.io = REQUEST_IO_INLINE;
	make();
	ck_assert(!plan_is_large(&plan));
	q.digests = 1;
	make();
	ck_assert(!plan_is_large(&plan));
	q.depth = 9;
	make();
	ck_assert(plan_is_large(&plan));
	q = (struct request){.ibs = 512, .obs = 512, .io = REQUEST_IO_AIO};
	planner_make_back(&plan, &q, &src, 0, GIB);
	ck_assert(plan_is_large(&plan));
	planner_make_back(&plan, &q, &src, 0, MIB);
	ck_assert(!plan_is_large(&plan));
	ck_assert_int_eq(plan.holes, PLAN_HOLES_READ);
	src.kind = FACTS_STREAM;
	make();
	ck_assert(!plan_is_large(&plan));
}
END_TEST

START_TEST(what_is_in_no_range_is_not_read_back)
{
	src.is_mapped = true;
	planner_make_back(&plan, &q, &src, 0, GIB);
	ck_assert_int_eq(plan.holes, PLAN_HOLES_KEEP);
	ck_assert_int_eq(plan.src.method, PLAN_AIO);
}
END_TEST

static TCase *
memory_tcase(void)
{
	TCase *t = tcase_create("memory");

	tcase_add_checked_fixture(t, begin, NULL);
	tcase_add_loop_test(t, the_ring_takes_a_quarter_of_the_memory, 0,
			    ARRAY_LEN(fits));
	tcase_add_test(t, jobs_that_are_fitted_stay_whole_records);
	tcase_add_test(t, only_a_large_ring_is_fitted);
	tcase_add_test(t, what_is_in_no_range_is_not_read_back);
	return t;
}

static TCase *
destination_tcase(void)
{
	TCase *t = tcase_create("destination");

	tcase_add_checked_fixture(t, begin, NULL);
	tcase_add_test(t, what_is_read_may_be_written_but_not_as_dd);
	tcase_add_test(t, a_file_that_grows_by_writes_is_written_in_order);
	tcase_add_test(t, a_new_file_gets_its_size_first);
	tcase_add_test(t,
		       what_others_may_be_writing_grows_by_writes_only);
	tcase_add_test(t, a_long_file_keeps_its_size);
	tcase_add_test(t, a_file_that_is_written_in_order_grows);
	tcase_add_test(t, a_disk_has_its_size);
	tcase_add_test(t, a_source_without_holes_is_read);
	tcase_add_test(t, holes_of_the_source_are_not_read);
	tcase_add_test(t, holes_are_kept_where_asked_for);
	tcase_add_test(t, a_hole_over_old_bytes_is_written);
	tcase_add_test(t, a_hole_over_old_bytes_of_a_file_is_punched);
	tcase_add_test(t, a_device_makes_zeros);
	tcase_add_loop_test(t, beside_a_manifest_no_zeros_are_made, 0, 12);
	tcase_add_test(t, zeros_are_left_out_where_that_is_asked_for);
	tcase_add_test(t, as_dd_zeros_are_left_out_over_old_bytes);
	tcase_add_test(t, nothing_is_cloned_unasked);
	tcase_add_test(t, files_of_one_file_system_are_cloned);
	return t;
}

static TCase *
kernel_tcase(void)
{
	TCase *t = tcase_create("kernel");

	tcase_add_checked_fixture(t, begin_kernel, NULL);
	tcase_add_test(t, the_kernel_copies_from_page_cache_to_page_cache);
	tcase_add_test(t, the_kernel_copies_nothing_else);
	tcase_add_test(t, holes_are_no_work_for_the_kernel);
	return t;
}

/* tee= */

static void
begin_tee(void)
{
	q.is_dd = false;
	q.tees[0] = "b";
	q.nr_tees = 1;
}

START_TEST(tee_takes_all_through_the_ring)
{
	begin_tee();
	src.size = src.allocated = 1;
	check_bulk(1);
	ck_assert_uint_eq(plan.depth, 1);
	src.size = src.allocated = GIB;
	src.is_kernel_copy = true;
	q.clone = REQUEST_CLONE_AUTO;
	dst.dev = src.dev;
	dst.ino = 2;
	dst.dio_align = src.dio_align = 0;
	check_bulk(GIB);
	ck_assert_int_eq(plan.src.method, PLAN_INLINE);
	ck_assert(!plan.is_clone);
	ck_assert_uint_eq(plan.depth, PLAN_DEPTH);
}
END_TEST

START_TEST(tee_reads_a_stream_ahead_for_any_destination)
{
	begin_tee();
	src = (struct facts){.kind = FACTS_STREAM, .is_flow = true};
	make();
	ck_assert_int_eq(plan.way, PLAN_BULK);
	ck_assert_int_eq(plan.src.method, PLAN_FEED);
	ck_assert_int_eq(plan.dst.method, PLAN_INLINE);
	q.nr_tees = 0;
	check_record("the source is not seekable");
}
END_TEST

START_TEST(tee_does_not_what_the_ring_cannot)
{
	begin_tee();
	dst.is_append = true;
	check_record("the destination is opened for appending");
}
END_TEST

// A disk with sectors of 4096 bytes, a file in the page cache, and a server.
START_TEST(several_plans_agree_on_their_jobs)
{
	struct plan plans[3], all;
	struct plan *const each[] = {&plans[0], &plans[1], &plans[2]};

	begin_tee();
	src.cached = GIB;
	make();
	plans[0] = plan;
	ck_assert_int_eq(plan.dst.method, PLAN_INLINE);
	dst.kind = FACTS_BLOCK;
	dst.size = 2 * GIB;
	dst.dio_align = dst.sector = 4096;
	make();
	plans[1] = plan;
	ck_assert_int_eq(plan.dst.method, PLAN_AIO);
	dst.kind = FACTS_NBD;
	dst.most = MIB;
	make();
	plans[2] = plan;
	join_plans(each, 3, UINT64_MAX, &all);
	ck_assert_uint_eq(all.job_size, MIB);
	ck_assert_uint_eq(all.depth, PLAN_DEPTH);
	ck_assert(!all.is_any_order); // the file grows as it is written
	ck_assert_uint_eq(all.len, GIB);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(plans[i].job_size, all.job_size);
		ck_assert_uint_eq(plans[i].step % 4096, 0);
		ck_assert_uint_eq(plans[i].depth, all.depth);
	}
	ck_assert(plans[1].is_any_order);
}
END_TEST

static TCase *
tee_tcase(void)
{
	TCase *t = tcase_create("tee");

	tcase_add_checked_fixture(t, begin, NULL);
	tcase_add_test(t, tee_takes_all_through_the_ring);
	tcase_add_test(t, tee_reads_a_stream_ahead_for_any_destination);
	tcase_add_test(t, tee_does_not_what_the_ring_cannot);
	tcase_add_test(t, several_plans_agree_on_their_jobs);
	return t;
}

Suite *
plan_suite(void)
{
	Suite *s = suite_create("plan");

	suite_add_tcase(s, way_tcase());
	suite_add_tcase(s, stretch_tcase());
	suite_add_tcase(s, sides_tcase());
	suite_add_tcase(s, jobs_tcase());
	suite_add_tcase(s, memory_tcase());
	suite_add_tcase(s, destination_tcase());
	suite_add_tcase(s, kernel_tcase());
	suite_add_tcase(s, tee_tcase());
	return s;
}
