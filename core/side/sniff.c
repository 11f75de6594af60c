// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "sniff.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "event.h"
#include "fd.h"
#include "hooks.h"
#include "side.h"

// Of a stream: as much as comes.
static ssize_t
take_some(const struct sniff *s, const struct side *side, void *buf, size_t len)
{
	const off_t at = (off_t)(s->pos + s->len);
	const ssize_t n = s->has_offsets ? pread(side->fd, buf, len, at)
					 : read(side->fd, buf, len);

	return n < 0 ? -errno : n;
}

int
sniff_take(struct sniff *s, const struct side *side, const struct hooks *h)
{
	const int64_t pos = side_where(side);
	ssize_t n = 1;

	s->len = 0;
	s->has_offsets = pos >= 0;
	s->pos = pos >= 0 ? (uint64_t)pos : 0;
	while (n != 0 && decode_wants_more(s->head, s->len)) {
		if (h->must_stop(h->ctx) ||
		    (!s->has_offsets && hooks_wait(h, side->fd) == -ECANCELED))
			return -ECANCELED;
		n = take_some(s, side, s->head + s->len,
			      sizeof(s->head) - s->len);
		if (n < 0 && n != -EINTR)
			return side_tell(side, h, FAILURE_READ, (int)-n);
		s->len += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

// What is in a pipe goes into another one, too.
static ssize_t
look_into(int fd, void *buf, size_t len)
{
	int ends[2];
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	n = tee(fd, ends[1], len, SPLICE_F_NONBLOCK);
	n = n < 0 ? -errno : read(ends[0], buf, (size_t)n);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return n;
}

int
sniff_look(const struct side *side, uint64_t off, const struct hooks *h,
	   enum decode_format *ret)
{
	struct sniff s;
	ssize_t n = -ESPIPE;

	if (facts_has_offsets(&side->facts)) {
		n = side_read_all(side, SIDE_BUFFERED, s.head, sizeof(s.head),
				  off, h);
	} else if (side->facts.is_pipe) {
		if (hooks_wait(h, side->fd) == -ECANCELED)
			return -ECANCELED;
		n = look_into(side->fd, s.head, sizeof(s.head));
	}
	if (n > 0)
		*ret = decode_sniff(s.head, (size_t)n);
	if (*ret == DECODE_TAR && n > 0)
		*ret = DECODE_NONE; // a tape may be written
	return 0;
}
