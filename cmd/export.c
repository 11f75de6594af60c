// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "export.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "beside.h"
#include "fd.h"
#include "message.h"
#include "page.h"
#include "path.h"
#include "quote.h"
#include "safety.h"
#include "signals.h"

// what: a reason, or NULL for that of error.
static int
tell(const struct export *e, const char *what, int error)
{
	char *path = quote_name_colon(e->path);

	message_error(error, "%s=%s%s%s", e->operand, path ? path : "?",
		      what ? ": " : "", what ? what : "");
	free(path);
	return error > 0 ? -error : -EINVAL;
}

// /dev/fd/N, /proc/self/fd/N: -1, or an open descriptor.
static int
descriptor_of(const char *path)
{
	static const char *const dirs[] = {"/dev/fd/", "/proc/self/fd/"};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		const size_t len = strlen(dirs[i]);
		char *end;

		if (strncmp(path, dirs[i], len) != 0)
			continue;
		const unsigned long fd = strtoul(path + len, &end, 10);
		if (*end == '\0' && fd <= INT_MAX &&
		    fcntl((int)fd, F_GETFD) >= 0)
			return (int)fd;
	}
	return -1;
}

static int
fd_of(const char *path)
{
	const int fd = descriptor_of(path);

	if (fd >= 0)
		return fd;
	if (strcmp(path, "-") == 0 || path_is_open(path, STDOUT_FILENO))
		return STDOUT_FILENO;
	return path_is_open(path, STDERR_FILENO) ? STDERR_FILENO : -1;
}

// Where the bytes of two would mix. name: of the side, NULL: fd is it.
static bool
is_side(const struct export *e, const char *name, int fd)
{
	if (name != NULL)
		return e->named_fd < 0 ? path_is_same(e->path, name)
				       : path_is_open(name, e->named_fd);
	return e->named_fd == fd ||
	       (strcmp(e->path, "-") != 0 && path_is_open(e->path, fd));
}

// A name that is a disk by mistake must not cost what is on it.
static bool
can_take(const struct export *e, const struct stat *st)
{
	return S_ISREG(st->st_mode) || S_ISFIFO(st->st_mode) ||
	       S_ISCHR(st->st_mode) || S_ISDIR(st->st_mode) || // open tells
	       (S_ISSOCK(st->st_mode) && e->named_fd >= 0) ||
	       strcmp(e->path, "-") == 0;
}

