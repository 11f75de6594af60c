// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parse, copy, report, exit.

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "attest.h"
#include "cmdline.h"
#include "conduct.h"
#include "message.h"
#include "prospect.h"
#include "quote.h"
#include "resolve.h"
#include "run.h"
#include "signals.h"
#include "testimony.h"

static enum exit_code
copy(struct run *run, char *const *argv)
{
	const struct request *q = &run->options.request;
	struct transfer *transfer = &run->transfer;
	enum transfer_verdict verdict;

	transfer_init(transfer, q, &run->hooks, &run->stats);
	if (run_open(run, argv) < 0)
		return run_end(run, TRANSFER_UNCOUNTED);
	if (options_is_about_manifest(&run->options)) {
		verdict = testimony_print(&transfer->env) < 0
				  ? TRANSFER_UNCOUNTED
				  : TRANSFER_OK;
	} else if (q->plan_only) {
		verdict = prospect_run(run);
	} else {
		verdict = run_tell(run, request_is_attested(q)
						? attest_run(transfer)
						: conduct_run(transfer));
	}
	return run_end(run, verdict);
}

// For what outlives the run, and says how it was made.
static enum exit_code
copy_as(struct run *run, char *const *argv)
{
	struct request *q = &run->options.request;
	char *command = q->map != NULL ? quote_command(argv) : NULL;

	q->command = command;
	const enum exit_code code = copy(run, argv);
	q->command = NULL;
	free(command);
	return code;
}

// A closed stderr must stay unwritable: the next descriptor to be opened
// would take its number, and messages would land in the data.
static void
guard_stderr(void)
{
	if (fcntl(STDERR_FILENO, F_GETFD) >= 0 || errno != EBADF)
		return;
	const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fd == STDERR_FILENO)
		return;
	(void)dup2(fd, STDERR_FILENO);
	(void)close(fd); // held nothing
}

int
main(int argc, char **argv)
{
	struct run run = {.stats.start_ns = 0};
	enum exit_code code = EXIT_CODE_FAILURE;

	guard_stderr();
	// Only what messages need: each category is a file to open and map.
	setlocale(LC_CTYPE, "");
	setlocale(LC_NUMERIC, "");
	setlocale(LC_MESSAGES, "");
	message_init(argv[0]);
	switch (cmdline_parse(&run.options, argc, argv)) {
	case CMDLINE_SHOWN:
		code = EXIT_CODE_OK;
		break;
	case CMDLINE_WRONG:
		break;
	case CMDLINE_RUN:
		if (resolve_options(&run.options) < 0)
			break;
		signals_init(run.options.request.is_dd);
		code = copy_as(&run, argv);
		break;
	}
	cmdline_free(&run.options);
	return message_has_failed() ? EXIT_CODE_FAILURE : code;
}
