// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "describe.h"
#include "digest.h"
#include "message.h"
#include "quote.h"

struct symbol {
	const char *name;
	unsigned value;
	const char *help;
};

static const struct symbol conv_symbols[] = {
	{"ascii", CONV_ASCII, "from EBCDIC to ASCII"},
	{"ebcdic", CONV_EBCDIC, "from ASCII to EBCDIC"},
	{"ibm", CONV_IBM, "from ASCII to alternate EBCDIC"},
	{"block", CONV_BLOCK, "lines become records of cbs bytes"},
	{"unblock", CONV_UNBLOCK, "records of cbs bytes become lines"},
	{"lcase", CONV_LCASE, "upper case becomes lower case"},
	{"ucase", CONV_UCASE, "lower case becomes upper case"},
	{"swab", CONV_SWAB, "swap each pair of bytes"},
	{"sparse", CONV_SPARSE, "leave holes where a block is all zeros"},
	{"sync", CONV_SYNC, "pad each short input block to ibs"},
	{"excl", CONV_EXCL, "fail if the output exists"},
	{"nocreat", CONV_NOCREAT, "do not create the output"},
	{"notrunc", CONV_NOTRUNC, "do not cut the output"},
	{"noerror", CONV_NOERROR, "go on after read errors"},
	{"fdatasync", CONV_FDATASYNC, "at the end sync the output's data"},
	{"fsync", CONV_FSYNC, "and its metadata too"},
	{0},
};

static const struct symbol flag_symbols[] = {
	{"append", FLAG_APPEND, "append to the output"},
	{"direct", FLAG_DIRECT, "go around the page cache"},
	{"directory", FLAG_DIRECTORY, "fail unless it is a directory"},
	{"dsync", FLAG_DSYNC, "each write is durable"},
	{"sync", FLAG_SYNC, "likewise, metadata too"},
	{"fullblock", FLAG_FULLBLOCK, "collect full input blocks (iflag)"},
	{"nonblock", FLAG_NONBLOCK, "do not wait in open, read or write"},
	{"noatime", FLAG_NOATIME, "leave the access time"},
	{"nocache", FLAG_NOCACHE, "give the pages of the cache back"},
	{"noctty", FLAG_NOCTTY, "take no controlling terminal"},
	{"nofollow", FLAG_NOFOLLOW, "follow no symbolic link"},
	{"count_bytes", FLAG_COUNT_BYTES, "count= is in bytes (iflag)"},
	{"skip_bytes", FLAG_SKIP_BYTES, "skip= is in bytes (iflag)"},
	{"seek_bytes", FLAG_SEEK_BYTES, "seek= is in bytes (oflag)"},
	{0},
};

enum {
	STATUS_NONE,
	STATUS_NOXFER,
	STATUS_PROGRESS,
	STATUS_BAR,
	STATUS_JSON,
	STATUS_ENGINE,
};

// The first NR_DD_STATUS are dd's.
enum { NR_DD_STATUS = 3 };
static const struct symbol status_symbols[] = {
	{"none", STATUS_NONE, "only errors"},
	{"noxfer", STATUS_NOXFER, "no transfer line at the end"},
	{"progress", STATUS_PROGRESS, "the transfer line once a second"},
	{"bar", STATUS_BAR, "a bar with percent, rate and time left"},
	{"json", STATUS_JSON, "nothing but JSON objects, one a line"},
	{"engine", STATUS_ENGINE, "the counters of the engine at the end"},
	{0},
};

static const struct symbol io_symbols[] = {
	{"auto", REQUEST_IO_AUTO, "as the plan decides"},
	{"aio", REQUEST_IO_AIO, "kernel AIO wherever it can be done"},
	{"inline", REQUEST_IO_INLINE, "one pread or pwrite at a time"},
	{0},
};

static const struct symbol clone_symbols[] = {
	{"auto", REQUEST_CLONE_AUTO, "share the blocks where that can be done"},
	{"always", REQUEST_CLONE_ALWAYS, "or fail"},
	{"never", REQUEST_CLONE_NEVER, "copy the bytes"},
	{0},
};

static const struct symbol commit_symbols[] = {
	{"rename", REQUEST_COMMIT_RENAME, "a new file takes the name"},
	{"first-last", REQUEST_COMMIT_FIRST_LAST,
	 "the disk gets the first block last"},
	{0},
};

