// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "operands.h"

#include <string.h>

#include "base.h"
#include "decode.h"
#include "options.h"
#include "parse.h"

static const struct operand_symbol conv_symbols[] = {
	{"ascii", CONV_ASCII, "from EBCDIC to ASCII"},
	{"ebcdic", CONV_EBCDIC, "from ASCII to EBCDIC"},
	{"ibm", CONV_IBM, "from ASCII to alternate EBCDIC"},
	{"block", CONV_BLOCK, "turn lines into records of cbs bytes"},
	{"unblock", CONV_UNBLOCK, "turn records of cbs bytes into lines"},
	{"lcase", CONV_LCASE, "change upper case to lower case"},
	{"ucase", CONV_UCASE, "change lower case to upper case"},
	{"swab", CONV_SWAB, "swap each pair of bytes"},
	{"sparse", CONV_SPARSE, "make holes of blocks that are all zeros"},
	{"sync", CONV_SYNC, "pad each short input block to ibs"},
	{"excl", CONV_EXCL, "fail if the output exists"},
	{"nocreat", CONV_NOCREAT, "do not create the output"},
	{"notrunc", CONV_NOTRUNC, "do not truncate the output"},
	{"noerror", CONV_NOERROR, "continue after read errors"},
	{"fdatasync", CONV_FDATASYNC, "sync the output's data at the end"},
	{"fsync", CONV_FSYNC, "sync its data and metadata at the end"},
	{0},
};

static const struct operand_symbol flag_symbols[] = {
	{"append", FLAG_APPEND, "append to the output (oflag)"},
	{"direct", FLAG_DIRECT, "bypass the page cache"},
	{"directory", FLAG_DIRECTORY, "fail unless the file is a directory"},
	{"dsync", FLAG_DSYNC, "make each write durable"},
	{"sync", FLAG_SYNC, "make each write durable, and its metadata"},
	{"fullblock", FLAG_FULLBLOCK, "read full input blocks (iflag)"},
	{"nonblock", FLAG_NONBLOCK, "do not wait in open, read or write"},
	{"noatime", FLAG_NOATIME, "do not update the access time"},
	{"nocache", FLAG_NOCACHE, "drop what was copied from the page cache"},
	{"noctty", FLAG_NOCTTY, "do not take a controlling terminal"},
	{"nofollow", FLAG_NOFOLLOW, "do not follow symbolic links"},
	{"count_bytes", FLAG_COUNT_BYTES, "count= is in bytes (iflag)"},
	{"skip_bytes", FLAG_SKIP_BYTES, "skip= is in bytes (iflag)"},
	{"seek_bytes", FLAG_SEEK_BYTES, "seek= is in bytes (oflag)"},
	{0},
};

static const struct operand_symbol status_symbols[] = {
	{"none", OPERAND_STATUS_NONE, "only errors"},
	{"noxfer", OPERAND_STATUS_NOXFER, "no transfer line at the end"},
	{"progress", OPERAND_STATUS_PROGRESS, "the transfer line each second"},
	{"bar", OPERAND_STATUS_BAR, "a bar with percent, rate and time left"},
	{"json", OPERAND_STATUS_JSON, "only JSON objects, one per line"},
	{"engine", OPERAND_STATUS_ENGINE, "counters of the I/O at the end"},
	{0},
};

static const struct operand_symbol io_symbols[] = {
	{"auto", REQUEST_IO_AUTO, "whichever is faster"},
	{"aio", REQUEST_IO_AIO, "kernel AIO wherever possible"},
	{"inline", REQUEST_IO_INLINE, "one pread or pwrite at a time"},
	{0},
};

static const struct operand_symbol clone_symbols[] = {
	{"auto", REQUEST_CLONE_AUTO, "share blocks where possible, else copy"},
	{"always", REQUEST_CLONE_ALWAYS, "share blocks, or fail"},
	{"never", REQUEST_CLONE_NEVER, "copy the bytes"},
	{0},
};

static const struct operand_symbol zeros_symbols[] = {
	{"auto", REQUEST_ZEROS_AUTO,
	 "have the device or file system make them, else write them"},
	{"write", REQUEST_ZEROS_WRITE, "write them like data"},
	{"skip", REQUEST_ZEROS_SKIP,
	 "leave them out: the output reads as zeros"},
	{0},
};

static const struct operand_symbol decompress_symbols[] = {
	{"auto", REQUEST_DECOMPRESS_AUTO, "if it is in one of these formats"},
	{"no", REQUEST_DECOMPRESS_NO, "copy it as it is, also onto a disk"},
	{"gz", REQUEST_DECOMPRESS_AS + DECODE_GZ, NULL},
	{"xz", REQUEST_DECOMPRESS_AS + DECODE_XZ, NULL},
	{"zst", REQUEST_DECOMPRESS_AS + DECODE_ZST, NULL},
	{"bz2", REQUEST_DECOMPRESS_AS + DECODE_BZ2, NULL},
	{"lz4", REQUEST_DECOMPRESS_AS + DECODE_LZ4, NULL},
	{0},
};

