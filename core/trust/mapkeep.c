// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "mapkeep.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "env.h"
#include "event.h"
#include "fd.h"
#include "hooks.h"
#include "imprint.h"
#include "mapsave.h"
#include "nbd_side.h"
#include "request.h"
#include "side.h"

// Of several million areas. What is larger is an image, by mistake.
#define FILE_MAX (256 * MIB)

static int
tell(const struct mapkeep *k, unsigned fault, int r, unsigned line)
{
	hooks_tell(k->env->hooks, (struct event){.kind = FAILURE_MAP,
						 .error = -r,
						 .name = k->env->asked->map,
						 .fault = fault,
						 .len = line});
	return fault >= MAPKEEP_FIRST_REFUSED ? -EPERM : r < 0 ? r : -EINVAL;
}

static void
print_now(char *ret, size_t size)
{
	const time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL ||
	    strftime(ret, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		*ret = '\0';
}

// *ret is malloc'd: bytes or -errno.
static ssize_t
read_text(int fd, char **ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > FILE_MAX)
		return -EFBIG;
	const size_t size = (size_t)st.st_size;
	char *text = malloc(size + 1);
	const ssize_t len = text ? fd_read_at(fd, text, size, 0) : -ENOMEM;
	if (len < 0)
		free(text);
	else
		*ret = text;
	return len;
}

static int
read_file(struct mapkeep *k)
{
	unsigned line;
	char *text = NULL;
	const ssize_t len = read_text(k->file.fd, &text);

	if (len < 0)
		return tell(k, OURS_ERROR, (int)len, 0);
	const int r = mapfile_parse(&k->mapfile, text, (size_t)len, &line);
	free(text);
	if (r < 0)
		return r == -EINVAL ? tell(k, MAPKEEP_DAMAGED, 0, line)
				    : tell(k, OURS_ERROR, r, 0);
	return 0;
}

// Also an export is there, and has its place as a disk has.
static bool
look_at(const char *name, int fd, struct stat *ret)
{
	if (nbd_side_is_export(name)) {
		ret->st_mode = S_IFBLK;
		return true;
	}
	return (name != NULL ? stat(name, ret) : fstat(fd, ret)) == 0;
}

// What stands in the way before a destination is made: when both sides are
// open it is too late. OURS_NO_FAULT: nothing yet.
static unsigned
foresee(const struct mapkeep *k, const struct request *q)
{
	struct stat src, dst;
	const bool has_src = look_at(q->src, STDIN_FILENO, &src);
	const bool has_dst = look_at(q->dst, STDOUT_FILENO, &dst);

	if (has_src && !S_ISREG(src.st_mode) && !S_ISBLK(src.st_mode))
		return MAPKEEP_SRC_STREAM;
	if (has_dst && !S_ISREG(dst.st_mode) && !S_ISBLK(dst.st_mode))
		return MAPKEEP_DST_STREAM;
	return !has_dst && k->mapfile.map.totals[MAP_DONE] > 0
		       ? (unsigned)MAPKEEP_PAST_DST
		       : OURS_NO_FAULT;
}

static int
open_file(struct mapkeep *k, const struct request *q)
{
	unsigned fault;
	int r = ours_open(&k->file, q, q->map,
			  q->plan_only ? OURS_LOOK : OURS_WRITE, &fault);

	// It will be another file with the same name.
	if (r == 0)
		r = beside_check(&k->file.beside);
	if (r == 0)
		r = beside_look(&k->file.beside);
	return r < 0 ? tell(k, fault, fault == OURS_ERROR ? r : 0, 0) : 0;
}

int
mapkeep_open(struct mapkeep *k, const struct env *env)
{
	const struct request *q = env->asked;

	*k = (struct mapkeep){.file.fd = -1};
	if (q->map == NULL)
		return 0;
	k->env = env;
	print_now(k->start, sizeof(k->start));
	int r = open_file(k, q);
	if (r == 0 && k->file.fd >= 0)
		r = read_file(k);
	if (r < 0)
		return r;
	k->is_new = k->mapfile.map.len == 0;
	const unsigned fault = foresee(k, q);
	return fault != OURS_NO_FAULT ? tell(k, fault, 0, 0) : 0;
}

