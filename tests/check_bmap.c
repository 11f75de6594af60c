// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "bmap.h"
#include "suites.h"

static struct bmap m;
static struct bmap_error error;

static void
begin(void)
{
	m = (struct bmap){0};
}

static void
end(void)
{
	bmap_done(&m);
}

static int
parse(const char *text)
{
	bmap_done(&m);
	return bmap_parse(&m, text, strlen(text), &error);
}

static void
check_fault(const char *text, enum bmap_fault fault, const char *word)
{
	ck_assert_int_eq(parse(text), -EINVAL);
	ck_assert_int_eq(error.fault, fault);
	ck_assert_str_eq(error.word, word);
}

static void
check_range(size_t i, uint64_t off, uint64_t len, const char *hex)
{
	char found[DIGEST_HEX_MAX] = "";

	ck_assert_uint_lt(i, m.ranges.nr);
	ck_assert_uint_eq(m.ranges.all[i].off, off);
	ck_assert_uint_eq(m.ranges.all[i].len, len);
	if (m.ranges.all[i].value_size > 0)
		digest_format(m.alg, m.ranges.all[i].value, found);
	ck_assert_str_eq(found, hex);
}

// bmaptool 3.6 create, of 201000 bytes.
#define GOLDEN_0 \
	"6896d9ea3f73a4434f5832bc65714e7d066f177373f36f34dc8a6f735daa41b1"
#define GOLDEN_10 \
	"766c00ba277e84ef9550596c7eda86bad4d66a3fee2255924e6388ee9c272792"
#define GOLDEN_48 \
	"dbccba727ab57c3139e8f9cd07e88b3c571bcfc9d8d2e0ed4707986b00e6953e"
static const char golden[] =
	"<?xml version=\"1.0\" ?>\n"
	"<!-- This file contains the block map for an image file, whi"
	"ch is basically\n"
	"     a list of useful (mapped) block numbers in the image fi"
	"le. In other words,\n"
	"     it lists only those blocks which contain data (boot sec"
	"tor, partition\n"
	"     table, file-system metadata, files, directories, extent"
	"s, etc). These\n"
	"     blocks have to be copied to the target device. The othe"
	"r blocks do not\n"
	"     contain any useful data and do not have to be copied to"
	" the target\n"
	"     device.\n"
	"\n"
	"     The block map an optimization which allows to copy or f"
	"lash the image to\n"
	"     the image quicker than copying of flashing the entire i"
	"mage. This is\n"
	"     because with bmap less data is copied: <MappedBlocksCou"
	"nt> blocks instead\n"
	"     of <BlocksCount> blocks.\n"
	"\n"
	"     Besides the machine-readable data, this file contains u"
	"seful commentaries\n"
	"     which contain human-readable information like image siz"
	"e, percentage of\n"
	"     mapped data, etc.\n"
	"\n"
	"     The 'version' attribute is the block map file format ve"
	"rsion in the\n"
	"     'major.minor' format. The version major number is incre"
	"ased whenever an\n"
	"     incompatible block map format change is made. The minor"
	" number changes\n"
	"     in case of minor backward-compatible changes. -->\n"
	"\n"
	"<bmap version=\"2.0\">\n"
	"    <!-- Image size in bytes: 196.3 KiB -->\n"
	"    <ImageSize> 201000 </ImageSize>\n"
	"\n"
	"    <!-- Size of a block in bytes -->\n"
	"    <BlockSize> 4096 </BlockSize>\n"
	"\n"
	"    <!-- Count of blocks in the image file -->\n"
	"    <BlocksCount> 50 </BlocksCount>\n"
	"\n"
	"    <!-- Count of mapped blocks: 20.0 KiB or 10.0%     -->\n"
	"    <MappedBlocksCount> 5  </MappedBlocksCount>\n"
	"\n"
	"    <!-- Type of checksum used in this file -->\n"
	"    <ChecksumType> sha256 </ChecksumType>\n"
	"\n"
	"    <!-- The checksum of this bmap file. When it is calculat"
	"ed, the value of\n"
	"         the checksum has be zero (all ASCII \"0\" symbols)."
	"  -->\n"
	"    <BmapFileChecksum> 31747df6656f47fb1c83d1fbb78f4f8712f31"
	"669706408fe740522bad701f591 </BmapFileChecksum>\n"
	"\n"
	"    <!-- The block map which consists of elements which may "
	"either be a\n"
	"         range of blocks or a single block. The 'chksum' att"
	"ribute\n"
	"         (if present) is the checksum of this blocks range. -->\n"
	"    <BlockMap>\n"
	"        <Range chksum=\"" GOLDEN_0 "\"> 0 </Range>\n"
	"        <Range chksum=\"" GOLDEN_10 "\"> 10-11 </Range>\n"
	"        <Range chksum=\"" GOLDEN_48 "\"> 48-49 </Range>\n"
	"    </BlockMap>\n"
	"</bmap>\n";

