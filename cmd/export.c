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
#include "quote.h"

// what: a reason, or NULL for that of error.
static int
tell(const struct export *e, const char *what, int error)
{
	char *path = quote_name_colon(e->path);

	message_error(error, "%s=%s%s%s", e->operand, path ? path : e->path,
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
	if (strcmp(path, "-") == 0 || beside_is_open(path, STDOUT_FILENO))
		return STDOUT_FILENO;
	return beside_is_open(path, STDERR_FILENO) ? STDERR_FILENO : -1;
}

// Where the bytes of two would mix. name: of the side, NULL: fd is it.
static bool
is_side(const struct export *e, const char *name, int fd)
{
	if (name != NULL)
		return e->named_fd < 0 ? beside_is_same(e->path, name)
				       : beside_is_open(name, e->named_fd);
	return e->named_fd == fd ||
	       (strcmp(e->path, "-") != 0 && beside_is_open(e->path, fd));
}

// A file beside it, with the mode of the one that is there.
static int
open_temp(struct export *e, const struct stat *old)
{
	e->temp = beside_temp(e->target);
	if (e->temp == NULL)
		return -errno;
	e->fd = fd_move_up(fd_open(e->temp, O_WRONLY | O_CREAT | O_EXCL |
						    O_CLOEXEC, 0666));
	if (e->fd >= 0 && old != NULL)
		(void)!fchmod(e->fd, old->st_mode & 0777); // at least ours
	return e->fd < 0 ? e->fd : 0;
}

static int
open_in_place(struct export *e)
{
	e->fd = fd_move_up(e->named_fd >= 0
				   ? dup(e->named_fd)
				   : open(e->path,
					  O_WRONLY | O_NOCTTY | O_CLOEXEC));
	return e->fd < 0 ? e->fd : 0;
}

static int
open_path(struct export *e)
{
	struct stat old;
	const bool has_old = stat(e->path, &old) == 0;

	if (e->named_fd >= 0 || (has_old && !S_ISREG(old.st_mode)))
		return open_in_place(e);
	if (*e->path == '\0')
		return -ENOENT;
	if (has_old && access(e->path, W_OK) < 0)
		return -errno;
	e->target = beside_follow(e->path);
	if (e->target == NULL)
		return -errno;
	if (!beside_is_there(e->path, e->target))
		return open_in_place(e);
	return open_temp(e, has_old ? &old : NULL);
}

int
export_open(struct export *e, const char *operand, const char *path,
	    const struct request *q)
{
	*e = (struct export){.operand = operand, .path = path, .fd = -1};
	if (path == NULL)
		return 0;
	e->named_fd = fd_of(path);
	if (strcmp(path, "-") == 0 && q->dst == NULL)
		return tell(e, "standard output takes the copy", 0);
	if (is_side(e, q->src, STDIN_FILENO) ||
	    is_side(e, q->dst, STDOUT_FILENO))
		return tell(e, "it is copied from or to", 0);
	const int r = open_path(e);
	return r < 0 ? tell(e, NULL, -r) : 0;
}

bool
export_is_same(const struct export *a, const struct export *b)
{
	return a->target != NULL && b->target != NULL &&
	       beside_is_same(a->target, b->target);
}

bool
export_is_page(const struct export *e)
{
	const char *dot = strrchr(e->path, '.');

	return dot != NULL && strcmp(dot, ".html") == 0;
}

// No name in it can end the script that it stands in.
static void
put_page(FILE *file, const char *json)
{
	fputs(page_head, file);
	for (; *json != '\0'; json++) {
		if (*json == '<')
			fputs("\\u003c", file);
		else
			fputc(*json, file);
	}
	fputs(page_tail, file);
}

static void
put_text(FILE *file, const char *text)
{
	const size_t len = strlen(text);

	fputs(text, file);
	if (len == 0 || text[len - 1] != '\n')
		fputc('\n', file);
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
put_all(struct export *e, const char *text,
	void (*put)(FILE *file, const char *text))
{
	FILE *file = fdopen(e->fd, "w");

	if (file == NULL)
		return -errno;
	e->fd = -1;
	errno = 0;
	put(file, text);
	int error = fflush(file) < 0 || ferror(file) ? errno : 0;
	// The name must not survive a crash that the bytes do not.
	if (error == 0 && e->temp != NULL)
		error = sync_error(fileno(file));
	if (fclose(file) < 0 && error == 0)
		error = errno;
	return -error;
}

static int
write_by(struct export *e, const char *text,
	 void (*put)(FILE *file, const char *text))
{
	int r = put_all(e, text, put);

	if (r == 0 && e->temp != NULL && rename(e->temp, e->target) < 0)
		r = -errno;
	if (r < 0)
		return tell(e, NULL, -r);
	free(e->temp);
	e->temp = NULL;
	return 0;
}

int
export_write(struct export *e, const char *text)
{
	return write_by(e, text, put_text);
}

int
export_write_page(struct export *e, const char *json)
{
	return write_by(e, json, put_page);
}

void
export_close(struct export *e)
{
	if (e->fd >= 0)
		(void)close(e->fd); // nothing was written
	if (e->temp != NULL)
		(void)unlink(e->temp);
	free(e->temp);
	free(e->target);
	*e = (struct export){.fd = -1};
}
