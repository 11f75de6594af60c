// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "aio_kernel.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// What the calls of kernel AIO are answered with, if at all.
static void
try_calls(void)
{
	io_context_t ctx = NULL;
	struct io_event event;

	(void)prctl(PR_SET_DUMPABLE, 0); // nobody wants a core of it
	if (io_setup(1, &ctx) == 0) {
		(void)io_submit(ctx, 0, NULL);
		(void)io_getevents(ctx, 0, 1, &event, NULL);
		(void)io_destroy(ctx);
	}
	(void)syscall(SYS_exit_group, 0); // made by a raw call as well
}

// A seccomp filter may kill whoever makes such a call, and we can do without:
// so let a child try. It gives no SIGCHLD, and is there to be waited for also
// where that is ignored.
static bool
is_deadly(void)
{
	const int no_signal = 0;
	int status;
	pid_t pid;

	if (prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER)
		return false;
	const pid_t child = (pid_t)syscall(SYS_clone, no_signal, 0, 0, 0, 0);
	if (child == 0)
		try_calls();
	if (child < 0)
		return true;
	do {
		pid = waitpid(child, &status, __WALL);
	} while (pid < 0 && errno == EINTR);
	return pid != child || !WIFEXITED(status);
}

static int
setup(int depth, io_context_t *ctx)
{
	return is_deadly() ? -EPERM : io_setup(depth, ctx);
}

const struct aio_kernel aio_kernel_linux = {
	.setup = setup,
	.destroy = io_destroy,
	.submit = io_submit,
	.getevents = io_getevents,
};
