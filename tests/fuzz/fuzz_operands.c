// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The operand parser: any words. What it accepts is a request that the plan
// can be made from.

#include "config.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "facts.h"
#include "fuzz.h"
#include "message.h"
#include "resolve.h"
#include "plan.h"
#include "planner.h"

#define WORDS_MAX 16

static const char *const pieces[] = {
	"if=a", "of=b", "bs=", "ibs=", "obs=", "cbs=", "count=", "skip=",
	"seek=", "conv=", "iflag=", "oflag=", "status=", "depth=", "iosize=",
	"io=", "hash=", "expect=sha256:", "as=", "plan=", "1", "0", "0x", "9",
	"x", "K", "KiB", "MB", "B", "c", "R", ",", "sync", "noerror", "notrunc",
	"sparse", "block", "unblock", "ascii", "ibm", "swab", "lcase",
	"fullblock", "direct", "append", "nocache", "count_bytes", "aio",
	"sha256", "xxh128", "none", "bar", "yes", "--help", "\n", "=", "'",
	"m", "Mb", ".5", " ", "/", "verify", "hahs=", "fsnc", "force=",
	"--help=all",
};

void
fuzz_shape(uint8_t *data, size_t size)
{
	size_t at = 0;

	while (at + 1 < size) {
		const char *piece = pieces[data[at] % (sizeof(pieces) /
						       sizeof(pieces[0]))];
		const size_t len = strlen(piece);

		if (data[at + 1] % 8 == 0) {
			data[at++] = '\0';
			continue;
		}
		if (at + len > size)
			return;
		memcpy(data + at, piece, len);
		at += len;
	}
}

static void
must(int is_true)
{
	if (!is_true)
		abort();
}

static void
check_request(const struct request *q)
{
	const struct facts file = {.kind = FACTS_FILE,
				   .size = (uint64_t)1 << 40,
				   .allocated = (uint64_t)1 << 40,
				   .max_size = UINT64_MAX,
				   .dio_align = 512,
				   .sector = 512,
				   .ino = 1};
	const struct plan_refused none = {.aio_error = 0};
	const struct rest all = {.done = 0};
	struct facts other = file;
	struct plan plan;

	must(q->ibs > 0 && q->obs > 0);
	must(q->skip.bytes < q->ibs && q->seek.bytes < q->obs);
	must(q->count.bytes < q->ibs);
	other.ino = 2;
	other.size = 0;
	planner_make(&plan, q, &all, &file, &other, &none);
	must(plan.way_reason != NULL);
	if (plan.way != PLAN_BULK)
		return;
	must(plan.depth > 0 && plan.job_size > 0 && plan.len > 0);
	must(plan.job_size % plan.step == 0);
	must((uint64_t)plan.depth * plan.job_size <=
	     2 * (uint64_t)PLAN_RING_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options options;
	char *argv[WORDS_MAX + 1];
	char *text = calloc(1, size + 1);
	int argc = 1;

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	char name[] = "aiodd";
	char dd[] = "dd";
	argv[0] = size % 2 ? name : dd;
	for (size_t at = 0; at < size && argc < WORDS_MAX;
	     at += strlen(text + at) + 1)
		argv[argc++] = text + at;
	argv[argc] = NULL;
	optind = 0; // glibc: begin anew
	message_init(argv[0]);
	if (cmdline_parse(&options, argc, argv) == CMDLINE_RUN &&
	    resolve_options(&options) == 0)
		check_request(&options.request);
	cmdline_free(&options);
	free(text);
	return 0;
}