static const struct operand_symbol commit_symbols[] = {
	{"rename", REQUEST_COMMIT_RENAME,
	 "write a new file, and rename it to the output"},
	{"first-last", REQUEST_COMMIT_FIRST_LAST,
	 "write the first block of the disk last"},
	{0},
};

static const struct operand_symbol force_symbols[] = {
	{"missing", REQUEST_FORCE_MISSING, "create a regular file in /dev"},
	{"system", REQUEST_FORCE_SYSTEM, "the disk of the root file system"},
	{"mounted", REQUEST_FORCE_MOUNTED, "something on it is mounted"},
	{"swap", REQUEST_FORCE_SWAP, "something on it is used as swap"},
	{"holders", REQUEST_FORCE_HOLDERS,
	 "LVM, RAID, device mapper or loop is built on it"},
	{"overlap", REQUEST_FORCE_OVERLAP, "it is or contains the source"},
	{"busy", REQUEST_FORCE_BUSY, "another process has it open exclusively"},
	{"size", REQUEST_FORCE_SIZE, "it is too small"},
	{"unchecked", REQUEST_FORCE_UNCHECKED,
	 "some of these could not be checked"},
	{"map", REQUEST_FORCE_MAP, "the map is of another copy"},
	{"format", REQUEST_FORCE_FORMAT, "the source is packed"},
	{0},
};

static const struct operand_symbol verify_symbols[] = {
	{"yes", OPTIONS_VERIFY_YES, "read the copy back and compare it"},
	{"only", OPTIONS_VERIFY_ONLY, "copy nothing: compare what is there"},
	{"no", OPTIONS_VERIFY_NO, NULL},
	{0},
};

static const struct operand_symbol yes_symbols[] = {
	{"yes", true, NULL},
	{"no", false, NULL},
	{0},
};

#define FIELD(x) .field = offsetof(struct options, x)
#define DD .is_dd = true
#define COMMON .is_common = true
#define SIZE(x, least, most) \
	.parse = parse_size, FIELD(x), .min = least, .max = most
#define AMOUNT(x) .parse = parse_amount, FIELD(x), .max = INT64_MAX
#define SIDE(x) .parse = parse_side, FIELD(request.x)
#define NAME(x) .parse = parse_name, FIELD(x)
#define YES(x) .parse = parse_yes, FIELD(request.x), .symbols = yes_symbols
#define SYMBOLS(x, table, word) \
	.parse = parse_symbols, FIELD(request.x), .symbols = table, .what = word
#define SYMBOL(x) \
	.parse = parse_symbol, FIELD(request.x), .symbols = x##_symbols

