// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "engine.h"

#include <assert.h>
#include <stddef.h>

void
engine_queue(struct engine *engine, struct iocb **iocbs, unsigned nr)
{
	assert(!engine->is_abandoned);
	engine->queued += nr;
	engine->ops->queue(engine, iocbs, nr);
}

int
engine_take(struct engine *engine, struct io_event *events, unsigned max)
{
	const int nr = engine->ops->take(engine, events, max);

	if (nr > 0)
		engine->taken += (unsigned)nr;
	assert(engine->taken <= engine->queued); // each once
	return nr;
}

void
engine_stop(struct engine *engine)
{
	if (engine == NULL || engine->is_stopped)
		return;
	engine->is_stopped = true;
	if (engine->ops->stop != NULL)
		engine->ops->stop(engine);
}

void
engine_abandon(struct engine *engine)
{
	if (!engine->is_abandoned)
		engine->ops->abandon(engine);
	engine->is_abandoned = true;
}

void
engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	assert(engine_nr_out(engine) == 0);
	engine->ops->free(engine);
}

uint64_t
engine_nr_out(const struct engine *engine)
{
	return engine->is_abandoned ? 0 : engine->queued - engine->taken;
}