START_TEST(a_map_of_bmaptool_is_read)
{
	ck_assert_int_eq(parse(golden), 0);
	ck_assert_uint_eq(m.major, 2);
	ck_assert_uint_eq(m.minor, 0);
	ck_assert_uint_eq(m.block_size, 4096);
	ck_assert_int_eq(m.alg, DIGEST_SHA256);
	ck_assert_uint_eq(m.nr_digests, m.ranges.nr);
	ck_assert_uint_eq(m.ranges.size, 201000);
	ck_assert_uint_eq(m.ranges.nr, 3);
	check_range(0, 0, 4096, GOLDEN_0);
	check_range(1, 40960, 8192, GOLDEN_10);
	// The last block is shorter.
	check_range(2, 196608, 4392, GOLDEN_48);
	ck_assert_uint_eq(ranges_len(&m.ranges), 16680);
}
END_TEST

START_TEST(one_changed_byte_is_found)
{
	const size_t len = sizeof(golden) - 1;
	char text[sizeof(golden)];

	for (size_t i = 0; i < len; i++) {
		memcpy(text, golden, sizeof(golden));
		text[i] ^= 1;
		bmap_done(&m);
		ck_assert_int_eq(bmap_parse(&m, text, len, &error), -EINVAL);
		bmap_done(&m);
		ck_assert_int_eq(bmap_parse(&m, golden, i, &error), -EINVAL);
	}
	// In a comment.
	memcpy(text, golden, sizeof(golden));
	strstr(text, "useful")[0] = 'U';
	check_fault(text, BMAP_DAMAGED, "");
}
END_TEST

#define HEX_1 "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"

// A map of an old version, which has no checksum of its own.
static const char *
old_map(const char *version, const char *attribute)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		 "<?xml version=\"1.0\" ?>\n<bmap version=\"%s\">\n"
		 "<ImageSize> 10000 </ImageSize><BlockSize> 4096 </BlockSize>"
		 "<BlocksCount> 3 </BlocksCount>"
		 "<MappedBlocksCount> 2 </MappedBlocksCount>"
		 "<BlockMap><Range%s> 0 </Range><Range> 2 - 2 </Range>"
		 "</BlockMap></bmap>\n",
		 version, attribute);
	return text;
}

START_TEST(old_versions_are_read)
{
	ck_assert_int_eq(parse(old_map("1.0", "")), 0);
	ck_assert_uint_eq(m.nr_digests, 0);
	check_range(0, 0, 4096, "");
	check_range(1, 8192, 1808, "");
	ck_assert_int_eq(parse(old_map("1.1", "")), 0);
	ck_assert_int_eq(parse(old_map("1.2", " sha1='" HEX_1 "'")), 0);
	ck_assert_int_eq(m.alg, DIGEST_SHA1);
	ck_assert_uint_gt(m.nr_digests, 0);
	check_range(0, 0, 4096, HEX_1);
	check_range(1, 8192, 1808, "");
}
END_TEST