static const struct symbol force_symbols[] = {
	{"missing", REQUEST_FORCE_MISSING, "create a file in /dev"},
	{"system", REQUEST_FORCE_SYSTEM, "the disk under the root"},
	{"mounted", REQUEST_FORCE_MOUNTED, "something on it is mounted"},
	{"swap", REQUEST_FORCE_SWAP, "something on it is swapped to"},
	{"holders", REQUEST_FORCE_HOLDERS, "LVM, md, dm or loop is upon it"},
	{"overlap", REQUEST_FORCE_OVERLAP, "it is or holds the source"},
	{"busy", REQUEST_FORCE_BUSY, "others have it exclusively"},
	{"size", REQUEST_FORCE_SIZE, "it is too small"},
	{"unchecked", REQUEST_FORCE_UNCHECKED, "some of it cannot be seen"},
	{0},
};

struct operand {
	const char *name;
	const char *value;         // as --help shows it
	bool is_dd;                // dd has it
	int (*parse)(struct options *options, const struct operand *operand,
		     const char *text);
	size_t field;              // in struct options
	uint64_t min, max;         // of a number
	const struct symbol *symbols;
	const char *what;          // "conversion", for a wrong symbol
	const char *help;
};

static void *
field_of(struct options *options, const struct operand *operand)
{
	return (char *)options + operand->field;
}

static int
wrong_number(const char *text, int error)
{
	char *quoted = quote_name_always(text);

	message_error(error, "invalid number: %s", quoted ? quoted : "?");
	free(quoted);
	return -EINVAL;
}

static int
parse_number(const char *text, struct units_number *ret)
{
	const int r = units_parse(text, ret);

	if (r == 0 && ret->has_zero_factor) {
		char *is = quote_symbol("0x", 2), *use = quote_symbol("00x", 3);

		message_error(0,
			      "warning: %s is a zero multiplier; use %s if "
			      "that is intended", is ? is : "0x",
			      use ? use : "00x");
		free(is);
		free(use);
	}
	return r;
}

// A number within the bounds of its operand.
static int
parse_bounded(const struct operand *operand, const char *text,
	      struct units_number *ret)
{
	int r = parse_number(text, ret);

	if (r == 0 && ret->value > operand->max)
		r = -EOVERFLOW;
	if (r == 0 && ret->value >= operand->min)
		return 0;
	if (operand->is_dd)
		return wrong_number(text, r == -EOVERFLOW ? EOVERFLOW : 0);
	char *quoted = quote_name_colon(text);

	message_error(0, "%s=%s: not a number from %" PRIu64 " to %" PRIu64,
		      operand->name, quoted ? quoted : "?", operand->min,
		      operand->max);
	free(quoted);
	return -EINVAL;
}

static int
parse_size(struct options *options, const struct operand *operand,
	   const char *text)
{
	struct units_number number;
	uint64_t *field = field_of(options, operand);

	if (parse_bounded(operand, text, &number) < 0)
		return -EINVAL;
	*field = number.value;
	return 0;
}

static int
parse_extent(struct options *options, const struct operand *operand,
	     const char *text)
{
	return parse_bounded(operand, text, field_of(options, operand));
}

static int
parse_count(struct options *options, const struct operand *operand,
	    const char *text)
{
	options->has_count = true;
	return parse_extent(options, operand, text);
}

static int
given_twice(const char *which, const char *one, const char *other)
{
	char *a = quote_name_always(one), *b = quote_name_always(other);

	message_error(0, "%s is given twice: %s and %s", which, a ? a : "?",
		      b ? b : "?");
	free(a);
	free(b);
	return -EINVAL;
}

static int
parse_name(struct options *options, const struct operand *operand,
	   const char *text)
{
	const char **field = field_of(options, operand);

	*field = text;
	return 0;
}

// Of two that are given so, the last one counts, as in dd; a bare name is
// beside it by mistake.
static int
parse_side(struct options *options, const struct operand *operand,
	   const char *text)
{
	const bool is_src = operand->field == offsetof(struct options,
						       request.src);
	const char **field = field_of(options, operand);

	if (options->nr_names > (is_src ? 0 : 1))
		return given_twice(is_src ? "the source" : "the destination",
				   *field ? *field : "-", text);
	*field = text;
	return 0;
}

static int
wrong_symbol(const char *what, const char *text, size_t len)
{
	char *quoted = quote_symbol(text, len);

	message_error(0, "invalid %s: %s", what, quoted ? quoted : "?");
	message_usage_hint();
	free(quoted);
	return -EINVAL;
}

