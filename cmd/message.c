// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *program;
static bool is_dd;
static bool is_line_open;
static bool has_failed;
static void (*divert)(void *ctx, const char *text);
static void *divert_ctx;

void
message_init(const char *name)
{
	const char *slash = strrchr(name, '/');

	program = name;
	is_dd = strcmp(slash ? slash + 1 : name, "dd") == 0;
}

bool
message_is_dd(void)
{
	return is_dd;
}

const char *
message_name(void)
{
	return program;
}

bool
message_has_failed(void)
{
	return has_failed;
}

void
message_fail(void)
{
	has_failed = true;
}

void
message_divert(void (*take)(void *ctx, const char *text), void *ctx)
{
	divert = take;
	divert_ctx = ctx;
}

bool
message_has_open_line(void)
{
	return is_line_open;
}

static void
put(const char *text)
{
	has_failed |= fputs(text, stderr) < 0;
}

void
message_close_line(void)
{
	if (is_line_open)
		put("\n");
	is_line_open = false;
}

void
message_open_line(const char *text)
{
	put(text);
	is_line_open = true;
}

void
message_text(const char *text)
{
	message_close_line();
	put(text);
}

void
message_line(const char *text)
{
	char *line = NULL;
	const int r = asprintf(&line, "%s: %s\n", program, text);

	message_text(r < 0 ? "out of memory\n" : line);
	free(line);
}

void
message_error(int error, const char *fmt, ...)
{
	char *what = NULL, *text = NULL;
	va_list args;
	int r;

	va_start(args, fmt);
	r = vasprintf(&what, fmt, args);
	va_end(args);
	if (r >= 0)
		r = asprintf(&text, "%s%s%s", what, error ? ": " : "",
			     error ? strerror(error) : "");
	if (r < 0)
		message_text("out of memory\n");
	else if (divert != NULL)
		divert(divert_ctx, text);
	else
		message_line(text);
	free(text);
	free(what);
}

void
message_usage_hint(void)
{
	char *line = NULL;

	if (asprintf(&line, "Try '%s --help' for more information.\n",
		     program) >= 0)
		message_text(line);
	free(line);
}