#define Z8 "00000000"
#define Z32 Z8 Z8 Z8 Z8

// Of what has a checksum of its own, which is all zeros: it is put in.
static void
seal(char *text, enum digest_alg alg)
{
	char hex[DIGEST_HEX_MAX];
	unsigned char found[DIGEST_MAX_SIZE];
	struct digest digest;

	ck_assert_int_eq(digest_init(&digest, alg), 0);
	digest_update(&digest, text, strlen(text));
	ck_assert_int_eq(digest_finish(&digest, found), 0);
	digest_done(&digest);
	digest_format(alg, found, hex);
	memcpy(strstr(text, Z32), hex, strlen(hex));
}

#define HEAD(version)                                              \
	"<?xml version=\"1.0\" ?><bmap version=\"" version "\">"   \
	"<ImageSize> 8192 </ImageSize><BlockSize>4096</BlockSize>" \
	"<BlocksCount>2</BlocksCount>"                             \
	"<MappedBlocksCount>1    </MappedBlocksCount>"
#define TAIL "</BlockMap></bmap>\n"
#define SUM(x) "<BmapFileChecksum>" x "</BmapFileChecksum>"
#define R(x) "<Range>" x "</Range>"

START_TEST(sums_of_all_kinds_are_checked)
{
	static const struct {
		const char *text;
		enum digest_alg alg;
		unsigned minor;
	} maps[] = {
		{HEAD("1.3") "<BmapFileSHA1>" Z32 Z8 "</BmapFileSHA1><BlockMap>"
			     "<Range sha1='" HEX_1 "'>1</Range>" TAIL,
		 DIGEST_SHA1, 3},
		{HEAD("1.4") "<ChecksumType>sha1</ChecksumType>" SUM(Z32 Z8)
			     "<BlockMap><Range chksum='" HEX_1 "'>1</Range>"
			     TAIL,
		 DIGEST_SHA1, 4},
		{HEAD("2.0") "<ChecksumType>sha512</ChecksumType>"
			     SUM(Z32 Z32 Z32 Z32) "<BlockMap>" R("1") TAIL,
		 DIGEST_SHA512, 0},
		{HEAD("2.7") "<ChecksumType> md5 </ChecksumType>" SUM(Z32)
			     "<New><a>1</a></New><BlockMap>" R("1")
			     "<Other>2</Other>" TAIL,
		 DIGEST_MD5, 7},
	};
	char text[1024];

	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		snprintf(text, sizeof(text), "%s", maps[i].text);
		seal(text, maps[i].alg);
		ck_assert_int_eq(parse(text), 0);
		ck_assert_uint_eq(m.minor, maps[i].minor);
		ck_assert_int_eq(m.alg, maps[i].alg);
		ck_assert_uint_eq(m.ranges.all[0].off, 4096);
		*strchr(text, ' ') = '\t';
		check_fault(text, BMAP_DAMAGED, "");
	}
}
END_TEST

#define OLD(size, block, blocks, mapped, ranges)              \
	"<bmap version='1.1'><ImageSize>" size "</ImageSize>" \
	"<BlockSize>" block "</BlockSize>"                    \
	"<BlocksCount>" blocks "</BlocksCount>"               \
	"<MappedBlocksCount>" mapped "</MappedBlocksCount>"   \
	"<BlockMap>" ranges "</BlockMap></bmap>"
#define MAX "9223372036854775807"

#define MAX "9223372036854775807"

// As long as it names none, no algorithm is missed.
START_TEST(a_map_without_digests_needs_none)
{
	ck_assert_int_eq(parse(OLD("10", "2", "5", "2", R("1") R("3"))), 0);
	ck_assert_uint_eq(m.nr_digests, 0);
}
END_TEST