// The next word of a comma-separated list, and where the one after it
// begins; NULL: it was the last.
static const struct symbol *
take_symbol(const struct symbol *symbols, const char **text, size_t *ret_len)
{
	const size_t len = strcspn(*text, ",");
	const char *word = *text;

	*ret_len = len;
	*text = word[len] == ',' ? word + len + 1 : NULL;
	for (; symbols->name != NULL; symbols++)
		if (strlen(symbols->name) == len &&
		    strncmp(symbols->name, word, len) == 0)
			return symbols;
	return NULL;
}

static int
parse_symbols(struct options *options, const struct operand *operand,
	      const char *text)
{
	unsigned *field = field_of(options, operand);

	while (text != NULL) {
		size_t len;
		const char *word = text;
		const struct symbol *symbol =
			take_symbol(operand->symbols, &text, &len);

		if (symbol == NULL)
			return wrong_symbol(operand->what, word, len);
		*field |= symbol->value;
	}
	return 0;
}

static int
parse_hashes(struct options *options, const struct operand *operand,
	     const char *text)
{
	while (text != NULL) {
		const size_t len = strcspn(text, ",");
		enum digest_alg alg;

		if (!digest_find(text, len, &alg))
			return wrong_symbol(operand->what, text, len);
		options->hashes |= 1U << alg;
		text = text[len] == ',' ? text + len + 1 : NULL;
	}
	return 0;
}

static void
set_status(struct options *options, unsigned status)
{
	if (status == STATUS_ENGINE) {
		options->is_engine_shown = true;
		return;
	}
	options->is_json = status == STATUS_JSON;
	options->level = status == STATUS_NONE || options->is_json
				 ? REPORT_NONE
			 : status == STATUS_NOXFER ? REPORT_NOXFER
						   : REPORT_ALL;
	options->progress = status == STATUS_PROGRESS ? OPTIONS_PROGRESS
			    : status == STATUS_BAR    ? OPTIONS_BAR
						      : OPTIONS_NO_PROGRESS;
}

// The last one wins, within a list too.
static int
parse_status(struct options *options, const struct operand *operand,
	     const char *text)
{
	while (text != NULL) {
		size_t len;
		const char *word = text;
		const struct symbol *symbol =
			take_symbol(operand->symbols, &text, &len);

		if (symbol == NULL ||
		    (options->request.is_dd &&
		     symbol >= operand->symbols + NR_DD_STATUS))
			return wrong_symbol(operand->what, word, len);
		set_status(options, symbol->value);
	}
	return 0;
}

// One word of the table.
static int
parse_word_of(struct options *options, const struct operand *operand,
	      const char *text)
{
	size_t len;
	const char *rest = text;
	const struct symbol *symbol = take_symbol(operand->symbols, &rest,
						  &len);

	if (symbol == NULL || rest != NULL)
		return wrong_symbol(operand->what, text, strlen(text));
	*(unsigned *)field_of(options, operand) = symbol->value;
	return 0;
}

static int
parse_yes(struct options *options, const struct operand *operand,
	  const char *text)
{
	bool *field = field_of(options, operand);

	*field = strcmp(text, "yes") == 0;
	if (!*field && strcmp(text, "no") != 0)
		return wrong_symbol(operand->what, text, strlen(text));
	return 0;
}

#define FIELD(x) offsetof(struct options, x)
#define SIZE(x, least, most) \
	.parse = parse_size, .field = FIELD(x), .min = least, .max = most
#define EXTENT(x) .parse = parse_extent, .field = FIELD(x), .max = INT64_MAX
#define SIDE(x) .parse = parse_side, .field = FIELD(request.x)
#define SYMBOLS(x, table, word) \
	.parse = parse_symbols, .field = FIELD(request.x), .symbols = table, \
	.what = word

#define WORD(x, table) \
	.parse = parse_word_of, .field = FIELD(request.x), .symbols = table, \
	.what = #x