// What open would say.
static int
look_in_place(const struct export *e, const struct stat *st)
{
	if (e->named_fd >= 0)
		return 0;
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	return faccessat(AT_FDCWD, e->path, W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

// st: of what is there, and was found to be good.
static int
open_in_place(struct export *e, const struct stat *st)
{
	struct stat opened;

	if (e->use == EXPORT_LOOK)
		return look_in_place(e, st);
	// A FIFO waits for its reader, and signals are served meanwhile.
	do {
		e->fd = fd_move_up(
			e->named_fd >= 0
				? dup(e->named_fd)
				: open(e->path,
				       O_WRONLY | O_NOCTTY | O_CLOEXEC));
	} while (e->fd == -EINTR && signals_fatal() == 0);
	if (e->fd < 0)
		return e->fd;
	if (fstat(e->fd, &opened) < 0)
		return -errno;
	return path_is_same_file(&opened, st) ? 0 : -ESTALE;
}

// By two descriptors, so that there is still one when the errors of closing
// the other are known.
static int
open_beside(struct export *e)
{
	int r = beside_check(&e->beside);

	if (r == 0)
		r = e->use == EXPORT_LOOK ? beside_look(&e->beside)
					  : beside_make(&e->beside, O_WRONLY);
	if (r < 0 || e->use == EXPORT_LOOK)
		return r;
	e->fd = fd_move_up(dup(e->beside.fd));
	return e->fd < 0 ? e->fd : 0;
}

// An image that is mounted would go on without its name.
static bool
is_in_use(const struct export *e, const struct request *q)
{
	const struct facts old = beside_old(&e->beside);
	struct safety safety;

	safety_init(&safety);
	return safety_check_replaced(&safety, q, &old) < 0;
}

// st: of what is there; NULL: nothing.
static int
open_path(struct export *e, const struct stat *st, const struct request *q)
{
	if (e->named_fd >= 0)
		return open_in_place(e, st);
	const int r = beside_find(&e->beside, e->path, O_PATH);
	if (r < 0)
		return r;
	if (st != NULL &&
	    (!S_ISREG(st->st_mode) || !beside_is_there(&e->beside, e->path))) {
		beside_done(&e->beside);
		return open_in_place(e, st);
	}
	if (st != NULL && faccessat(AT_FDCWD, e->path, W_OK, AT_EACCESS) < 0)
		return -errno;
	return is_in_use(e, q) ? -EBUSY : open_beside(e);
}

static int
look(const struct export *e, struct stat *ret)
{
	const int r = e->named_fd >= 0 ? fstat(e->named_fd, ret)
				       : stat(e->path, ret);

	return r < 0 ? -errno : 0;
}

int
export_open(struct export *e, const char *operand, const char *path,
	    const struct request *q, enum export_use use)
{
	struct stat st;

	*e = (struct export){
		.use = use, .operand = operand, .path = path, .fd = -1};
	if (path == NULL)
		return 0;
	e->named_fd = fd_of(path);
	if (strcmp(path, "-") == 0 && q->dst == NULL)
		return tell(e, "standard output is the destination", 0);
	if (is_side(e, q->src, STDIN_FILENO) ||
	    is_side(e, q->dst, STDOUT_FILENO))
		return tell(e, "it is the source or destination", 0);
	for (unsigned i = 0; i < q->nr_tees; i++)
		if (is_side(e, q->tees[i], -1))
			return tell(e, "it is a destination", 0);
	int r = look(e, &st);
	if (r == 0 && !can_take(e, &st))
		return tell(e, "not a regular file, pipe or character "
			       "device", 0);
	if (r == -ENOENT && safety_is_missing(path))
		return tell(e, "there is no such device, and no file is made "
			       "in /dev", 0);
	if (r == 0 || r == -ENOENT)
		r = open_path(e, r == 0 ? &st : NULL, q);
	return r < 0 ? tell(e, NULL, -r) : 0;
}

bool
export_is_same(const struct export *a, const struct export *b)
{
	const char *one = a->beside.target, *other = b->beside.target;

	return one != NULL && other != NULL && path_is_same(one, other);
}

bool
export_is_page(const struct export *e)
{
	const char *dot = strrchr(e->path, '.');

	return dot != NULL && strcmp(dot, ".html") == 0;
}

bool
export_is_terminal(const struct export *e)
{
	return isatty(e->fd) == 1;
}

// malloc'd; NULL: no memory. No name in it can end the script that it stands
// in.
static char *
format_page(const char *json)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (file == NULL)
		return NULL;
	fputs(page_head, file);
	for (; *json != '\0'; json++) {
		if (*json == '<')
			fputs("\\u003c", file);
		else
			fputc(*json, file);
	}
	fputs(page_tail, file);
	if (fclose(file) == 0)
		return text;
	free(text);
	return NULL;
}

static int
sync_error(int fd)
{
	int error;

	do {
		error = fsync(fd) < 0 ? errno : 0;
	} while (error == EINTR);
	return error;
}

static int
write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(fd, text, len);

		if (n < 0 && (errno != EINTR || signals_fatal() != 0))
			return -errno;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

// The name must not survive a crash that the bytes do not.
static int
settle(struct export *e)
{
	const int r = beside_settle(&e->beside);

	if (r < 0)
		return r;
	return -sync_error(e->fd);
}

static int
take_name(struct export *e)
{
	const int r = beside_rename(&e->beside, 0);

	if (r == -ESTALE)
		return tell(e, "the temporary file was removed or replaced", 0);
	return r < 0 ? tell(e, NULL, -r) : 0;
}

int
export_write(struct export *e, const char *text)
{
	const size_t len = strlen(text);
	int r = write_all(e->fd, text, len);

	if (r == 0 && (len == 0 || text[len - 1] != '\n'))
		r = write_all(e->fd, "\n", 1);
	if (r == 0 && e->beside.temp != NULL)
		r = settle(e);
	if (close(e->fd) < 0 && r == 0)
		r = -errno;
	e->fd = -1;
	if (r < 0)
		return tell(e, NULL, -r);
	return e->beside.temp != NULL ? take_name(e) : 0;
}

int
export_write_page(struct export *e, const char *json)
{
	char *text = format_page(json);
	const int r = text != NULL ? export_write(e, text)
				   : tell(e, NULL, ENOMEM);

	free(text);
	return r;
}

void
export_close(struct export *e)
{
	if (e->fd >= 0)
		(void)close(e->fd); // nothing was written
	beside_done(&e->beside);
	e->fd = -1;
}