static const struct {
	const char *text;
	enum bmap_fault fault;
	const char *word;
} malformed[] = {
	{"", BMAP_FOREIGN, ""},
	{"disk", BMAP_FOREIGN, ""},
	{"<?xml version='1.0'?><html></html>", BMAP_FOREIGN, ""},
	{"<?xml version='1.0'?><x><bmap/></x>", BMAP_FOREIGN, ""},
	{"-----BEGIN PGP SIGNED MESSAGE-----\n", BMAP_SIGNED, ""},
	{"<bmap version='1.1'>", BMAP_XML, ""},
	{"<bmap version='1.1'><ImageSize></bmap>", BMAP_XML, ""},
	{"<bmap version='1.1'>&x;</bmap>", BMAP_XML, ""},
	{"<?xml version='1.0' ?><!DOCTYPE bmap [<!ENTITY x 'y'>]>"
	 "<bmap version='1.1'></bmap>",
	 BMAP_DOCTYPE, ""},
	{"<?xml version='1.0' ?><!DOCTYPE bmap SYSTEM 'x'><bmap/>",
	 BMAP_DOCTYPE, ""},
	{"<bmap/>", BMAP_MISSING, "version"},
	{"<bmap version='3.0'/>", BMAP_VERSION, "3.0"},
	{"<bmap version='0.9'/>", BMAP_VERSION, "0.9"},
	{"<bmap version='2'/>", BMAP_VERSION, "2"},
	{"<bmap version='2.0b'/>", BMAP_VERSION, "2.0b"},
	{"<bmap version='1.1'></bmap>", BMAP_MISSING, "ImageSize"},
	{"<bmap version='1.1'><ImageSize>1</ImageSize></bmap>", BMAP_MISSING,
	 "BlockSize"},
	{HEAD("1.1") "</bmap>", BMAP_MISSING, "BlockMap"},
	{HEAD("2.0") "<BlockMap>" TAIL, BMAP_MISSING, "ChecksumType"},
	{HEAD("1.3") "<BlockMap>" TAIL, BMAP_MISSING, "BmapFileSHA1"},
	{HEAD("2.0") "<ChecksumType>sha256</ChecksumType><BlockMap>" TAIL,
	 BMAP_MISSING, "BmapFileChecksum"},
	{HEAD("2.0") "<ChecksumType>crc32</ChecksumType>"
		     "<BmapFileChecksum>0</BmapFileChecksum><BlockMap>" TAIL,
	 BMAP_ALGORITHM, "crc32"},
	{HEAD("2.0") "<ChecksumType>sha256</ChecksumType>"
		     "<BmapFileChecksum></BmapFileChecksum><BlockMap>" TAIL,
	 BMAP_VALUE, "BmapFileChecksum"},
	{HEAD("2.0") "<ChecksumType>sha256</ChecksumType>"
		     "<BmapFileChecksum>" HEX_1
		     "</BmapFileChecksum><BlockMap>" TAIL,
	 BMAP_VALUE, "BmapFileChecksum"},
	{OLD("-1", "4096", "1", "1", R("0")), BMAP_VALUE, "ImageSize"},
	{OLD("1e3", "4096", "1", "1", R("0")), BMAP_VALUE, "ImageSize"},
	{OLD("", "4096", "1", "1", R("0")), BMAP_VALUE, "ImageSize"},
	{OLD("9223372036854775808", "4096", "1", "1", R("0")), BMAP_VALUE,
	 "ImageSize"},
	{OLD("4096", "<b>4096</b>", "1", "1", R("0")), BMAP_VALUE, "b"},
	{OLD("4096", "4096</BlockSize><BlockSize>1", "1", "1", R("0")),
	 BMAP_VALUE, "BlockSize"},
	{OLD("4096", "0", "1", "1", R("0")), BMAP_BLOCKS, "BlocksCount"},
	{OLD("4097", "4096", "1", "1", R("0")), BMAP_BLOCKS, "BlocksCount"},
	{OLD("4096", "4096", "2", "1", R("0")), BMAP_BLOCKS, "BlocksCount"},
	{OLD("4096", "4096", "1", "2", R("0")), BMAP_BLOCKS,
	 "MappedBlocksCount"},
	{OLD("4096", "4096", "1", "1", R("1")), BMAP_BLOCKS, "BlockMap"},
	{OLD(MAX, "1", MAX, MAX, R("1-" MAX)), BMAP_BLOCKS, "BlockMap"},
	{OLD("9000", "4096", "3", "2", R("1-0")), BMAP_RANGE, ""},
	{OLD("9000", "4096", "3", "2", R("1") R("0")), BMAP_RANGE, ""},
	{OLD("9000", "4096", "3", "3", R("0-1") R("1")), BMAP_RANGE, ""},
	{OLD("9000", "4096", "3", "1", R("")), BMAP_RANGE, ""},
	{OLD("9000", "4096", "3", "1", R("-")), BMAP_RANGE, ""},
	{OLD("9000", "4096", "3", "1", R("0-")), BMAP_RANGE, ""},
	{OLD("9000", "4096", "3", "1", R("-1")), BMAP_RANGE, ""},
	{OLD("9000", "4096", "3", "1", R("0-1-2")), BMAP_RANGE, ""},
	{OLD("9000", "4096", "3", "1", R("0x1")), BMAP_RANGE, ""},
	{OLD("9000", "4096", "3", "1", R("0-9223372036854775808")), BMAP_RANGE,
	 ""},
};

