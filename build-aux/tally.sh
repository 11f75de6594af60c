#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# tally.sh LOG...: add up automake's test suite logs and print one line,
# N passed, N failed, N skipped. A log that is missing or holds no result is a
# run that never came to its tests, and counts as failed.
set -eu

passed=0 failed=0 skipped=0

# count WORD... in $log: the log's head has one "# WORD: number" line for each,
# and may quote such lines of failed tests further down.
count()
{
	local words
	words=$(IFS='|'; echo "$*")
	awk -v words="^($words):\$" '
		$1 == "#" && $2 ~ words && !seen[$2]++ { sum += $3 }
		END { print sum + 0 }' "$log"
}

for log; do
	if [ ! -s "$log" ] || [ "$(count TOTAL)" -eq 0 ]; then
		failed=$((failed + 1))
		continue
	fi
	passed=$((passed + $(count PASS XFAIL)))
	failed=$((failed + $(count FAIL XPASS ERROR)))
	skipped=$((skipped + $(count SKIP)))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
