// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "serial_read.h"

#include <errno.h>

#include "env.h"
#include "hooks.h"
#include "serial.h"
#include "tap.h"

// A stream can be silent for long: whoever shows the time is called meanwhile.
// Who asks for O_NONBLOCK does not want to wait.
static bool
is_shown(const struct serial *serial)
{
	const struct hooks *h = serial->env->hooks;

	return !serial->request->is_dd && h->tick != NULL && h->tick_ms > 0 &&
	       facts_is_stream(&serial->src->facts) && serial->src->fd >= 0 &&
	       serial->src->facts.unpacked == 0 &&
	       !(serial->request->iflags & FLAG_NONBLOCK);
}

// As its read, but the wait is ours. What is there is taken first: a poll
// before each read makes small records slower by two fifths. What cannot be
// read so is left to read itself.
static ssize_t
read_shown(const struct serial *serial, const struct side *side,
	   unsigned char *buf, size_t len)
{
	const ssize_t n = tap_now(side->fd, buf, len);

	if (n != -EAGAIN && n != -EOPNOTSUPP)
		return n;
	// Where there is no such sleep, the read does it.
	if (hooks_wait(serial->env->hooks, side->fd) == -ECANCELED)
		return -EINTR; // the caller looks why
	return side->ops->read(side, buf, len);
}

// One read, with dd's idea of what a short one means.
static ssize_t
read_once(struct serial *serial, const struct side *side, unsigned char *buf,
	  size_t len)
{
	const size_t last = serial->last_read;
	const bool was_short = last > 0 && last < len;
	ssize_t n;

	do {
		if (serial_must_stop(serial))
			return -ECANCELED;
		n = is_shown(serial) ? read_shown(serial, side, buf, len)
				     : side->ops->read(side, buf, len);
		// A file that ended within a sector: the next direct read is
		// misaligned.
		if (n == -EINVAL && was_short &&
		    (serial->request->iflags & FLAG_DIRECT))
			n = 0;
	} while (n == -EINTR);
	if (n < 0) {
		serial->last_read = 0;
		return n;
	}
	if (n > 0 && was_short && serial->is_warning_partial) {
		hooks_tell(serial->env->hooks,
			   (struct event){.kind = NOTICE_PARTIAL_READ,
					  .len = last});
		serial->is_warning_partial = false;
	}
	serial->last_read = (size_t)n;
	return n;
}

// One record: one read, or as many as fill it with fullblock. An error
// loses what was read before it, as in dd.
static ssize_t
read_record(struct serial *serial, const struct side *side, unsigned char *buf,
	    size_t len)
{
	size_t got = 0;
	ssize_t n;

	if (!(serial->request->iflags & FLAG_FULLBLOCK))
		return read_once(serial, side, buf, len);
	while (got < len) {
		n = read_once(serial, side, buf + got, len - got);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

void
serial_read_pass(struct serial *serial, uint64_t len)
{
	serial->src_off += len;
	if (serial->request->iflags & FLAG_NOCACHE)
		nocache_pass(&serial->src_nocache, serial->src_off, len);
}

ssize_t
serial_read_dst(struct serial *serial, unsigned char *buf, size_t len)
{
	return read_record(serial, serial->dst, buf, len);
}

ssize_t
serial_read(struct serial *serial, unsigned char *buf, size_t len)
{
	const ssize_t n = read_record(serial, serial->src, buf, len);

	if (n > 0)
		serial_read_pass(serial, (uint64_t)n);
	return n;
}