// The end of a name that is too long, where they differ; on one line.
static void
put_name(char *ret, size_t size, const char *name)
{
	const size_t len = strlen(name);
	const size_t kept = (size_t)min_u64(len, size - 1);

	memcpy(ret, name + (len - kept), kept + 1);
	for (; *ret != '\0'; ret++)
		if (iscntrl((unsigned char)*ret))
			*ret = '_';
}

static void
describe_disk(char ret[static MAPFILE_ID_MAX], const struct imprint *i)
{
	const int len = snprintf(ret, MAPFILE_ID_MAX,
				 "disk size=%" PRIu64 " start=%" PRIu64
				 " ino=%" PRIu64 " ",
				 i->size, i->place, i->ino);

	put_name(ret + len, MAPFILE_ID_MAX - (size_t)len, i->name);
}

static int
describe_file(char ret[static MAPFILE_ID_MAX], const struct imprint *i)
{
	return snprintf(ret, MAPFILE_ID_MAX, "file fs=%" PRIx64 " ino=%" PRIu64,
			i->place, i->ino);
}

static void
describe_src(char ret[static MAPFILE_ID_MAX], const struct imprint *i)
{
	const uint64_t second = UINT64_C(1000000000);

	if (i->kind == IMPRINT_DISK) {
		describe_disk(ret, i);
		return;
	}
	const int len = describe_file(ret, i);
	(void)snprintf(ret + len, MAPFILE_ID_MAX - (size_t)len,
		       " mtime=%" PRIu64 ".%09" PRIu64, i->mtime_ns / second,
		       i->mtime_ns % second);
}

// Of a file only what a copy into it does not change.
static void
describe_dst(char ret[static MAPFILE_ID_MAX], const struct imprint *i)
{
	if (i->kind == IMPRINT_DISK)
		describe_disk(ret, i);
	else
		(void)describe_file(ret, i);
}

// What is not said is no other.
static bool
is_other(const char *then, const char *now)
{
	return *then != '\0' && strcmp(then, now) != 0;
}

static bool
is_other_src(const struct mapfile_ids *then, const struct mapfile_ids *now)
{
	return is_other(then->src, now->src) ||
	       (then->has_place && then->size != now->size);
}

// An ours_fault or a mapkeep_fault. Where nothing is copied, it does not matter
// to which destination.
static unsigned
compare(const struct mapfile *found, const struct mapfile_ids *now)
{
	const struct mapfile_ids *then = &found->ids;

	if (is_other_src(then, now))
		return MAPKEEP_OTHER_SRC;
	if (found->map.totals[MAP_DONE] == 0)
		return OURS_NO_FAULT;
	if (is_other(then->dst, now->dst))
		return MAPKEEP_OTHER_DST;
	return then->has_place && then->offset != now->offset
		       ? (unsigned)MAPKEEP_OTHER_PLACE
		       : OURS_NO_FAULT;
}

// As ddrescue does it: a last area that is not copied may reach beyond the end.
// False: more does.
static bool
fit(struct map *map, uint64_t size)
{
	if (map->len <= size)
		return true;
	const struct map_span *last = map_nth(map, map->nr - 1);
	if (last->off > size || last->state == MAP_DONE)
		return false;
	map_cut(map, size);
	return true;
}

// Where what is copied ends in the source.
static uint64_t
done_end(const struct map *map)
{
	const struct map_span *last = map_find_back(map, map->len, MAP_DONE);

	return last != NULL ? last->off + last->len : 0;
}

