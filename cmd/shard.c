// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "shard.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "event.h"
#include "hooks.h"
#include "kinds.h"
#include "message.h"
#include "nbd_side.h"
#include "options.h"
#include "plan.h"
#include "probe.h"
#include "quote.h"
#include "side.h"
#include "wording.h"

#define SHARD_MAX 1000000 // processes

struct shard {
	uint64_t nr;    // from 0
	uint64_t of;
};

// What launchers tell each of the processes that they start.
static const struct {
	const char *rank, *size;
} launchers[] = {
	{"SLURM_PROCID", "SLURM_NTASKS"},
	{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
	{"PMI_RANK", "PMI_SIZE"},
};

static bool
take_number(const char **text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoumax(*text, &end, 10);
	const bool is_number = **text >= '0' && **text <= '9' && errno == 0;
	*text = end;
	return is_number;
}

static bool
parse_number(const char *text, uint64_t *ret)
{
	return text != NULL && take_number(&text, ret) && *text == '\0';
}

static bool
is_possible(const struct shard *shard)
{
	return shard->nr < shard->of && shard->of <= SHARD_MAX;
}

static int
find_launcher(struct shard *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(launchers); i++)
		if (parse_number(getenv(launchers[i].rank), &ret->nr) &&
		    parse_number(getenv(launchers[i].size), &ret->of) &&
		    is_possible(ret))
			return 0;
	message_error(0, "shard=auto: started neither by srun nor by mpirun: "
			 "no SLURM_PROCID, OMPI_COMM_WORLD_RANK or PMI_RANK; "
			 "give shard=K/N");
	return -ENOENT;
}

static int
parse(const char *text, struct shard *ret)
{
	const char *rest = text;

	if (strcmp(text, "auto") == 0)
		return find_launcher(ret);
	if (take_number(&rest, &ret->nr) && *rest++ == '/' &&
	    parse_number(rest, &ret->of) && ret->nr-- > 0 && is_possible(ret))
		return 0;
	char *quoted = quote_name_always(text);
	message_error(0, "shard=: %s is neither auto nor K/N, part K of N",
		      quoted);
	free(quoted);
	return -EINVAL;
}

static void
on_notice(void *ctx, const struct event *f)
{
	(void)ctx;
	wording_tell(f);
}

// No signal is taken as yet: it ends the process.
static bool
must_not_stop(void *ctx)
{
	(void)ctx;
	return false;
}

// Its size is known only when it is connected to. 0, or -errno, told.
static int
look_at_export(const struct request *q, struct facts *ret)
{
	const struct hooks hooks = {.notice = on_notice,
				    .message_fd = -1,
				    .must_stop = must_not_stop};
	struct side side;
	const int r = kinds_find(q->src, false)->look_src(&side, q, &hooks);

	if (r == 0)
		*ret = side.facts;
	return r;
}

// 0, or -errno, told.
static int
probe_src(const struct request *q, struct facts *ret)
{
	if (nbd_side_is_export(q->src))
		return look_at_export(q, ret);
	const int r = q->src == NULL ? 0 : probe_path(q->src, ret);

	if (q->src == NULL)
		probe_descriptor(STDIN_FILENO, ret);
	if (r == 0 && facts_has_offsets(ret))
		return 0;
	char *quoted = quote_name_always(q->src != NULL ? q->src
							: "standard input");
	if (r < 0)
		message_error(-r, "failed to open %s", quoted);
	else
		message_error(0, "shard= needs a source that has a size, a "
				 "file or a disk: %s has none", quoted);
	free(quoted);
	return r < 0 ? r : -ESPIPE;
}

static struct request_amount
in_blocks(uint64_t bytes, uint64_t block)
{
	return (struct request_amount){bytes / block, bytes % block};
}

int
shard_resolve(struct options *options)
{
	struct request *q = &options->request;
	struct shard shard;
	struct facts facts;

	// A server is not started for a plan, which says so.
	if (options->shard == NULL ||
	    (q->plan_only && q->src_server != NULL))
		return 0;
	// Who opened it may append to it, or has it open for something else.
	if (q->dst == NULL) {
		message_error(0, "shard= needs a named output: DST or of=FILE");
		return -EINVAL;
	}
	int r = parse(options->shard, &shard);
	if (r == 0)
		r = probe_src(q, &facts);
	if (r != 0)
		return r;
	// The descriptor's own offset comes on top of it.
	const uint64_t skip = request_src_off(q, 0);
	const uint64_t seek = request_dst_off(q, 0);
	const uint64_t from = request_src_off(q, facts.pos);
	uint64_t end;

	// Each of these is refused, in dd's words, by whoever carries it out.
	if (skip == UINT64_MAX || seek == UINT64_MAX || from == UINT64_MAX)
		return 0;
	const uint64_t len = min_u64(facts.size > from ? facts.size - from : 0,
				     request_count_len(q));
	if (__builtin_add_overflow(seek, len, &end) || end > INT64_MAX)
		return 0;
	// Whole jobs, so that no two write to one block.
	const uint64_t part =
		round_up(len / shard.of + (len % shard.of != 0), PLAN_JOB_SIZE);
	const uint64_t off = min_u64(len, part * shard.nr);

	q->skip = in_blocks(skip + off, q->ibs);
	q->seek = in_blocks(seek + off, q->obs);
	q->count = in_blocks(min_u64(part, len - off), q->ibs);
	q->conv |= CONV_NOTRUNC;
	q->has_dst_size = true;
	q->dst_size = end;
	return 0;
}
