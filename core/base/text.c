// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// At least so many bytes more, by halves so that many cost few copies.
static void
make_room(struct text *t, size_t more)
{
	const size_t want = t->len + more;

	if (want <= t->room || t->is_lost)
		return;
	char *buf = realloc(t->buf, want + want / 2);
	t->is_lost = buf == NULL;
	if (t->is_lost)
		return;
	t->buf = buf;
	t->room = want + want / 2;
}

void
text_put(struct text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	const int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len >= 0)
		make_room(t, (size_t)len + 1);
	t->is_lost |= len < 0;
	if (t->is_lost)
		return;
	va_start(args, fmt);
	(void)vsnprintf(t->buf + t->len, (size_t)len + 1, fmt, args);
	va_end(args);
	t->len += (size_t)len;
}

int
text_take(struct text *t, char **ret, size_t *ret_len)
{
	if (t->is_lost) {
		free(t->buf);
		return -ENOMEM;
	}
	*ret = t->buf;
	*ret_len = t->len;
	return 0;
}
