// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(units_suite());

	srunner_add_suite(runner, report_suite());
	srunner_add_suite(runner, quote_suite());
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	const int nr_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return nr_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