START_TEST(what_is_malformed_is_refused)
{
	check_fault(malformed[_i].text, malformed[_i].fault,
		    malformed[_i].word);
}
END_TEST

START_TEST(a_value_may_stand_on_a_line_of_its_own)
{
	ck_assert_int_eq(parse(OLD(" \n\t10\n", "2", "5", "2", R("1") R("3"))),
			 0);
	ck_assert_uint_eq(m.ranges.size, 10);
}
END_TEST

START_TEST(digests_of_ranges_must_be_digests)
{
	check_fault(old_map("1.2", " sha1=''"), BMAP_VALUE, "sha1");
	check_fault(old_map("1.2", " sha1='0g'"), BMAP_VALUE, "sha1");
	check_fault(old_map("1.2", " sha1='123'"), BMAP_VALUE, "sha1");
	check_fault(old_map("1.2", " sha1='1234'"), BMAP_VALUE, "sha1");
	ck_assert_int_eq(error.line, 0);
	// Before that version it says nothing.
	ck_assert_int_eq(parse(old_map("1.1", " sha1='1234'")), 0);
}
END_TEST

START_TEST(the_line_is_told)
{
	check_fault("<bmap version='1.1'>\n<ImageSize>\nx</ImageSize>",
		    BMAP_VALUE, "ImageSize");
	ck_assert_uint_eq(error.line, 3);
}
END_TEST

START_TEST(the_largest_image_fits)
{
	ck_assert_int_eq(
		parse(OLD(MAX, "1", MAX, MAX, R("0-9223372036854775806"))), 0);
	check_range(0, 0, INT64_MAX, "");
	ck_assert_int_eq(parse(OLD(MAX, MAX, "1", "1", R("0"))), 0);
	check_range(0, 0, INT64_MAX, "");
	ck_assert_int_eq(parse(OLD("1", MAX, "1", "1", R("0"))), 0);
	check_range(0, 0, 1, "");
	ck_assert_int_eq(parse(OLD("0", "4096", "0", "0", "")), 0);
	ck_assert_uint_eq(m.ranges.nr, 0);
}
END_TEST

