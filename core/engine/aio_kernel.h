// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The calls of libaio that the engine makes, as a table: the tests put a
// scripted kernel in their place.

#pragma once

#include <libaio.h>

// All return -errno and leave errno alone.
struct aio_kernel {
	int (*setup)(int depth, io_context_t *ctx);
	int (*destroy)(io_context_t ctx);
	int (*submit)(io_context_t ctx, long nr, struct iocb **iocbs);
	int (*getevents)(io_context_t ctx, long min_nr, long nr,
			 struct io_event *events, struct timespec *timeout);
};

// The real one. A seccomp filter that kills for these calls is seen before.
extern const struct aio_kernel aio_kernel_linux;
