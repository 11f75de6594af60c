// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "suites.h"

#define ADD_SUITE(name) {#name, name##_suite},
static const struct {
	const char *name;
	Suite *(*make)(void);
} suites[] = {SUITES(ADD_SUITE)};

// One of those in AIODD_SUITES, between blanks; not set: of all.
static bool
is_wanted(const char *name)
{
	const char *wanted = getenv("AIODD_SUITES");
	char list[1024], word[64];

	if (wanted == NULL)
		return true;
	snprintf(list, sizeof(list), " %s ", wanted);
	snprintf(word, sizeof(word), " %s ", name);
	return strstr(list, word) != NULL;
}

int
main(void)
{
	// Check kills a test after 4 s: only a hang is one, on any machine.
	setenv("CK_DEFAULT_TIMEOUT", "300", 0);
	SRunner *runner = srunner_create(NULL);

	for (size_t i = 0; i < ARRAY_LEN(suites); i++)
		if (is_wanted(suites[i].name))
			srunner_add_suite(runner, suites[i].make());
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	const int nr_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return nr_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