// In the order of --help and the manual.
static const struct operand operands[] = {
	{"if", "FILE", true, SIDE(src), .help = "read from FILE, not stdin"},
	{"of", "FILE", true, SIDE(dst), .help = "write to FILE, not stdout"},
	{"bs", "BYTES", true, SIZE(bs, 1, INT64_MAX - 1),
	 .help = "read and write so many at a time"},
	{"ibs", "BYTES", true, SIZE(request.ibs, 1, INT64_MAX - 1),
	 .help = "read so many at a time (512)"},
	{"obs", "BYTES", true, SIZE(request.obs, 1, INT64_MAX - 1),
	 .help = "write so many at a time (512)"},
	{"cbs", "BYTES", true, SIZE(request.cbs, 1, INT64_MAX),
	 .help = "record length of conv=block and unblock"},
	{"count", "N", true, .parse = parse_count, .field = FIELD(count),
	 .max = INT64_MAX, .help = "copy only N input blocks"},
	{"skip", "N", true, EXTENT(skip), .help = "skip N input blocks first"},
	{"iseek", "N", true, EXTENT(skip), .help = "the same"},
	{"seek", "N", true, EXTENT(seek), .help = "skip N output blocks first"},
	{"oseek", "N", true, EXTENT(seek), .help = "the same"},
	{"conv", "CONVS", true, SYMBOLS(conv, conv_symbols, "conversion"),
	 .help = "convert, as the list says"},
	{"iflag", "FLAGS", true, SYMBOLS(iflags, flag_symbols, "input flag"),
	 .help = "read as the list says"},
	{"oflag", "FLAGS", true, SYMBOLS(oflags, flag_symbols, "output flag"),
	 .help = "write as the list says"},
	{"status", "LEVEL", true, .parse = parse_status,
	 .symbols = status_symbols, .what = "status level",
	 .help = "what to print on stderr"},
	{"depth", "N", false, SIZE(request.depth, 1, 1024),
	 .help = "jobs in the ring (default: the plan's)"},
	{"iosize", "BYTES", false, SIZE(request.iosize, 4 * KIB, GIB),
	 .help = "bytes of a job (default: the plan's)"},
	{"io", "HOW", false, WORD(io, io_symbols),
	 .help = "how requests are carried out"},
	{"rate", "BYTES", false, SIZE(request.rate, 1, INT64_MAX),
	 .help = "copy at most so many bytes a second"},
	{"clone", "WHEN", false, WORD(clone, clone_symbols),
	 .help = "share blocks with the source (auto for SRC DST)"},
	{"hash", "ALGS", false, .parse = parse_hashes, .what = "hash",
	 .help = "digests of what is written, as the list says"},
	{"sums", "FILE", false, .parse = parse_name, .field = FIELD(sums),
	 .help = "write them to FILE as checksum lines; -: stdout"},
	{"expect", "WHAT", false, .parse = parse_name, .field = FIELD(expect),
	 .help = "ALG:HEX, or a file of checksums, of the source"},
	{"as", "NAME", false, .parse = parse_name, .field = FIELD(as),
	 .help = "the name to look for in expect=, and to write"},
	{"commit", "MANNER", false, WORD(commit, commit_symbols),
	 .help = "the copy counts once it is whole and durable"},
	{"force", "CHECKS", false, SYMBOLS(force, force_symbols,
					   "safety check"),
	 .help = "write to a block device in spite of these"},
	{"verify", "yes", false, .parse = parse_yes,
	 .field = FIELD(request.verify), .what = "verify",
	 .help = "read the copy back from the medium, and compare"},
	{"report", "FILE", false, .parse = parse_name, .field = FIELD(report),
	 .help = "write all there is to say as JSON; .html: as a page"},
	{"plan", "yes", false, .parse = parse_yes,
	 .field = FIELD(request.plan_only), .what = "plan",
	 .help = "print each decision with its reason, and stop"},
};

static bool
is_known(const struct options *options, const struct operand *operand)
{
	return operand->is_dd || !options->request.is_dd;
}

static int
unrecognized(const char *word)
{
	char *quoted = quote_name_always(word);

	message_error(0, "unrecognized operand %s", quoted ? quoted : "?");
	message_usage_hint();
	free(quoted);
	return -EINVAL;
}

// SRC and DST, without a name; "-" is standard input or output.
static int
parse_bare(struct options *options, const char *word)
{
	struct request *q = &options->request;
	const char **field = options->nr_names == 0 ? &q->src : &q->dst;

	if (q->is_dd || options->nr_names == 2)
		return unrecognized(word);
	if (*field != NULL)
		return given_twice(options->nr_names == 0 ? "the source"
							  : "the destination",
				   *field, word);
	options->nr_names++;
	if (strcmp(word, "-") != 0)
		*field = word;
	return 0;
}

static int
parse_word(struct options *options, const char *word)
{
	const char *value = strchr(word, '=');
	struct units_number ignored;

	if (value == NULL)
		return parse_bare(options, word);
	for (size_t i = 0; i < ARRAY_LEN(operands); i++) {
		const struct operand *operand = &operands[i];

		if (strlen(operand->name) == (size_t)(value - word) &&
		    strncmp(operand->name, word, (size_t)(value - word)) == 0 &&
		    is_known(options, operand))
			return operand->parse(options, operand, value + 1);
	}
	// dd takes it for a number before it looks at the name, and warns.
	(void)parse_number(value + 1, &ignored);
	return unrecognized(word);
}

