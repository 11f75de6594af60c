// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "base.h"
#include "suites.h"

#define NAME_SUITE(name) name##_suite,
static Suite *(*const suites[])(void) = {SUITES(NAME_SUITE)};

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