START_TEST(what_is_printed_is_read_again)
{
	struct ranges ranges = {.size = 201000};
	struct ranges_one one = {.len = 4096, .value_size = 32};
	char *text;
	size_t len;

	memset(one.value, 0xab, 32);
	ck_assert_int_eq(ranges_add(&ranges, &one), 0);
	one = (struct ranges_one){.off = 196608, .len = 4392, .value_size = 32};
	ck_assert_int_eq(ranges_add(&ranges, &one), 0);
	ck_assert_int_eq(bmap_print(&text, &len, &ranges), 0);
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_ptr_nonnull(strstr(text, "\"> 0 </Range>\n"));
	ck_assert_ptr_nonnull(strstr(text, "\"> 48-49 </Range>\n"));
	ck_assert_int_eq(parse(text), 0);
	ck_assert_uint_eq(m.major, 2);
	ck_assert_uint_eq(m.ranges.size, 201000);
	ck_assert_uint_eq(m.ranges.nr, 2);
	check_range(0, 0, 4096,
		    "abababababababababababababababab"
		    "abababababababababababababababab");
	check_range(1, 196608, 4392,
		    "00000000000000000000000000000000"
		    "00000000000000000000000000000000");
	free(text);
	ranges_done(&ranges);
}
END_TEST

START_TEST(many_ranges_are_printed)
{
	enum { NR = 5000 };
	struct ranges ranges = {.size = NR * 8192};
	struct ranges_one one = {.len = 4096, .value_size = 32};
	char *text;
	size_t len;

	for (one.off = 0; one.off < ranges.size; one.off += 8192)
		ck_assert_int_eq(ranges_add(&ranges, &one), 0);
	ck_assert_int_eq(bmap_print(&text, &len, &ranges), 0);
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_int_eq(parse(text), 0);
	ck_assert_uint_eq(m.ranges.nr, NR);
	free(text);
	ranges_done(&ranges);
}
END_TEST

START_TEST(a_run_ends_where_a_range_does)
{
	bool is_in;

	ck_assert_int_eq(parse(golden), 0);
	ck_assert_uint_eq(ranges_run(&m.ranges, 0, 9999, &is_in), 4096);
	ck_assert(is_in);
	ck_assert_uint_eq(ranges_run(&m.ranges, 4096, 99999, &is_in), 36864);
	ck_assert(!is_in);
	ck_assert_uint_eq(ranges_run(&m.ranges, 40961, 100, &is_in), 100);
	ck_assert(is_in);
	ck_assert_uint_eq(ranges_run(&m.ranges, 201000, 77, &is_in), 77);
	ck_assert(!is_in);
	ck_assert_uint_eq(ranges_find(&m.ranges, 49151), 1);
	ck_assert_uint_eq(ranges_find(&m.ranges, 49152), 2);
}
END_TEST

START_TEST(what_is_in_no_range_is_blanked)
{
	unsigned char buf[12];

	ck_assert_int_eq(parse(OLD("10", "2", "5", "2", R("1") R("3"))), 0);
	memset(buf, 7, sizeof(buf));
	ranges_blank(&m.ranges, 1, buf, sizeof(buf));
	ck_assert_mem_eq(buf, "\0\7\7\0\0\7\7\0\0\0\0\0", 12);
}
END_TEST

Suite *
bmap_suite(void)
{
	Suite *s = suite_create("bmap");
	TCase *t = tcase_create("bmap");

	tcase_add_checked_fixture(t, begin, end);
	if (bmap_is_available())
		tcase_add_test(t, a_map_without_digests_needs_none);
	if (bmap_is_available() && digest_is_available(DIGEST_SHA256)) {
		tcase_add_test(t, a_map_of_bmaptool_is_read);
		tcase_add_test(t, one_changed_byte_is_found);
		tcase_add_test(t, old_versions_are_read);
		tcase_add_test(t, sums_of_all_kinds_are_checked);
		tcase_add_loop_test(t, what_is_malformed_is_refused, 0,
				    ARRAY_LEN(malformed));
		tcase_add_test(t, a_value_may_stand_on_a_line_of_its_own);
		tcase_add_test(t, digests_of_ranges_must_be_digests);
		tcase_add_test(t, the_line_is_told);
		tcase_add_test(t, the_largest_image_fits);
		tcase_add_test(t, what_is_printed_is_read_again);
		tcase_add_test(t, many_ranges_are_printed);
		tcase_add_test(t, a_run_ends_where_a_range_does);
		tcase_add_test(t, what_is_in_no_range_is_blanked);
	}
	suite_add_tcase(s, t);
	return s;
}