static void
help_symbols(const char *title, const struct symbol *symbols, size_t most)
{
	printf("\n%s:\n", title);
	for (size_t i = 0; i < most && symbols[i].name != NULL; i++)
		printf("  %-12s %s\n", symbols[i].name, symbols[i].help);
}

static void
help_digests(void)
{
	printf("\nALGS:\n");
	for (enum digest_alg alg = 0; alg < DIGEST_NR; alg++)
		printf("  %-12s %s\n", digest_name(alg),
		       alg == DIGEST_XXH128 ? "fast, against accidents only"
					    : "");
}

static void
help_operands(bool is_dd)
{
	for (size_t i = 0; i < ARRAY_LEN(operands); i++) {
		char word[32];

		if (operands[i].is_dd != is_dd)
			continue;
		snprintf(word, sizeof(word), "%s=%s", operands[i].name,
			 operands[i].value);
		printf("  %-14s %s\n", word, operands[i].help);
	}
}

static enum options_verdict
show_help(const struct options *options)
{
	const bool is_dd = options->request.is_dd;

	printf("Usage: %s [OPERAND]...\n", message_name());
	if (!is_dd)
		printf("  or:  %s [OPERAND]... SRC DST\n", message_name());
	printf("  or:  %s OPTION\n"
	       "Copy a file, converting and counting as the operands say.\n\n",
	       message_name());
	help_operands(true);
	if (!is_dd) {
		printf("\nBeyond dd:\n");
		help_operands(false);
	}
	printf("\nN and BYTES may have a suffix: c=1, w=2, b=512, kB=1000, "
	       "K=1024, MB, M, and\nso on for G T P E Z Y R Q; KiB=K. "
	       "Factors are joined by x. With a B, as in\n\"100KiB\", N "
	       "counts bytes, not blocks.\n");
	help_symbols("CONVS", conv_symbols, SIZE_MAX);
	help_symbols("FLAGS", flag_symbols, SIZE_MAX);
	help_symbols("LEVEL", status_symbols, is_dd ? NR_DD_STATUS : SIZE_MAX);
	if (!is_dd) {
		help_symbols("HOW", io_symbols, SIZE_MAX);
		help_symbols("WHEN", clone_symbols, SIZE_MAX);
		help_symbols("CHECKS", force_symbols, SIZE_MAX);
		help_symbols("MANNER", commit_symbols, SIZE_MAX);
		help_digests();
	}
	printf("\nSIGUSR1 makes a running copy print its statistics.\n\n"
	       "  --help     print this and exit\n"
	       "  --version  print the version and exit\n");
	return describe_flush() < 0 ? OPTIONS_WRONG : OPTIONS_SHOWN;
}

static enum options_verdict
show_version(const struct options *options)
{
	printf("%s%s\n", options->request.is_dd ? "dd (aiodd) " : "aiodd ",
	       PACKAGE_VERSION);
	printf("License GPLv3+: GNU GPL version 3 or later.\n"
	       "This is free software; there is no warranty.\n");
	return describe_flush() < 0 ? OPTIONS_WRONG : OPTIONS_SHOWN;
}

// For the test that holds the manual against the table.
static enum options_verdict
show_operands(void)
{
	for (size_t i = 0; i < ARRAY_LEN(operands); i++)
		printf("%s=\n", operands[i].name);
	return describe_flush() < 0 ? OPTIONS_WRONG : OPTIONS_SHOWN;
}

enum options_verdict
options_parse(struct options *options, int argc, char **argv)
{
	// dd does not have the first.
	static const struct option long_options[] = {
		{"list-operands", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{0},
	};
	const char *slash = strrchr(argv[0], '/');

	*options = (struct options){.level = REPORT_ALL};
	const bool is_dd = strcmp(slash ? slash + 1 : argv[0], "dd") == 0;
	options->request.is_dd = is_dd;
	switch (getopt_long(argc, argv, "", long_options + is_dd, NULL)) {
	case -1:
		break;
	case 'h':
		return show_help(options);
	case 'v':
		return show_version(options);
	case 'l':
		return show_operands();
	default:
		message_usage_hint();
		return OPTIONS_WRONG;
	}
	for (int i = optind; i < argc; i++)
		if (parse_word(options, argv[i]) < 0)
			return OPTIONS_WRONG;
	// Known, but not for the output.
	if (options->request.oflags & FLAG_FULLBLOCK) {
		wrong_symbol("output flag", "fullblock", 9);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}