static bool
is_past(const struct mapkeep *k, const struct side *dst)
{
	int64_t end;

	// Otherwise it says nothing of the destination.
	if (k->mapfile.map.totals[MAP_DONE] == 0)
		return false;
	return __builtin_add_overflow(done_end(&k->mapfile.map), k->ids.offset,
				      &end) ||
	       (end > 0 && (uint64_t)end > dst->facts.size);
}

static bool
has_places(const struct side *side)
{
	return facts_has_offsets(&side->facts) && !side->facts.is_append;
}

static void
set_ids(struct mapfile_ids *ids, const struct side *src, const struct side *dst,
	uint64_t offset)
{
	const struct imprint from = imprint_take(src), to = imprint_take(dst);

	*ids = (struct mapfile_ids){.has_place = true,
				    .offset = (int64_t)offset,
				    .size = src->facts.size};
	describe_src(ids->src, &from);
	describe_dst(ids->dst, &to);
}

// OURS_NO_FAULT: it is a map of this copy.
static unsigned
find_fault(struct mapkeep *k, const struct side *dst)
{
	const unsigned fault = compare(&k->mapfile, &k->ids);

	if (fault != OURS_NO_FAULT &&
	    !(k->env->asked->force & REQUEST_FORCE_MAP))
		return fault;
	if (!fit(&k->mapfile.map, k->ids.size))
		return MAPKEEP_PAST_SRC;
	return is_past(k, dst) ? (unsigned)MAPKEEP_PAST_DST : OURS_NO_FAULT;
}

int
mapkeep_check_src(struct mapkeep *k, const struct side *src)
{
	struct mapfile_ids now = {.size = src->facts.size};
	const struct imprint from = imprint_take(src);

	if (k->env == NULL)
		return 0;
	if (!has_places(src))
		return tell(k, MAPKEEP_SRC_STREAM, 0, 0);
	describe_src(now.src, &from);
	if (is_other_src(&k->mapfile.ids, &now) &&
	    !(k->env->asked->force & REQUEST_FORCE_MAP))
		return tell(k, MAPKEEP_OTHER_SRC, 0, 0);
	return fit(&k->mapfile.map, now.size) ? 0
					      : tell(k, MAPKEEP_PAST_SRC, 0, 0);
}

int
mapkeep_check(struct mapkeep *k, const struct side *src, const struct side *dst,
	      uint64_t src_off, uint64_t dst_off)
{
	if (k->env == NULL)
		return 0;
	if (!has_places(src))
		return tell(k, MAPKEEP_SRC_STREAM, 0, 0);
	if (!has_places(dst))
		return tell(k, MAPKEEP_DST_STREAM, 0, 0);
	set_ids(&k->ids, src, dst, dst_off - src_off);
	const unsigned fault = find_fault(k, dst);
	if (fault != OURS_NO_FAULT)
		return tell(k, fault, 0, 0);
	const int r = map_extend(&k->mapfile.map, k->ids.size);
	return r < 0 ? tell(k, OURS_ERROR, r, 0) : 0;
}

int
mapkeep_save(struct mapkeep *k, const struct map *map,
	     const struct mapfile_status *status)
{
	char now[sizeof(k->start)];
	const struct mapfile_head head = {.command = k->env->asked->command,
					  .start = k->start,
					  .now = now};
	char *text;
	size_t len;

	print_now(now, sizeof(now));
	int r = mapfile_print(&text, &len, map, status, &k->ids, &head);
	if (r < 0)
		return r;
	r = mapsave_replace(&k->file, text, len);
	free(text);
	if (r == 0 && !k->is_swept)
		mapsave_sweep(&k->file, MAPFILE_TITLE);
	k->is_swept |= r == 0;
	return r;
}

int
mapkeep_tell_unsaved(const struct mapkeep *k, int r)
{
	return tell(k, MAPKEEP_UNSAVED, r, 0);
}

void
mapkeep_done(struct mapkeep *k)
{
	if (k->env == NULL)
		return;
	ours_done(&k->file);
	map_done(&k->mapfile.map);
	k->env = NULL;
}
