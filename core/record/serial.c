// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "serial.h"

#include "env.h"
#include "hooks.h"

void
serial_init(struct serial *serial, const struct env *env,
	    const struct request *q, const struct side *src,
	    const struct side *dst)
{
	*serial = (struct serial){
		.env = env,
		.request = q,
		.src = src,
		.dst = dst,
		.throttle.env = env,
		.is_sparse = (q->conv & CONV_SPARSE) != 0,
		.src_nocache.fd = src->fd,
		.dst_nocache.fd = dst->fd,
	};
	serial_go_on(serial);
	serial->is_warning_partial =
		q->is_single_buffer && !(q->iflags & FLAG_FULLBLOCK) &&
		(q->skip.blocks > 0 ||
		 (q->count.blocks > 0 && request_has_count(q)) ||
		 ((q->iflags | q->oflags) & FLAG_DIRECT));
}

void
serial_go_on(struct serial *serial)
{
	const int64_t pos = side_where(serial->src);

	serial->src_seek_error = pos < 0 ? (int)-pos : 0;
	serial->src_off = pos < 0 ? 0 : (uint64_t)pos;
}

int
serial_tell_src(const struct serial *serial, enum event_kind kind, int error)
{
	return hooks_tell(serial->env->hooks,
			  (struct event){.kind = kind,
					 .error = error,
					 .name = serial->src->name,
					 .off = serial->src_off});
}

int
serial_tell_dst(const struct serial *serial, enum event_kind kind, int error)
{
	const int64_t now = side_where(serial->dst);
	const uint64_t off = now < 0 ? 0 : (uint64_t)now;

	return hooks_tell(serial->env->hooks,
			  (struct event){.kind = kind,
					 .error = error,
					 .name = serial->dst->name,
					 .off = off});
}

bool
serial_must_stop(const struct serial *serial)
{
	return serial->env->hooks->must_stop(serial->env->hooks->ctx);
}

// Who copies nothing came for the cache alone: all of the file.
static bool
is_only_cache(const struct request *q)
{
	return q->count.blocks == 0 && q->count.bytes == 0;
}

static int
drop_rest(const struct serial *serial, const struct side *side,
	  struct nocache *nocache, enum nocache_rest rest)
{
	const int64_t end = side_where(side);
	const int r = end < 0 ? (int)end
			      : nocache_finish(nocache, (uint64_t)end, rest);

	if (r == 0 || !is_only_cache(serial->request))
		return 0;
	hooks_tell(serial->env->hooks,
		   (struct event){.kind = FAILURE_DISCARD_CACHE,
				  .error = -r,
				  .name = side->name});
	return r;
}

int
serial_drop_cache(struct serial *serial, enum nocache_rest rest)
{
	const struct request *q = serial->request;
	int src = 0, dst = 0;

	if (is_only_cache(q))
		rest = NOCACHE_TO_EOF;
	if (q->iflags & FLAG_NOCACHE)
		src = drop_rest(serial, serial->src, &serial->src_nocache,
				rest);
	if (serial->is_direct_off)
		rest = NOCACHE_TO_EOF;
	else if ((q->conv & CONV_NOTRUNC) && !is_only_cache(q))
		rest = NOCACHE_PENDING;
	if ((q->oflags & FLAG_NOCACHE) || serial->is_direct_off)
		dst = drop_rest(serial, serial->dst, &serial->dst_nocache,
				rest);
	return src < 0 ? src : dst;
}
