// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "publish.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "clock.h"
#include "journal.h"
#include "message.h"
#include "object.h"
#include "options.h"
#include "progress.h"

#define SHOW_NS (UINT64_C(500) * 1000 * 1000)

// An object for whoever reads them; it is lost without memory.
static void
put_object(char *line)
{
	if (line == NULL)
		message_fail();
	else
		message_text(line);
	free(line);
}

// Before all other objects.
void
publish_start(struct publish *p)
{
	if (!p->is_started)
		put_object(object_start(p->journal));
	p->is_started = true;
}

void
publish_progress(struct publish *p, struct progress *progress)
{
	const uint64_t now = clock_ns();

	publish_start(p);
	put_object(
		object_progress(p->journal, now, progress_rate(progress, now)));
	p->shown_ns = now;
}

static void
on_message(void *ctx, const char *text)
{
	struct publish *p = ctx;
	struct journal_event event;

	journal_hear(p->journal, text, clock_ns(), &event);
	if (p->is_json) {
		publish_start(p);
		put_object(object_event(&event));
	} else if (!p->is_mute) {
		message_line(text);
	}
}

int
publish_open(struct publish *p, const struct options *options,
	     const struct transfer *t, const struct stats *stats,
	     char *const *argv)
{
	*p = (struct publish){.is_json = options->is_json, .export.fd = -1};
	if (!options->is_json && options->report == NULL)
		return 0;
	const int r = object_load();
	if (r < 0)
		return r;
	p->journal = journal_new(&options->request, t, stats, argv);
	if (p->journal == NULL) {
		message_error(ENOMEM, "status=json and report=");
		return -ENOMEM;
	}
	message_divert(on_message, p);
	return export_open(&p->export, "report", options->report,
			   &options->request, EXPORT_WRITE);
}

void
publish_tick(struct publish *p, struct progress *progress, uint64_t now_ns)
{
	if (p->journal == NULL)
		return;
	const uint64_t last = max_u64(p->shown_ns, p->journal->stats->start_ns);

	journal_sample(p->journal, now_ns);
	if (p->is_json && now_ns >= last + SHOW_NS)
		publish_progress(p, progress);
}

static int
write_report(struct publish *p)
{
	const bool is_page = export_is_page(&p->export);
	const enum object_layout layout = is_page ? OBJECT_COMPACT
						  : OBJECT_INDENTED;
	char *text = object_report(p->journal, layout);
	int r = -ENOMEM;

	if (text != NULL)
		r = is_page ? export_write_page(&p->export, text)
			    : export_write(&p->export, text);
	else
		message_error(ENOMEM, "report=");
	free(text);
	return r;
}

enum exit_code
publish_end(struct publish *p, enum exit_code code, int signo)
{
	if (message_has_failed())
		code = EXIT_CODE_FAILURE;
	journal_end(p->journal, (int)code, signo, clock_ns());
	if (p->export.fd >= 0 && write_report(p) < 0) {
		code = EXIT_CODE_FAILURE;
		journal_end(p->journal, (int)code, signo, clock_ns());
	}
	export_close(&p->export);
	if (p->is_json) {
		publish_start(p);
		put_object(object_end(p->journal));
	}
	return code;
}
