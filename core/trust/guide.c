// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "guide.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "env.h"
#include "event.h"
#include "fd.h"
#include "hasher.h"
#include "hooks.h"
#include "path.h"
#include "request.h"
#include "side.h"
#include "sniff.h"

// Of several million ranges. What is larger is an image, by mistake.
#define FILE_MAX (256 * MIB)
#define SUFFIX ".bmap"

static int
tell(const struct guide *g, unsigned fault, int r)
{
	hooks_tell(
		g->env->hooks,
		(struct event){.kind = FAILURE_BMAP,
			       .error = -r,
			       .name = g->path ? g->path : g->env->asked->bmap,
			       .fault = fault,
			       .len = g->error.line,
			       .word = g->error.word});
	return r < 0 ? r : -EINVAL;
}

// One read, also of a pipe that nobody writes to as yet. -ECANCELED: a signal.
static ssize_t
read_some(int fd, void *buf, size_t len, const struct hooks *h)
{
	ssize_t n;

	do {
		if (hooks_wait(h, fd) == -ECANCELED)
			return -ECANCELED;
		n = read(fd, buf, len);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	return n < 0 ? -errno : n;
}

// *ret is malloc'd: bytes or -errno.
static ssize_t
read_all(int fd, char **ret, const struct hooks *h)
{
	size_t len = 0, room = 0;
	char *text = NULL;
	ssize_t n = 1;

	while (n > 0 && len <= FILE_MAX) {
		if (len == room) {
			room = room * 2 + 64 * KIB;
			char *more = realloc(text, room);

			if (more == NULL) {
				n = -ENOMEM;
				break;
			}
			text = more;
		}
		n = read_some(fd, text + len, room - len, h);
		len += n > 0 ? (size_t)n : 0;
	}
	if (n == 0) {
		*ret = text;
		return (ssize_t)len;
	}
	free(text);
	return n > 0 ? -EFBIG : n;
}

static int
parse(struct guide *g, const char *text, size_t len)
{
	const int r = bmap_parse(&g->bmap, text, len, &g->error);

	if (r == -EINVAL)
		return tell(g, g->error.fault, 0);
	if (r == -ELIBACC)
		return tell(g, GUIDE_NO_LIBRARY, 0);
	return r < 0 ? tell(g, GUIDE_ERROR, r) : 0;
}

static int
read_file(struct guide *g)
{
	const struct request *q = g->env->asked;
	const bool has_src = !request_is_attested(q);
	char *text = NULL;

	if ((has_src && path_is_side(g->path, q->src, STDIN_FILENO)) ||
	    path_is_side(g->path, q->dst, STDOUT_FILENO))
		return tell(g, GUIDE_SIDE, 0);
	const int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
	const int fd = fd_move_up(fd_open(g->path, flags, 0));
	if (fd < 0)
		return tell(g, GUIDE_ERROR, fd);
	const ssize_t len = read_all(fd, &text, g->env->hooks);
	(void)close(fd); // read-only
	if (len == -ECANCELED)
		return -ECANCELED;
	if (len == -EFBIG)
		return tell(g, GUIDE_LARGE, 0);
	if (len < 0)
		return tell(g, GUIDE_ERROR, (int)len);
	const int r = parse(g, text, (size_t)len);
	free(text);
	return r;
}

// Where the last extension begins, as Python has it; NULL: there is none.
static char *
find_extension(char *path)
{
	char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return strrchr(name + strspn(name, "."), '.');
}

// IMAGE.bmap, or that without extensions of IMAGE, one by one: as bmaptool
// finds it. 0 or -ENOMEM; *ret NULL: there is none.
static int
find(const char *image, char **ret)
{
	char *stem = strdup(image), *end = stem, *path = NULL;
	struct stat st;
	int r = stem != NULL ? 0 : -ENOMEM;

	while (r == 0 && end != NULL) {
		if (asprintf(&path, "%s" SUFFIX, stem) < 0) {
			path = NULL;
			r = -ENOMEM;
		} else if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			break;
		}
		free(path);
		path = NULL;
		end = find_extension(stem);
		if (end != NULL)
			*end = '\0';
	}
	free(stem);
	*ret = path;
	return r;
}

static int
find_path(struct guide *g)
{
	const struct request *q = g->env->asked;
	int r = 0;

	if (strcmp(q->bmap, GUIDE_AUTO) != 0) {
		g->path = strdup(q->bmap);
		r = g->path != NULL ? 0 : -ENOMEM;
	} else if (q->src != NULL) {
		r = find(q->src, &g->path);
	}
	if (r < 0)
		return tell(g, GUIDE_ERROR, r);
	if (g->path == NULL)
		hooks_tell(g->env->hooks,
			   (struct event){.kind = NOTICE_NO_BMAP,
					  .name = q->src ? q->src
							 : "standard input"});
	return 0;
}