static const struct operand operands[] = {
	{"if", "FILE", "read from FILE instead of stdin", OPERAND_DATA, DD,
	 SIDE(src)},
	{"of", "FILE", "write to FILE instead of stdout", OPERAND_DATA, DD,
	 SIDE(dst)},
	{"tee", "FILE", "write to FILE as well; can be given several times",
	 OPERAND_DATA, .parse = parse_tee},
	{"bs", "BYTES", "read and write up to BYTES bytes at a time",
	 OPERAND_BLOCKS, DD, COMMON, SIZE(bs, 1, INT64_MAX - 1)},
	{"ibs", "BYTES", "read up to BYTES bytes at a time (default: 512)",
	 OPERAND_BLOCKS, DD, SIZE(request.ibs, 1, INT64_MAX - 1)},
	{"obs", "BYTES", "write BYTES bytes at a time (default: 512)",
	 OPERAND_BLOCKS, DD, SIZE(request.obs, 1, INT64_MAX - 1)},
	{"cbs", "BYTES", "record length of conv=block and unblock",
	 OPERAND_BLOCKS, DD, SIZE(request.cbs, 1, INT64_MAX)},
	{"count", "N", "copy only N input blocks; 10MiB counts bytes",
	 OPERAND_DATA, DD, COMMON, AMOUNT(count)},
	{"skip", "N", "skip N input blocks first; 10MiB skips bytes",
	 OPERAND_DATA, DD, COMMON, AMOUNT(skip)},
	{"iseek", "N", "same as skip=N", OPERAND_DATA, DD, AMOUNT(skip)},
	{"seek", "N", "skip N output blocks first; 10MiB skips bytes",
	 OPERAND_DATA, DD, COMMON, AMOUNT(seek)},
	{"oseek", "N", "same as seek=N", OPERAND_DATA, DD, AMOUNT(seek)},
	{"decompress", "auto", "decompress the source: gz, xz, zst, bz2 or lz4",
	 OPERAND_DATA, SYMBOL(decompress)},
	{"map", "FILE", "rescue: keep in FILE what is copied, and go on there",
	 OPERAND_DATA, NAME(request.map)},
	{"bmap", "FILE", "read and check only what this block map lists; auto",
	 OPERAND_DATA, NAME(request.bmap)},
	{"obmap", "FILE", "write the block map of the copy to FILE",
	 OPERAND_DATA, NAME(request.obmap)},
	{"retries", "N", "with map=, read bad sectors N times more",
	 OPERAND_DATA, SIZE(request.retries, 0, INT32_MAX)},
	{"shard", "K/N", "copy part K of N; auto: of srun's or mpirun's tasks",
	 OPERAND_DATA, NAME(shard)},
	{"conv", "CONVS", "convert as CONVS say, separated by commas",
	 OPERAND_BLOCKS, DD, SYMBOLS(conv, conv_symbols, "conversion")},
	{"iflag", "FLAGS", "read as FLAGS say, separated by commas",
	 OPERAND_BLOCKS, DD, SYMBOLS(iflags, flag_symbols, "input flag")},
	{"oflag", "FLAGS", "write as FLAGS say, separated by commas",
	 OPERAND_BLOCKS, DD, SYMBOLS(oflags, flag_symbols, "output flag")},
	{"status", "LEVEL", "what to print on stderr: none, progress, ...",
	 OPERAND_OUTPUT, DD, COMMON, .parse = parse_status,
	 .symbols = status_symbols, .what = "status level"},
	{"depth", "N", "keep up to N requests in flight", OPERAND_SPEED,
	 SIZE(request.depth, 1, 1024)},
	{"iosize", "BYTES", "request up to BYTES bytes at a time",
	 OPERAND_SPEED, SIZE(request.iosize, 4 * KIB, GIB)},
	{"io", "HOW", "how to read and write", OPERAND_SPEED, SYMBOL(io)},
	{"threads", "N", "with decompress=, use up to N threads (for xz)",
	 OPERAND_SPEED, SIZE(request.threads, 1, 1024)},
	{"rate", "BYTES", "copy at most BYTES bytes per second", OPERAND_SPEED,
	 SIZE(request.rate, 1, INT64_MAX)},
	{"clone", "WHEN", "share blocks with the source (auto for SRC DST)",
	 OPERAND_SPEED, SYMBOL(clone)},
	{"zeros", "HOW", "how holes, and zeros of conv=sparse, are written",
	 OPERAND_SPEED, SYMBOL(zeros)},
	{"hash", "ALGS", "print digests of what is written: sha256, md5, ...",
	 OPERAND_CHECKS, COMMON, .parse = parse_hashes, FIELD(hashes)},
	{"sums", "FILE", "write digests to FILE as checksum lines; -: stdout",
	 OPERAND_CHECKS, NAME(sums)},
	{"expect", "FILE",
	 "check the source by a file of checksums, or ALG:HEX", OPERAND_CHECKS,
	 COMMON, NAME(expect)},
	{"as", "NAME", "the source's name in files of checksums",
	 OPERAND_CHECKS, NAME(as)},
	{"commit", "MANNER", "rename: only a complete copy replaces the output",
	 OPERAND_SAFETY, COMMON, SYMBOL(commit)},
	{"force", "CHECKS", "overrule these safety checks: mounted, size, ...",
	 OPERAND_SAFETY, COMMON, SYMBOLS(force, force_symbols, NULL)},
	{"connections", "N", "make N connections to an NBD server",
	 OPERAND_SPEED, SIZE(request.connections, 1, 64)},
	{"reconnect", "SECONDS", "wait SECONDS for an NBD server to come back",
	 OPERAND_SPEED, SIZE(request.reconnect, 0, 86400)},
	{"update", "yes", "write only what differs from what is there",
	 OPERAND_SPEED, .parse = parse_yes, FIELD(has_update),
	 .symbols = yes_symbols},
	{"verify", "yes", "compare the copy as read back; only: write nothing",
	 OPERAND_CHECKS, COMMON, .parse = parse_symbol, FIELD(verify),
	 .symbols = verify_symbols},
	{"manifest", "FILE", "digests of the output, kept from run to run",
	 OPERAND_CHECKS, NAME(request.manifest)},
	{"report", "FILE", "write a report to FILE: a page if .html, else JSON",
	 OPERAND_OUTPUT, COMMON, NAME(report)},
	{"plan", "yes", "say what would be done, and do nothing",
	 OPERAND_SAFETY, COMMON, YES(plan_only)},
};

const struct operand *
operands_at(size_t i)
{
	return i < ARRAY_LEN(operands) ? &operands[i] : NULL;
}

const struct operand *
operands_find(const char *name, size_t len, bool is_dd)
{
	for (size_t i = 0; i < ARRAY_LEN(operands); i++)
		if (strlen(operands[i].name) == len &&
		    strncmp(operands[i].name, name, len) == 0 &&
		    (operands[i].is_dd || !is_dd))
			return &operands[i];
	return NULL;
}
