// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "base.h"
#include "suites.h"

// In the order of the layers, from below: the first failure is the cause.
static Suite *(*const suites[])(void) = {
	units_suite,	 report_suite,	   quote_suite,	   nearest_suite,
	correct_suite,	 event_suite,	   job_suite,	   ring_suite,
	aio_suite,	 submitter_suite,  loop_suite,	   extent_suite,
	reader_suite,	 writer_suite,	   copy_suite,	   plan_suite,
	memory_suite,	 probe_suite,	   endpoint_suite, safety_suite,
	label_suite,	 caution_suite,	   change_suite,   pace_suite,
	writeback_suite, digest_suite,	   hasher_suite,   identity_suite,
	bar_suite,	 beside_suite,	   nocache_suite,  filter_suite,
	reblock_suite,	 serial_suite,	   position_suite, walk_suite,
	record_suite,	 clone_suite,	   hold_suite,	   verify_suite,
	transfer_suite,	 durability_suite, outcome_suite,  journal_suite,
	progress_suite,
};

int
main(void)
{
	// Check kills a test after 4 s: only a hang is one, on any machine.
	setenv("CK_DEFAULT_TIMEOUT", "300", 0);
	SRunner *runner = srunner_create(NULL);

	for (size_t i = 0; i < ARRAY_LEN(suites); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	const int nr_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return nr_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