// Whoever has mixed up the two files would have a disk with a text on it.
static bool
is_src_map(const char *src)
{
	char text[4 * KIB];
	struct stat st;
	const bool is_file = src != NULL ? stat(src, &st) == 0
					 : fstat(STDIN_FILENO, &st) == 0;

	if (!is_file || !S_ISREG(st.st_mode))
		return false;
	const int fd = src != NULL ? fd_move_up(fd_open(
					     src, O_RDONLY | O_CLOEXEC, 0))
				   : STDIN_FILENO;
	const ssize_t len = fd < 0 ? fd : fd_read_at(fd, text, sizeof(text), 0);
	if (fd > STDERR_FILENO)
		(void)close(fd); // only looked at
	return len > 0 && bmap_is_one(text, (size_t)len);
}

int
guide_open(struct guide *g, const struct env *env)
{
	const struct request *q = env->asked;

	*g = (struct guide){.path = NULL};
	if (q->bmap == NULL)
		return 0;
	g->env = env;
	if (!request_is_attested(q) && is_src_map(q->src))
		return tell(g, GUIDE_SRC_IS_MAP, 0);
	const int r = find_path(g);
	return r == 0 && g->path != NULL ? read_file(g) : r;
}

void
guide_done(struct guide *g)
{
	bmap_done(&g->bmap);
	free(g->path);
	*g = (struct guide){.path = NULL};
}

bool
guide_has_digests(const struct guide *g)
{
	return g->path != NULL && g->bmap.nr_digests > 0;
}

uint64_t
guide_checked_len(const struct guide *g)
{
	const struct ranges *r = &g->bmap.ranges;
	uint64_t len = 0;

	for (size_t i = 0; i < r->nr; i++)
		len += r->all[i].value_size > 0 ? r->all[i].len : 0;
	return len;
}

// Of what is unpacked some formats say it.
static bool
has_known_size(const struct facts *facts)
{
	return facts_has_offsets(facts) ||
	       (facts->unpacked != 0 && !facts->is_at_least);
}

void
guide_lead(const struct guide *g, struct side *src)
{
	const struct ranges *ranges = &g->bmap.ranges;

	if (g->path == NULL)
		return;
	src->ranges = ranges;
	src->facts.is_mapped = true;
	src->facts.allocated = ranges_len(ranges);
	if (!has_known_size(&src->facts))
		src->facts.size = ranges->size;
}

static void
tell_size(const struct guide *g, const struct side *src, uint64_t len,
	  enum decode_format contents)
{
	hooks_tell(g->env->hooks, (struct event){.kind = FAILURE_BMAP_SIZE,
						 .name = src->name,
						 .len = len,
						 .off = g->bmap.ranges.size,
						 .fault = contents,
						 .map = g->path});
}

void
guide_tell_size(const struct guide *g, const struct side *src, uint64_t len)
{
	tell_size(g, src, len, DECODE_NONE);
}

int
guide_check(const struct guide *g, const struct side *src, uint64_t start)
{
	const uint64_t size = src->facts.size;

	if (g->path == NULL || !has_known_size(&src->facts))
		return 0;
	const uint64_t len = min_u64(size - min_u64(size, start),
				     request_count_len(g->env->asked));
	if (start == 0 && len == g->bmap.ranges.size)
		return 0;
	enum decode_format contents = DECODE_NONE;
	// The image may be inside; of an export nothing is unpacked.
	if (src->facts.unpacked == 0 && !facts_is_export(&src->facts))
		(void)sniff_look(src, start, g->env->hooks, &contents);
	tell_size(g, src, len, contents);
	return -ESTALE;
}

bool
guide_has_bad(const struct guide *g, const struct side *src)
{
	const struct hasher *hasher = g->path != NULL ? g->env->hasher : NULL;
	const struct ranges_one *bad = hasher != NULL ? hasher_bad(hasher)
						      : NULL;

	if (bad != NULL)
		hooks_tell(g->env->hooks,
			   (struct event){.kind = FAILURE_BMAP_RANGE,
					  .name = src->name,
					  .off = bad->off,
					  .len = bad->len,
					  .fault = g->bmap.alg,
					  .map = g->path});
	return bad != NULL;
}

int
guide_judge(const struct guide *g, const struct side *src, uint64_t len)
{
	if (g->path == NULL)
		return 0;
	// What is behind the last byte of a stream may have been a gap.
	if (facts_is_stream(&src->facts) && len < g->bmap.ranges.size)
		len = EVENT_FEWER;
	if (len == g->bmap.ranges.size)
		return guide_has_bad(g, src) ? -ESTALE : 0;
	guide_tell_size(g, src, len);
	return -ESTALE;
}
